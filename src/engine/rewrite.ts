/**
 * Compaction: what is alive is copied to an empty log in the store's other place, and
 * the header is turned to it.
 *
 *    1. A version is frozen, and the locations of all that is alive in it are put in order.
 *    2. Their entries are copied, a slice at a time, each made to count in a second
 *       state as recovery would. Reads and writes go on in the old log.
 *    3. What was committed meanwhile follows, until little is left.
 *    4. With the queue held: the rest follows, the new log is flushed, the header names
 *       it, and the second state takes the place of the first.
 *
 * The old log stays as it is until 4, so a crash before leaves it, and one after finds
 * the new one. It goes when the last reader of an older version lets go of it.
 *
 * Costs about the live bytes once more on the medium while it runs, and the index a
 * second time in memory. Entries keep their version and order; a value whose key is
 * gone while others have it becomes an entry of its own.
 */
import { ClosedError, CorruptionError, LockedError } from '../base/errors.js';
import type { CompactResult } from '../contract/store.js';
import type { Successor } from '../storage/backend.js';
import { type EntryFields, entry, type Log, Type } from '../storage/log/index.js';
import { bucketsOf, copyOf, type Standing, standing, valueOnly, withoutTwins } from './alive.js';
import { answerEntry } from './answers.js';
import type { Change } from './change.js';
import type { Committer } from './commit.js';
import { Contents } from './contents.js';
import type { CurrentLog, CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import { Lookup } from './lookup.js';
import type { Packing } from './packing.js';
import { Records } from './records.js';
import { replayEntry } from './recover.js';
import { seal } from './seal.js';
import { settle } from './settle.js';
import { BUFFER_KEYS_MAX, State, type View } from './state.js';

/** What is copied without a pause: some milliseconds of work. */
const SLICE_ENTRIES = 512;
const SLICE_BYTES = 256 * 1024;
/** So few commits may be left for the moment in which the queue is held. */
const REST_CHANGES = 256;
/** Rounds in which writers may stay ahead before they have to wait for the rest. */
const ROUNDS_MAX = 6;
/** Comparing values while copying needs the last few at hand. */
const CACHE_BYTES = 2 ** 20;

export interface RewriterParts {
  readonly environment: Environment;
  readonly log: CurrentLog;
  readonly state: State;
  readonly records: CurrentRecords;
  readonly committer: Committer;
  readonly packing: Packing;
  readonly settle: () => Promise<void>;
  /** Told when the new log has taken the place of the old. */
  readonly onFollow: () => void;
}

/** The new log, and the state that is filled with it. */
class Target {
  readonly state: State;
  readonly #contents: Contents;
  readonly #lookup: Lookup;

  constructor(
    readonly log: Log,
    source: State,
    { now, index }: Environment,
    packing: Packing,
  ) {
    this.state = new State(source.secret, source.dedup, now(), index);
    const records = new Records(log, CACHE_BYTES);
    this.#contents = new Contents(this.state, records, packing);
    this.#lookup = new Lookup(this.state, records, this.#contents);
  }

  settle(): Promise<void> {
    return settle(this.state, this.#lookup, this.#contents);
  }

  /** Logs version and time of `source` where the entries that made them are gone. REQUIRES: it is settled. */
  async reach({ version, time }: State): Promise<void> {
    const { state, log } = this;
    if (state.version === version && state.time === time) return;
    state.reach(version, time);
    await seal(log, state);
  }

  /** Appends entries and makes them count. */
  async append(entries: readonly EntryFields[]): Promise<void> {
    const { log, state } = this;
    if (entries.length === 0) return;
    if (log.full || state.buffered >= BUFFER_KEYS_MAX) {
      await this.settle();
      await seal(log, state);
    }
    const batch = log.begin();
    const locations = entries.map((fields) => batch.add(fields));
    const appended = log.append(batch, false);
    if (appended instanceof Promise) await appended;
    for (const location of locations) {
      const read = log.read(location);
      const written = read instanceof Promise ? await read : read;
      const holds = written.type === Type.Put || written.type === Type.Object;
      const content = holds ? this.#contents.of(written, location) : undefined;
      replayEntry(state, written, location, content instanceof Promise ? await content : content);
    }
    state.endGroup();
  }
}

export class Rewriter {
  readonly #parts: RewriterParts;
  /** What was committed since the version that is copied; `undefined` while none is. */
  #changes: Change[] | undefined;
  #running: Promise<CompactResult> | undefined;
  #stopped = false;
  /** Somebody still reads the log before the current one, in the place where the next would go. */
  #held = false;
  /** Nobody does any more, and that place is being emptied. */
  #emptying: Promise<void> | undefined;

  constructor(parts: RewriterParts) {
    this.#parts = parts;
  }

  /** Whether a rewriting could begin now. */
  get free(): boolean {
    return this.#running === undefined && !this.#held && this.#parts.environment.successor !== undefined;
  }

  /** Told of each group that was committed. */
  note(changes: readonly Change[]): void {
    if (this.#changes) for (const change of changes) this.#changes.push(change);
  }

  /**
   * Rewrites the log; calls while it runs share its outcome.
   *
   * @throws LockedError while a scan or a snapshot still reads the log before this one.
   */
  rewrite(): Promise<CompactResult> {
    this.#running ??= this.#rewrite().finally(() => {
      this.#running = undefined;
      this.#changes = undefined;
    });
    return this.#running;
  }

  /** What runs ends soon, and leaves the log as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => {});
  }

  async #rewrite(): Promise<CompactResult> {
    const { environment, log, state, records, committer } = this.#parts;
    const before = log.bytes;
    if (!environment.successor) return { before, after: before };
    await this.#emptying;
    if (this.#held) {
      throw new LockedError(
        'a scan or a snapshot from before the last compaction is still open; end it first',
      );
    }
    const { successor, source, view } = await committer.exclusive(async () => {
      await this.#parts.settle();
      const made = await environment.successor!();
      const held = records.era;
      held.retain();
      this.#changes = [];
      return { successor: made, source: held, view: state.view() };
    });
    let adopting = false;
    try {
      const target = new Target(successor.log, state, environment, this.#parts.packing);
      await this.#copyAlive(view, source, target);
      await this.#catchUp(source, target);
      return await committer.exclusive(async () => {
        await this.#copyChanges(await this.#takeChanges(), source, target);
        await target.settle();
        refuseDifference(state, target.state);
        await target.reach(state);
        await target.append(
          [...state.answers.all()].map((each) => answerEntry(each, state.version, state.time)),
        );
        const flushed = target.log.flush();
        if (flushed instanceof Promise) await flushed;
        adopting = true;
        this.#follow(target, await successor.adopt());
        return { before, after: log.bytes };
      });
    } catch (error) {
      if (adopting) log.breakOff(error);
      else await discard(successor);
      throw error;
    } finally {
      source.release();
    }
  }

  /** The new log and what is known of it take the place of the old. */
  #follow(target: Target, empty: () => unknown): void {
    const { log, state, records } = this.#parts;
    log.follow(target.log);
    state.adopt(target.state);
    this.#held = true;
    records.follow(target.log).retire(() => {
      // What could not be emptied now is emptied before it is used again, or when the store is opened.
      this.#emptying = Promise.resolve()
        .then(empty)
        .then(() => {})
        .catch(() => {})
        .finally(() => {
          this.#held = false;
        });
    });
    this.#parts.onFollow();
  }

  async #copyAlive(view: View, source: Records, target: Target): Promise<void> {
    const secret = target.state.secret;
    const buckets = await bucketsOf(view, () => this.#pause());
    let slice: EntryFields[] = [];
    let bytes = 0;
    for (const bucket of buckets) {
      for (const location of withoutTwins(bucket.sort())) {
        const read = source.pass(location);
        const record = read instanceof Promise ? await read : read;
        slice.push(copyOf(record, location, view, secret, target.state.dedup));
        bytes += record.bytes;
        if (slice.length < SLICE_ENTRIES && bytes < SLICE_BYTES) continue;
        await target.append(slice);
        slice = [];
        bytes = 0;
        await this.#pause();
      }
    }
    await target.append(slice);
  }

  /** What was committed meanwhile, again and again until little is left. */
  async #catchUp(source: Records, target: Target): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX && this.#changes!.length > REST_CHANGES; round++) {
      const changes = await this.#parts.committer.exclusive(() => this.#takeChanges());
      await this.#copyChanges(changes, source, target, () => this.#pause());
    }
  }

  /** What was committed since it was last asked for. Settled first: what no key has any more is let go then. */
  async #takeChanges(): Promise<Standing[]> {
    await this.#parts.settle();
    const changes = standing(this.#changes!, this.#parts.state);
    this.#changes = [];
    return changes;
  }

  async #copyChanges(
    changes: readonly Standing[],
    source: Records,
    target: Target,
    pause?: () => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < changes.length; from += SLICE_ENTRIES) {
      const slice: EntryFields[] = [];
      for (const { change, whole } of changes.slice(from, from + SLICE_ENTRIES)) {
        const { version: sequence, time } = change;
        if (change.type === 'put' || change.type === 'object') {
          const read = source.pass(change.type === 'put' ? change.location : change.content.object);
          const record = read instanceof Promise ? await read : read;
          slice.push(whole ? record : valueOnly(record));
        } else if (change.type === 'delete') {
          slice.push(entry({ type: Type.Delete, sequence, time, key: change.key }));
        } else if (change.type === 'clear') slice.push(entry({ type: Type.Clear, sequence, time }));
      }
      await target.append(slice);
      await pause?.();
    }
  }

  /** Lets others run. */
  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.environment.after(0, resolve));
    if (this.#stopped) throw new ClosedError('the store was closed while its log was rewritten');
  }
}

/** Both are settled, so their totals are exact: what differs would be lost or made up. */
function refuseDifference(before: State, after: State): void {
  for (const figure of ['keys', 'logicalBytes', 'objectCount', 'objectBytes', 'chunkCount'] as const) {
    if (before[figure] === after[figure]) continue;
    throw new CorruptionError(
      `rewriting the log gave ${figure} ${after[figure]} for ${before[figure]}; it was left as it is`,
      { detail: { figure, expected: before[figure], got: after[figure] } },
    );
  }
}

async function discard(successor: Successor): Promise<void> {
  try {
    await successor.discard();
  } catch {
    // The place is emptied before it is used again.
  }
}
