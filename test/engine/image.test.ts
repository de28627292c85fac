/** Opening with an image gives what reading the whole log gives, and the image is ignored where it is not whole. */
import { describe, expect, test } from 'vitest';
import type { ImageStore } from '../../src/storage/images.js';
import { decodeHead, FileImages } from '../../src/storage/images.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { FakeTime } from './bench-store.js';
import {
  type BenchOptions,
  Disk,
  figures,
  idle,
  LONG,
  openBoth,
  openOn,
  recovered,
  SMALL,
  sealAll,
  variety,
} from './image-store.js';

describe('an image', () => {
  test('spares reading the log up to it', async () => {
    const bench = await variety();
    await bench.engine.set('behind', LONG);
    await bench.engine.delete('key-5');
    const [withImage, without] = await openBoth(bench.disk, { ...SMALL, time: bench.time });
    expect(await figures(bench)).toEqual(await figures(without));
    expect(await recovered(withImage)).toBe(3);
    expect(await recovered(without)).toBeGreaterThan(50);
  });

  test('is left at a clean close: nothing is read then', async () => {
    const bench = await variety();
    await bench.engine.set('behind', LONG, { ttl: 50 });
    await bench.engine.set('large', new Uint8Array(20_000));
    await bench.engine.close();
    const [withImage] = await openBoth(bench.disk, { ...SMALL, time: bench.time });
    expect(await recovered(withImage)).toBe(0);
    expect(await withImage.engine.ttl('behind')).toBe(50);
  });

  test('carries on: what is done afterwards comes out as if all had been read', async () => {
    const lazy: BenchOptions = { ...SMALL, options: { ttl: { sweepInterval: Number.POSITIVE_INFINITY } } };
    const bench = await variety(lazy);
    const both = await openBoth(bench.disk, { ...lazy, time: bench.time });
    const clock = bench.time;
    for (const { engine } of both) {
      await engine.deleteMany(['key-0', 'key-9', 'key-18', 'key-27', 'key-36', 'mortal']);
      await engine.set('twin', `${LONG} 3`);
      await engine.set('ü漢', 'other');
    }
    expect(await figures(both[0])).toEqual(await figures(both[1]));
    clock.pass(2000);
    for (const { engine } of both) expect(await engine.sweep()).toMatchObject({ expired: 1 });
    expect(await figures(both[0])).toEqual(await figures(both[1]));
    for (const one of both) await sealAll(one);
    expect((await figures(both[0])).health).toEqual((await figures(both[1])).health);
  });

  test('of a store with many segments, runs and deadlines is whole, and so is the next', async () => {
    const time = new FakeTime();
    const given: BenchOptions = { time, index: { segmentSlots: 256, leastSlots: 64 } };
    let bench = await openOn(new Disk(), given);
    for (let round = 0; round < 3; round++) {
      const from = round * 1500;
      await bench.engine.setMany(
        Array.from({ length: 2500 }, (_, i): [string, unknown] => [
          `key/${from + i}`,
          `${LONG} ${(from + i) % 2000}`,
        ]),
        { ttl: 1000 + round * 10 },
      );
      await bench.engine.deleteMany(Array.from({ length: 500 }, (_, i) => `key/${from + i * 3}`));
      await idle(time);
      await sealAll(bench);
      const [withImage] = await openBoth(bench.disk, given);
      expect(await recovered(withImage), `round ${round}`).toBeLessThan(1000);
      bench = withImage;
    }
    time.pass(1025);
    await openBoth(bench.disk, given);
  });

  test('names no deadline later than it is, also when the clock is set back before it is read', async () => {
    const time = new FakeTime();
    const given: BenchOptions = {
      ...SMALL,
      time,
      options: { ttl: { sweepInterval: Number.POSITIVE_INFINITY } },
    };
    const bench = await openOn(new Disk(), given);
    await bench.engine.setMany(
      [
        ['a', LONG],
        ['b', 1],
      ],
      { ttl: 100 },
    );
    await sealAll(bench, false);
    time.now += 10_000;
    // Looks at what has expired, which takes it out of the wheel for a moment.
    expect(await bench.engine.count()).toBe(2);
    await bench.engine.close();
    time.now -= 9_500;
    const [withImage] = await openBoth(bench.disk, given);
    expect(await withImage.engine.count()).toBe(2);
    expect(await recovered(withImage)).toBe(0);
  });

  test('is no use to a store that dedups otherwise, or has another shape of index', async () => {
    const off: BenchOptions = { ...SMALL, options: { dedup: { mode: 'off' } } };
    const single = await openOn(new Disk(), off);
    await single.engine.setMany([
      ['a', LONG],
      ['b', LONG],
    ]);
    await sealAll(single);
    for (const [{ disk, time }, given] of [
      [single, SMALL],
      [await variety(), { index: {} }],
    ] as const) {
      const withImage = await openOn(disk.copy(), { ...given, time });
      const without = await openOn(disk.copy(), { ...given, time, images: null });
      expect(await recovered(withImage)).toBe(await recovered(without));
      expect(await figures(withImage)).toEqual(await figures(without));
    }
  });
});

describe('an image is ignored', () => {
  async function expectIgnored(disk: Disk, time: FakeTime, given: BenchOptions = SMALL): Promise<void> {
    const [withImage, without] = await openBoth(disk, { ...given, time });
    expect(await recovered(withImage)).toBe(await recovered(without));
  }

  test('that is not there', async () => {
    const { disk, time } = await variety();
    await expectIgnored(new Disk(disk.log), time);
  });

  test('of another generation of the log', async () => {
    const bench = await variety();
    const other = new Disk(new MemoryFile(), bench.disk.copy().images);
    await expectIgnored(other, bench.time, { ...SMALL, generation: 2 });
    // Even where that log is as long.
    const young = await variety({ ...SMALL, generation: 2 });
    await expectIgnored(new Disk(young.disk.log, bench.disk.images), young.time, { ...SMALL, generation: 2 });
  });

  test('that is ahead of the end of the log, or ends where none of its batches does', async () => {
    const bench = await variety();
    await bench.engine.set('large', new Uint8Array(20_000));
    await bench.engine.close();
    const { disk, time } = bench;
    const newest = disk.images.map((file) => decodeHead(file.content())?.number ?? 0);
    disk.images[newest[0]! > newest[1]! ? 1 : 0].truncate(0);
    expect(await recovered(await openOn(disk.copy(), { ...SMALL, time }))).toBe(0);
    for (const less of [1, 8, 40, 41, 2000]) {
      const shorter = disk.copy();
      shorter.log.truncate(disk.log.size() - less);
      await expectIgnored(shorter, time);
    }
    const hole = disk.copy();
    hole.log.write(new Uint8Array(40), disk.log.size() - 40);
    await expectIgnored(hole, time);
  });

  test('cut at any byte, and with any bit flipped, as if there were none', async () => {
    const bench = await variety();
    const { disk, time } = bench;
    const wanted = await figures(await openOn(disk.copy(), { ...SMALL, time, images: null }));
    const payloads = [...new FileImages(disk.copy().images).images(1)];
    expect(payloads.length).toBeGreaterThan(0);
    const used = disk.images.findIndex((file) =>
      Buffer.from(file.content()).includes(Buffer.from(payloads[0]!)),
    );
    const bytes = disk.images[used]!.content();
    const file = new MemoryFile(bytes);
    const none = new MemoryFile();
    const whole = () => [...new FileImages([file, none]).images(1)].length;
    expect(whole()).toBe(1);
    expect(bytes.length).toBeLessThan(8000);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      file.write(Uint8Array.of(bytes[at]! ^ (1 << (bit & 7))), at);
      expect(whole(), `bit ${bit}`).toBe(0);
      file.write(bytes.subarray(at, at + 1), at);
    }
    expect(whole()).toBe(1);
    for (let length = bytes.length - 1; length >= 0; length--) {
      file.truncate(length);
      expect(whole()).toBe(0);
    }
    for (let at = 0; at < bytes.length; at += 97) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x10;
      const one = new Disk(new MemoryFile(disk.log.content()), [new MemoryFile(damaged), new MemoryFile()]);
      const opened = await openOn(one, { ...SMALL, time });
      expect(await recovered(opened)).toBeGreaterThan(50);
      expect(await figures(opened)).toEqual(wanted);
    }
  });

  test('that cannot be read, or is whole and means nothing', async () => {
    const { disk, time } = await variety();
    const wanted = await figures(await openOn(disk.copy(), { ...SMALL, time, images: null }));
    const good = [...new FileImages(disk.copy().images).images(1)][0]!;
    const text = Buffer.from(good).toString('latin1');
    const strange: Uint8Array[] = [
      new Uint8Array(0),
      new Uint8Array(100).fill(0xff),
      good.subarray(0, good.length - 8),
      good.subarray(0, good.length - 3),
      ...[
        ['"format":1', '"format":2'],
        ['"keys":', '"keyz":'],
        ['"objectCount":', '"objectCounz":'],
        ['"end":', '"enz":'],
        ['RCIS', 'RCIX'],
      ].map(([from, to]) => Buffer.from(text.replace(from!, to!), 'latin1')),
    ];
    for (const [i, payload] of strange.entries()) {
      const images: ImageStore = { images: () => [payload], begin: () => ({ write() {}, commit() {} }) };
      const opened = await openOn(disk.copy(), { ...SMALL, time, images });
      expect(await recovered(opened), `payload ${i}`).toBeGreaterThan(50);
      expect(await figures(opened)).toEqual(wanted);
      const both: ImageStore = { ...images, images: () => [payload, good] };
      expect(await recovered(await openOn(disk.copy(), { ...SMALL, time, images: both }))).toBeLessThan(10);
    }
    class Unreadable extends MemoryFile {
      override read(): number {
        throw new Error('the disk is on fire');
      }
    }
    const broken = new FileImages(disk.copy().images);
    const pair = (broken as unknown as { files: MemoryFile[] }).files;
    for (const i of [0, 1]) pair[i] = Object.assign(new Unreadable(), { size: () => 2 ** 30 });
    expect(await figures(await openOn(disk.copy(), { ...SMALL, time, images: broken }))).toEqual(wanted);
  });
});
