/**
 * What an application sees of a store. The engine, the page's proxy and the
 * adapters all speak these words.
 */
import type { Duration } from './arguments.js';
import type { Mode } from './options.js';
import type {
  BatchOperation,
  CallOptions,
  EvictOptions,
  EvictResult,
  ExportOptions,
  ImportOptions,
  MergeOptions,
  OperatorName,
  PruneOptions,
  RangeOptions,
  ReadOptions,
  SetManyOptions,
  SetOptions,
  StreamOptions,
  StrictOptions,
  TransactionOptions,
  TtlRangeOptions,
  UpdateOptions,
  WatchOptions,
  WriteOptions,
} from './requests.js';
import type {
  Capabilities,
  Change,
  Checkpoint,
  Commit,
  CompactResult,
  Difference,
  Entry,
  ImportResult,
  StoreEvent,
  StoreEventListener,
  SweepResult,
  WouldDedupe,
} from './results.js';
import type { Health, Stats } from './stats.js';

export type * from './requests.js';
export type * from './results.js';

/**
 * A scan in progress: iterate it, or await it for an array. Keys in order of UTF-16
 * code units, all of one version of the store. Good for one use; leaving a
 * `for await` loop early releases it.
 */
export interface Scan<T> extends AsyncIterable<T>, PromiseLike<T[]> {}

/** Scans of the keys in a range. With `withTtl` each item has what is left of its time to live behind it. */
export interface Scans {
  keys(range: TtlRangeOptions): Scan<[string, number | null]>;
  keys(range?: RangeOptions): Scan<string>;
  values<T = unknown>(range: TtlRangeOptions): Scan<[T, number | null]>;
  values<T = unknown>(range?: RangeOptions): Scan<T>;
  entries<T = unknown>(range: TtlRangeOptions): Scan<[string, T, number | null]>;
  entries<T = unknown>(range?: RangeOptions): Scan<[string, T]>;
}

/**
 * One version of the store, with expiry as of its creation. Until it is closed, the log that it lies
 * in is kept; once the store has grown to more than twice what is alive beside it, it is given
 * up. A closed one refuses with `ClosedError`; with `SnapshotTooOldError` one that was given up, or went
 * with the tab that led the store.
 */
export interface Snapshot extends Scans, Pick<Store, 'get' | 'has' | 'getEntry'> {
  readonly version: number;
  /** One pass over the keys of the range. */
  count(range?: RangeOptions): Promise<number>;
  /**
   * What differs from this one to `other`, in order of keys. Equal content under another version is
   * no difference. One pass over the keys of both; values are read where records differ.
   */
  diff<T = unknown>(other: Snapshot): AsyncIterable<Difference<T>>;
  /**
   * Makes the store what it was: one batch with all that differs, which the worker holds in memory
   * until it is written. Keeps deadlines, and drops what they have passed.
   */
  restore(options?: WriteOptions): Promise<Commit>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type InTransaction = 'get' | 'getMany' | 'has' | 'ttl' | 'count' | 'update';

/** The store as it was when the transaction began, and what the transaction has written since. */
export interface Transaction extends Scans, Pick<Store, InTransaction> {
  set(key: string, value: unknown, options?: Omit<SetOptions, 'durability'>): Promise<void>;
  setMany(
    entries: Iterable<readonly [string, unknown]>,
    options?: Omit<SetOptions, 'durability'>,
  ): Promise<void>;
  /** Resolves to the merged value. Of two transactions that merge into one key, one runs again. */
  merge<T>(key: string, operand: T, operator: OperatorName, options?: Pick<MergeOptions, 'ttl'>): Promise<T>;
  /** All of it or nothing: what is refused leaves the transaction as it was. */
  batch(operations: readonly BatchOperation[]): Promise<void>;
  delete(key: string, options?: StrictOptions): Promise<boolean>;
  deleteMany(keys: readonly string[]): Promise<number>;
  clear(range?: RangeOptions): Promise<number>;
  expire(key: string, ttl: Duration, options?: StrictOptions): Promise<boolean>;
  expireMany(keys: readonly string[], ttl: Duration): Promise<number>;
  persist(key: string, options?: StrictOptions): Promise<boolean>;
}

export interface Store extends Scans {
  /** The value under `key`, or `undefined` (or `default`) when there is none or it has expired. */
  get<T = unknown>(key: string, options?: ReadOptions): Promise<T | undefined>;
  /** One answer for each key, in their order, all of one moment. */
  getMany<T = unknown>(keys: readonly string[], options?: ReadOptions): Promise<(T | undefined)[]>;
  has(key: string, options?: CallOptions): Promise<boolean>;
  getEntry<T = unknown>(key: string, options?: ReadOptions): Promise<Entry<T> | undefined>;
  /**
   * The value under `key`; a missing one is computed once, however many callers of this store object wait
   * for it. An abort is that of one caller; `compute` is told of it when nobody waits any more.
   */
  getOrSet<T>(
    key: string,
    compute: (context: { signal: AbortSignal }) => T | Promise<T>,
    options?: SetOptions,
  ): Promise<T>;
  /** Exact; expired keys are not counted. */
  count(range?: RangeOptions): Promise<number>;
  /** Exact number of distinct values. */
  countUnique(options?: CallOptions): Promise<number>;

  /** Stores `value` under `key` and drops the key's expiry unless `ttl` or `keepTtl` says otherwise. */
  set(key: string, value: unknown, options?: SetOptions): Promise<Commit>;
  /**
   * Whether `value` is stored already, under any key, or one with its normal form where `dedup.normalization`
   * says so; with `dedup.mode: 'near'` also what it resembles most. Stores nothing.
   */
  wouldDedupe(value: unknown, options?: CallOptions): Promise<WouldDedupe>;
  /**
   * Stores the bytes of `readable` under `key`, as a `Uint8Array`, without ever holding all of them: what is
   * larger than `dedup.chunkBytes` is cut by its content. The key changes when all has come, at once; when the
   * stream fails or is aborted nothing has changed. A store with `dedup.mode: 'off'` holds the whole.
   *
   * @throws ConflictError when a condition is not met, or the store was cleared meanwhile.
   */
  setStream(key: string, readable: ReadableStream<Uint8Array>, options?: SetOptions): Promise<Commit>;
  /**
   * The bytes of a value, of this moment whatever is written meanwhile, or `undefined` where there is no key. A
   * string gives its UTF-8, a `Blob` or `File` its content. Of a value that is cut only what is wanted is read.
   *
   * @throws TypeError when the value is neither bytes, text, `Blob` nor `File`.
   */
  getStream(key: string, options?: StreamOptions): Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * All of them or none. A later duplicate of a key wins; a refused condition refuses all.
   * The whole is in memory until it is written: for more than that, call it again and again.
   */
  setMany(
    entries: Iterable<readonly [string, unknown]> | AsyncIterable<readonly [string, unknown]>,
    options?: SetManyOptions,
  ): Promise<Commit>;
  /**
   * Does all of it or nothing, as one version: a refused condition, or a stored value that cannot be
   * merged, refuses all. Operations on one key apply in their order and each sees those before it.
   *
   * @throws ConflictError, TypeError, RangeError. Nothing has changed then.
   *
   * @example
   * await store.batch([
   *   { type: 'set', key: 'order:7', value: order, ifAbsent: true },
   *   { type: 'merge', key: 'orders', operand: 1, operator: 'counter' },
   *   { type: 'delete', key: 'cart' },
   * ]);
   */
  batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<Commit>;
  /**
   * Stores what `operator` makes of the stored value and `operand`, or `operand` where the key is
   * missing, and resolves to what is stored then. Atomic, in one message, whoever else writes.
   * Keeps the expiry unless `ttl` is given.
   *
   * `counter` adds whole numbers and stops at ±(2^53 - 1); `max`, `min`; `replace` takes the later;
   * `or`, `and` of booleans, or of whole numbers bit by bit; `concat` joins strings; `list` appends
   * arrays; `set` unites sets or arrays, whose members are equal as in a `Set`; `vector` adds arrays
   * of numbers by element, an empty one to any.
   *
   * @throws TypeError for an unknown operator, and for an operand or a stored value that is not of
   *   its type; RangeError for vectors of unequal length. Nothing has changed then.
   *
   * @example
   * const visits = await store.merge('visits', 1, 'counter');
   */
  merge<T>(key: string, operand: T, operator: OperatorName, options?: MergeOptions): Promise<T>;
  /**
   * Stores what `change` makes of the value, `undefined` where the key is missing, and resolves to
   * that. `change` runs on the page, may be asynchronous, and runs again whenever somebody else has
   * written the key meanwhile. Updates of one key by this store object wait for each other while
   * `change` is synchronous. Keeps the expiry unless `ttl` is given.
   *
   * @throws ConflictError when others were faster each time, and whatever `change` throws. Nothing
   *   has changed then.
   *
   * @example
   * await store.update<Cart>('cart', (cart = EMPTY) => ({ ...cart, items: [...cart.items, item] }));
   */
  update<T = unknown>(
    key: string,
    change: (old: T | undefined) => T | Promise<T>,
    options?: UpdateOptions,
  ): Promise<T>;
  /** Whether there was such a key. */
  delete(key: string, options?: WriteOptions & StrictOptions): Promise<boolean>;
  /** How many of them there were. All or none. */
  deleteMany(keys: readonly string[], options?: WriteOptions): Promise<number>;
  /** Removes everything, or what lies in the range; how many keys that were. */
  clear(range?: RangeOptions & WriteOptions): Promise<number>;

  /** Gives a key a new time to live; `false` when there is no such key. `Infinity` is `persist`. */
  expire(key: string, ttl: Duration, options?: WriteOptions & StrictOptions): Promise<boolean>;
  /** How many of the keys there were. */
  expireMany(keys: readonly string[], ttl: Duration, options?: WriteOptions): Promise<number>;
  /** Takes the expiry away; whether there was one. */
  persist(key: string, options?: WriteOptions & StrictOptions): Promise<boolean>;
  /** Milliseconds left; `null`: no expiry; `undefined`: no such key. */
  ttl(key: string, options?: StrictOptions): Promise<number | null | undefined>;
  keysWithTtl(range?: RangeOptions): Scan<string>;

  /**
   * Holds the version that the calls before it have made, in O(1).
   *
   * @example
   * await using before = await store.snapshot();
   */
  snapshot(options?: CallOptions): Promise<Snapshot>;
  /**
   * Runs `work` over a snapshot and commits what it wrote at once, if nobody else has written one of
   * those keys meanwhile: else it runs again, after a random wait. What it only read is not checked.
   * A throw rolls back. A `ttl` counts from the commit.
   *
   * @throws ConflictError when others were faster each time, and whatever `work` throws.
   *
   * @example
   * await store.transaction(async (tx) => {
   *   await tx.set('b', await tx.get('a'));
   *   await tx.delete('a');
   * });
   */
  transaction<R>(work: (tx: Transaction) => R | Promise<R>, options?: TransactionOptions): Promise<R>;
  /**
   * Keeps the version that the calls before it have made under `label` until that is given up: it
   * survives closing, crashes as far as other writes of its durability do, and compaction. A label
   * that is taken names the new version from then on. Costs an entry of the log; while it is kept,
   * so is on disk what was overwritten or deleted since.
   *
   * @example
   * await store.checkpoint('before the import');
   */
  checkpoint(label: string, options?: WriteOptions): Promise<Checkpoint>;
  /** All there are, the oldest first. */
  checkpoints(options?: CallOptions): Promise<Checkpoint[]>;
  /**
   * Makes the store what it was: one batch with all that differs, which the worker holds in memory
   * until it is written. Keeps deadlines, and drops what they have passed. Reads the log up to the
   * checkpoint, about as long as opening a store without an image, while other calls wait.
   *
   * @throws NotFoundError for an unknown label.
   */
  restoreCheckpoint(label: string, options?: WriteOptions): Promise<Commit>;
  /**
   * Gives the label up, and resolves to `true`; the space comes back when the log is compacted.
   *
   * @throws NotFoundError for an unknown label.
   */
  deleteCheckpoint(label: string, options?: WriteOptions): Promise<boolean>;
  /**
   * Takes back the last commit of this store object that was not taken back yet, as a new commit;
   * `false`: there is none. Its keys become what they were, also where somebody else has written
   * them since; a deadline that has passed leaves nothing. What is noted ends with `close`, and when
   * another tab begins to lead.
   */
  undo(options?: WriteOptions): Promise<boolean>;
  /** Takes back the last `undo`, unless this store object has written since. */
  redo(options?: WriteOptions): Promise<boolean>;

  /**
   * Each change of the store from now on, or behind version `since`, in the order of the versions,
   * whichever tab made it, and none missing. Loops as fast as you do: the store keeps the last
   * 10,000 changes or 2 MiB, and who falls behind further is told by a `HistoryError`. The same
   * after another tab begins to lead, where that one was open when the missing changes were made.
   * While somebody watches, `clear()` costs a change for each key.
   *
   * @throws HistoryError when changes behind `since` are not kept any more.
   *
   * @example
   * for await (const { key, kind, value } of store.watch({ prefix: 'user:' })) render(key, kind, value);
   */
  watch<T = unknown>(options?: WatchOptions): AsyncIterable<Change<T>>;
  /** Tells `listener` of what happens to the store, in all tabs, until it is removed or the store closed. */
  addEventListener(type: StoreEvent['type'], listener: StoreEventListener): void;
  removeEventListener(type: StoreEvent['type'], listener: StoreEventListener): void;

  /**
   * Removes keys until no more than that is left: expired ones first, then those that the policy of
   * `budget` names, or without one those that were written longest ago. Pinned ones stay.
   */
  evict(options: EvictOptions): Promise<EvictResult>;
  /** Removes keys that have expired, and those that are older or idler than given; how many. One pass over the keys. */
  prune(options?: PruneOptions): Promise<number>;
  /** Removes every expired key now. */
  sweep(options?: CallOptions): Promise<SweepResult>;
  /**
   * Rewrites the log with nothing but what is alive. The store does so by itself when the
   * log takes more than twice that and three extents; while it runs, reads and writes go
   * on and the live data lies on the medium twice.
   *
   * @throws LockedError while a scan from before the last compaction is still open.
   */
  compact(options?: CallOptions): Promise<CompactResult>;
  /**
   * Resolves when all that was written before survives a power cut, as far as the medium can promise
   * it. In the first minute of a store in OPFS that has more than 32 MiB, that is when it is over.
   */
  flush(options?: CallOptions): Promise<void>;
  /**
   * The whole store as bytes that any other store takes back with `import`, wherever it lives and
   * whatever its secret.
   *
   * All of one version: that of the call, whatever is written meanwhile. Expired entries are left out,
   * deadlines are points in time. A piece is read when the stream is asked for it; memory is bounded by
   * the largest values. Equal values are written once, as far as 130,000 values back. Cancelling the
   * stream releases the version; so do ten minutes in which nothing was asked for. Failing reads, a
   * closed store and an aborted `signal` are errors of the stream.
   *
   * @example
   * await store.export().pipeTo(await fileHandle.createWritable());
   */
  export(options?: ExportOptions): ReadableStream<Uint8Array>;
  /**
   * Takes in an export, whole or not at all: all of it is read and checked before anything changes, and
   * then it counts at once, as one version.
   *
   * Entries keep value, deadline, `createdAt` and `updatedAt`; those whose deadline has passed are
   * dropped. Until the end the worker holds the import in memory, as `maxBytes` counts it, and while it
   * is written the values once more; `'replace'` also holds the keys that it removes. Ten minutes
   * without a piece and it is given up.
   *
   * @throws CorruptionError for an export that is cut off or damaged, with the range of bytes in `detail`;
   *   FormatError for one of a newer version, or none at all; CapacityError where it needs more than
   *   `maxBytes`. Nothing has changed then.
   *
   * @example
   * const { keys } = await store.import(file.stream(), { mode: 'replace' });
   */
  import(readable: ReadableStream<Uint8Array>, options: ImportOptions): Promise<ImportResult>;
  stats(options?: CallOptions): Promise<Stats>;
  health(options?: CallOptions): Promise<Health>;
  /** Bytes of memory that the store holds in the worker. */
  memoryUsage(options?: CallOptions): Promise<number>;

  /** Flushes and lets go of everything. Calls afterwards reject with `ClosedError`. Safe to call twice. */
  close(): Promise<void>;
  /** Closes the store in every tab and deletes what it stored. */
  destroy(): Promise<void>;

  readonly name: string;
  readonly closed: boolean;
  readonly mode: Mode;
  readonly capabilities: Capabilities;
  [Symbol.asyncIterator](): AsyncIterator<[string, unknown]>;
  [Symbol.asyncDispose](): Promise<void>;
}
