/** The page of the engine benchmark: each step is asked for by the runner, times are of the page's clock. */
import { type OpenOptions, open, type Store } from 'rootcellar';

const NAME = 'engine benchmark';
const PIECE = 10_000;
/** Of the steady load: what a call writes is what a get behind it waits for. */
const KEYS_A_CALL = 200;

/** Twenty characters, in no order. */
const keyOf = (i: number): string =>
  `${(Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}-${i.toString(36).padStart(11, '0')}`;
/** A hundred characters that no other key has. */
const textOf = (i: number, round = 0): string =>
  `${round}:${i}:${(i * 7919) % 1_000_003}:`.padEnd(100, 'abcdefgh');

let store: Store | undefined;

/** The files of the one store of this origin. */
async function* files(): AsyncGenerator<[string, FileSystemFileHandle]> {
  const folders: FileSystemDirectoryHandle[] = [await navigator.storage.getDirectory()];
  for (const folder of folders) {
    for await (const [name, handle] of folder as unknown as AsyncIterable<[string, FileSystemHandle]>) {
      if (handle.kind === 'directory') folders.push(handle as FileSystemDirectoryHandle);
      else yield [name, handle as FileSystemFileHandle];
    }
  }
}

/** Bytes of both places for the log, the one that is being filled too. */
async function logBytes(): Promise<number> {
  let bytes = 0;
  for await (const [name, file] of files()) if (name.startsWith('slot')) bytes += (await file.getFile()).size;
  return bytes;
}

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

  /** So that the next opening has to read all of the log. REQUIRES: the store is closed. */
  async dropImages() {
    let dropped = 0;
    for await (const [name, file] of files()) {
      if (!name.startsWith('image')) continue;
      dropped += (await file.getFile()).size;
      const writer = await file.createWritable();
      await writer.truncate(0);
      await writer.close();
    }
    return { dropped };
  },

  /** A thousand snapshots asked for in one message: what one costs the worker, at most. */
  async snapshots() {
    const times = new Float64Array(21);
    for (let round = 0; round < times.length; round++) {
      // A write between, so that each round freezes a version of its own.
      await store!.set(`~${round}`, round);
      const start = performance.now();
      const taken = await Promise.all(Array.from({ length: 1000 }, () => store!.snapshot()));
      times[round] = performance.now() - start;
      await Promise.all(taken.map((snapshot) => snapshot.close()));
      await store!.delete(`~${round}`);
    }
    return { us: quantile(times.sort(), 0.5) };
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
      // A 256th of the keys begin so: a million have more than a thousand.
      const prefix = keyOf(i * 31 + 7).slice(0, 2);
      let start = performance.now();
      found += (await store!.keys({ prefix, limit: 1000 })).length;
      scans[i] = performance.now() - start;
      start = performance.now();
      await store!.get(keyOf(i * 977));
      gets[i] = performance.now() - start;
    }
    return { scan: quantile(scans.sort(), 0.5), get: quantile(gets.sort(), 0.5), keys: found / times };
  },

  /** Overwrites keys, 200 at a time; `get` is asked for all the while, and how long each waits is noted. */
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
    const calls = (megabytes * 1e6) / KEYS_A_CALL / 140;
    for (let call = 0; call < calls; call++) {
      const from = (call * KEYS_A_CALL) % keys;
      await store!.setMany(
        Array.from(
          { length: KEYS_A_CALL },
          (_, i) => [keyOf((from + i) % keys), textOf(i, call + 1)] as const,
        ),
      );
      if (call % 20 === 0) largest = Math.max(largest, await logBytes());
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
