/** Export and import of an engine: one version out, all or nothing in. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { secretFrom } from '../../src/base/hash.js';
import { Export } from '../../src/engine/export.js';
import { Import } from '../../src/engine/import.js';
import type { Engine } from '../../src/engine/index.js';
import { Packing } from '../../src/engine/packing.js';
import { KeyScan } from '../../src/engine/scan.js';
import { ImportReader } from '../../src/engine/transfer/reader.js';
import type { OpenOptions } from '../../src/index.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { type BenchStore, FakeTime, openBench, reopen, START, scanAll } from './bench-store.js';
import { content, exportAll, importAll } from './transfers-of.js';

/** The one of `openBench`. */
const SECRET = secretFrom(Uint8Array.from({ length: 16 }, (_, i) => i));
const LONG = 'a value that is longer than sixteen bytes';
const NO_SWEEP: OpenOptions = { ttl: { sweepInterval: Number.POSITIVE_INFINITY } };

async function figures(engine: Engine): Promise<unknown> {
  const { totalKeys, totalObjects, totalBytes, logicalBytes } = await engine.health();
  return { totalKeys, totalObjects, totalBytes, logicalBytes };
}

async function filled(options: OpenOptions = NO_SWEEP): Promise<BenchStore> {
  const store = await openBench(options);
  const { engine, time } = store;
  await engine.setMany([
    ['a', LONG],
    ['b', new Uint8Array(300_000).fill(7)],
    ['c', LONG],
    ['', null],
    ['漢\ud800', new Map([[1, undefined]])],
  ]);
  time.pass(10);
  await engine.set('d', LONG, { ttl: 1000 });
  await engine.set('gone', 'soon', { ttl: 5 });
  await engine.set('b', new Uint8Array(300_000).fill(7));
  await engine.delete('c');
  time.pass(5);
  return store;
}

describe('an export', () => {
  test('is taken in by another store with other secrets and options', async () => {
    const { engine, time } = await filled();
    const bytes = await exportAll(engine);
    const other = await openBench({ ...NO_SWEEP, cache: { maxBytes: 0 } }, new MemoryFile(), time);
    const result = await importAll(other.engine, bytes, { mode: 'merge' });
    expect(await content(other.engine)).toEqual(await content(engine));
    expect(await figures(other.engine)).toEqual(await figures(engine));
    expect(result.keys).toBe(5);
    expect(result.bytes).toBe((await engine.health()).logicalBytes);
    expect(Buffer.compare(await exportAll(other.engine), bytes)).toBe(0);
    const again = await reopen(other, NO_SWEEP);
    expect(await content(again.engine)).toEqual(await content(engine));
  });

  test('holds a value once that many keys share, and leaves out what has expired', async () => {
    const { engine } = await filled();
    const bytes = Buffer.from(await exportAll(engine));
    expect(bytes.indexOf(LONG)).toBeGreaterThan(0);
    expect(bytes.indexOf(LONG, bytes.indexOf(LONG) + 1)).toBe(-1);
    expect(bytes.indexOf('gone')).toBe(-1);
    expect(bytes.indexOf('soon')).toBe(-1);
  });

  test('is of the version of its beginning, whatever is written between its pieces', async () => {
    const store = await openBench(NO_SWEEP);
    const { engine, time } = store;
    const pairs = Array.from(
      { length: 3000 },
      (_, i) => [`key ${i % 1700}`, `value ${i % 97} ${LONG.repeat(30)}`] as const,
    );
    for (let i = 0; i < pairs.length; i += 100) {
      await engine.setMany(pairs.slice(i, i + 100));
      await engine.set('filler', new Uint8Array(150_000).fill(i / 100));
    }
    for (let i = 0; i < 50; i++) await engine.expire(`key ${i}`, 100 + i);
    const before = await content(engine);
    let n = 0;
    const bytes = await exportAll(engine, async () => {
      n += 1;
      if (n === 1)
        await engine.setMany([
          ['aaa', 1],
          ['key 5', 'changed'],
          ['key 9', LONG],
        ]);
      if (n === 2) await engine.deleteMany(Array.from({ length: 1000 }, (_, i) => `key ${i}`));
      if (n === 3) time.pass(1000);
      if (n === 3) await engine.sweep();
      if (n === 4) await engine.set('filler', new Uint8Array(400_000));
      if (n === 5) await engine.clear();
    });
    expect(n).toBeGreaterThan(4);
    const at = new FakeTime();
    const other = await openBench(NO_SWEEP, new MemoryFile(), at);
    await importAll(other.engine, bytes, { mode: 'replace' });
    expect(await content(other.engine)).toEqual(before);
  });

  test('leaves out what had expired at its beginning, also if it is swept meanwhile', async () => {
    const { engine, time } = await openBench(NO_SWEEP);
    await engine.set('gone', LONG, { ttl: 5 });
    await engine.set('filler', new Uint8Array(300_000));
    await engine.set('kept', 1);
    time.pass(10);
    let swept = 0;
    const bytes = await exportAll(engine, async () => (swept += (await engine.sweep()).expired));
    expect(swept).toBe(1);
    expect(Buffer.from(bytes).indexOf('gone')).toBe(-1);
  });

  test('is begun by the writes before it and none after', async () => {
    const { engine } = await openBench();
    void engine.set('a', 1);
    const begun = engine.transfers.beginExport();
    void engine.set('b', 2);
    await begun;
    const other = await openBench();
    const id = await begun;
    const into = await other.engine.transfers.beginImport({ mode: 'merge' });
    for (let isLast = false; !isLast; ) {
      const [bytes, last] = await engine.transfers.exportNext(id);
      other.engine.transfers.importWrite(into, bytes);
      isLast = last;
    }
    await other.engine.transfers.importEnd(into);
    expect(await scanAll(other.engine, 'keys')).toEqual(['a']);
  });

  test('writes a value again that it has forgotten', async () => {
    const store = await openBench();
    const pairs = Array.from(
      { length: 60 },
      (_, i) => [`${100 + i}`, `${LONG} ${i % 20 < 10 ? i % 20 : i}`] as const,
    );
    await store.engine.setMany(pairs);
    const counts = [];
    for (const remembered of [1000, 20, 1]) {
      const id = await store.engine.transfers.beginExport();
      const scan = scanOf(store.engine, id);
      const small = new Export(
        new Packing({ codec: 'none', own: new Map(), secret: SECRET }),
        scan,
        START,
        remembered,
      );
      const records: unknown[] = [];
      let values = 0;
      const reader = new ImportReader(2 ** 20, ({ value }) => {
        records.push(value);
        if (typeof value !== 'number') values += 1;
      });
      for (let isLast = false; !isLast; ) {
        const [bytes, last] = await small.next();
        reader.push(bytes);
        isLast = last;
      }
      reader.finish();
      expect(records).toHaveLength(60);
      counts.push(values);
    }
    expect(counts).toEqual([40, 40, 60]);
  });

  test('of an empty store empties another', async () => {
    const { engine } = await openBench();
    const bytes = await exportAll(engine);
    const other = await filled();
    expect(await importAll(other.engine, bytes, { mode: 'merge' })).toEqual({ keys: 0, bytes: 0 });
    expect(await other.engine.count()).toBe(5);
    await importAll(other.engine, bytes, { mode: 'replace' });
    expect(await other.engine.count()).toBe(0);
    expect(await figures(other.engine)).toMatchObject({ totalKeys: 0, totalObjects: 0, totalBytes: 0 });
  });
});

/** The scan that an export under way holds: it asks it for keys once its header is out. */
function scanOf({ transfers }: Engine, id: string): KeyScan {
  const { take } = KeyScan.prototype;
  let found: KeyScan | undefined;
  KeyScan.prototype.take = function (this: KeyScan) {
    found = this;
    return new Promise(() => {});
  };
  try {
    void transfers.exportNext(id);
    void transfers.exportNext(id);
  } finally {
    KeyScan.prototype.take = take;
  }
  return found!;
}

describe('an import', () => {
  const target = async () => {
    const store = await openBench(NO_SWEEP);
    await store.engine.setMany([
      ['a', 'older'],
      ['kept', 'kept'],
      ['d', LONG],
    ]);
    await store.engine.set('lapsed', 1, { ttl: 1 });
    store.time.pass(100);
    return store;
  };

  test('that merges wins over what is there and leaves the rest', async () => {
    const bytes = await exportAll((await filled()).engine);
    const { engine } = await target();
    await importAll(engine, bytes, { mode: 'merge' });
    expect(await scanAll(engine, 'keys')).toEqual(['', 'a', 'b', 'd', 'kept', '漢\ud800']);
    expect(await engine.getMany(['a', 'kept', 'd'])).toEqual([LONG, 'kept', LONG]);
    expect(await engine.getEntry('d')).toMatchObject({ createdAt: START + 10, expiresAt: START + 1010 });
  });

  test('that replaces leaves exactly what it brings, as one version', async () => {
    const source = await filled();
    const bytes = await exportAll(source.engine);
    const store = await target();
    const { engine } = store;
    const { version } = await engine.stats();
    await importAll(engine, bytes, { mode: 'replace' });
    expect(await content(engine)).toEqual(await content(source.engine));
    expect(await figures(engine)).toEqual(await figures(source.engine));
    expect((await engine.stats()).version).toBe(version + 1);
    expect(((await engine.getEntry('a')) as { version: number }).version).toBe(version + 1);
    const again = await reopen(store, NO_SWEEP);
    expect(await content(again.engine)).toEqual(await content(source.engine));
    expect(await figures(again.engine)).toEqual(await figures(source.engine));
  });

  test('that replaces removes only what it does not bring, and lets go of what it looked at', async () => {
    const source = await filled();
    const { engine } = await target();
    const one = new Import({ mode: 'replace', maxBytes: 2 ** 20, strict: false, dedup: true });
    one.push(await exportAll(source.engine));
    one.finish();
    const scan = scanOf(engine, await engine.transfers.beginExport());
    const release = vi.spyOn(scan.records, 'release');
    const { mutations } = await one.plan(START, () => scan);
    expect(mutations.filter(({ type }) => type === 'delete')).toEqual([{ type: 'delete', key: 'kept' }]);
    expect(release).toHaveBeenCalledTimes(1);
  });

  test('takes the sealed keys of a store away too, and values that both have stay', async () => {
    const source = await filled();
    const bytes = await exportAll(source.engine);
    const { engine } = await openBench(NO_SWEEP);
    for (let i = 0; i < 5; i++) {
      await engine.setMany(
        Array.from({ length: 1200 }, (_, k) => [`old ${i} ${k}`, k % 7 ? k : LONG] as const),
      );
      await engine.set(`filler ${i}`, new Uint8Array(300_000).fill(i));
    }
    await importAll(engine, bytes, { mode: 'replace' });
    expect(await content(engine)).toEqual(await content(source.engine));
    expect(await figures(engine)).toEqual(await figures(source.engine));
  });

  test('drops what has expired by the time it counts, and keeps deadlines as points in time', async () => {
    const source = await filled();
    const bytes = await exportAll(source.engine);
    const { engine, time } = await target();
    time.now = START + 1009;
    const id = await engine.transfers.beginImport({ mode: 'replace' });
    engine.transfers.importWrite(id, bytes);
    time.now = START + 1010;
    expect(await engine.transfers.importEnd(id)).toMatchObject({ keys: 4 });
    expect(await engine.has('d')).toBe(false);
    expect((await engine.health()).expiredObjects).toBe(1);
    const later = await target();
    await importAll(later.engine, bytes, { mode: 'merge' });
    expect(await later.engine.ttl('d')).toBe(910);
    later.time.pass(910);
    expect(await later.engine.has('d')).toBe(false);
  });

  test('keeps the times of its entries', async () => {
    const { engine, time } = await filled();
    await engine.set('e', 1);
    time.pass(40);
    await engine.set('e', 2);
    const bytes = await exportAll(engine);
    const other = await target();
    other.time.pass(10_000);
    await importAll(other.engine, bytes, { mode: 'merge' });
    for (const store of [other, await reopen(other, NO_SWEEP)]) {
      expect(await store.engine.getEntry('a')).toMatchObject({ createdAt: START, updatedAt: START });
      expect(await store.engine.getEntry('e')).toMatchObject({
        createdAt: START + 15,
        updatedAt: START + 55,
      });
    }
  });

  test('counts once its last byte was read and not before', async () => {
    const bytes = await exportAll((await filled()).engine);
    const { engine } = await target();
    const id = await engine.transfers.beginImport({ mode: 'replace' });
    const seen = [];
    for (let at = 0; at < bytes.length; at += 50_000) {
      seen.push(engine.transfers.importWrite(id, bytes.slice(at, at + 50_000)));
      expect(await scanAll(engine, 'keys')).toEqual(['a', 'd', 'kept']);
    }
    expect(seen.at(-1)).toBe(5);
    await engine.set('meanwhile', 1);
    await engine.transfers.importEnd(id);
    expect(await engine.has('meanwhile')).toBe(false);
    expect(await engine.count()).toBe(5);
  });

  test('that is cut off or damaged anywhere changes nothing', async () => {
    const source = await openBench();
    await source.engine.setMany([
      ['a', LONG],
      ['kept', 'x'],
      ['z', LONG],
    ]);
    const bytes = await exportAll(source.engine);
    const { engine } = await target();
    const before = await content(engine);
    const { version } = await engine.stats();
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x10;
      const cut = bytes.slice(0, at);
      for (const wrong of [cut, damaged]) {
        await expect(importAll(engine, wrong, { mode: 'replace' }, 64)).rejects.toMatchObject({
          code: wrong === damaged && at < 8 ? 'FORMAT' : 'CORRUPTION',
        });
      }
    }
    expect((await engine.stats()).version).toBe(version);
    expect(await content(engine)).toEqual(before);
    await importAll(engine, bytes, { mode: 'replace' });
    expect(await content(engine)).toEqual(await content(source.engine));
  });

  test('that does not fit on the disk changes nothing', async () => {
    let room = Number.POSITIVE_INFINITY;
    class FullDisk extends MemoryFile {
      override write(bytes: Uint8Array, at: number): number {
        return super.write(bytes.subarray(0, Math.max(0, Math.min(bytes.length, room - at))), at);
      }
    }
    const disk = new FullDisk();
    const { engine } = await openBench(NO_SWEEP, disk);
    await engine.set('kept', 1);
    const bytes = await exportAll((await filled()).engine);
    room = disk.size() + 1000;
    await expect(importAll(engine, bytes, { mode: 'replace' })).rejects.toMatchObject({ code: 'QUOTA' });
    expect(await scanAll(engine, 'entries')).toEqual([['kept', 1]]);
    room = Number.POSITIVE_INFINITY;
    await importAll(engine, bytes, { mode: 'replace' });
    expect(await engine.count()).toBe(5);
  });

  test('that needs more memory than it may is refused before it has it', async () => {
    const bytes = await exportAll((await filled()).engine);
    const { engine } = await target();
    const before = await content(engine);
    const distinct = 300_000 + LONG.length;
    const refused = expect.objectContaining({
      code: 'CAPACITY',
      detail: expect.objectContaining({ maxBytes: distinct }),
    });
    await expect(importAll(engine, bytes, { mode: 'merge', maxBytes: distinct })).rejects.toEqual(refused);
    await expect(importAll(engine, bytes, { mode: 'merge', maxBytes: 100 })).rejects.toMatchObject({
      code: 'CAPACITY',
    });
    expect(await content(engine)).toEqual(before);
    await expect(
      importAll(engine, bytes, { mode: 'merge', maxBytes: distinct + 5 * 500 - 1 }),
    ).rejects.toMatchObject({ code: 'CAPACITY' });
    await importAll(engine, bytes, { mode: 'merge', maxBytes: distinct + 5 * 700 });
  });

  test('counts a value for each key that has it where the store does not share', async () => {
    const { engine } = await openBench();
    const value = new Uint8Array(10_000).fill(1);
    await engine.setMany(Array.from({ length: 50 }, (_, i) => [`${i}`, value] as const));
    const bytes = await exportAll(engine);
    expect(bytes.length).toBeLessThan(13_000);
    const sharing = await openBench();
    await importAll(sharing.engine, bytes, { mode: 'merge', maxBytes: 100_000 });
    const off = await openBench({ dedup: { mode: 'off' } });
    await expect(importAll(off.engine, bytes, { mode: 'merge', maxBytes: 100_000 })).rejects.toMatchObject({
      code: 'CAPACITY',
    });
    await importAll(off.engine, bytes, { mode: 'merge' });
    expect(await off.engine.health()).toMatchObject({ totalKeys: 50, totalObjects: 50, totalBytes: 500_000 });
  });

  test.each<[unknown, string]>([
    [undefined, "import: mode: expected 'merge' or 'replace', got undefined"],
    [{}, "import: mode: expected 'merge' or 'replace', got undefined"],
    [{ mode: 'both' }, "import: mode: expected 'merge' or 'replace', got \"both\""],
    [{ mode: 'merge', wrong: 1 }, 'import: unknown option wrong: expected one of mode, maxBytes, durability'],
    [{ mode: 'merge', maxBytes: 0 }, 'import: maxBytes: expected more than 0, got 0'],
    [{ mode: 'merge', maxBytes: '1' }, 'import: maxBytes: expected a number, got "1"'],
    ['merge', 'import: expected an object of options, got "merge"'],
  ])('with the options %j is refused', async (options, message) => {
    const { engine } = await openBench();
    await expect(engine.transfers.beginImport(options)).rejects.toThrow(message);
  });

  test('reaches the level that was asked for', async () => {
    const bytes = await exportAll((await filled()).engine);
    const { engine } = await openBench();
    const { flushes } = (await engine.stats()).storage;
    await importAll(engine, bytes, { mode: 'merge', durability: 'strict' });
    expect((await engine.stats()).storage.flushes).toBe(flushes + 1);
  });

  test('in pieces that are no bytes is refused, and is over then', async () => {
    const { engine } = await openBench();
    const id = await engine.transfers.beginImport({ mode: 'merge' });
    expect(() => engine.transfers.importWrite(id, 'text')).toThrow('expected pieces that are a Uint8Array');
    expect(() => engine.transfers.importWrite(id, new Uint8Array(1))).toThrow('not under way');
  });
});

describe('what is under way', () => {
  test('is given up after ten minutes without a call, and not before', async () => {
    const { engine, time } = await filled();
    const { transfers } = engine;
    const [out, into] = [await transfers.beginExport(), await transfers.beginImport({ mode: 'merge' })];
    for (let i = 0; i < 3; i++) {
      time.pass(9 * 60_000);
      if (i < 2) await transfers.exportNext(out);
      transfers.importWrite(into, new Uint8Array(0));
    }
    time.pass(60_000);
    await expect(transfers.exportNext(out)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
    time.pass(9 * 60_000);
    expect(() => transfers.importWrite(into, new Uint8Array(0))).toThrow('not under way');
  });

  test('is known by an id that another engine has not, and that is of its kind', async () => {
    const first = await filled();
    const later = await reopen(first, NO_SWEEP);
    later.time.pass(1);
    const again = await reopen(later, NO_SWEEP);
    const { transfers } = first.engine;
    const into = await transfers.beginImport({ mode: 'merge' });
    expect(await again.engine.transfers.beginImport({ mode: 'merge' })).not.toBe(into);
    expect(await transfers.beginImport({ mode: 'merge' })).not.toBe(into);
    await expect(transfers.exportNext(into)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
    expect(() => transfers.importWrite(into, new Uint8Array(0))).not.toThrow();
  });

  test('holds the version until its end, its release or the end of the engine', async () => {
    const { engine } = await filled();
    const { transfers } = engine;
    const id = await transfers.beginExport();
    transfers.release(id);
    transfers.release(id);
    await expect(transfers.exportNext(id)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
    const open = await transfers.beginExport();
    await engine.close();
    await expect(transfers.exportNext(open)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
  });
});

const key = fc.constantFrom('', 'a', 'b', 'ab', 'abc', '__proto__', '\ud800', '\udc00', '漢', 'ü', 'key-1');
const value = fc.oneof(
  fc.constantFrom<unknown>('', 'x', LONG, 'y'.repeat(700), '\ud800', null, undefined, 0, true, 7n),
  fc.constantFrom<unknown>(...[0, 1, 2, 3].map((n) => new Uint8Array(n * 40).fill(n))),
  fc.constantFrom<unknown>(new Uint8Array(40_000).fill(1), new ArrayBuffer(70_000)),
  fc.record({ n: fc.integer({ min: 0, max: 3 }), s: fc.constantFrom('one', 'two') }),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ set: key, value, ttl: fc.constantFrom(1, 10, 1000, Infinity) }) },
  { weight: 2, arbitrary: fc.record({ delete: key }) },
  { weight: 1, arbitrary: fc.record({ expire: key, ttl: fc.constantFrom(5, 50) }) },
  { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(1, 5) }) },
  { weight: 1, arbitrary: fc.record({ fill: fc.integer({ min: 0, max: 255 }) }) },
  { weight: 1, arbitrary: fc.record({ sweep: fc.constant(true) }) },
);

async function play({ engine, time }: BenchStore, steps: readonly object[]): Promise<void> {
  for (const one of steps as Record<string, never>[]) {
    if ('set' in one) await engine.set(one['set'], one['value'], { ttl: one['ttl'] });
    else if ('delete' in one) await engine.delete(one['delete']);
    else if ('expire' in one) await engine.expire(one['expire'], one['ttl']);
    else if ('wait' in one) time.pass(one['wait']!);
    else if ('fill' in one) await engine.set('filler', new Uint8Array(270_000).fill(one['fill']!));
    else await engine.sweep();
  }
}

test('whatever was done, an import into an empty store gives the same entries, figures and export', async () => {
  const options = fc.constantFrom<OpenOptions>(NO_SWEEP, { ...NO_SWEEP, dedup: { mode: 'off' } });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.array(step, { maxLength: 10 }),
      options,
      fc.constantFrom(50, 999, 70_000),
      async (steps, before, options, pieceBytes) => {
        const source = await openBench(options);
        await play(source, steps);
        const other = await openBench(options, new MemoryFile(), new FakeTime());
        await play(other, before);
        const now = Math.max(source.time.now, other.time.now);
        source.time.now = other.time.now = now;
        const bytes = await exportAll(source.engine);
        const { totalKeys, logicalBytes } = await source.engine.health();
        const result = await importAll(other.engine, bytes, { mode: 'replace' }, pieceBytes);
        expect(result).toEqual({ keys: totalKeys, bytes: logicalBytes });
        for (const { engine } of [other, await reopen(other, options)]) {
          expect(await content(engine)).toEqual(await content(source.engine));
          expect(await figures(engine)).toEqual(await figures(source.engine));
          expect(Buffer.compare(await exportAll(engine), bytes)).toBe(0);
        }
      },
    ),
    { numRuns: 40 },
  );
});
