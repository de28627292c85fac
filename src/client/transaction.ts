/**
 * Transactions: what one writes stays on the page, over a snapshot, until all of it goes
 * to the worker as one call, which is refused when somebody else has written one of its
 * keys meanwhile. Then the function runs again, over a new snapshot.
 *
 * What a transaction writes is kept twice: as the operations of that call, in their order,
 * and as what each key holds now, which its reads and scans see.
 */
import { ClosedError, ConflictError, NotFoundError, SnapshotTooOldError } from '../base/errors.js';
import { Glob } from '../base/glob.js';
import {
  requireKey,
  requireKeys,
  requireOptions,
  requireWhole,
  toMilliseconds,
} from '../contract/arguments.js';
import type {
  BatchOperation,
  Range,
  RangeOptions,
  ReadOptions,
  Scan,
  SetOptions,
  StrictOptions,
  Transaction,
  TransactionOptions,
  UpdateOptions,
} from '../contract/store.js';
import { snapshot as copyOf, orAbort, type Remote } from './remote.js';
import { RemoteScan } from './scan.js';
import { RemoteSnapshot, type Taken } from './snapshot.js';
import { backOff, RETRIES, WAITS } from './update.js';

/** What a key holds; `undefined`: it was deleted. */
type Written =
  | {
      /** A value of its own; without one, that of the snapshot. */
      readonly own: { readonly value: unknown } | undefined;
      /** Milliseconds from the commit; `Infinity`: no expiry. */
      readonly ttlMs: number;
    }
  | undefined;

/** Runs `work` until its writes go through. */
export async function runTransaction<R>(
  remote: Remote,
  work: (tx: Transaction) => R | Promise<R>,
  options: TransactionOptions | undefined,
  waits = WAITS,
): Promise<R> {
  if (typeof work !== 'function') throw new TypeError(`transaction: expected a function, got ${typeof work}`);
  const {
    signal,
    retries = RETRIES,
    ...terms
  } = requireOptions<TransactionOptions>('transaction', options, ['signal', 'retries', 'durability']);
  requireWhole('transaction: retries', retries, 0);
  for (let failed = 0; ; ) {
    const taken = await remote.call<Taken>('snapshot', [], signal);
    const tx = new RemoteTransaction(remote, taken);
    let committing = false;
    try {
      const result = await orAbort(Promise.resolve(work(tx)), signal);
      const operations = await tx.end();
      committing = true;
      if (operations.length > 0) await remote.call('commit', [taken.id, operations, terms], signal);
      return result;
    } catch (error) {
      // What the function itself throws is its own affair; a snapshot that is gone has written nothing.
      const again = committing && error instanceof ConflictError;
      if (!again && !(error instanceof SnapshotTooOldError)) throw error;
      failed += 1;
      if (failed > retries) {
        throw new ConflictError(`transaction: others changed its keys each of ${failed} times`, {
          detail: { attempts: failed },
          cause: error,
        });
      }
    } finally {
      tx.close();
    }
    await backOff(waits, failed, signal);
  }
}

type ScanKind = 'keys' | 'values' | 'entries';

class RemoteTransaction implements Transaction {
  readonly #snapshot: RemoteSnapshot;
  readonly #taken: Taken;
  readonly #operations: BatchOperation[] = [];
  readonly #written = new Map<string, Written>();
  /** The end of the writes that were asked for. What comes after them waits for it. */
  #writing: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(remote: Remote, taken: Taken) {
    this.#taken = taken;
    this.#snapshot = new RemoteSnapshot(remote, taken);
  }

  /** What is to be committed. Nothing is taken any more. */
  async end(): Promise<readonly BatchOperation[]> {
    await this.#writing;
    this.#over = true;
    return this.#operations;
  }

  close(): void {
    this.#over = true;
    this.#snapshot.close().catch(() => {});
  }

  async get<T>(key: string, options?: ReadOptions): Promise<T | undefined> {
    await this.#turn();
    return this.#get(key, options);
  }

  async getMany<T>(keys: readonly string[], options?: ReadOptions): Promise<(T | undefined)[]> {
    requireKeys(keys);
    await this.#turn();
    return Promise.all(keys.map((key) => this.#get<T>(key, options)));
  }

  async has(key: string): Promise<boolean> {
    await this.#turn();
    return this.#has(key);
  }

  async ttl(key: string, options?: StrictOptions): Promise<number | null | undefined> {
    await this.#turn();
    const ttlMs = await this.#ttl(key);
    if (ttlMs === undefined) return missing(key, options) as undefined;
    return ttlMs === Infinity ? null : ttlMs;
  }

  keys(range?: RangeOptions): Scan<never> {
    return this.#scan('keys', range);
  }

  values(range?: RangeOptions): Scan<never> {
    return this.#scan('values', range);
  }

  entries(range?: RangeOptions): Scan<never> {
    return this.#scan('entries', range);
  }

  async count(range?: RangeOptions): Promise<number> {
    await this.#turn();
    if (this.#writtenIn(range).length === 0) return this.#snapshot.count(range);
    return (await this.keys(range)).length;
  }

  async set(key: string, value: unknown, options: SetOptions = {}): Promise<void> {
    return this.#set(requireKey(key), copyOf('set', value), options);
  }

  async setMany(entries: Iterable<readonly [string, unknown]>, options: SetOptions = {}): Promise<void> {
    const copies = [...entries].map(([key, value]) => [requireKey(key), copyOf('setMany', value)] as const);
    await Promise.all(copies.map(([key, value]) => this.#set(key, value, options)));
  }

  async update<T>(
    key: string,
    change: (old: T | undefined) => T | Promise<T>,
    options: UpdateOptions = {},
  ): Promise<T> {
    const { ttl } = options;
    const next = await change(await this.get<T>(key));
    await this.set(key, next, ttl === undefined ? { keepTtl: true } : { ttl });
    return next;
  }

  delete(key: string, options?: StrictOptions): Promise<boolean> {
    return this.#write(async () => (await this.#delete(key)) || missing(key, options, false));
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    return this.#write(() => this.#deleteAll(requireKeys(keys)));
  }

  clear(range?: RangeOptions): Promise<number> {
    return this.#write(async () => {
      const keys: string[] = [];
      for await (const key of this.#merged<string>('keys', { ...range, withTtl: false })) keys.push(key);
      return this.#deleteAll(keys);
    });
  }

  async expire(key: string, ttl: number | string, options?: StrictOptions): Promise<boolean> {
    const ttlMs = toMilliseconds('ttl', ttl);
    if (ttlMs === Infinity) return this.persist(key, options);
    return this.#write(async () => (await this.#expire(key, ttlMs)) || missing(key, options, false));
  }

  async expireMany(keys: readonly string[], ttl: number | string): Promise<number> {
    const ttlMs = toMilliseconds('ttl', ttl);
    return this.#write(async () => {
      let changed = 0;
      for (const key of new Set(requireKeys(keys))) if (await this.#expire(key, ttlMs)) changed += 1;
      return changed;
    });
  }

  persist(key: string, options?: StrictOptions): Promise<boolean> {
    return this.#write(async () => {
      const ttlMs = await this.#ttl(key);
      if (ttlMs === undefined) return missing(key, options, false);
      return ttlMs !== Infinity && this.#expire(key, Infinity);
    });
  }

  /** Behind the writes that were asked for before. */
  async #turn(): Promise<void> {
    await this.#writing;
    if (this.#over) throw new ClosedError('the transaction has ended');
  }

  async #write<T>(change: () => Promise<T>): Promise<T> {
    const written = this.#turn().then(change);
    this.#writing = written.catch(() => {});
    return written;
  }

  #set(key: string, value: unknown, options: SetOptions): Promise<void> {
    const { ifAbsent, ifVersion, signal: _, ...terms } = options;
    return this.#write(async () => {
      if (ifAbsent && (await this.#has(key))) {
        throw new ConflictError('the key exists already', { detail: { key } });
      }
      if (ifVersion !== undefined) await this.#requireVersion(key, ifVersion);
      const kept = terms.keepTtl ? await this.#ttl(key) : undefined;
      const { ttlMs } = this.#taken;
      const given = terms.ttl === undefined ? ttlMs : toMilliseconds('ttl', terms.ttl);
      this.#operations.push({ type: 'set', key, value, ...terms });
      this.#written.set(key, { own: { value }, ttlMs: kept ?? given });
    });
  }

  async #requireVersion(key: string, expected: number): Promise<void> {
    // What the transaction itself has written has no version that anybody could know.
    const entry = this.#written.has(key) ? undefined : await this.#snapshot.getEntry(key);
    const found = this.#written.get(key) ? undefined : (entry?.version ?? 0);
    if (found !== expected) {
      throw new ConflictError(`expected version ${expected} of the key`, {
        detail: { key, expected, found },
      });
    }
  }

  async #delete(key: string): Promise<boolean> {
    if (!(await this.#has(key))) return false;
    this.#operations.push({ type: 'delete', key });
    this.#written.set(key, undefined);
    return true;
  }

  async #deleteAll(keys: readonly string[]): Promise<number> {
    let deleted = 0;
    for (const key of keys) if (await this.#delete(key)) deleted += 1;
    return deleted;
  }

  async #expire(key: string, ttlMs: number): Promise<boolean> {
    if (!(await this.#has(key))) return false;
    this.#operations.push({ type: 'expire', key, ttl: ttlMs });
    this.#written.set(key, { own: this.#written.get(key)?.own, ttlMs });
    return true;
  }

  async #get<T>(key: string, options?: ReadOptions): Promise<T | undefined> {
    const written = this.#written.get(key);
    if (written?.own) return copyOf('get', written.own.value) as T;
    if (this.#written.has(key) && !written) return missing(key, options) as undefined;
    return this.#snapshot.get(key, options);
  }

  async #has(key: string): Promise<boolean> {
    return this.#written.has(key) ? this.#written.get(key) !== undefined : this.#snapshot.has(key);
  }

  /** `Infinity`: no expiry; `undefined`: no such key. */
  async #ttl(key: string): Promise<number | undefined> {
    if (this.#written.has(key)) return this.#written.get(key)?.ttlMs;
    const entry = await this.#snapshot.getEntry(key);
    return entry && (entry.expiresAt ?? Infinity) - this.#taken.now;
  }

  #scan<T>(kind: ScanKind, range: RangeOptions | undefined): Scan<T> {
    const items = async function* (tx: RemoteTransaction) {
      await tx.#turn();
      yield* tx.#merged<T>(kind, range);
    };
    return new RemoteScan(() => items(this));
  }

  /** What the snapshot has in the range and what was written there, in order. */
  async *#merged<T>(kind: ScanKind, range: RangeOptions | undefined): AsyncGenerator<T, void, undefined> {
    const written = this.#writtenIn(range);
    const { limit, reverse, withTtl } = range ?? {};
    if (written.length === 0 && !(withTtl && this.#written.size > 0)) {
      yield* this.#snapshot.items<T>(kind, range);
      return;
    }
    let left = limit ?? Infinity;
    const more = typeof limit === 'number' ? { ...range, limit: limit + written.length } : range;
    const keysOnly = kind === 'keys';
    const item = (key: string, value: unknown, ttlMs: number | null): T => {
      const parts = keysOnly ? [key] : kind === 'values' ? [value] : [key, value];
      if (withTtl) parts.push(ttlMs === Infinity ? null : ttlMs);
      return (parts.length === 1 ? parts[0] : parts) as T;
    };
    const stored = this.#snapshot.items<string | unknown[]>(keysOnly ? 'keys' : 'entries', more);
    try {
      let next = await stored.next();
      for (let i = 0; left > 0; ) {
        const there = next.done ? [] : next.value;
        const [key, value] = (typeof there === 'string' ? [there] : there) as [string?, unknown?];
        const own = written[i];
        if (own && (key === undefined || own[0] === key || own[0] > key === (reverse === true))) {
          i += 1;
          if (own[0] === key) next = await stored.next();
          if (!own[1]) continue;
          yield item(own[0], keysOnly || copyOf('scan', own[1].own!.value), own[1].ttlMs);
        } else if (key !== undefined) {
          next = await stored.next();
          const ttlMs = withTtl ? (there as unknown[]).at(-1) : null;
          yield item(key, value, this.#written.get(key)?.ttlMs ?? (ttlMs as number | null));
        } else return;
        left -= 1;
      }
    } finally {
      await stored.return();
    }
  }

  /** Keys of the range that have a value of their own or were deleted, in the order of the scan. */
  #writtenIn(range: Range | undefined): (readonly [string, Written])[] {
    const { prefix = '', start = '', end, match, reverse } = range ?? {};
    const glob = match === undefined ? undefined : new Glob(match);
    const keys = [...this.#written].filter(
      ([key, written]) =>
        (!written || written.own) &&
        key.startsWith(prefix) &&
        key >= start &&
        (end === undefined || key < end) &&
        (glob?.matches(key) ?? true),
    );
    keys.sort(([a], [b]) => (a < b ? -1 : 1));
    return reverse ? keys.reverse() : keys;
  }
}

/** The answer for a key that is not there. */
function missing(key: string, options: ReadOptions | undefined): unknown;
function missing<T>(key: string, options: StrictOptions | undefined, answer: T): T;
function missing(key: string, options: ReadOptions | undefined, answer?: unknown): unknown {
  if (options?.strict) throw new NotFoundError('there is no such key', { detail: { key } });
  return answer ?? options?.default;
}
