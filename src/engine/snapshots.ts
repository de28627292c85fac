/**
 * Snapshots: versions of the store that somebody holds. What had expired when one was
 * taken is missing in it for ever, and what had not stays.
 *
 * Taking one is O(1) and waits for the writes before it. While it is held, the log that
 * its records lie in stays, even if another log follows it.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { requireKey, requireOptions } from '../contract/arguments.js';
import { resolveWriteDurability } from '../contract/options.js';
import type { Commit, ReadOptions, WriteOptions } from '../contract/store.js';
import type { RunKey } from '../structures/runs/index.js';
import { type Bounds, resolveRange } from './bounds.js';
import type { Committer } from './commit.js';
import type { CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import type { Found, Lookup } from './lookup.js';
import type { Mutation } from './mutation.js';
import type { Packing } from './packing.js';
import type { Planner } from './plan.js';
import { atView, type ItemKind, type Reader } from './reader.js';
import { missing } from './reads.js';
import { type Records, tooOld } from './records.js';
import type { Counters } from './report.js';
import { KeyScan } from './scan.js';
import type { Piece, Scans } from './scans.js';
import type { State, View } from './state.js';

/** Differences of a piece; the next ones are looked for when they are used up. */
const PIECE_DIFFERENCES = 200;
/** Keys that a comparison reads ahead. */
const AHEAD = 500;

const EVERYTHING = resolveRange(undefined);

/** A version, and what reads it. */
export interface Held {
  readonly session: string;
  readonly view: View;
  readonly records: Records;
  /** Time at which it was taken. */
  readonly now: number;
  readonly lookup: Lookup;
  readonly reader: Reader;
}

interface OpenDiff {
  readonly session: string;
  readonly items: AsyncGenerator<Difference, void, undefined>;
}

interface Difference {
  readonly key: string;
  readonly kind: 'added' | 'changed' | 'removed';
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface SnapshotsParts {
  readonly environment: Environment;
  readonly state: State;
  readonly records: CurrentRecords;
  readonly committer: Committer;
  readonly planner: Planner;
  readonly packing: Packing;
  readonly scans: Scans;
  readonly counters: Counters;
  /** The store's clock. */
  readonly now: () => number;
}

export class Snapshots {
  readonly #parts: SnapshotsParts;
  readonly #held = new Map<string, Held>();
  readonly #diffs = new Map<string, OpenDiff>();
  #last = 0;

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
  }

  /** For `session`, which must close it; `release` closes all of a session. */
  take(session: string): Eventually<Taken> {
    const { committer, counters, environment } = this.#parts;
    counters.operations += 1;
    return committer.read(undefined, () => {
      const held = this.takeNow(session);
      const id = this.#nextId();
      this.#held.set(id, held);
      const { ttl } = environment.settings;
      return { id, version: held.view.version, now: held.now, ttlMs: ttl.defaultMs };
    });
  }

  get(id: unknown, key: unknown, options?: unknown): Eventually<unknown> {
    const held = this.held(id);
    const { fallback, strict } = readOptions(options);
    const checked = requireKey(key);
    return andThen(this.find(held, checked), (found) =>
      found ? held.reader.value(found) : missing(checked, fallback, strict),
    );
  }

  has(id: unknown, key: unknown): Eventually<boolean> {
    return andThen(this.find(this.held(id), requireKey(key)), (found) => found !== undefined);
  }

  getEntry(id: unknown, key: unknown, options?: unknown): Eventually<unknown> {
    const held = this.held(id);
    const { fallback, strict } = readOptions(options);
    const checked = requireKey(key);
    return andThen(
      this.find(held, checked),
      (found): Eventually<unknown> =>
        found ? held.reader.entry(checked, found) : missing(checked, fallback, strict),
    );
  }

  async scan(id: unknown, kind: ItemKind, range?: unknown): Promise<Piece> {
    const held = this.held(id);
    const bounds = resolveRange(range);
    this.#parts.counters.operations += 1;
    return this.#parts.scans.begin(this.#scan(held, bounds), kind);
  }

  /** One pass over the keys of the range. */
  async count(id: unknown, range?: unknown): Promise<number> {
    const held = this.held(id);
    const scan = this.#scan(held, resolveRange(range));
    this.#parts.counters.operations += 1;
    try {
      return (await scan.take(Infinity)).length;
    } finally {
      held.records.release();
    }
  }

  /** Begins a comparison; the rest of it is asked for piece by piece. */
  async diff(id: unknown, other: unknown): Promise<DiffPiece> {
    const before = this.held(id);
    const after = this.held(other);
    this.#parts.counters.operations += 1;
    const number = this.#nextId();
    this.#diffs.set(number, { session: before.session, items: this.#differences(before, after) });
    return this.diffNext(number);
  }

  async diffNext(id: unknown): Promise<DiffPiece> {
    const diff = this.#diffs.get(id as string);
    if (!diff) throw tooOld();
    const items: Difference[] = [];
    try {
      while (items.length < PIECE_DIFFERENCES) {
        const { done, value } = await diff.items.next();
        if (done) {
          this.#diffs.delete(id as string);
          return { id: '', items };
        }
        items.push(value);
      }
      return { id: id as string, items };
    } catch (error) {
      this.#diffs.delete(id as string);
      throw error;
    }
  }

  diffRelease(id: unknown): void {
    void this.#diffs.get(id as string)?.items.return();
    this.#diffs.delete(id as string);
  }

  /**
   * Makes the store what it was in this version, but for keys whose deadline has passed
   * since: one call with all that differs, which is in memory until it is written.
   */
  async restore(id: unknown, options?: unknown): Promise<Commit> {
    const { environment, committer, counters, planner, now } = this.#parts;
    const { durability } = requireOptions<WriteOptions>('restore', options, ['durability']);
    const strict = resolveWriteDurability(durability, environment.settings);
    const held = this.held(id);
    counters.operations += 1;
    held.records.retain();
    try {
      const outcome = await committer.submit(async () => {
        const current = this.takeNow('');
        try {
          const mutations = await this.restoring(current, held, true);
          if (!environment.settings.maplet.autoResize) await planner.reserve(mutations, now());
          return mutations;
        } finally {
          current.records.release();
        }
      }, strict);
      return { version: outcome.version, durability: outcome.durability };
    } finally {
      held.records.release();
    }
  }

  close(id: unknown): void {
    const held = this.#held.get(id as string);
    this.#held.delete(id as string);
    held?.records.release();
  }

  /** Closes all that `session` holds; without one, all. */
  release(session?: string): void {
    for (const [id, held] of this.#held) {
      if (session === undefined || held.session === session) this.close(id);
    }
    for (const [id, diff] of this.#diffs) {
      if (session === undefined || diff.session === session) this.diffRelease(id);
    }
  }

  /** @throws SnapshotTooOldError when this engine holds no such snapshot: another tab leads now, or it was given up. */
  held(id: unknown): Held {
    const held = this.#held.get(id as string);
    if (!held || held.records.revoked) throw tooOld();
    return held;
  }

  /** The key in this version, unless it had expired. */
  find(held: Held, key: string): Eventually<Found | undefined> {
    this.#parts.counters.operations += 1;
    return andThen(held.lookup.find(key), (found) =>
      found && found.expiresAt > held.now ? found : undefined,
    );
  }

  /**
   * What makes `current` be `wanted` again; with `whole` what came since is removed too.
   * Of a key whose deadline has passed nothing is left.
   */
  async restoring(current: Held, wanted: Held, whole: boolean): Promise<Mutation[]> {
    const { now } = current;
    const mutations: Mutation[] = [];
    const same = (a: RunKey, b: RunKey) => this.#same(current, a, wanted, b, true);
    for await (const [key, there, then] of this.#merged(current, wanted, same)) {
      const record = then && (await wanted.records.read(then.location));
      if (!record || record.expiresAt <= now) {
        if (there && (record || whole)) mutations.push({ type: 'delete', key });
        continue;
      }
      const encoded = await wanted.lookup.copy(record);
      const { expiresAt, createdAt } = record;
      mutations.push({ type: 'restore', key, encoded, expiresAt, createdAt });
    }
    return mutations;
  }

  /** The version of now. Its records must be released. */
  takeNow(session: string): Held {
    const { state, records, packing, now } = this.#parts;
    const view = state.view(false);
    const { era } = records;
    era.retain();
    return { session, view, records: era, now: now(), ...atView(state.secret, view, era, packing) };
  }

  /** Every key of a version, and where its record is. */
  async keysOf(held: Held): Promise<{ key: string; at: readonly number[] }[]> {
    const scan = this.#scan(held, EVERYTHING);
    try {
      return (await scan.take(Infinity)).map(({ key, location }) => ({ key, at: [location] }));
    } finally {
      held.records.release();
    }
  }

  /** Engines that lead one after the other never give the same. */
  #nextId(): string {
    this.#last += 1;
    return `${this.#parts.environment.epoch ?? 0}.${this.#last}`;
  }

  /** Whoever asks for it must release its records at the end. */
  #scan({ view, records, now }: Held, bounds: Bounds): KeyScan {
    records.retain();
    return new KeyScan(this.#parts.state, view, bounds, records, now, true);
  }

  async *#differences(before: Held, after: Held): AsyncGenerator<Difference, void, undefined> {
    const same = (a: RunKey, b: RunKey) => this.#same(before, a, after, b, false);
    for await (const [key, a, b] of this.#merged(before, after, same)) {
      if (!a) yield { key, kind: 'added', after: await after.reader.item('values', b!) };
      else if (!b) yield { key, kind: 'removed', before: await before.reader.item('values', a) };
      else {
        const old = await before.reader.item('values', a);
        yield { key, kind: 'changed', before: old, after: await after.reader.item('values', b) };
      }
    }
  }

  /** Keys of two versions, in order, but for those that are the same. */
  async *#merged(
    a: Held,
    b: Held,
    same: (a: RunKey, b: RunKey) => Eventually<boolean>,
  ): AsyncGenerator<[key: string, a: RunKey | undefined, b: RunKey | undefined], void, undefined> {
    const scans = [this.#scan(a, EVERYTHING), this.#scan(b, EVERYTHING)] as const;
    try {
      let left = await scans[0].take(AHEAD);
      let right = await scans[1].take(AHEAD);
      for (let i = 0, j = 0; ; ) {
        if (i === AHEAD) [left, i] = [await scans[0].take(AHEAD), 0];
        if (j === AHEAD) [right, j] = [await scans[1].take(AHEAD), 0];
        const x = left[i];
        const y = right[j];
        if (x && (!y || x.key < y.key)) {
          i += 1;
          yield [x.key, x, undefined];
        } else if (y && (!x || y.key < x.key)) {
          j += 1;
          yield [y.key, undefined, y];
        } else if (x && y) {
          i += 1;
          j += 1;
          const equal = same(x, y);
          if (!(equal instanceof Promise ? await equal : equal)) yield [x.key, x, y];
        } else return;
      }
    } finally {
      a.records.release();
      b.records.release();
    }
  }

  /** Whether two records of one key have the same value, and the same deadline where `deadlines` count. */
  #same(a: Held, x: RunKey, b: Held, y: RunKey, deadlines: boolean): Eventually<boolean> {
    if (a.records === b.records && x.location === y.location) return true;
    return andThen(a.records.read(x.location), (one) =>
      andThen(b.records.read(y.location), (other) => {
        if (one.size !== other.size || (deadlines && one.expiresAt !== other.expiresAt)) return false;
        return andThen(a.lookup.value(one), (value) =>
          andThen(b.lookup.value(other), (its) => this.#parts.packing.same(value, its)),
        );
      }),
    );
  }
}

/** What the page is told of a snapshot. */
export interface Taken {
  readonly id: string;
  readonly version: number;
  /** Time at which it was taken. */
  readonly now: number;
  /** Time to live of a `set` that names none. */
  readonly ttlMs: number;
}

/** A piece of a comparison. `id` is empty when it is the last one. */
export interface DiffPiece {
  readonly id: string;
  readonly items: readonly Difference[];
}

function readOptions(options: unknown): { fallback: unknown; strict: boolean } {
  const given = requireOptions<ReadOptions>('get', options, ['default', 'touch', 'strict']);
  return { fallback: given.default, strict: given.strict === true };
}
