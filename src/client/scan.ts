/** A scan on the page: pieces are fetched as they are used, and let go when the loop ends. */
import type { Scan } from '../contract/store.js';
import type { Remote } from './remote.js';

export interface Piece<T> {
  /** 0 when it is the last one. */
  readonly id: number;
  readonly items: readonly T[];
}

export class RemoteScan<T> implements Scan<T> {
  #used = false;

  constructor(private readonly items: () => AsyncGenerator<T, void, undefined>) {}

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    if (this.#used) return refuse();
    this.#used = true;
    return this.items();
  }

  // biome-ignore lint/suspicious/noThenProperty: a scan can be awaited, which is what `then` is for
  then<A = T[], B = never>(
    onItems?: ((items: T[]) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): PromiseLike<A | B> {
    return this.#all().then(onItems, onError);
  }

  async #all(): Promise<T[]> {
    const items: T[] = [];
    for await (const item of this) items.push(item);
    return items;
  }
}

// biome-ignore lint/correctness/useYield: a second use fails as a scan does, at its first step
async function* refuse(): AsyncGenerator<never, void, undefined> {
  throw new TypeError('a scan is good for one use: start another');
}

/** The items of a scan that `begin` begins in the worker. */
export async function* scanItems<T>(
  remote: Remote,
  begin: () => Promise<Piece<T>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  let piece: Piece<T> = { id: 0, items: [] };
  try {
    piece = await begin();
    for (;;) {
      yield* piece.items;
      if (piece.id === 0) return;
      piece = await remote.call<Piece<T>>('scanNext', [piece.id], signal);
    }
  } finally {
    if (piece.id !== 0) remote.call('scanRelease', [piece.id]).catch(() => {});
  }
}
