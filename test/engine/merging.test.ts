/** Merging of key runs: scans say the same before, meanwhile and after, and so does every crash. */
import { describe, expect, test } from 'vitest';
import { FileImages } from '../../src/storage/images.js';
import { nameOf, runsToMerge, withMerged } from '../../src/structures/runs/index.js';
import { FakeTime, scanAll } from './bench-store.js';
import { Disk, figures, type ImageBench, idle, openOn } from './image-store.js';

const runs = async ({ engine }: ImageBench) => (await engine.stats()).storage.runs;
/** Keys of a round, spread over all of the order, more in eight rounds than a slice merges. */
const KEYS = 1200;
const keyOf = (round: number, i: number) => `${String((i * 7919) % KEYS).padStart(4, '0')}-${round}`;

let fills = 0;

/** Writes keys and seals them. */
async function round(bench: ImageBench, number: number): Promise<void> {
  const { engine } = bench;
  await engine.setMany(Array.from({ length: KEYS }, (_, i) => [keyOf(number, i), `value ${i} of ${number}`]));
  fills += 1;
  // Extents grow with the log.
  await engine.set('~filler', new Uint8Array(Math.max(300_000, bench.log.bytes / 4)).fill(fills));
  await engine.set('~sealed', fills);
}

/** A store with so many runs, none of which was merged. */
async function withRuns(count: number): Promise<ImageBench> {
  const bench = await openOn(new Disk(), { time: new FakeTime(), images: null });
  for (let number = 0; number < count; number++) await round(bench, number);
  return bench;
}

const tick = async ({ time }: ImageBench) => {
  time.pass(0);
  for (let i = 0; i < 3; i++) await new Promise<void>((done) => setImmediate(done));
};

describe('which runs are merged', () => {
  const run = (blocks: number, location = 0) =>
    Array.from({ length: blocks }, (_, i) => ({ firstKey: `${i}`, location: location + i }));
  const of = (...blocks: number[]) => blocks.map((count, i) => run(count, i * 1000));

  test('are eight of one level, the lowest first', () => {
    const seven = of(1, 2, 3, 4, 5, 6, 7);
    expect(runsToMerge([])).toEqual([]);
    expect(runsToMerge(seven)).toEqual([]);
    expect(runsToMerge([...seven, run(8)])).toEqual([]);
    expect(runsToMerge([run(64), ...seven, run(9), run(7)])).toEqual([...seven, run(7)]);
    const large = of(8, 63, 8, 8, 8, 8, 8, 8);
    expect(runsToMerge([...large, run(64), run(7)])).toEqual(large);
    expect(runsToMerge([...large, ...seven, run(1)])).toEqual([...seven, run(1)]);
  });

  test('give way to the one that has their keys', () => {
    const [a, b, c, d] = of(1, 2, 3, 4);
    expect(withMerged([a!, b!, c!], [nameOf(a!), nameOf(c!)], d!)).toEqual([b, d]);
    expect(withMerged([a!, b!, c!], [nameOf(a!), nameOf(c!)], [])).toEqual([b]);
  });
});

describe('a store with many runs', () => {
  test('merges them into one, and scans say what they said', async () => {
    const bench = await withRuns(8);
    const keys = await scanAll(bench.engine, 'keys');
    expect(keys).toHaveLength(8 * KEYS + 2);
    expect(await runs(bench)).toBe(8);
    await idle(bench.time);
    expect(await runs(bench)).toBe(1);
    expect(await scanAll(bench.engine, 'keys')).toEqual(keys);
    expect(await scanAll(bench.engine, 'keys', { reverse: true })).toEqual(keys.toReversed());
    expect(await scanAll(bench.engine, 'keys', { prefix: '0123-' })).toEqual(
      Array.from({ length: 8 }, (_, number) => `0123-${number}`),
    );
    const again = await openOn(bench.disk.copy(), { images: null });
    expect(await runs(again)).toBe(1);
    expect(await figures(again)).toEqual(await figures(bench));
  });

  test('leaves out what was deleted or written again', async () => {
    const bench = await withRuns(3);
    await bench.engine.deleteMany(Array.from({ length: KEYS }, (_, i) => keyOf(0, i)));
    for (let number = 0; number < 5; number++) await round(bench, 1);
    const before = bench.disk.log.size();
    await idle(bench.time);
    expect(await runs(bench)).toBe(1);
    // Of 8,400 keys in eight runs two rounds are left.
    expect(bench.disk.log.size() - before).toBeLessThan(2 * KEYS * 16);
    expect(bench.disk.log.size() - before).toBeGreaterThan(2 * KEYS * 6);
    expect(await scanAll(bench.engine, 'keys')).toHaveLength(2 * KEYS + 2);
    const again = await openOn(bench.disk.copy(), { images: null });
    expect(await figures(again)).toEqual(await figures(bench));
  });

  test('that is killed at any moment of it has all keys, and merges once more', async () => {
    const bench = await withRuns(8);
    const keys = await scanAll(bench.engine, 'keys');
    const seen = new Set<number>();
    for (let i = 0; i < 8; i++) {
      const killed = await openOn(bench.disk.copy(), { time: new FakeTime(), images: null });
      seen.add(await runs(killed));
      expect(await scanAll(killed.engine, 'keys'), `after ${i} slices`).toEqual(keys);
      await round(killed, 8);
      await idle(killed.time);
      expect(await runs(killed)).toBeLessThan(8);
      expect((await scanAll(killed.engine, 'keys')).length).toBe(keys.length + KEYS);
      await tick(bench);
    }
    expect([...seen]).toEqual([8, 1]);
  });

  test('is scanned while it merges, by who began before, meanwhile and after', async () => {
    const bench = await withRuns(8);
    const keys = await scanAll<string>(bench.engine, 'keys');
    const scans = [];
    for (let i = 0; i < 6; i++) {
      scans.push(await bench.engine.scan('keys', {}));
      await tick(bench);
    }
    expect(await runs(bench)).toBe(1);
    for (let { items, id } of scans) {
      const found = [...items];
      while (id !== 0) {
        ({ items, id } = await bench.engine.scanNext(id));
        found.push(...items);
      }
      expect(found).toEqual(keys);
    }
  });

  test('keeps what a snapshot has, though its keys are left out', async () => {
    const bench = await withRuns(7);
    const { engine } = bench;
    const taken = await engine.versions.snapshots.take('session');
    await engine.deleteMany(Array.from({ length: KEYS }, (_, i) => keyOf(3, i)));
    await round(bench, 7);
    await idle(bench.time);
    expect(await runs(bench)).toBe(1);
    expect(await engine.versions.snapshots.count((await taken).id)).toBe(7 * KEYS + 2);
    expect(await engine.count({ prefix: '' })).toBe(7 * KEYS + 2);
    expect(await engine.count({ match: '*-3' })).toBe(0);
  });

  test('gives it up for a clear', async () => {
    const bench = await withRuns(8);
    await tick(bench);
    await bench.engine.clear();
    await bench.engine.set('a', 1);
    await idle(bench.time);
    expect(await runs(bench)).toBe(0);
    const again = await openOn(bench.disk.copy(), { images: null });
    expect(await figures(again)).toEqual(await figures(bench));
    expect(await scanAll(again.engine, 'keys')).toEqual(['a']);
  });

  test('is closed in the middle of it', async () => {
    const bench = await withRuns(8);
    const keys = await scanAll(bench.engine, 'keys');
    await tick(bench);
    await bench.engine.close();
    const size = bench.disk.log.size();
    await idle(bench.time);
    expect(bench.disk.log.size()).toBe(size);
    const again = await openOn(bench.disk, { images: null });
    expect(await scanAll(again.engine, 'keys')).toEqual(keys);
  });

  test('is opened with an image that was taken in the middle of it', async () => {
    const disk = new Disk();
    const images = new FileImages(disk.images);
    const bench = await openOn(disk, { time: new FakeTime(), images, imageAfterBytes: 1 });
    for (let number = 0; number < 8; number++) await round(bench, number);
    await tick(bench);
    // Seals once more, with an image, while the merging is under way.
    await round(bench, 8);
    await idle(bench.time);
    expect(await runs(bench)).toBeLessThan(8);
    const keys = await scanAll(bench.engine, 'keys');
    for (const one of [{}, { images: null }]) {
      const again = await openOn(disk.copy(), one);
      expect(await scanAll(again.engine, 'keys')).toEqual(keys);
      expect(await runs(again)).toBe(await runs(bench));
    }
  });

  test('leaves the runs as they are where there is no room', async () => {
    const bench = await withRuns(8);
    const keys = await scanAll(bench.engine, 'keys');
    const write = bench.disk.log.write.bind(bench.disk.log);
    bench.disk.log.write = () => 0;
    await idle(bench.time);
    expect(await runs(bench)).toBe(8);
    bench.disk.log.write = write;
    await round(bench, 8);
    await idle(bench.time);
    expect(await runs(bench)).toBeLessThan(8);
    expect(await scanAll(bench.engine, 'keys')).toHaveLength(keys.length + KEYS);
  });
});
