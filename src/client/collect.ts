/** Entries of `setMany`, gathered for one message. */
import type { SetManyOptions } from '../contract/store.js';

const PROGRESS_ENTRIES = 1000;

export function* collect(
  entries: Iterable<unknown>,
  onProgress: SetManyOptions['onProgress'],
): Generator<unknown> {
  let done = 0;
  for (const pair of entries) {
    yield pair;
    done += 1;
    if (done % PROGRESS_ENTRIES === 0) onProgress?.({ phase: 'collect', done, total: undefined });
  }
}

export async function collectAsync(
  entries: AsyncIterable<unknown>,
  onProgress: SetManyOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<unknown[]> {
  const pairs: unknown[] = [];
  for await (const pair of entries) {
    signal?.throwIfAborted();
    pairs.push(pair);
    if (pairs.length % PROGRESS_ENTRIES === 0)
      onProgress?.({ phase: 'collect', done: pairs.length, total: undefined });
  }
  return pairs;
}
