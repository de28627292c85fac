/** A store with images and compaction over memory files, whose secret is known, and what its figures have to be. */

import { type Encoded, encode } from '../../src/base/codec/index.js';
import { hashBytes, lane, secretFrom } from '../../src/base/hash.js';
import { type OpenOptions, resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import type { Backend } from '../../src/storage/backend.js';
import { openFiles } from '../../src/storage/files.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { chunkSizes, chunksOf, gearTable } from '../../src/structures/dedup/index.js';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { FakeTime } from './bench-store.js';

type Pair = [MemoryFile, MemoryFile];

const SECRET = Uint8Array.from({ length: 16 }, (_, i) => i * 7 + 1);

export class Disk {
  constructor(
    readonly headers: Pair = [new MemoryFile(), new MemoryFile()],
    readonly logs: Pair = [new MemoryFile(), new MemoryFile()],
    readonly images: Pair = [new MemoryFile(), new MemoryFile()],
  ) {}

  /** As a killed process leaves it. */
  copy(): Disk {
    const copy = (files: Pair): Pair => [
      new MemoryFile(files[0].content()),
      new MemoryFile(files[1].content()),
    ];
    return new Disk(copy(this.headers), copy(this.logs), copy(this.images));
  }
}

export interface DedupStore {
  readonly engine: Engine;
  readonly backend: Backend;
  readonly disk: Disk;
  readonly time: FakeTime;
}

export async function openDedup(
  options: OpenOptions,
  disk = new Disk(),
  time = new FakeTime(),
  index: IndexMapletOptions = {},
): Promise<DedupStore> {
  const backend = await openFiles(
    { backend: 'test', ...disk, made: [], settled: true, remove() {} },
    {
      surroundings: {
        now: () => time.now,
        elapsed: () => time.now,
        random: (length) => SECRET.slice(0, length),
      },
      absolute: false,
      settings: { 'dedup.mode': options.dedup?.mode ?? 'exact' },
    },
  );
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions({ ttl: { sweepInterval: Infinity }, ...options }),
    log: backend.log,
    images: backend.images,
    imageAfterBytes: 4000,
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
  return { engine, backend, disk, time };
}

/** The store as it is opened after it was killed. */
export function reopenDedup(store: DedupStore, options: OpenOptions): Promise<DedupStore> {
  return openDedup(options, store.disk.copy(), store.time);
}

const REFERENCE = 18;
const HEAD = 2;

/** What `health` has to say of a store in which each of these is the value of a key. */
export async function figuresOf(values: Iterable<unknown>, chunkBytes: number) {
  const secret = secretFrom(SECRET);
  const gear = gearTable(secret[0]! ^ secret[1]!);
  const sizes = chunkSizes(Math.floor(chunkBytes / 4));
  const distinct = new Map<string, Encoded>();
  const chunks = new Map<string, number>();
  let logicalBytes = 0;
  let totalKeys = 0;
  for (const value of values) {
    const { kind, bytes } = await encode(value);
    totalKeys += 1;
    logicalBytes += bytes.length;
    distinct.set(`${kind}:${Buffer.from(bytes).toString('latin1')}`, { kind, bytes });
  }
  let totalBytes = 0;
  for (const { bytes } of distinct.values()) {
    if (bytes.length <= chunkBytes) {
      totalBytes += bytes.length;
      continue;
    }
    const row = chunksOf(bytes, gear, sizes);
    totalBytes += HEAD + REFERENCE * row.length;
    for (const chunk of row) chunks.set(Buffer.from(chunk).toString('latin1'), chunk.length);
  }
  for (const length of chunks.values()) totalBytes += length;
  return { totalKeys, totalObjects: distinct.size, totalBytes, logicalBytes };
}

export function hashOf(kind: number, bytes: Uint8Array): [high: number, low: number] {
  return [hashBytes(secretFrom(SECRET), bytes, 0, bytes.length, kind), lane[0]!];
}
