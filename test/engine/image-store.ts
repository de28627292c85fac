/** An engine whose log and images lie on a disk in memory, which can be copied as a killed process leaves it. */
import { expect } from 'vitest';
import type { OpenOptions } from '../../src/contract/options.js';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import { FileImages, type ImageStore } from '../../src/storage/images.js';
import { FileLog, MemoryFile } from '../../src/storage/log/index.js';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { FakeTime, scanAll } from './bench-store.js';

export type Pair = [MemoryFile, MemoryFile];

export class Disk {
  constructor(
    readonly log: MemoryFile = new MemoryFile(),
    readonly images: Pair = [new MemoryFile(), new MemoryFile()],
  ) {}

  copy(): Disk {
    const copyOf = (file: MemoryFile) => new MemoryFile(file.content());
    return new Disk(copyOf(this.log), [copyOf(this.images[0]), copyOf(this.images[1])]);
  }
}

export interface ImageBench {
  readonly engine: Engine;
  readonly disk: Disk;
  readonly time: FakeTime;
  readonly log: FileLog;
}

export interface BenchOptions {
  readonly options?: OpenOptions;
  readonly index?: IndexMapletOptions;
  readonly time?: FakeTime;
  readonly generation?: number;
  readonly imageAfterBytes?: number;
  /** `null`: none, so that all of the log is read. */
  readonly images?: ImageStore | null;
}

export async function openOn(disk: Disk, given: BenchOptions = {}): Promise<ImageBench> {
  const { options = {}, index = {}, time = new FakeTime(), generation = 1, imageAfterBytes = 1 } = given;
  const { images = new FileImages(disk.images) } = given;
  const log = new FileLog(disk.log, {
    backend: 'test',
    generation,
    written: 'os',
    flushed: () => 'durable',
  });
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions(options),
    log,
    images: images ?? undefined,
    imageAfterBytes,
    secret: Uint8Array.from({ length: 16 }, (_, i) => i),
    now: () => time.now,
    after: time.after,
    index,
  });
  return { engine, disk, time, log };
}

/** Lets what waits for a timer of no time go on until nothing is left of it. */
export async function idle(time: FakeTime): Promise<void> {
  for (let i = 0; i < 12; i++) {
    time.pass(0);
    await new Promise<void>((done) => setImmediate(done));
  }
}

let fills = 0;

/** Fills the extent in use, so that the next write seals it, and makes that write. */
export async function sealAll({ engine, time }: ImageBench, wait = true): Promise<void> {
  fills += 1;
  await engine.set('~filler', new Uint8Array(300_000).fill(fills));
  await engine.set('~sealed', fills);
  if (wait) await idle(time);
}

/** All that a store says of itself and that opening must bring back. */
export async function figures({ engine }: ImageBench) {
  const health = await engine.health();
  const { version, maplet, storage, ttl, dedup } = await engine.stats();
  return {
    health,
    version,
    length: maplet.length,
    storage: [storage.bytes, storage.extents, storage.batches],
    deadlines: ttl.keys,
    dedup,
    unique: await engine.countUnique(),
    entries: (await scanAll<[string, unknown]>(engine, 'entries')).map(([key, value]) => [
      key,
      // Arrays of bytes are compared a hundred times slower than a word.
      value instanceof Uint8Array ? `${value.length} bytes, the last ${value.at(-1)}` : value,
    ]),
    backwards: await scanAll(engine, 'keys', { reverse: true }),
    withTtl: await scanAll(engine, 'keysWithTtl'),
  };
}

export async function recovered({ engine }: ImageBench): Promise<number> {
  return (await engine.stats()).storage.recovered;
}

/** Opens the disk with its images and without; both must say the same. Gives both. */
export async function openBoth(disk: Disk, given: BenchOptions): Promise<[ImageBench, ImageBench]> {
  const withImage = await openOn(disk.copy(), given);
  const without = await openOn(disk.copy(), { ...given, images: null });
  const next = async ({ engine }: ImageBench) => (await engine.stats()).ttl.next;
  expect(await next(withImage)).toEqual(await next(without));
  expect(await figures(withImage)).toEqual(await figures(without));
  return [withImage, without];
}

export const LONG = 'a value that is longer than sixteen bytes';
/** A small index makes a small image. */
export const SMALL: BenchOptions = { index: { segmentSlots: 16, leastSlots: 8 } };

/** A store with something of everything: shared values, short ones, deadlines, overwritten and deleted keys. */
export async function variety(given: BenchOptions = SMALL): Promise<ImageBench> {
  const bench = await openOn(new Disk(), { ...given, time: given.time ?? new FakeTime() });
  const { engine } = bench;
  await engine.setMany(
    Array.from({ length: 40 }, (_, i): [string, unknown] => [`key-${i}`, `${LONG} ${i % 9}`]),
  );
  await engine.setMany([
    ['ü漢', 'short'],
    ['\ud800', 'short'],
    ['', null],
  ]);
  await engine.set('mortal', LONG, { ttl: 1000 });
  await engine.set('later', LONG, { ttl: 2 ** 40 });
  await sealAll(bench);
  await engine.deleteMany(['key-1', 'key-2', 'key-10']);
  await engine.set('key-3', `${LONG} 4`);
  await engine.expire('key-4', 500);
  await engine.persist('later');
  await sealAll(bench);
  return bench;
}
