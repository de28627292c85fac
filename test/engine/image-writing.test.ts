/** When images are written and when not, and what a crash leaves of them. */
import { describe, expect, test } from 'vitest';
import { FileImages } from '../../src/storage/images.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { FakeTime, scanAll } from './bench-store.js';
import { Disk, idle, LONG, openBoth, openOn, recovered, SMALL, sealAll, variety } from './image-store.js';

describe('images are written', () => {
  test('when the log has grown enough since the last one, and not by a small store', async () => {
    const given = { time: new FakeTime(), imageAfterBytes: 2 ** 20 };
    const bench = await openOn(new Disk(), given);
    const sizes = () => bench.disk.images.map((file) => file.size() > 0);
    await bench.engine.setMany(Array.from({ length: 3000 }, (_, i): [string, unknown] => [`k${i}`, i]));
    await sealAll(bench);
    await sealAll(bench);
    expect(sizes()).toEqual([false, false]);
    await sealAll(bench);
    await sealAll(bench);
    expect(sizes()).toEqual([true, false]);
    for (let i = 0; i < 3; i++) await sealAll(bench);
    expect(sizes()).toEqual([true, false]);
    for (let i = 0; i < 3; i++) await sealAll(bench);
    expect(sizes()).toEqual([true, true]);
    const small = await openOn(new Disk(), given);
    await small.engine.set('a', LONG);
    await small.engine.close();
    expect(small.disk.images.map((file) => file.size())).toEqual([0, 0]);
    expect(small.disk.log.size()).toBeLessThan(300);
  });

  test('not again at close where little was written since', async () => {
    const bench = await variety();
    await bench.engine.set('large', new Uint8Array(20_000));
    await bench.engine.close();
    const again = await openOn(bench.disk, { ...SMALL, time: bench.time, imageAfterBytes: 1 });
    await again.engine.set('one', 1);
    const before = again.disk.copy();
    await again.engine.close();
    expect(again.disk.images.map((file) => file.content())).toEqual(
      before.images.map((file) => file.content()),
    );
    expect(await recovered(await openOn(again.disk, { ...SMALL, time: bench.time }))).toBe(1);
  });

  test('in slices, with commits between them', async () => {
    const time = new FakeTime();
    const bench = await openOn(new Disk(), { time });
    await bench.engine.setMany(
      Array.from({ length: 90_000 }, (_, i): [string, unknown] => [`key-${i}`, `${LONG} ${i}`]),
    );
    await sealAll(bench, false);
    let slices = 0;
    const turn = async () => {
      time.pass(0);
      await new Promise<void>((done) => setImmediate(done));
      await bench.engine.set('between', slices);
    };
    // What settling takes from the index must not be seen by what is still to be encoded.
    await bench.engine.deleteMany(Array.from({ length: 200 }, (_, i) => `key-${i}`));
    await bench.engine.count();
    await turn();
    const { length } = bench.disk.images[0].content();
    for (; slices < 3; slices++) {
      const before = bench.disk.images[0].size();
      await turn();
      expect(bench.disk.images[0].size() - before).toBeLessThan(700 * 1024);
    }
    expect(length).toBeLessThan(700 * 1024);
    await idle(time);
    const opened = await openOn(bench.disk.copy(), { time });
    expect(await recovered(opened)).toBeLessThan(300);
    const keys = await scanAll(opened.engine, 'keys');
    expect(keys.join()).toBe((await scanAll(bench.engine, 'keys')).join());
    const values = await Promise.all([0, 200, 201, 89_999].map((i) => opened.engine.get(`key-${i}`)));
    expect(values).toEqual([undefined, `${LONG} 200`, `${LONG} 201`, `${LONG} 89999`]);
    expect((await opened.engine.health()).totalObjects).toBe((await bench.engine.health()).totalObjects);
  });

  test('behind a flush of the log, and not at all when that fails', async () => {
    class Failing extends MemoryFile {
      fails = false;
      override flush(): void {
        if (this.fails) throw new Error('no flush');
      }
    }
    const file = new Failing();
    const bench = await openOn(new Disk(file), SMALL);
    await bench.engine.set('a', LONG);
    file.fails = true;
    await sealAll(bench);
    expect([...new FileImages(bench.disk.copy().images).images(1)]).toHaveLength(0);
    expect(await bench.engine.get('a')).toBe(LONG);
  });

  test('not again at once when there was no room, and not at all for a store that goes', async () => {
    class Full extends MemoryFile {
      writes = 0;
      full = true;
      override write(bytes: Uint8Array, at: number): number {
        this.writes += 1;
        return this.full && at > 0 ? 0 : super.write(bytes, at);
      }
    }
    const files = [new Full(), new Full()] as const;
    const bench = await openOn(new Disk(new MemoryFile(), [...files]), { imageAfterBytes: 2 ** 20 });
    for (let i = 0; i < 5; i++) await sealAll(bench);
    expect(files.map((file) => file.size())).toEqual([0, 0]);
    expect(files[0].writes).toBe(2);
    for (const file of files) file.full = false;
    for (let i = 0; i < 5; i++) await sealAll(bench);
    expect(files[0].size()).toBeGreaterThan(0);
    await bench.engine.set('large', new Uint8Array(2 ** 20));
    await bench.engine.close({ image: false });
    expect(files[1].size()).toBe(0);
  });

  test('no further when the store is closed meanwhile', async () => {
    const bench = await openOn(new Disk(), SMALL);
    await bench.engine.set('a', LONG);
    await sealAll(bench, false);
    await bench.engine.close();
    await idle(bench.time);
    const [withImage] = await openBoth(bench.disk, { ...SMALL, time: bench.time });
    expect(await recovered(withImage)).toBe(0);
  });
});

describe('a crash while an image is written', () => {
  /** Files that lose power after so many calls; the last write is made in part. */
  class Power {
    left = Number.POSITIVE_INFINITY;
    calls = 0;
    spend(): boolean {
      this.calls += 1;
      this.left -= 1;
      return this.left >= 0;
    }
  }
  class Fragile extends MemoryFile {
    constructor(
      private readonly power: Power,
      content: Uint8Array,
      private readonly share: number,
    ) {
      super();
      super.write(content, 0);
    }
    override write(bytes: Uint8Array, at: number): number {
      if (!this.power) return super.write(bytes, at);
      if (this.power.spend()) return super.write(bytes, at);
      if (this.power.left === -1) super.write(bytes.subarray(0, Math.floor(bytes.length * this.share)), at);
      throw new Error('no power');
    }
    override truncate(size: number): void {
      if (!this.power.spend()) throw new Error('no power');
      super.truncate(size);
    }
    override flush(): void {
      if (!this.power.spend()) throw new Error('no power');
    }
  }

  test.each([0, 0.5, 1])('at any call, %s of a write made, leaves the older image or none', async (share) => {
    const { disk, time } = await variety();
    const newest = [...new FileImages(disk.copy().images).images(1)][0]!;
    let calls = 1;
    for (let stop = 0; stop < calls; stop++) {
      const power = new Power();
      const start = disk.copy();
      const images: [Fragile, Fragile] = [
        new Fragile(power, start.images[0].content(), share),
        new Fragile(power, start.images[1].content(), share),
      ];
      const bench = await openOn(new Disk(start.log, images), { ...SMALL, time });
      await bench.engine.set('more', LONG);
      power.calls = 0;
      power.left = stop;
      await sealAll(bench);
      if (stop === 0) {
        const counting = new Power();
        const again = disk.copy();
        const counted = await openOn(
          new Disk(again.log, [
            new Fragile(counting, again.images[0].content(), share),
            new Fragile(counting, again.images[1].content(), share),
          ]),
          { ...SMALL, time },
        );
        counting.calls = 0;
        await sealAll(counted);
        calls = counting.calls;
        expect(calls).toBeGreaterThan(4);
      }
      const left = new Disk(start.log, [
        new MemoryFile(images[0].content()),
        new MemoryFile(images[1].content()),
      ]);
      const found = [...new FileImages(left.copy().images).images(1)];
      expect(
        found.some((payload) => Buffer.from(payload).equals(newest)),
        `call ${stop}`,
      ).toBe(true);
      const [withImage] = await openBoth(left, { ...SMALL, time });
      expect(await recovered(withImage)).toBeLessThan(20);
    }
  });
});
