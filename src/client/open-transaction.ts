/**
 * A transaction while its function runs: an overlay over a snapshot. What it writes is kept
 * twice: as the operations of the call that commits it, in their order, and as what each key
 * holds now, which its reads and scans see.
 */
import { ClosedError, ConflictError, NotFoundError } from '../base/errors.js';
import { Glob } from '../base/glob.js';
import { requireKey, requireKeys, toMilliseconds } from '../contract/arguments.js';
import type {
  BatchOperation,
  MergeOptions,
  OperatorName,
  Range,
  RangeOptions,
  ReadOptions,
  Scan,
  SetOptions,
  StrictOptions,
  Transaction,
  UpdateOptions,
} from '../contract/store.js';
import { snapshot as copyOf, type Remote } from './remote.js';
import { RemoteScan } from './scan.js';
import { RemoteSnapshot, type Taken } from './snapshot.js';

/** What a key holds; `undefined`: it was deleted. */
type Written =
  | {
      /** A value of its own; without one, that of the snapshot. */
      readonly own: { readonly value: unknown } | undefined;
      /** Milliseconds from the commit; `Infinity`: no expiry. */
      readonly ttlMs: number;
    }
  | undefined;

type ScanKind = 'keys' | 'values' | 'entries';

export class RemoteTransaction implements Transaction {
  readonly #snapshot: RemoteSnapshot;
  readonly #taken: Taken;
  readonly #remote: Remote;
  readonly #operations: BatchOperation[] = [];
  readonly #written = new Map<string, Written>();
  /** The end of the writes that were asked for. What comes after them waits for it. */
  #writing: Promise<unknown> = Promise.resolve();
  #over = false;

  constructor(remote: Remote, taken: Taken) {
    this.#remote = remote;
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

  merge<T>(key: string, operand: T, operator: OperatorName, options: MergeOptions = {}): Promise<T> {
    const copy = copyOf('merge', operand);
    return this.#write(() => this.#merge(requireKey(key), copy, operator, options)) as Promise<T>;
  }

  /** All of it or nothing: what is refused leaves the transaction as it was. */
  batch(operations: readonly BatchOperation[]): Promise<void> {
    const copies = copyOf('batch', operations) as readonly BatchOperation[];
    return this.#write(async () => {
      const written = [...this.#written];
      const { length } = this.#operations;
      try {
        for (const one of copies) await this.#apply(one);
      } catch (error) {
        this.#operations.length = length;
        this.#written.clear();
        for (const [key, before] of written) this.#written.set(key, before);
        throw error;
      }
    });
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
    return this.#write(() => this.#put(key, value, options));
  }

  async #put(key: string, value: unknown, options: SetOptions): Promise<void> {
    const { ifAbsent, ifVersion, signal: _, ...terms } = options;
    if (ifAbsent && (await this.#has(key))) {
      throw new ConflictError('the key exists already', { detail: { key } });
    }
    if (ifVersion !== undefined) await this.#requireVersion(key, ifVersion);
    const kept = terms.keepTtl ? await this.#ttl(key) : undefined;
    const { ttlMs } = this.#taken;
    const given = terms.ttl === undefined ? ttlMs : toMilliseconds('ttl', terms.ttl);
    this.#operations.push({ type: 'set', key, value, ...terms });
    this.#written.set(key, { own: { value }, ttlMs: kept ?? given });
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

  async #apply(operation: BatchOperation): Promise<void> {
    const { type, key, ...rest } = operation as BatchOperation & SetOptions & MergeOptions;
    requireKey(key);
    if (operation.type === 'set') await this.#put(key, operation.value, withoutValue(rest));
    else if (operation.type === 'merge') await this.#merge(key, operation.operand, operation.operator, rest);
    else if (operation.type === 'delete') await this.#delete(key);
    else if (operation.type === 'expire') await this.#expire(key, toMilliseconds('ttl', operation.ttl));
    else if (operation.type === 'persist') await this.#expire(key, Infinity);
    else
      throw new TypeError(`batch: type: expected set, delete, expire, persist or merge, got ${String(type)}`);
  }

  /** Made where the operators are known. If somebody else writes the key meanwhile, the commit is refused. */
  async #merge(
    key: string,
    operand: unknown,
    operator: OperatorName,
    { ttl }: MergeOptions,
  ): Promise<unknown> {
    const older = (await this.#has(key)) ? { value: await this.#get(key) } : undefined;
    const merged = await this.#remote.call('mergeValues', [key, older, operand, String(operator)]);
    await this.#put(key, merged, ttl === undefined ? { keepTtl: true } : { ttl });
    return copyOf('merge', merged);
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

/** The terms of a `set` among the operations of a batch. */
function withoutValue({ value: _, ...terms }: SetOptions & { readonly value?: unknown }): SetOptions {
  return terms;
}

/** The answer for a key that is not there. */
function missing(key: string, options: ReadOptions | undefined): unknown;
function missing<T>(key: string, options: StrictOptions | undefined, answer: T): T;
function missing(key: string, options: ReadOptions | undefined, answer?: unknown): unknown {
  if (options?.strict) throw new NotFoundError('there is no such key', { detail: { key } });
  return answer ?? options?.default;
}
