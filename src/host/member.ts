/**
 * One opening of a store in this worker: it leads the store, follows who does, or rests
 * while its page is frozen or in the back/forward cache.
 *
 *            lock was free              lock is ours, the leader is gone
 *    open ------------------> leading <---------------------- following
 *      \                        | ^                              ^
 *       \ somebody leads        | | resume, the lock is free     |
 *        \                      v |                              |
 *         \-- following       resting ---------------------------/
 *                                         resume, somebody leads
 *
 * A leader whose lock was taken away follows. Changes of role happen one after another.
 */
import { ClosedError, LeaderUnresponsiveError, LockedError } from '../base/errors.js';
import { wishOf } from '../contract/store-wide.js';
import { packError } from '../wire/errors.js';
import type { Answer, Call, Opened } from '../wire/messages.js';
import { Follow } from './follow.js';
import { Lead, type LeadOptions } from './lead.js';
import { LifeLock, StoreLock } from './locks.js';
import { browserTabs, type Channel, type Platform, type Tabs } from './platform.js';
import { BEAT_MS, type RelayMessage } from './relay.js';
import { lockOf, Term } from './term.js';
import { requireKey } from './unlock.js';

/** How long a leader may take to remove its files. */
const DESTROY_MS = 10_000;
/** How often to try the files of a leader that does not answer and holds them still. */
const STUCK_MS = 1000;

export class Member {
  readonly #options: LeadOptions;
  readonly #platform: Platform;
  #lead: Lead | undefined;
  #shared: Shared | undefined;
  #closed = false;

  private constructor(options: LeadOptions, platform: Platform) {
    this.#options = options;
    this.#platform = platform;
  }

  static async open(
    options: LeadOptions,
    platform: Platform = { tabs: browserTabs(), openLead: Lead.open },
  ): Promise<Member> {
    const member = new Member(options, platform);
    try {
      await member.#open();
    } catch (error) {
      await member.close();
      throw error;
    }
    return member;
  }

  get opened(): Opened | Promise<Opened> {
    return this.#lead?.opened ?? this.#shared!.follow.opened;
  }

  get leads(): boolean {
    return this.#lead !== undefined;
  }

  async run(calls: readonly Call[]): Promise<Answer[]> {
    if (this.#closed) {
      const error = packError(new ClosedError('the store is closed'));
      return calls.map(() => ({ error }));
    }
    return this.#lead ? this.#lead.run(calls, 'leader', this.#id) : this.#shared!.follow.run(calls);
  }

  /** The page is about to be frozen: flushes, lets go of files and lock. Calls wait until `resume`. */
  async suspend(): Promise<void> {
    const shared = this.#shared;
    if (!shared || this.#closed || shared.resting) return;
    shared.resting = true;
    shared.lock.callOff();
    shared.follow.rest();
    await this.#inTurn(() => this.#stepDown());
    // While nothing waits for an answer, the leader need keep none: a page with a lock is not cached.
    if (shared.follow.isIdle) shared.life.release();
  }

  /** The page is back: leads again where nobody does, else follows. */
  async resume(): Promise<void> {
    const shared = this.#shared;
    if (!shared || this.#closed || !shared.resting) return;
    shared.resting = false;
    await shared.life.hold();
    await this.#inTurn(() => this.#stand()).catch((error) => this.#fail(error));
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#shared?.lock.callOff();
    try {
      await this.#inTurn(() => this.#stepDown());
    } finally {
      this.#leave(new ClosedError('the store is closed'));
    }
  }

  /** Removes the store, in whichever tab it is led. */
  async destroy(): Promise<void> {
    if (this.#closed) throw new ClosedError('the store is closed');
    if (!this.#lead) {
      await this.#askToDestroy(this.#shared!);
      return;
    }
    this.#closed = true;
    this.#shared?.lock.callOff();
    await this.#lead.destroy();
    this.#shared?.channel.post({ type: 'gone' });
    this.#leave(new ClosedError('the store is closed'));
  }

  /** Resolves when the leader says that the store is gone. */
  async #askToDestroy(shared: Shared): Promise<void> {
    shared.follow.destroy();
    const gone = await new Promise<boolean>((resolve) => {
      shared.onGone = () => resolve(true);
      shared.tabs.after(DESTROY_MS, () => resolve(false));
    });
    if (!gone) {
      throw new LeaderUnresponsiveError('the tab that leads the store does not answer; it was not destroyed');
    }
  }

  get #id(): string {
    return this.#shared?.id ?? 'alone';
  }

  async #open(): Promise<void> {
    const { tabs } = this.#platform;
    // A folder in Node, or a context without locks: nobody to share with.
    if (!tabs || this.#options.directory !== undefined) {
      this.#lead = await this.#platform.openLead(this.#options);
      return;
    }
    const { name, options } = this.#options;
    const id = tabs.newId();
    const channel = tabs.channel(name, (message) => this.#receive(message));
    const lock = new StoreLock(
      tabs.locks,
      `rootcellar:${name}`,
      () => void this.#inTurn(() => this.#fenced()),
    );
    const onSilence = () => void this.#inTurn(() => this.#seize());
    const follow = new Follow({
      tabs,
      channel,
      id,
      wish: wishOf(options),
      persistence: options.persistence ?? 'auto',
      onSilence,
    });
    const life = new LifeLock(tabs.locks, lockOf(id));
    await life.hold();
    this.#shared = {
      tabs,
      id,
      channel,
      lock,
      follow,
      life,
      isOpen: false,
      resting: false,
      term: undefined,
      turn: Promise.resolve(),
      onGone: undefined,
    };
    await this.#inTurn(() => this.#stand());
    const { encryption } = await this.opened;
    await requireKey(encryption, options);
    this.#shared.isOpen = true;
  }

  /** Runs `step` when the change of role before it is through. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    if (!this.#shared) return step();
    const turn = this.#shared.turn.then(step);
    this.#shared.turn = turn.catch(() => {});
    return turn;
  }

  /** Leads where nobody does; else follows, and waits for the lead. */
  async #stand(): Promise<void> {
    const { lock, follow, resting } = this.#shared!;
    if (this.#closed || resting || this.#lead) return;
    if (await lock.try()) return this.#takeLead();
    follow.hello();
    void this.#waitForLead();
  }

  async #waitForLead(): Promise<void> {
    const { lock } = this.#shared!;
    const granted = await lock.wait().catch(() => false);
    if (!granted) return;
    try {
      await this.#inTurn(() => this.#takeLead());
    } catch (error) {
      this.#fail(error);
    }
  }

  /** REQUIRES: the lock is this tab's. */
  async #takeLead(): Promise<void> {
    const shared = this.#shared!;
    const { tabs, channel, id, follow, lock } = shared;
    if (this.#lead) return;
    if (this.#closed || shared.resting) return lock.release();
    // At once: nobody else shall lose patience with the leader before.
    channel.post({ type: 'leading', leader: id });
    const stopBeat = beat(shared);
    const lead = await this.#openLead(shared).finally(stopBeat);
    if (!lead) return lock.release();
    this.#lead = lead;
    shared.term = new Term({ lead, tabs, channel, id, onDestroy: () => this.destroy() });
    const unanswered = follow.end(lead.opened);
    const answered = unanswered.map(async ({ calls, first, resolve }) =>
      resolve(await lead.run(calls, 'leader', id, { first, known: first })),
    );
    void Promise.all(answered).then(() => lead.engine.answers.drop(id));
  }

  /** `undefined`: this tab was closed, or rests, before the files were free. */
  async #openLead(shared: Shared): Promise<Lead | undefined> {
    for (;;) {
      try {
        return await this.#platform.openLead(this.#options);
      } catch (error) {
        const stuck = error instanceof LockedError && shared.isOpen;
        if (!stuck) throw error;
        shared.follow.refuseAll(
          new LeaderUnresponsiveError(
            'the tab that led the store does not answer and holds its files; a write may or may not have been made',
            { cause: error, detail: { outcome: 'unknown' } },
          ),
        );
        await new Promise<void>((resolve) => shared.tabs.after(STUCK_MS, resolve));
        if (this.#closed || shared.resting) return undefined;
      }
    }
  }

  /** Lets go of what a leader holds; its waiting calls are those of a follower from now on. */
  async #stepDown(): Promise<void> {
    const lead = this.#lead;
    this.#lead = undefined;
    const shared = this.#shared;
    shared?.term?.end();
    if (shared) shared.term = undefined;
    try {
      await lead?.close();
    } finally {
      shared?.lock.release();
    }
  }

  /** Another tab has taken the lead, since this one did not answer. */
  async #fenced(): Promise<void> {
    // What it could not finish is the other's to tell.
    await this.#stepDown().catch(() => {});
    const { follow, resting } = this.#shared!;
    if (this.#closed || resting) return;
    follow.hello();
    void this.#waitForLead();
  }

  /** The leader was asked to yield and says nothing. */
  async #seize(): Promise<void> {
    const { lock, follow, resting } = this.#shared!;
    if (this.#closed || this.#lead || resting) return;
    lock.callOff();
    follow.leaderLost();
    await lock.steal();
    try {
      await this.#takeLead();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The store cannot be led from here any more. */
  #fail(error: unknown): void {
    this.#closed = true;
    this.#leave(error instanceof Error ? error : new Error(String(error)));
  }

  #receive(message: RelayMessage): void {
    if (message.type === 'gone') this.#abandon();
    else if (this.#shared?.term) void this.#shared.term.receive(message);
    else if (!this.#shared?.resting) this.#shared?.follow.receive(message);
  }

  /** Another tab has destroyed the store. */
  #abandon(): void {
    this.#closed = true;
    this.#shared?.lock.callOff();
    this.#leave(new ClosedError('the store was destroyed by another tab'));
    this.#shared?.onGone?.();
  }

  #leave(error: Error): void {
    const shared = this.#shared;
    if (!shared) return;
    shared.term?.end();
    shared.follow.close(error);
    shared.channel.close();
    shared.lock.release();
    shared.life.release();
  }
}

/** Says every second that somebody is about to lead; the result ends it. */
function beat({ tabs, channel, id }: Shared): () => void {
  let cancel: () => void;
  const again = () => {
    cancel = tabs.after(BEAT_MS, () => {
      channel.post({ type: 'beat', leader: id });
      again();
    });
  };
  again();
  return () => cancel();
}

/** What a member has where tabs can share a store. */
interface Shared {
  readonly tabs: Tabs;
  readonly id: string;
  readonly channel: Channel;
  readonly lock: StoreLock;
  /** Its calls while it does not lead. */
  readonly follow: Follow;
  /** Shows the leader that this tab is there. */
  readonly life: LifeLock;
  /** `open` has succeeded: from now on a failure is no answer to it. */
  isOpen: boolean;
  resting: boolean;
  /** While it leads. */
  term: Term | undefined;
  /** Ends with the change of role that is under way. */
  turn: Promise<void>;
  onGone: (() => void) | undefined;
}
