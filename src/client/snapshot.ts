/** A snapshot as the page holds it. What it reads is bound to the engine that took it. */
import { ClosedError } from '../base/errors.js';
import type {
  Commit,
  Difference,
  Entry,
  RangeOptions,
  ReadOptions,
  Scan,
  Snapshot,
  WriteOptions,
} from '../contract/store.js';
import { type Remote, split } from './remote.js';
import { RemoteScan, scanItems } from './scan.js';

export interface Taken {
  readonly id: string;
  readonly version: number;
  /** When it was taken, by the store's clock. */
  readonly now: number;
  /** Time to live of a `set` that names none. */
  readonly ttlMs: number;
}

export class RemoteSnapshot implements Snapshot {
  #closed = false;

  constructor(
    private readonly remote: Remote,
    private readonly taken: Taken,
  ) {}

  get version(): number {
    return this.taken.version;
  }

  get<T>(key: string, options?: ReadOptions): Promise<T | undefined> {
    return this.#call('Get', options, key);
  }

  has(key: string, options?: ReadOptions): Promise<boolean> {
    return this.#call('Has', options, key);
  }

  getEntry<T>(key: string, options?: ReadOptions): Promise<Entry<T> | undefined> {
    return this.#call('GetEntry', options, key);
  }

  keys(range?: RangeOptions): Scan<never> {
    return new RemoteScan(() => this.items<never>('keys', range));
  }

  values(range?: RangeOptions): Scan<never> {
    return new RemoteScan(() => this.items<never>('values', range));
  }

  entries(range?: RangeOptions): Scan<never> {
    return new RemoteScan(() => this.items<never>('entries', range));
  }

  count(range?: RangeOptions): Promise<number> {
    return this.#call('Count', range);
  }

  diff<T>(other: Snapshot): AsyncIterable<Difference<T>> {
    if (!(other instanceof RemoteSnapshot) || other.remote !== this.remote) {
      throw new TypeError('diff: expected a snapshot of the same store');
    }
    return this.#differences(other);
  }

  restore(options?: WriteOptions): Promise<Commit> {
    return this.#call('Restore', options);
  }

  async close(): Promise<void> {
    if (this.#closed || this.remote.over) return;
    const closed = this.#call<void>('Close', undefined);
    this.#closed = true;
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The items of one scan. */
  items<T>(kind: string, range: RangeOptions | undefined): AsyncGenerator<T, void, undefined> {
    return scanItems(this.remote, () => this.#call('Scan', range, kind), split(range).signal);
  }

  async *#differences<T>(other: RemoteSnapshot): AsyncGenerator<Difference<T>, void, undefined> {
    let piece: { id: string; items: readonly Difference<T>[] } = { id: '', items: [] };
    try {
      other.#check();
      piece = await this.#call('Diff', undefined, other.taken.id);
      for (;;) {
        yield* piece.items;
        if (piece.id === '') return;
        piece = await this.remote.call('snapshotDiffNext', [piece.id]);
      }
    } finally {
      if (piece.id !== '') this.remote.call('snapshotDiffRelease', [piece.id]).catch(() => {});
    }
  }

  async #call<T>(method: string, options: object | undefined, ...args: unknown[]): Promise<T> {
    this.#check();
    const { signal, others } = split(options);
    return this.remote.call(`snapshot${method}`, [this.taken.id, ...args, others], signal);
  }

  #check(): void {
    if (this.#closed) throw new ClosedError('the snapshot is closed');
  }
}
