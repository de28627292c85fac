/**
 * A store as the page holds it: every call is a message to where the engine runs. What
 * is more than that, and not every page needs, is loaded when it is first called.
 */
import type { Mode } from '../contract/options.js';
import type { Health, Stats } from '../contract/stats.js';
import type {
  BatchOperation,
  Capabilities,
  Change,
  Checkpoint,
  Commit,
  CompactResult,
  Entry,
  EvictResult,
  ExportOptions,
  ImportOptions,
  ImportResult,
  OperatorName,
  RangeOptions,
  Scan,
  SetManyOptions,
  SetOptions,
  Snapshot,
  Store,
  StoreEvent,
  StoreEventListener,
  StreamOptions,
  SweepResult,
  Transaction,
  TransactionOptions,
  WatchOptions,
  WouldDedupe,
} from '../contract/store.js';
import { collect, collectAsync } from './collect.js';
import { type Compute, Computing } from './computing.js';
import { type Remote, split } from './remote.js';
import { type Piece, RemoteScan, scanItems } from './scan.js';
import type { Taken } from './snapshot.js';
import type { Updates } from './update.js';
import { Watching } from './watching.js';

type Options = { readonly signal?: AbortSignal | undefined } | undefined;

export class RemoteStore implements Store {
  readonly #computing = new Computing(this);
  #updates: Promise<Updates> | undefined;
  readonly #watching: Watching;
  #ending: Promise<void> | undefined;

  constructor(
    readonly name: string,
    readonly mode: Mode,
    readonly capabilities: Capabilities,
    private readonly remote: Remote,
    private readonly terminate: () => void,
  ) {
    this.#watching = new Watching(remote);
  }

  get closed(): boolean {
    return this.#ending !== undefined || this.remote.over;
  }

  get<T>(key: string, options?: Options): Promise<T | undefined> {
    return this.#call('get', options, key);
  }

  getMany<T>(keys: readonly string[], options?: Options): Promise<(T | undefined)[]> {
    return this.#call('getMany', options, keys);
  }

  has(key: string, options?: Options): Promise<boolean> {
    return this.#call('has', options, key);
  }

  getEntry<T>(key: string, options?: Options): Promise<Entry<T> | undefined> {
    return this.#call('getEntry', options, key);
  }

  getOrSet<T>(key: string, compute: Compute<T>, options?: SetOptions): Promise<T> {
    return this.#computing.run(key, compute, options);
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

  keysWithTtl(range?: RangeOptions): Scan<string> {
    return this.#scan('keysWithTtl', range);
  }

  count(range?: RangeOptions): Promise<number> {
    return this.#call('count', range);
  }

  countUnique(options?: Options): Promise<number> {
    return this.#call('countUnique', options);
  }

  set(key: string, value: unknown, options?: Options): Promise<Commit> {
    return this.#call('set', options, key, value);
  }

  wouldDedupe(value: unknown, options?: Options): Promise<WouldDedupe> {
    return this.#call('wouldDedupe', options, value);
  }

  async setStream(key: string, readable: ReadableStream<Uint8Array>, options?: SetOptions): Promise<Commit> {
    return (await import('./streams.js')).setStream(this.remote, key, readable, options);
  }

  async getStream(key: string, options?: StreamOptions): Promise<ReadableStream<Uint8Array> | undefined> {
    return (await import('./streams.js')).getStream(this.remote, key, options);
  }

  async setMany(
    entries: Iterable<readonly [string, unknown]> | AsyncIterable<readonly [string, unknown]>,
    options?: SetManyOptions,
  ): Promise<Commit> {
    const { signal, others } = split(options);
    // What is no object goes as it is: the worker refuses it.
    const { onProgress, ...rest } = Object(others) as SetManyOptions;
    const sent = typeof others === 'object' ? rest : others;
    let gathered: unknown = entries;
    // A string is iterable too, but no entries; the worker says so.
    if (Symbol.iterator in Object(entries) && typeof entries !== 'string') {
      gathered = [...collect(entries as Iterable<unknown>, onProgress)];
    } else if (Symbol.asyncIterator in Object(entries))
      gathered = await collectAsync(entries as AsyncIterable<unknown>, onProgress, signal);
    const { length } = Object(gathered) as unknown[];
    onProgress?.({ phase: 'write', done: 0, total: length });
    const commit = await this.remote.callAtOnce<Commit>('setMany', [gathered, sent], signal);
    onProgress?.({ phase: 'write', done: length, total: length });
    return commit;
  }

  batch(operations: readonly BatchOperation[], options?: Options): Promise<Commit> {
    return this.#call('batch', options, operations);
  }

  async merge<T>(key: string, operand: T, operator: OperatorName, options?: Options): Promise<T> {
    // A function would not cross; its name is refused by who knows the names.
    return this.#call('merge', options, key, operand, String(operator));
  }

  async update<T>(
    key: string,
    change: (old: T | undefined) => T | Promise<T>,
    options?: Options,
  ): Promise<T> {
    const { signal, others } = split(options);
    this.#updates ??= import('./update.js').then((loaded) => new loaded.Updates(this.remote));
    return (await this.#updates).run(key, change, signal, others);
  }

  delete(key: string, options?: Options): Promise<boolean> {
    return this.#call('delete', options, key);
  }

  deleteMany(keys: readonly string[], options?: Options): Promise<number> {
    return this.#call('deleteMany', options, keys);
  }

  clear(range?: RangeOptions & { durability?: unknown }): Promise<number> {
    const { durability, ...rest } = range ?? {};
    const { signal, others } = split(rest);
    return this.remote.call('clear', [others, durability === undefined ? undefined : { durability }], signal);
  }

  expire(key: string, ttl: number | string, options?: Options): Promise<boolean> {
    return this.#call('expire', options, key, ttl);
  }

  expireMany(keys: readonly string[], ttl: number | string, options?: Options): Promise<number> {
    return this.#call('expireMany', options, keys, ttl);
  }

  persist(key: string, options?: Options): Promise<boolean> {
    return this.#call('persist', options, key);
  }

  ttl(key: string, options?: Options): Promise<number | null | undefined> {
    return this.#call('ttl', options, key);
  }

  async snapshot(options?: Options): Promise<Snapshot> {
    // Asked for before anything is loaded: it is of this moment.
    const taken = this.#call<Taken>('snapshot', options);
    const [{ RemoteSnapshot }, at] = await Promise.all([import('./snapshot.js'), taken]);
    return new RemoteSnapshot(this.remote, at);
  }

  async transaction<R>(work: (tx: Transaction) => R | Promise<R>, options?: TransactionOptions): Promise<R> {
    const { runTransaction } = await import('./transaction.js');
    return runTransaction(this.remote, work, options);
  }

  checkpoint(label: string, options?: Options): Promise<Checkpoint> {
    return this.#call('checkpoint', options, label);
  }

  checkpoints(options?: Options): Promise<Checkpoint[]> {
    return this.#call('checkpoints', options);
  }

  restoreCheckpoint(label: string, options?: Options): Promise<Commit> {
    return this.#call('restoreCheckpoint', options, label);
  }

  deleteCheckpoint(label: string, options?: Options): Promise<boolean> {
    return this.#call('deleteCheckpoint', options, label);
  }

  undo(options?: Options): Promise<boolean> {
    return this.#call('undo', options);
  }

  redo(options?: Options): Promise<boolean> {
    return this.#call('redo', options);
  }

  watch<T>(options?: WatchOptions): AsyncIterable<Change<T>> {
    return this.#watching.watch(this.#call('watchBegin', options), options);
  }

  addEventListener(type: StoreEvent['type'], listener: StoreEventListener): void {
    this.#watching.listen('add', type, listener);
  }

  removeEventListener(type: StoreEvent['type'], listener: StoreEventListener): void {
    this.#watching.listen('remove', type, listener);
  }

  evict(options: Options): Promise<EvictResult> {
    return this.#call('evict', options);
  }

  prune(options?: Options): Promise<number> {
    return this.#call('prune', options);
  }

  sweep(options?: Options): Promise<SweepResult> {
    return this.#call('sweep', options);
  }

  compact(options?: Options): Promise<CompactResult> {
    return this.#call('compact', options);
  }

  flush(options?: Options): Promise<void> {
    return this.#call('flush', options);
  }

  stats(options?: Options): Promise<Stats> {
    return this.#call('stats', options);
  }

  health(options?: Options): Promise<Health> {
    return this.#call('health', options);
  }

  export(options: ExportOptions = {}): ReadableStream<Uint8Array> {
    // The version to export is that of this moment.
    const begun = this.remote.call<string>('exportBegin', [], options.signal);
    begun.catch(() => {});
    const source = import('./transfer.js').then(
      (loaded) => new loaded.ExportSource(this.remote, begun, options),
    );
    return new ReadableStream(
      {
        start: async (controller) => (await source).start(controller),
        pull: async (controller) => (await source).pull(controller),
        cancel: async () => (await source).cancel(),
      },
      // Nothing is read before somebody wants it.
      { highWaterMark: 0 },
    );
  }

  async import(readable: ReadableStream<Uint8Array>, options: ImportOptions): Promise<ImportResult> {
    const { importFrom } = await import('./transfer.js');
    return importFrom(this.remote, readable, options);
  }

  memoryUsage(options?: Options): Promise<number> {
    return this.#call('memoryUsage', options);
  }

  close(): Promise<void> {
    return this.#end('close');
  }

  destroy(): Promise<void> {
    return this.#end('destroy');
  }

  [Symbol.asyncIterator](): AsyncIterator<[string, unknown]> {
    return this.entries()[Symbol.asyncIterator]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call<T>(method: string, options: object | undefined, ...args: unknown[]): Promise<T> {
    const { signal, others } = split(options);
    return this.remote.call(method, [...args, others], signal);
  }

  #scan<T>(kind: string, range: RangeOptions | undefined): Scan<T> {
    const { signal, others } = split(range);
    const begin = () => this.remote.call<Piece<T>>('scan', [kind, others ?? {}], signal);
    return new RemoteScan(() => scanItems(this.remote, begin, signal));
  }

  /** The last call; behind it the worker has nothing to do. */
  #end(how: 'close' | 'destroy'): Promise<void> {
    this.#ending ??= (async () => {
      // A worker that died, or a store that another tab destroyed, has nothing left to close.
      if (how === 'close' && this.remote.over) return this.terminate();
      const done = this.remote.call<void>(how, []);
      this.remote.close();
      try {
        await done;
      } finally {
        this.terminate();
      }
    })();
    return this.#ending;
  }
}
