/** What calls are given: their options, ranges, and the operations of a batch. */
import type { Duration } from './arguments.js';
import type { Durability } from './options.js';

/** What every asynchronous call takes. */
export interface CallOptions {
  /** Aborting rejects the call with `signal.reason`. What was appended by then stands. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOptions extends CallOptions {
  /** The answer for a missing key. */
  readonly default?: unknown;
  /** `false`: this read does not count as use of the key, for eviction and `prune`. Default: `true`. */
  readonly touch?: boolean;
  /** A missing key is a `NotFoundError`. */
  readonly strict?: boolean;
}

export interface StrictOptions extends CallOptions {
  readonly strict?: boolean;
}

export interface WriteOptions extends CallOptions {
  readonly durability?: Durability | undefined;
}

/** How far a long call is. `total` is `undefined` while nobody knows. */
export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number | undefined;
}

export interface SetOptions extends WriteOptions {
  /** Time to live from now, in milliseconds or as `'60s'`. Who comes from Redis: not seconds. */
  readonly ttl?: Duration;
  /** Leaves the expiry of an existing key as it is. Not together with `ttl`. */
  readonly keepTtl?: boolean;
  /** Refuses with `ConflictError` when the key exists. */
  readonly ifAbsent?: boolean;
  /** Refuses with `ConflictError` unless `Entry.version` is this; 0 means absent. */
  readonly ifVersion?: number;
  /**
   * Where a stored value has the normal form of this one (`dedup.normalization`), the key gets that value, and
   * `getEntry` says `exact: false`. Default: `dedup.canonical`.
   */
  readonly canonical?: boolean;
  /** Evicted before those of a higher one, however they are used. Default: `'normal'`. Kept where the store has a budget. */
  readonly priority?: 'low' | 'normal' | 'high';
  /** Never evicted; it still expires, and `prune` and `delete` remove it. Default: `false`. Kept where the store has a budget. */
  readonly pinned?: boolean;
  /**
   * What it costs to get the value again, beside others: above 0, to 9 %. `tinylfu` weighs it. Default: 1.
   * Kept where the store has a budget.
   */
  readonly cost?: number;
}

export interface SetManyOptions extends SetOptions {
  /** Told every 1,000 entries while they are collected, and when they are written. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How `merge` makes one value of two; or the name of an operator of your own (`register`). */
export type OperatorName =
  | 'counter'
  | 'max'
  | 'min'
  | 'replace'
  | 'or'
  | 'and'
  | 'concat'
  | 'list'
  | 'set'
  | 'vector'
  | (string & {});

export interface MergeOptions extends WriteOptions {
  /** A new time to live. Without it the expiry stays as it is. */
  readonly ttl?: Duration;
}

export interface UpdateOptions extends MergeOptions {
  /** How often to try again when somebody else was faster. Default: 16, which takes some seconds. */
  readonly retries?: number;
}

/** One of the things that a `batch` does; each means what the call of that name means. */
export type BatchOperation =
  | ({ readonly type: 'set'; readonly key: string; readonly value: unknown } & Pick<
      SetOptions,
      'ttl' | 'keepTtl' | 'ifAbsent' | 'ifVersion' | 'priority' | 'pinned' | 'cost'
    >)
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'expire'; readonly key: string; readonly ttl: Duration }
  | { readonly type: 'persist'; readonly key: string }
  | {
      readonly type: 'merge';
      readonly key: string;
      readonly operand: unknown;
      readonly operator: OperatorName;
      readonly ttl?: Duration;
    };

export interface EvictOptions extends CallOptions {
  /** Bytes of distinct values that may be left. */
  readonly toBytes?: number;
  /** Keys that may be left. */
  readonly toEntries?: number;
}

/** What an eviction has removed. */
export interface EvictResult {
  readonly entries: number;
  /** Bytes of distinct values. */
  readonly bytes: number;
}

export interface PruneOptions extends CallOptions {
  /** Since the value was set. Default: `Infinity`. */
  readonly maxAge?: Duration;
  /** Since the key was read or set; reads are known where the store has a budget. Default: `Infinity`. */
  readonly maxIdle?: Duration;
}

export interface Range {
  readonly prefix?: string;
  /** Inclusive. */
  readonly start?: string;
  /** Exclusive. */
  readonly end?: string;
  /**
   * Only keys of this pattern: `*` is any characters, `?` one, `[a-z]` one of a set, `[!a-z]` none of it,
   * `\\` takes the next one as it is. What stands before the first of these narrows the range.
   */
  readonly match?: string;
  /** Most items to give. */
  readonly limit?: number;
  readonly reverse?: boolean;
  /** Adds to each item what is left of its time to live when the scan begins, in milliseconds; `null`: no expiry. */
  readonly withTtl?: boolean;
}

export interface RangeOptions extends Range, CallOptions {}

/** A range whose items come with their time to live. */
export type TtlRangeOptions = RangeOptions & { readonly withTtl: true };

export interface ExportOptions extends CallOptions {
  /** Told after each piece: `done` in bytes, `total` with the last one. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface ImportOptions extends WriteOptions {
  /** `'merge'`: imported keys win, others stay. `'replace'`: afterwards the store holds the import and nothing else. */
  readonly mode: 'merge' | 'replace';
  /**
   * Most bytes of memory that the import may need until it counts: its distinct values, its keys at two
   * bytes a character, and 500 bytes an entry. Default: 256 MiB.
   */
  readonly maxBytes?: number;
  /** Phase `read`: `done` in bytes of the export. Phase `write`: `done` and `total` in entries. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Bytes of a value. */
export interface StreamRange {
  /** Inclusive. Default: 0. */
  readonly start?: number;
  /** Exclusive. Default: the end of the value. */
  readonly end?: number;
}

export interface StreamOptions extends StreamRange, CallOptions {}

export interface TransactionOptions extends WriteOptions {
  /** How often it runs again after a conflict. Default: 16. */
  readonly retries?: number;
}

export interface WatchOptions extends CallOptions {
  /** Changes of this key alone. */
  readonly key?: string;
  /** Changes of keys with this prefix. Not together with `key`. */
  readonly prefix?: string;
  /** All changes behind this version. Default: the version that the calls before `watch` have made. */
  readonly since?: number;
}
