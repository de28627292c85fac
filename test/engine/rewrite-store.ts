/** An engine over six files in memory, which can be compacted. */
import { type OpenOptions, resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import type { Backend } from '../../src/storage/backend.js';
import { openFiles } from '../../src/storage/files.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { FakeTime } from './bench-store.js';

export type Pair = [MemoryFile, MemoryFile];

export interface Disk {
  readonly headers: Pair;
  readonly logs: Pair;
}

export const newDisk = (): Disk => ({
  headers: [new MemoryFile(), new MemoryFile()],
  logs: [new MemoryFile(), new MemoryFile()],
});

export const copied = ({ headers, logs }: Disk): Disk => {
  const copy = (files: Pair): Pair => [
    new MemoryFile(files[0].content()),
    new MemoryFile(files[1].content()),
  ];
  return { headers: copy(headers), logs: copy(logs) };
};

let drawn = 0;

export interface Opened {
  readonly engine: Engine;
  readonly backend: Backend;
  readonly time: FakeTime;
}

export async function openOn(
  disk: Disk,
  options: OpenOptions = {},
  index: IndexMapletOptions = {},
  time = new FakeTime(),
): Promise<Opened> {
  const backend = await openFiles(
    {
      backend: 'test',
      ...disk,
      images: [new MemoryFile(), new MemoryFile()],
      made: [],
      settled: false,
      remove() {},
    },
    {
      surroundings: {
        now: () => time.now,
        elapsed: () => time.now,
        random: (bytes) => Uint8Array.from({ length: bytes }, () => (drawn = (drawn * 31 + 7) & 0xff)),
      },
      absolute: false,
      settings: { dedup: 'exact' },
    },
  );
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions(options),
    log: backend.log,
    successor: () => backend.successor(),
    secret: backend.header.secret,
    now: () => time.now,
    after: (ms, task) => {
      if (ms > 0) return time.after(ms, task);
      setImmediate(task);
      return () => {};
    },
    index,
  });
  return { engine, backend, time };
}
