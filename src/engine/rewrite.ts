/**
 * Compaction: what is alive is copied to an empty log in the store's other place, and
 * the header is turned to it.
 *
 *    1. A version is frozen, and the locations of all that is alive in it are put in order.
 *    2. Their entries are copied, a slice at a time, each made to count in a second
 *       state as recovery would. Reads and writes go on in the old log. Where there are
 *       checkpoints, the version of the first is copied so, and then what each of those
 *       behind it, and the frozen one, has beyond the one before it (`carry.ts`).
 *    3. What was committed meanwhile follows, until little is left.
 *    4. With the queue held: the rest follows, the new log is flushed, the header names
 *       it, and the second state takes the place of the first.
 *
 * The old log stays as it is until 4, so a crash before leaves it, and one after finds
 * the new one. It goes when the last reader of an older version lets go of it.
 *
 * Costs about the live bytes once more on the medium while it runs, and the index a
 * second time in memory, with checkpoints a third. Entries keep their version and order; a
 * value whose key is gone while others have it becomes an entry of its own.
 */
import { ClosedError, CorruptionError, LockedError } from '../base/errors.js';
import type { CompactResult } from '../contract/store.js';
import type { Successor } from '../storage/backend.js';
import type { EntryFields, Log } from '../storage/log/index.js';
import { bucketsOf, copyOf, standing, withoutTwins } from './alive.js';
import { answerEntry } from './answers.js';
import { Carrier, carryNoted, carryStretch, type Noted, SLICE_BYTES, SLICE_ENTRIES } from './carry.js';
import type { Change, CheckpointChange } from './change.js';
import type { Committer } from './commit.js';
import type { CurrentLog, CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import { figuresIn, type Mark } from './mark.js';
import type { Packing } from './packing.js';
import { Past } from './past.js';
import { atView } from './reader.js';
import type { Records } from './records.js';
import { aliveIn, PINNED_LEAST, REWRITE_AT, spaceFor, WRITERS_SHARE } from './space.js';
import type { State, View } from './state.js';
import type { StreamGate } from './stream-gate.js';
import { Target } from './target.js';

/** So few commits may be left for the moment in which the queue is held. */
const REST_CHANGES = 256;
/** Rounds in which writers may stay ahead before they have to wait for the rest. */
const ROUNDS_MAX = 6;

export interface RewriterParts {
  readonly environment: Environment;
  readonly log: CurrentLog;
  readonly state: State;
  readonly records: CurrentRecords;
  readonly committer: Committer;
  readonly packing: Packing;
  readonly settle: () => Promise<void>;
  /** What comes in as a stream. */
  readonly gate: StreamGate;
  /** Told when the new log has taken the place of the old. */
  readonly onFollow: () => void;
}

/** The version that is frozen, and what it is copied from and to. */
interface Begun {
  readonly successor: Successor;
  readonly source: Records;
  readonly view: View;
  readonly marks: readonly Mark[];
}

export class Rewriter {
  readonly #parts: RewriterParts;
  /** What was committed since the version that is copied, up to the last checkpoint; `undefined` while none is. */
  #noted: Noted[] | undefined;
  /** And since that. */
  #changes: Change[] = [];
  #running: Promise<CompactResult> | undefined;
  #stopped = false;
  /** Those of the log before the current one, until the place where they lie is empty. */
  #before: Records | undefined;
  #beforeBytes = 0;
  /** How long the log may become while it is copied, beside the writers' share of the copy. */
  #ceiling = 0;
  /** The copy. */
  #copied: Log | undefined;
  /** Slices are copied, one after the other, without need of the queue. */
  #slicing = false;
  /** Groups of writes that wait for the end of the slice. */
  #braked: (() => void)[] = [];
  /** The place of the log before the current one is being emptied. */
  #emptying: Promise<void> | undefined;

  constructor(parts: RewriterParts) {
    this.#parts = parts;
  }

  /** Whether a rewriting could begin now, if none of before is `held`. */
  get free(): boolean {
    const { environment, gate } = this.#parts;
    return this.#running === undefined && gate.open === 0 && environment.successor !== undefined;
  }

  /** Whether a version is being copied: what is only in memory would be lost by it. */
  get busy(): boolean {
    return this.#noted !== undefined;
  }

  /** Resolves when what runs has ended, however. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  /** Whether a scan or a snapshot still reads the log before the current one: it is in the way of the next. */
  get held(): boolean {
    return this.#before !== undefined;
  }

  /** Whoever still reads the log before the current one is refused, should the space be needed that it takes. */
  giveUpBefore(): void {
    const { state, log } = this.#parts;
    const pinned = Math.max(this.#beforeBytes, PINNED_LEAST);
    if (log.bytes > spaceFor(2, aliveIn(state, log.bytes), log.bytes) + pinned) this.#before?.revoke();
  }

  /**
   * What a group of writes has to wait for: the next slice of the copy, where the writers have had
   * their share of it. What they lose then is time, not space (`space.ts`).
   */
  brake(): Promise<void> | undefined {
    const share = (this.#copied?.bytes ?? 0) * WRITERS_SHARE;
    if (!this.#slicing || this.#parts.log.bytes <= this.#ceiling + share) return undefined;
    return new Promise((resolve) => this.#braked.push(resolve));
  }

  /** Told of each group that was committed. */
  note(changes: readonly Change[]): void {
    if (!this.#noted) return;
    for (const change of changes) {
      if (change.type === 'checkpoint') this.#noted.push(this.#endNoted(change));
      else this.#changes.push(change);
    }
  }

  /**
   * Rewrites the log; calls while it runs share its outcome.
   *
   * @throws LockedError while a scan or a snapshot still reads the log before this one.
   */
  rewrite(): Promise<CompactResult> {
    this.#running ??= this.#rewrite().finally(() => {
      this.#running = undefined;
      this.#noted = undefined;
      this.#changes = [];
    });
    return this.#running;
  }

  /** What runs ends soon, and leaves the log as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => {});
  }

  async #rewrite(): Promise<CompactResult> {
    const { environment, log, state, committer } = this.#parts;
    const before = log.bytes;
    if (!environment.successor) return { before, after: before };
    await this.#emptying;
    if (this.held) {
      throw new LockedError(
        'a scan or a snapshot from before the last compaction is still open; end it first',
      );
    }
    const { successor, source, view, marks } = await this.#begin();
    let adopting = false;
    try {
      const target = new Target(successor.log, state, environment, this.#parts.packing);
      this.#copied = target.log;
      this.#ceiling = Math.max(log.bytes, spaceFor(REWRITE_AT, aliveIn(state, log.bytes), log.bytes));
      await this.#sliced(() => this.#copyVersions(marks, view, source, target));
      await this.#catchUp(source, target);
      // Most of it, so that there is little to flush while the queue is held.
      const copied = target.log.flush();
      if (copied instanceof Promise) await copied;
      return await committer.exclusive(async () => {
        await this.#copyChanges(await this.#takeChanges(), source, target, undefined);
        await target.settle();
        refuseDifference(state, target.state);
        await target.takeUse(state);
        await target.reach(state);
        await target.append(
          [...state.answers.all()].map((each) => answerEntry(each, state.version, state.time)),
        );
        await target.flush();
        adopting = true;
        this.#follow(target, await successor.adopt());
        return { before, after: log.bytes };
      });
    } catch (error) {
      if (adopting) log.breakOff(error);
      else await discard(successor);
      throw error;
    } finally {
      this.#copied = undefined;
      source.release();
    }
  }

  /** Freezes a version, once no stream has chunks in the log that only memory knows of. */
  async #begin(): Promise<Begun> {
    const { environment, state, records, committer, gate } = this.#parts;
    for (;;) {
      await gate.quiet();
      const begun = await committer.exclusive(async () => {
        if (gate.open > 0) return undefined;
        await this.#parts.settle();
        const successor = await environment.successor!();
        const source = records.era;
        source.retain();
        this.#noted = [];
        return { successor, source, view: state.view(), marks: [...state.marks.values()] };
      });
      if (begun) return begun;
    }
  }

  /**
   * Runs work that goes in slices and needs nothing of the queue, so that writers may be made to wait for
   * it. They may write a share of what it has written to the new log.
   */
  async #sliced(work: () => Promise<void>): Promise<void> {
    this.#slicing = true;
    try {
      await work();
    } finally {
      this.#slicing = false;
      this.#letWritersGo();
    }
  }

  /** A slice is over. */
  #letWritersGo(): void {
    const braked = this.#braked;
    this.#braked = [];
    for (const go of braked) go();
  }

  /** The new log and what is known of it take the place of the old. */
  #follow(target: Target, empty: () => unknown): void {
    const { log, state, records } = this.#parts;
    this.#beforeBytes = log.bytes;
    log.follow(target.log);
    state.adopt(target.state);
    const before = records.follow(target.log);
    this.#before = before;
    before.retire(() => {
      // What could not be emptied now is emptied before it is used again, or when the store is opened.
      this.#emptying = Promise.resolve()
        .then(empty)
        .then(() => {})
        .catch(() => {})
        .finally(() => {
          this.#before = undefined;
        });
    });
    this.#parts.onFollow();
  }

  /** What the checkpoints keep, one after the other, and what was written since the last of them. */
  async #copyVersions(marks: readonly Mark[], newest: View, source: Records, target: Target): Promise<void> {
    const { environment, log, state, packing } = this.#parts;
    const { secret } = state;
    const pause = () => this.#pause();
    const carrier = carrierTo(target, pause);
    const past = marks.length > 0 ? new Past(log, source, state, environment, packing, pause) : undefined;
    let from: number | undefined;
    const copy = async (view: View, to: number | undefined, of: State) => {
      if (from === undefined) return this.#copyAlive(view, of, source, target);
      const { lookup, contents } = atView(secret, view, source, packing);
      await carryStretch(log, { from, to }, { view, secret, lookup, contents }, carrier);
      await carrier.flush();
    };
    for (const mark of marks) {
      await past!.reach(mark.location);
      await copy(past!.state.view(false), mark.location, past!.state);
      const { label, version, createdAt: time } = mark;
      const figures = figuresIn(mark, target.log.bytes);
      await carrier.alone({ mutation: { type: 'checkpoint', label, figures }, version, time });
      from = mark.location;
    }
    await copy(newest, undefined, state);
  }

  /** `of`: the state of the view. What nobody had in it is left behind. */
  async #copyAlive(view: View, of: State, source: Records, target: Target): Promise<void> {
    const secret = target.state.secret;
    const buckets = await bucketsOf(view, () => this.#pause());
    let slice: EntryFields[] = [];
    let bytes = 0;
    for (const bucket of buckets) {
      for (const location of withoutTwins(bucket.sort())) {
        if (of.references.get(location) === 0) continue;
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

  /**
   * What was committed meanwhile, again and again until little is left. All that can be done before the
   * queue is held is done: settling, and flushing what was copied.
   */
  async #catchUp(source: Records, target: Target): Promise<void> {
    const left = () => this.#noted!.reduce((sum, { changes }) => sum + changes.length, this.#changes.length);
    for (let round = 0; ; round++) {
      await this.#sliced(async () => {
        while (target.state.unsettled.length > 0) {
          await target.settle(SLICE_ENTRIES);
          await this.#pause();
        }
        await target.flush();
      });
      if (round === ROUNDS_MAX || left() <= REST_CHANGES) return;
      const changes = await this.#parts.committer.exclusive(() => this.#takeChanges());
      await this.#sliced(() => this.#copyChanges(changes, source, target, () => this.#pause()));
    }
  }

  /** What was committed since it was last asked for, and still stands. */
  async #takeChanges(): Promise<Noted[]> {
    await this.#parts.settle();
    const all = [...this.#noted!, this.#endNoted(undefined)];
    this.#noted = [];
    return all;
  }

  /** What was noted since it was last asked for, with the objects of now, which is where `mark` is. */
  #endNoted(mark: CheckpointChange | undefined): Noted {
    const changes = standing(this.#changes);
    this.#changes = [];
    return { changes, mark, objects: this.#parts.state.objects.snapshot() };
  }

  async #copyChanges(
    all: readonly Noted[],
    source: Records,
    target: Target,
    pause: (() => Promise<void>) | undefined,
  ): Promise<void> {
    const carrier = carrierTo(target, pause);
    const { packing, state } = this.#parts;
    for (const noted of all) {
      await carryNoted(noted, state.secret, source, packing, () => target.log.bytes, carrier);
    }
  }

  /** Lets others run. */
  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.environment.after(0, resolve));
    this.#letWritersGo();
    if (this.#stopped) throw new ClosedError('the store was closed while its log was rewritten');
  }
}

function carrierTo(target: Target, pause: (() => Promise<void>) | undefined): Carrier {
  return new Carrier(async (slice) => {
    await target.commit(slice);
    await pause?.();
  });
}

/** Both are settled, so their totals are exact: what differs would be lost or made up. */
function refuseDifference(before: State, after: State): void {
  const figures = ({ keys, logicalBytes, objectCount, objectBytes, chunkCount, marks }: State) => {
    return { keys, logicalBytes, objectCount, objectBytes, chunkCount, checkpoints: marks.size };
  };
  const found = figures(after);
  for (const [figure, expected] of Object.entries(figures(before))) {
    const got = found[figure as keyof typeof found];
    if (got === expected) continue;
    throw new CorruptionError(
      `rewriting the log gave ${figure} ${got} for ${expected}; it was left as it is`,
      { detail: { figure, expected, got } },
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
