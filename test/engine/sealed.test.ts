/** What happens to keys after their extent was sealed: where blind writes meet the index. */
import { describe, expect, test } from 'vitest';
import { FileLog } from '../../src/storage/log/index.js';
import { type BenchStore, openBench, reopen, scanAll } from './bench-store.js';

const LONG = 'a value that is longer than sixteen bytes';
const OTHER = 'another value that is longer than that';

let fills = 0;

/** Fills the extent in use and begins the next, so that what was written lies sealed. */
async function sealAll({ engine }: BenchStore): Promise<void> {
  const before = (await engine.stats()).storage.extents;
  for (let extents = before; extents === before; extents = (await engine.stats()).storage.extents) {
    fills += 1;
    await engine.set('~filler', new Uint8Array(300_000).fill(fills));
  }
}

/** The figures of the live store and of the same log read anew. */
async function figures(store: BenchStore) {
  const again = await reopen(store);
  const both = [await again.engine.health(), await store.engine.health()].map(
    ({ totalKeys, totalObjects, totalBytes, logicalBytes }) => ({
      totalKeys,
      totalObjects,
      totalBytes,
      logicalBytes,
    }),
  );
  expect(both[0]).toEqual(both[1]);
  expect(await scanAll(again.engine, 'keys')).toEqual(await scanAll(store.engine, 'keys'));
  return both[0]!;
}

describe('a sealed key', () => {
  const FILLER = 300_000;
  const writes: [
    string,
    (store: BenchStore) => Promise<unknown>,
    { keys: number; objects: number; bytes: number },
  ][] = [
    ['stays', async () => {}, { keys: 2, objects: 1, bytes: LONG.length }],
    [
      'is overwritten',
      ({ engine }) => engine.set('a', OTHER),
      { keys: 2, objects: 2, bytes: LONG.length + OTHER.length },
    ],
    [
      'is overwritten twice',
      async ({ engine }) => {
        await engine.set('a', OTHER);
        await engine.set('a', 'short');
      },
      { keys: 2, objects: 2, bytes: LONG.length + 5 },
    ],
    [
      'is overwritten and deleted',
      async ({ engine }) => {
        await engine.set('a', OTHER);
        await engine.delete('a');
      },
      { keys: 1, objects: 1, bytes: LONG.length },
    ],
    [
      'is deleted and set again',
      async ({ engine }) => {
        await engine.delete('a');
        await engine.set('a', LONG);
      },
      { keys: 2, objects: 1, bytes: LONG.length },
    ],
    [
      'is deleted with the other one that has its value',
      ({ engine }) => engine.deleteMany(['a', 'b']),
      { keys: 0, objects: 0, bytes: 0 },
    ],
    [
      'gets a deadline',
      ({ engine }) => engine.expire('a', 1000),
      { keys: 2, objects: 1, bytes: LONG.length },
    ],
  ];

  test.each(writes)(
    '%s, and every figure is right, live and read anew, before and after the next seal',
    async (_, write, wanted) => {
      const store = await openBench();
      await store.engine.setMany([
        ['a', LONG],
        ['b', LONG],
      ]);
      await sealAll(store);
      await write(store);
      for (let round = 0; round < 2; round++) {
        const { totalKeys, totalObjects, totalBytes } = await figures(store);
        expect({ keys: totalKeys - 1, objects: totalObjects - 1, bytes: totalBytes - FILLER }).toEqual(
          wanted,
        );
        await sealAll(store);
      }
    },
  );

  test('that expires is swept, wherever its record lies', async () => {
    const store = await openBench({ ttl: { sweepInterval: Number.POSITIVE_INFINITY } });
    await store.engine.setMany(
      Array.from({ length: 50 }, (_, i) => [`k${i}`, LONG] as [string, string]),
      { ttl: 100 },
    );
    await sealAll(store);
    await store.engine.set('k0', LONG);
    await store.engine.set('late', LONG, { ttl: 100 });
    store.time.pass(100);
    expect(await store.engine.health()).toMatchObject({ totalKeys: 2, totalObjects: 2, expiredObjects: 50 });
    expect(await store.engine.countUnique()).toBe(2);
    expect(await store.engine.sweep()).toEqual({ expired: 50, orphaned: 0, bytes: 0 });
    expect(await store.engine.health()).toMatchObject({ totalKeys: 2, totalObjects: 2, expiredObjects: 0 });
    expect(await scanAll(store.engine, 'keys')).toEqual(['k0', '~filler']);
  });

  test.each([
    [
      'that was prolonged and deleted leaves a short value',
      'short',
      (store: BenchStore) => store.engine.delete('a'),
    ],
    [
      'that was overwritten leaves a short value',
      'short',
      (store: BenchStore) => store.engine.set('a', OTHER),
    ],
    [
      'that was prolonged and deleted leaves a long value',
      LONG,
      (store: BenchStore) => store.engine.delete('a'),
    ],
    ['that was overwritten leaves a long value', LONG, (store: BenchStore) => store.engine.set('a', OTHER)],
  ])('%s to those that bring it anew, also when that is read from the log', async (_, value, change) => {
    const store = await openBench();
    await store.engine.set('a', value);
    await store.engine.expire('a', 1000);
    await sealAll(store);
    await change(store);
    // The live store settles here, recovery only behind all that follows.
    const before = (await store.engine.health()).totalObjects;
    await store.engine.set('b', value);
    await store.engine.set('c', value);
    expect((await figures(store)).totalObjects).toBe(before + 1);
    await store.engine.deleteMany(['b', 'c']);
    expect((await figures(store)).totalObjects).toBe(before);
  });

  test('finds its value among others that the index takes for it', async () => {
    const store = await openBench({ cache: { maxBytes: 0 } }, undefined, undefined, { fingerprintBits: 2 });
    const values = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(100, '.'));
    await store.engine.setMany(values.map((value, i) => [`a${i}`, value] as [string, string]));
    await store.engine.setMany(values.map((value, i) => [`b${i}`, value] as [string, string]));
    expect(await store.engine.countUnique()).toBe(200);
    const keys = values.map((_, i) => `b${i}`);
    expect(await store.engine.getMany(keys)).toEqual(values);
    expect(await (await reopen(store)).engine.getMany(keys)).toEqual(values);
  });

  test('is found by scans both ways over many runs, from any place to any place', async () => {
    const store = await openBench();
    const keys = Array.from(
      { length: 4000 },
      (_, i) => `key/${String(i).padStart(4, '0')}/${'x'.repeat(i % 90)}`,
    );
    for (let part = 0; part < 4; part++) {
      await store.engine.setMany(
        keys.filter((_, i) => i % 4 === part).map((key) => [key, part] as [string, number]),
      );
      await sealAll(store);
    }
    expect(await scanAll(store.engine, 'keys', { prefix: 'key' })).toEqual(keys);
    for (const at of [0, 1, 2, 99, 100, 1999, 3998, 3999]) {
      const [start, end] = [keys[at]!, keys[Math.min(3999, at + 300)]!];
      const wanted = keys.filter((key) => key >= start && key < end);
      expect(await scanAll(store.engine, 'keys', { start, end }), `from ${at}`).toEqual(wanted);
      expect(await scanAll(store.engine, 'keys', { start, end, reverse: true }), `back to ${at}`).toEqual(
        wanted.toReversed(),
      );
      expect(await scanAll(store.engine, 'keys', { start, end: '~', limit: 3 })).toEqual(
        keys.slice(at, at + 3),
      );
    }
    for (const prefix of ['key/3', 'key/39', 'key/3999', '\uffff', 'key/\uffff']) {
      const wanted = keys.filter((key) => key.startsWith(prefix));
      expect(await scanAll(store.engine, 'keys', { prefix }), prefix).toEqual(wanted);
      expect(await scanAll(store.engine, 'keys', { prefix, reverse: true }), prefix).toEqual(
        wanted.toReversed(),
      );
    }
  });

  test('whose prefix ends in the last code unit is found by it', async () => {
    const store = await openBench();
    await store.engine.setMany(
      ['a\uffff', 'a\uffff\uffffb', 'b', '\uffff', '\uffff\uffff'].map((key) => [key, 1] as [string, number]),
    );
    expect(await scanAll(store.engine, 'keys', { prefix: 'a\uffff' })).toEqual(['a\uffff', 'a\uffff\uffffb']);
    expect(await scanAll(store.engine, 'keys', { prefix: '\uffff' })).toEqual(['\uffff', '\uffff\uffff']);
    expect(await scanAll(store.engine, 'keys', { prefix: 'a\ufffe' })).toEqual([]);
  });
});

describe('a store', () => {
  test('flushes by itself when its interval is over, once for all that was written', async () => {
    const store = await openBench({ durability: { syncInterval: 500 } });
    await store.engine.set('a', 1);
    await store.engine.set('b', 2);
    expect((await store.engine.stats()).storage.flushes).toBe(0);
    store.time.pass(500);
    await store.engine.get('a');
    await Promise.resolve();
    expect((await store.engine.stats()).storage.flushes).toBe(1);
    store.time.pass(5000);
    expect((await store.engine.stats()).storage.flushes).toBe(1);
  });

  test('says how far a write has got', async () => {
    const { engine } = await openBench();
    expect(await engine.set('a', 1)).toEqual({ version: 1, durability: 'os' });
    expect(await engine.set('b', 1, { durability: 'strict' })).toEqual({ version: 2, durability: 'durable' });
    const strict = await openBench({ durability: 'strict' });
    expect(await strict.engine.set('a', 1)).toMatchObject({ durability: 'durable' });
    expect(await strict.engine.set('a', 1, { durability: 'relaxed' })).toMatchObject({ durability: 'os' });
  });

  test('forgets a deadline that was taken away, however it was', async () => {
    const { engine } = await openBench();
    const left = async () => (await engine.stats()).ttl.keys;
    await engine.setMany(
      ['a', 'b', 'c', 'd'].map((key) => [key, 1] as [string, number]),
      { ttl: '1h' },
    );
    expect(await left()).toBe(4);
    await engine.set('a', 2);
    expect(await left()).toBe(3);
    await engine.persist('b');
    expect(await left()).toBe(2);
    await engine.delete('c');
    expect(await left()).toBe(1);
    await engine.clear();
    expect(await left()).toBe(0);
  });

  test('counts exactly when it may not grow, also after overwrites of sealed keys', async () => {
    const store = await openBench({ maplet: { capacity: 4, autoResize: false } });
    const { engine } = store;
    await engine.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    await sealAll(store);
    await engine.set('a', 4);
    await engine.set('b', 5);
    await expect(engine.set('d', 6)).rejects.toMatchObject({ code: 'CAPACITY', detail: { keys: 4 } });
    await engine.delete('c');
    await engine.set('d', 6);
    expect(await engine.count()).toBe(4);
  });

  test('takes a key for missing from the very millisecond of its deadline', async () => {
    const { engine, time } = await openBench({ ttl: { sweepInterval: Number.POSITIVE_INFINITY } });
    await engine.setMany(
      ['a', 'b', 'c', 'd'].map((key) => [key, 1] as [string, number]),
      { ttl: 100 },
    );
    time.pass(99);
    expect(await engine.ttl('a')).toBe(1);
    time.pass(1);
    expect(await engine.get('a')).toBeUndefined();
    expect(await engine.delete('a')).toBe(false);
    expect(await engine.expire('b', 100)).toBe(false);
    expect(await engine.persist('c')).toBe(false);
    expect(await engine.count()).toBe(0);
    await engine.set('d', 2, { ifAbsent: true });
    expect(await engine.get('d')).toBe(2);
  });

  test('writes a value of 16 bytes in each entry, and refers to a longer one', async () => {
    const store = await openBench();
    for (const size of [16, 17]) {
      for (const key of ['a', 'b']) await store.engine.set(`${key}${size}`, 'x'.repeat(size));
    }
    const log = new FileLog(store.file, {
      backend: 'test',
      generation: 1,
      written: 'os',
      flushed: () => 'os',
    });
    const referring: string[] = [];
    await log.replay(
      ({ key, reference }) => {
        if (reference) referring.push(key);
      },
      () => {},
    );
    expect(referring).toEqual(['b17']);
    expect(await store.engine.countUnique()).toBe(2);
  });

  test('revives nothing when the clock steps back', async () => {
    const store = await openBench();
    await store.engine.set('short', 1, { ttl: 100 });
    store.time.now += 200;
    await store.engine.set('other', 1);
    expect(await store.engine.has('short')).toBe(false);
    store.time.now -= 150;
    expect(await store.engine.has('short')).toBe(false);
    expect(await store.engine.count()).toBe(1);
  });

  test('keeps createdAt over a set, and updatedAt over an expire', async () => {
    const { engine, time } = await openBench();
    const created = time.now;
    await engine.set('a', LONG);
    time.pass(10);
    await engine.set('a', OTHER);
    time.pass(10);
    await engine.expire('a', 1000);
    expect(await engine.getEntry('a')).toMatchObject({
      value: OTHER,
      createdAt: created,
      updatedAt: created + 10,
      expiresAt: created + 20 + 1000,
      version: 3,
      size: OTHER.length,
      exact: true,
    });
  });

  test('makes a key as new that is deleted and set again, also in one turn', async () => {
    const { engine, time } = await openBench();
    await engine.set('a', 1);
    time.pass(10);
    await Promise.all([engine.delete('a'), engine.set('a', 2)]);
    expect(await engine.getEntry('a')).toMatchObject({ value: 2, createdAt: time.now });
  });

  test('takes a write for a version only: ifVersion, with 0 for absent', async () => {
    const { engine } = await openBench();
    const { version } = await engine.set('a', 1, { ifVersion: 0 });
    await expect(engine.set('a', 2, { ifVersion: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(engine.set('a', 2, { ifVersion: version + 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await engine.set('a', 2, { ifVersion: version });
    expect(await engine.get('a')).toBe(2);
  });

  test('writes a value again when the stored copy of it is damaged', async () => {
    const store = await openBench({ cache: { maxBytes: 0 } });
    await store.engine.set('a', LONG);
    const bytes = new Uint8Array(store.file.size());
    store.file.read(bytes, 0);
    const at = Buffer.from(bytes).indexOf(LONG);
    store.file.write(new Uint8Array([0]), at);
    await store.engine.set('b', LONG);
    expect(await store.engine.get('b')).toBe(LONG);
    await expect((async () => store.engine.get('a'))()).rejects.toMatchObject({ code: 'CORRUPTION' });
  });
});
