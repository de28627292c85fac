/** An engine over a file in memory, with a clock and timers that the test turns. */

import type { OpenOptions } from '../../src/contract/options.js';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import { FileLog, MemoryFile, type SyncFile } from '../../src/storage/log/index.js';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';

export const START = 1_700_000_000_000;

export class FakeTime {
  now = START;
  #timers: { at: number; task: () => void }[] = [];

  readonly after = (ms: number, task: () => void): (() => void) => {
    const timer = { at: this.now + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Moves the clock and runs what is due by then. */
  pass(ms: number): void {
    this.now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { task } of due) task();
  }
}

export interface BenchStore {
  readonly engine: Engine;
  readonly file: SyncFile;
  readonly time: FakeTime;
  readonly index: IndexMapletOptions;
}

export async function openBench(
  options: OpenOptions = {},
  file: SyncFile = new MemoryFile(),
  time: FakeTime = new FakeTime(),
  index: IndexMapletOptions = {},
): Promise<BenchStore> {
  const log = new FileLog(file, { backend: 'test', generation: 1, written: 'os', flushed: () => 'durable' });
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions(options),
    log,
    secret: Uint8Array.from({ length: 16 }, (_, i) => i),
    now: () => time.now,
    after: time.after,
    index,
  });
  return { engine, file, time, index };
}

/** The same store as another process would find it on the disk. */
export function reopen({ file, time, index }: BenchStore, options: OpenOptions = {}): Promise<BenchStore> {
  return openBench(options, new MemoryFile((file as MemoryFile).content()), time, index);
}

export async function scanAll<T>(
  engine: Engine,
  kind: 'keys' | 'values' | 'entries' | 'keysWithTtl',
  range?: object,
): Promise<T[]> {
  const items: T[] = [];
  let piece = await engine.scan(kind, range);
  for (;;) {
    items.push(...(piece.items as T[]));
    if (piece.id === 0) return items;
    piece = await engine.scanNext(piece.id);
  }
}
