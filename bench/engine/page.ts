/** The page of the engine benchmark: each step is asked for by the runner, times are of the page's clock. */
import { type OpenOptions, open, type Store } from 'rootcellar';

const NAME = 'engine benchmark';
const PIECE = 10_000;

/** Twenty characters, in no order. */
const keyOf = (i: number): string =>
  `${(Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}-${i.toString(36).padStart(11, '0')}`;
/** A hundred characters that no other key has. */
const textOf = (i: number, round = 0): string =>
  `${round}:${i}:${(i * 7919) % 1_000_003}:`.padEnd(100, 'abcdefgh');

let store: Store | undefined;

const quantile = (times: Float64Array, q: number): number =>
  times[Math.min(times.length - 1, Math.floor(times.length * q))]!;

const steps = {
  async fill(keys: number, options: OpenOptions) {
    store = await open(NAME, options);
    const start = performance.now();
    for (let from = 0; from < keys; from += PIECE) {
      const length = Math.min(PIECE, keys - from);
      await store.setMany(Array.from({ length }, (_, i) => [keyOf(from + i), textOf(from + i)] as const));
    }
    await store.flush();
    const seconds = (performance.now() - start) / 1000;
    const [health, memory] = [await store.health(), await store.memoryUsage()];
    return { seconds, bytesAKey: health.storedBytes / keys, claimedAKey: memory / keys };
  },

  /** From `open` to the first value. */
  async reopen(key: number, options: OpenOptions) {
    const start = performance.now();
    store = await open(NAME, options);
    const value = await store.get<string>(keyOf(key));
    const ms = performance.now() - start;
    if (value !== textOf(key)) throw new Error(`wrong value: ${value}`);
    return { ms };
  },

  /** What Chromium measures of the worker, buffers included. */
  async memory() {
    const { measureUserAgentSpecificMemory } = performance as unknown as {
      measureUserAgentSpecificMemory(): Promise<{
        breakdown: { bytes: number; attribution: { scope: string }[] }[];
      }>;
    };
    const { breakdown } = await measureUserAgentSpecificMemory.call(performance);
    let bytes = 0;
    for (const part of breakdown) {
      if (part.attribution.some(({ scope }) => scope === 'DedicatedWorkerGlobalScope')) bytes += part.bytes;
    }
    return { bytes };
  },

  /** A thousand keys by their prefix, and a get there and back beside it. */
  async prefix(times: number) {
    const scans = new Float64Array(times);
    const gets = new Float64Array(times);
    let found = 0;
    for (let i = 0; i < times; i++) {
      const prefix = keyOf(i * 31 + 7).slice(0, 3);
      let start = performance.now();
      found += (await store!.keys({ prefix, limit: 1000 })).length;
      scans[i] = performance.now() - start;
      start = performance.now();
      await store!.get(keyOf(i * 977));
      gets[i] = performance.now() - start;
    }
    return { scan: quantile(scans.sort(), 0.5), get: quantile(gets.sort(), 0.5), keys: found / times };
  },

  /** Overwrites keys, a thousand at a time; `get` is asked for all the while, and how long each waits is noted. */
  async churn(keys: number, megabytes: number) {
    const waits: number[] = [];
    let going = true;
    let largest = 0;
    const asking = (async () => {
      while (going) {
        const start = performance.now();
        await store!.get(keyOf(waits.length % keys));
        waits.push(performance.now() - start);
      }
    })();
    const start = performance.now();
    const calls = (megabytes * 1e6) / 1000 / 140;
    for (let call = 0; call < calls; call++) {
      const from = (call * 1000) % keys;
      await store!.setMany(
        Array.from({ length: 1000 }, (_, i) => [keyOf((from + i) % keys), textOf(i, call + 1)] as const),
      );
      if (call % 50 === 0) largest = Math.max(largest, (await store!.health()).storedBytes);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    going = false;
    await asking;
    const sorted = Float64Array.from(waits).sort();
    const seconds = (performance.now() - start) / 1000;
    const { before, after } = await store!.compact();
    return {
      seconds,
      gets: sorted.length,
      median: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      p999: quantile(sorted, 0.999),
      most: quantile(sorted, 1),
      largest,
      before,
      after,
    };
  },

  async close() {
    await store!.close();
  },

  async destroy() {
    await store!.destroy();
  },
};

declare global {
  interface Window {
    steps: typeof steps;
  }
}

window.steps = steps;
document.title = 'ready';
