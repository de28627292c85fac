/** `getOrSet`: a missing value is computed once, however many callers of a store object wait for it. */
import { ConflictError } from '../base/errors.js';
import type { SetOptions, Store } from '../contract/store.js';
import { orAbort } from './remote.js';

export type Compute<T> = (context: { signal: AbortSignal }) => T | Promise<T>;

interface Computation {
  readonly result: Promise<unknown>;
  /** Aborted when nobody waits any more. */
  readonly stop: AbortController;
  waiting: number;
}

export class Computing {
  readonly #running = new Map<string, Computation>();

  constructor(private readonly store: Pick<Store, 'get' | 'getEntry' | 'set'>) {}

  async run<T>(key: string, compute: Compute<T>, options: SetOptions = {}): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#begin(key, compute, options);
    running.waiting += 1;
    const leave = () => {
      running.waiting -= 1;
      if (running.waiting > 0) return;
      if (this.#running.get(key) === running) this.#running.delete(key);
      running.stop.abort(signal!.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    try {
      return (await orAbort(running.result, signal)) as T;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  #begin<T>(key: string, compute: Compute<T>, options: SetOptions): Computation {
    const stop = new AbortController();
    const result = this.#compute(key, compute, { ...options, signal: stop.signal }).finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    });
    // Whoever waits is told; if nobody does any more, nobody is.
    result.catch(() => {});
    const running: Computation = { result, stop, waiting: 0 };
    this.#running.set(key, running);
    return running;
  }

  /** What another tab stored meanwhile wins, so that all callers have one value. */
  async #compute<T>(
    key: string,
    compute: Compute<T>,
    options: SetOptions & { readonly signal: AbortSignal },
  ): Promise<T> {
    const { signal } = options;
    const there = await this.store.getEntry<T>(key, { signal });
    if (there) return there.value;
    const value = await compute({ signal });
    try {
      await this.store.set(key, value, { ...options, ifAbsent: true });
      return value;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return (await this.store.get<T>(key, { signal })) as T;
    }
  }
}
