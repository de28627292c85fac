/** What the leader of a store holds: the place where it lives, and the engine over it. */
import { ClosedError, LockedError, QuotaError } from '../base/errors.js';
import { type OpenOptions, resolveOptions } from '../contract/options.js';
import type { Capabilities } from '../contract/store.js';
import {
  differences,
  fromSettings,
  reconcile,
  type StoreWide,
  toSettings,
  type Wish,
  wishOf,
  withStoreWide,
} from '../contract/store-wide.js';
import { Engine, type Environment, requireCodec } from '../engine/index.js';
import type { Backend } from '../storage/backend.js';
import { choosePlace, findStorage, openPlace } from '../storage/choose.js';
import type { Answer, Call, Opened } from '../wire/messages.js';
import { runCalls } from './calls.js';
import { registered } from './registry.js';
import { encryptionOf, newEncryption, unlock } from './unlock.js';

export interface LeadOptions {
  readonly name: string;
  /** Checked. */
  readonly options: OpenOptions;
  /** Node: the folder in which the store lives. */
  readonly directory: string | undefined;
}

/** Which calls of a session these are. */
export interface Numbers {
  readonly first: number;
  /** All before this one have their answers. */
  readonly known: number;
}

export class Lead {
  #messages = 0;
  #calls = 0;
  #over: Promise<void> | undefined;
  /** Numbered calls that have no answer yet, by session and number. */
  readonly #underWay = new Map<string, Promise<Answer[]>>();

  private constructor(
    readonly engine: Engine,
    private readonly backend: Backend,
    readonly opened: Opened,
    readonly storeWide: StoreWide,
  ) {}

  static async open({ name, options, directory }: LeadOptions): Promise<Lead> {
    const asked = resolveOptions(options);
    requireCodec(asked.compression, registered.codecs);
    const found = await findStorage();
    const place = await choosePlace(name, asked.persistence, directory, found);
    const backend = await openPlace(name, place, directory, {
      surroundings: {
        now: Date.now,
        elapsed: () => performance.now(),
        random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
      },
      absolute: asked.recovery === 'absolute',
      settings: { ...toSettings(wishOf(options).storeWide), ...(await newEncryption(options)) },
    });
    const capabilities = { ...found, ...surroundings(), reason: place.reason };
    const after = (ms: number, task: () => void) => {
      const timer = setTimeout(task, ms);
      // In Node a timer must not keep the process alive.
      (timer as { unref?(): void }).unref?.();
      return () => clearTimeout(timer);
    };
    return Lead.over(backend, { mode: place.mode, capabilities }, options, { now: Date.now, after });
  }

  /** Leads the store that `backend` holds, and closes it where that fails. */
  static async over(
    backend: Backend,
    opened: Opened,
    options: OpenOptions,
    time: Pick<Environment, 'now' | 'after'>,
  ): Promise<Lead> {
    try {
      const { header } = backend;
      const storeWide = reconcile(fromSettings(header.settings), wishOf(options));
      const settings = resolveOptions(withStoreWide(options, storeWide));
      requireCodec(settings.compression, registered.codecs);
      const unlocked = await unlock(backend, options);
      // Raised before anything is read, so that an older leader that wakes up can be told from this one.
      const raised = {
        ...header,
        epoch: header.epoch + 1,
        settings: { ...header.settings, ...toSettings(storeWide) },
      };
      const refused = await writeIfRoom(backend, raised);
      if (refused && options.reconfigure) throw refused;
      const engine = await Engine.open({
        ...time,
        mode: opened.mode,
        settings,
        ...unlocked,
        losses: backend.losses.map(({ reason }) => reason),
        operators: registered.operators,
        policies: registered.policies,
        codecs: registered.codecs,
        // Unwritten it must not be the next leader's as well: what is held by number is of one of them.
        epoch: refused ? raised.epoch + (Math.floor(time.now()) % 2 ** 20) : raised.epoch,
      });
      return new Lead(engine, backend, { ...opened, encryption: encryptionOf(backend) }, storeWide);
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  get epoch(): number {
    return this.backend.header.epoch;
  }

  /**
   * Runs calls of a session, of this tab or of another. Never rejects. Numbered calls are made
   * once, however often they are asked for.
   */
  run(
    calls: readonly Call[],
    role: 'leader' | 'follower',
    session: string,
    numbers?: Numbers,
  ): Promise<Answer[]> {
    if (!numbers) return this.#run(calls, role, session);
    const { first, known } = numbers;
    this.engine.answers.forget(session, known);
    const name = `${session} ${first}`;
    const underWay = this.#underWay.get(name);
    if (underWay) return underWay;
    const answers = this.#run(calls, role, session, first).finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, answers);
    return answers;
  }

  async #run(
    calls: readonly Call[],
    role: 'leader' | 'follower',
    session: string,
    first?: number,
  ): Promise<Answer[]> {
    this.#messages += 1;
    this.#calls += calls.length;
    const answers = await runCalls(this.engine, calls, session, first);
    return answers.map((answer, i) =>
      calls[i]!.method === 'stats' && 'value' in answer
        ? { value: this.#withRoles(answer.value, role) }
        : answer,
    );
  }

  /** A session is over: what it held is let go. */
  release(session: string): void {
    this.engine.versions.release(session);
    this.engine.answers.drop(session);
  }

  /** Tabs that may still ask for answers of before. */
  get clients(): readonly string[] {
    return this.engine.answers.clients();
  }

  #withRoles(stats: unknown, role: 'leader' | 'follower'): unknown {
    const rpc = { messages: this.#messages, calls: this.#calls };
    return { ...(stats as object), rpc, leader: { role, epoch: this.epoch } };
  }

  /** @throws TypeError where another tab asks for what the store is not, LockedError where it wants to change it. */
  check(wish: Wish, persistence: string): void {
    const changed = wish.reconfigure ? differences(this.storeWide, wish.storeWide) : [];
    if (changed.length > 0) {
      throw new LockedError(
        `reconfigure: ${changed.join(', ')}: the store is open in another tab; close it there first`,
      );
    }
    reconcile(this.storeWide, wish);
    const { mode } = this.opened;
    if (persistence === 'auto' || persistence === mode) return;
    throw new TypeError(`persistence: the store is open as '${mode}' in another tab, got '${persistence}'`);
  }

  /** Finishes what was asked for, flushes, and lets go of the files. Safe to call twice. */
  close(): Promise<void> {
    this.#over ??= this.#close();
    return this.#over;
  }

  async #close(): Promise<void> {
    const { backend, engine } = this;
    try {
      await engine.close();
      const { header } = backend;
      await writeIfRoom(backend, { ...header, epoch: header.epoch + 1, flushedTo: engine.logBytes });
    } finally {
      await backend.close();
    }
  }

  /** Lets go of the files and removes them. */
  async destroy(): Promise<void> {
    if (this.#over) throw new ClosedError('the store is closed');
    this.#over = this.engine.close({ image: false }).catch(() => {});
    await this.#over;
    await this.backend.destroy();
  }
}

/** What the context offers besides storage. */
export function surroundings(): Pick<Capabilities, 'locks' | 'broadcastChannel' | 'crossOriginIsolated'> {
  return {
    locks: typeof navigator !== 'undefined' && 'locks' in navigator,
    broadcastChannel: typeof BroadcastChannel !== 'undefined',
    crossOriginIsolated: (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true,
  };
}

/** The refusal where the medium has no room even for a header: what is there can be read all the same. */
async function writeIfRoom(backend: Backend, header: Backend['header']): Promise<QuotaError | undefined> {
  try {
    await backend.writeHeader(header);
    return undefined;
  } catch (error) {
    if (error instanceof QuotaError) return error;
    throw error;
  }
}
