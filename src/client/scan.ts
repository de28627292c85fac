/** A scan on the page: pieces are fetched as they are used, and let go when the loop ends. */
import type { Scan } from '../contract/store.js';
import type { Remote } from './remote.js';

interface Piece<T> {
  readonly id: number;
  readonly items: readonly T[];
}

export class RemoteScan<T> implements Scan<T> {
  #used = false;

  constructor(
    private readonly remote: Remote,
    private readonly kind: string,
    private readonly range: object,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    if (this.#used) throw new TypeError('a scan is good for one use: start another');
    this.#used = true;
    let piece: Piece<T> = { id: 0, items: [] };
    try {
      piece = await this.remote.call('scan', [this.kind, this.range], this.signal);
      for (;;) {
        yield* piece.items;
        if (piece.id === 0) return;
        piece = await this.remote.call<Piece<T>>('scanNext', [piece.id], this.signal);
      }
    } finally {
      if (piece.id !== 0) this.remote.call('scanRelease', [piece.id]).catch(() => {});
    }
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
