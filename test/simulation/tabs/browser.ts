/**
 * A browser with tabs, as far as they need it to share a store: Web Locks, a channel and
 * timers, all by a clock that the test turns. A tab can be killed, and frozen and thawed;
 * messages take their time.
 */
import { IoError, LockedError } from '../../../src/base/errors.js';
import type { Channel, Tabs } from '../../../src/host/platform.js';
import type { RelayMessage } from '../../../src/host/relay.js';
import type { SyncFile } from '../../../src/storage/log/index.js';
import type { Chance } from '../../faults/chance.js';
import type { Clock } from '../../faults/clock.js';
import type { FakeDisk } from '../../faults/disk.js';

/** Messages that are repeated, or whose loss the next one makes good. */
const MAY_BE_LOST = new Set(['hello', 'welcome', 'beat', 'leading', 'yield']);
const DELAY_MS = 8;

export class Browser {
  readonly tabs: Tab[] = [];
  readonly locks = new Locks();
  lostMessages = 0;

  constructor(
    readonly clock: Clock,
    readonly disk: FakeDisk,
    readonly chance: Chance,
  ) {}

  newTab(): Tab {
    const tab = new Tab(this, this.tabs.length);
    this.tabs.push(tab);
    return tab;
  }

  /** To every other tab, each after a delay of its own; what one tab sends arrives in its order. */
  send(from: Tab, message: RelayMessage): void {
    for (const tab of this.tabs) {
      if (tab === from || tab.dead) continue;
      if (MAY_BE_LOST.has(message.type) && this.chance.one(20)) {
        this.lostMessages += 1;
        continue;
      }
      const at = Math.max(this.clock.age + this.chance.below(DELAY_MS), tab.lastFrom.get(from) ?? 0);
      tab.lastFrom.set(from, at);
      const copy = structuredClone(message);
      this.clock.after(at - this.clock.age, () => tab.happen(() => tab.receive?.(copy)));
    }
  }
}

export class Tab {
  dead = false;
  frozen = false;
  receive: ((message: RelayMessage) => void) | undefined;
  readonly lastFrom = new Map<Tab, number>();
  readonly #missed: (() => void)[] = [];
  readonly #files = new Set<string>();

  constructor(
    readonly browser: Browser,
    readonly number: number,
  ) {}

  /** Runs `task` in this tab: now, when it has thawed, or never. */
  happen(task: () => void): void {
    if (this.dead) return;
    if (this.frozen) this.#missed.push(task);
    else task();
  }

  kill(): void {
    this.dead = true;
    this.#files.clear();
    this.browser.locks.forget(this);
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    for (const task of this.#missed.splice(0)) this.happen(task);
  }

  get platformTabs(): Tabs {
    const { clock, chance, locks } = this.browser;
    return {
      locks: { request: locks.requestBy(this) } as Tabs['locks'],
      newId: () => `tab-${this.number}-${chance.below(2 ** 31)}`,
      channel: (_, receive): Channel => {
        this.receive = receive;
        return {
          post: (message) => {
            if (!this.dead) this.browser.send(this, message);
          },
          close: () => {
            this.receive = undefined;
          },
        };
      },
      after: (ms, task) => clock.after(ms, () => this.happen(task)),
    };
  }

  readonly after = (ms: number, task: () => void) => this.browser.clock.after(ms, () => this.happen(task));

  /** As an access handle: exclusive, and of no use to a tab that is dead. */
  open(name: string): SyncFile {
    if (this.browser.tabs.some((tab) => tab.#files.has(name))) {
      throw new LockedError('the files of the store are held by another tab or worker');
    }
    this.#files.add(name);
    const file = this.browser.disk.open(name);
    const alive = <T>(call: () => T): T => {
      if (this.dead || !this.#files.has(name)) throw new IoError('this tab has no such file');
      return call();
    };
    return {
      read: (into, at) => alive(() => file.read(into, at)),
      write: (bytes, at) => alive(() => file.write(bytes, at)),
      flush: () => alive(() => file.flush()),
      truncate: (size) => alive(() => file.truncate(size)),
      size: () => alive(() => file.size()),
      close: () => {
        this.#files.delete(name);
      },
    };
  }
}

interface Request {
  readonly tab: Tab;
  readonly shared: boolean;
  readonly grant: () => Promise<unknown>;
  readonly reject: (error: unknown) => void;
  /** It does not wait any more. */
  ends?: () => void;
}

/** Web Locks: queues by name; a dead tab's are free at once; one may be stolen. */
class Locks {
  stolen = 0;
  readonly #held = new Map<string, Set<Request>>();
  readonly #waiting = new Map<string, Request[]>();

  requestBy(tab: Tab) {
    return (name: string, ...rest: unknown[]): Promise<unknown> => {
      const callback = rest.at(-1) as (lock: object | null) => unknown;
      const options = (rest.length > 1 ? rest[0] : {}) as LockOptions;
      return new Promise((resolve, reject) => {
        const request: Request = {
          tab,
          shared: options.mode === 'shared',
          reject: (error) => tab.happen(() => reject(error)),
          grant: () =>
            new Promise<void>((over) => {
              tab.happen(() => {
                Promise.resolve(callback({ name }))
                  .then(resolve, reject)
                  .finally(() => over());
              });
            }),
        };
        if (options.steal) this.#steal(name, request);
        else if (options.ifAvailable && !this.#isFree(name, request)) {
          tab.happen(() => resolve(callback(null)));
        } else this.#enqueue(name, request, options.signal);
      });
    };
  }

  forget(tab: Tab): void {
    for (const [name, held] of this.#held) {
      for (const request of held) if (request.tab === tab) held.delete(request);
      this.#waiting.set(
        name,
        (this.#waiting.get(name) ?? []).filter((request) => request.tab !== tab),
      );
      this.#serve(name);
    }
  }

  /** How many living tabs hold `name`. */
  holders(name: string): number {
    return this.#held.get(name)?.size ?? 0;
  }

  #isFree(name: string, { shared }: Request): boolean {
    const held = [...(this.#held.get(name) ?? [])];
    if ((this.#waiting.get(name) ?? []).length > 0) return false;
    return held.every((other) => shared && other.shared);
  }

  #enqueue(name: string, request: Request, signal: AbortSignal | undefined): void {
    const queue = this.#waiting.get(name) ?? [];
    queue.push(request);
    this.#waiting.set(name, queue);
    const callOff = () => {
      const waiting = this.#waiting.get(name)!;
      if (!waiting.includes(request)) return;
      this.#waiting.set(
        name,
        waiting.filter((other) => other !== request),
      );
      request.reject(new DOMException('called off', 'AbortError'));
      this.#serve(name);
    };
    signal?.addEventListener('abort', callOff);
    request.ends = () => signal?.removeEventListener('abort', callOff);
    this.#serve(name);
  }

  #steal(name: string, request: Request): void {
    const held = this.#held.get(name) ?? new Set();
    this.stolen += held.size;
    for (const robbed of held) robbed.reject(new DOMException('stolen', 'AbortError'));
    held.clear();
    this.#grant(name, request);
  }

  #serve(name: string): void {
    for (;;) {
      const [first] = this.#waiting.get(name) ?? [];
      const held = [...(this.#held.get(name) ?? [])];
      if (!first || !held.every((other) => first.shared && other.shared)) return;
      this.#waiting.get(name)!.shift();
      this.#grant(name, first);
    }
  }

  #grant(name: string, request: Request): void {
    const held = this.#held.get(name) ?? new Set();
    request.ends?.();
    held.add(request);
    this.#held.set(name, held);
    void request.grant().finally(() => {
      if (held.delete(request)) this.#serve(name);
    });
  }
}
