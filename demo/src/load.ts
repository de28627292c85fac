/**
 * Puts the data set into the store: chunks through `setMany`, two under way at a
 * time, so that the worker writes one while the page prepares the next.
 *
 * Chunks are atomic and applied in order, so what a cancelled load leaves is the
 * first so many records, and the next load goes on from there. One tab loads at a
 * time: a lock of the browser says which.
 */
import type { Store } from 'rootcellar';
import { chunks, type DataIndex } from './pieces.js';

export const CHUNK_RECORDS = 2000;
const LOCK = 'rootcellar-demo-load';

export interface Progress {
  /** Records in the store by now. */
  readonly done: number;
  /** Records a second since this load began. */
  readonly rate: number;
}

export interface LoadResult extends Progress {
  readonly ms: number;
  /** Longest task of the page meanwhile, in milliseconds; 0: none above 50; `undefined`: this browser does not tell. */
  readonly longestTaskMs: number | undefined;
}

/**
 * Stores every record from number `from` on; `undefined` when another tab is at it.
 *
 * @throws what the store throws; `signal.reason` when cancelled.
 */
export async function load(
  store: Store,
  index: DataIndex,
  from: number,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<LoadResult | undefined> {
  if (!navigator.locks) return write(store, index, from, signal, onProgress);
  return navigator.locks.request(LOCK, { ifAvailable: true }, (lock) =>
    lock ? write(store, index, from, signal, onProgress) : undefined,
  );
}

/** Whether a tab is loading now. */
export async function isLoading(): Promise<boolean> {
  if (!navigator.locks) return false;
  const { held } = await navigator.locks.query();
  return held?.some(({ name }) => name === LOCK) ?? false;
}

async function write(
  store: Store,
  index: DataIndex,
  from: number,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<LoadResult> {
  const tasks = watchTasks();
  const start = performance.now();
  let done = from;
  const progress = (): Progress => ({ done, rate: ((done - from) * 1000) / (performance.now() - start) });
  try {
    let before: Promise<unknown> = Promise.resolve();
    let size = 0;
    for await (const chunk of chunks(index, from, CHUNK_RECORDS, signal)) {
      const now = store.setMany(chunk, { signal });
      now.catch(() => {}); // thrown below, in its turn
      await before;
      done += size;
      onProgress(progress());
      before = now;
      size = chunk.length;
    }
    await before;
    done += size;
    onProgress(progress());
    const ms = performance.now() - start;
    return { ...progress(), ms, longestTaskMs: tasks.longest() };
  } finally {
    tasks.stop();
  }
}

/** Watches for tasks of the page above 50 ms, which is what browsers report. */
function watchTasks(): { longest(): number | undefined; stop(): void } {
  if (!PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    return { longest: () => undefined, stop() {} };
  }
  let longest = 0;
  const note = (entries: PerformanceEntryList): void => {
    for (const { duration } of entries) longest = Math.max(longest, duration);
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: 'longtask' });
  return {
    longest() {
      note(observer.takeRecords());
      return longest;
    },
    stop: () => observer.disconnect(),
  };
}
