/** What every store does, wherever it lives. Numbers in brackets are conformance cases. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/index.js';
import { KINDS, newPlace, type Place } from './open-each.js';

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe.each(KINDS)('a store in %s', (kind) => {
  let place: Place;
  let store: Store;

  beforeEach(async () => {
    place = newPlace(kind);
    store = await place.open({ ttl: { sweepInterval: Infinity } });
  });
  afterEach(() => store.destroy());

  const reopen = async () => {
    await store.close();
    store = await place.open();
  };

  describe('keys and values', () => {
    test('are set, read, found and deleted [M1 M2 M3 P1 R2]', async () => {
      expect(await store.get('a')).toBeUndefined();
      expect(await store.delete('a')).toBe(false);
      await store.set('a', 'one');
      await store.set('a', 'two');
      expect(await store.get('a')).toBe('two');
      expect(await store.has('a')).toBe(true);
      expect(await store.count()).toBe(1);
      expect(await store.delete('a')).toBe(true);
      expect(await store.delete('a')).toBe(false);
      expect(await store.has('a')).toBe(false);
    });

    test('may be any string, and each string is its own key [M4]', async () => {
      const keys = [
        '',
        '__proto__',
        'constructor',
        '👩‍🚀',
        'a\0b',
        '\ud800',
        '\udc00',
        '\ufffd',
        'ключ',
        '鍵',
        'x'.repeat(65_536),
      ];
      await store.setMany(keys.map((key, i) => [key, i] as const));
      expect(await store.getMany(keys)).toEqual(keys.map((_, i) => i));
      expect(await store.keys()).toEqual(keys.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(await store.count()).toBe(keys.length);
      if (place.persistent) {
        await reopen();
        expect(await store.getMany(keys)).toEqual(keys.map((_, i) => i));
      }
    });

    test('come back as they were, whatever structured clone takes [M4 R2]', async () => {
      const cyclic: Record<string, unknown> = { name: 'ring' };
      cyclic['self'] = cyclic;
      const values: Record<string, unknown> = {
        empty: '',
        text: 'ü 漢 👩‍🚀 \ud800',
        long: 'x'.repeat(100_000),
        null: null,
        undefined,
        minusZero: -0,
        nan: Number.NaN,
        bigint: -(2n ** 70n),
        date: new Date(1e12),
        regexp: /a+/giu,
        map: new Map<unknown, unknown>([[{ a: 1 }, new Set([1, 'x'])]]),
        array: Object.assign(new Array(3), { 0: 1, 2: 3 }),
        bytes: Uint8Array.from({ length: 1000 }, (_, i) => i),
        buffer: new Uint8Array([1, 2, 3]).buffer,
        floats: new Float64Array([1.5, Number.NaN]),
        error: new RangeError('no'),
        nested: { deep: [{ er: { still: 'here' } }] },
      };
      await store.setMany(Object.entries(values));
      await store.set('cyclic', cyclic);
      for (const [key, value] of Object.entries(values)) expect(await store.get(key), key).toEqual(value);
      const ring = (await store.get<Record<string, unknown>>('cyclic'))!;
      expect(ring['self']).toBe(ring);
    });

    test('tell null and undefined from missing [P26]', async () => {
      await store.setMany([
        ['null', null],
        ['undefined', undefined],
      ]);
      expect(await store.get('null', { default: 'missing' })).toBeNull();
      expect(await store.get('undefined', { default: 'missing' })).toBeUndefined();
      expect(await store.get('none', { default: 'missing' })).toBe('missing');
      expect(await store.has('undefined')).toBe(true);
      expect(await store.getEntry('undefined')).toMatchObject({ key: 'undefined', value: undefined });
      expect(await store.values()).toEqual([null, undefined]);
    });

    test('are not the caller’s: changing what was set or read changes nothing', async () => {
      const bytes = new Uint8Array([1, 2, 3]);
      const set = store.set('bytes', bytes);
      bytes.fill(9);
      await set;
      const read = (await store.get<Uint8Array>('bytes'))!;
      expect([...read]).toEqual([1, 2, 3]);
      read.fill(9);
      expect([...(await store.get<Uint8Array>('bytes'))!]).toEqual([1, 2, 3]);
    });

    test('of one turn apply in the order of the calls, and each sees those before it and none after', async () => {
      const outcomes = await Promise.all([
        store.get('k'),
        store.set('k', 1),
        store.get('k'),
        store.getMany(['k', 'other']),
        store.set('k', 2),
        store.has('other'),
        store.get('k'),
        store.count(),
        store.keys().then((keys) => keys),
        store.delete('k'),
        store.has('k'),
        store.set('other', 3),
        store.getEntry('k'),
        store.ttl('other'),
        store.set('k', 4, { ifAbsent: true }),
        store.get('k'),
        store.clear(),
        store.get('k'),
      ]);
      const reads = [0, 2, 3, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 17].map((i) => outcomes[i]);
      expect(reads).toEqual([
        undefined,
        1,
        [1, undefined],
        false,
        2,
        1,
        ['k'],
        true,
        false,
        undefined,
        null,
        4,
        2,
        undefined,
      ]);
    });
  });

  describe('many at once', () => {
    test('a later duplicate wins, and a refused condition refuses all', async () => {
      await store.setMany([
        ['a', 1],
        ['b', 2],
        ['a', 3],
      ]);
      expect(await store.getMany(['a', 'b', 'c'])).toEqual([3, 2, undefined]);
      const refused = store.setMany(
        [
          ['c', 4],
          ['a', 5],
        ],
        { ifAbsent: true },
      );
      await expect(refused).rejects.toMatchObject({
        name: 'ConflictError',
        code: 'CONFLICT',
        detail: { key: 'a' },
      });
      expect(await store.getMany(['a', 'c'])).toEqual([3, undefined]);
      expect(await store.deleteMany(['a', 'a', 'b', 'none'])).toBe(2);
      expect(await store.count()).toBe(0);
    });

    test('come from iterables of both kinds', async () => {
      await store.setMany(new Map([['a', 1]]));
      await store.setMany(
        (async function* () {
          yield ['b', 2] as const;
        })(),
      );
      expect(await store.entries()).toEqual([
        ['a', 1],
        ['b', 2],
      ]);
    });

    test('tell how far they are', async () => {
      const told: string[] = [];
      await store.setMany(
        Array.from({ length: 2500 }, (_, i) => [`k${i}`, i] as const),
        { onProgress: ({ phase, done, total }) => told.push(`${phase} ${done} of ${total}`) },
      );
      expect(told).toEqual([
        'collect 1000 of undefined',
        'collect 2000 of undefined',
        'write 0 of 2500',
        'write 2500 of 2500',
      ]);
    });

    test('are cleared, all or a range of them [M5]', async () => {
      await store.setMany(['a', 'b1', 'b2', 'c'].map((key) => [key, key] as const));
      expect(await store.clear({ prefix: 'b' })).toBe(2);
      expect(await store.keys()).toEqual(['a', 'c']);
      expect(await store.clear()).toBe(2);
      expect(await store.clear()).toBe(0);
      expect(await store.count()).toBe(0);
      await store.set('a', 'again');
      expect(await store.get('a')).toBe('again');
    });
  });

  describe('getOrSet', () => {
    test('computes a missing value once for all that wait, and stores it', async () => {
      let computed = 0;
      const compute = async () => {
        computed += 1;
        await pause(5);
        return { computed };
      };
      const values = await Promise.all(
        Array.from({ length: 10 }, () => store.getOrSet('k', compute, { ttl: '1h' })),
      );
      expect(values).toEqual(Array.from({ length: 10 }, () => ({ computed: 1 })));
      expect(await store.getOrSet('k', compute)).toEqual({ computed: 1 });
      expect(await store.ttl('k')).toBeGreaterThan(0);
      expect(computed).toBe(1);
    });

    test('rejects all that wait when computing fails, stores nothing, and computes anew', async () => {
      const failing = () => Promise.reject(new Error('not now'));
      const outcomes = await Promise.allSettled([store.getOrSet('k', failing), store.getOrSet('k', failing)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect(await store.has('k')).toBe(false);
      expect(await store.getOrSet('k', () => 7)).toBe(7);
    });

    test('takes what somebody else has stored meanwhile, and a stored undefined for a value', async () => {
      const value = await store.getOrSet('k', async () => {
        await store.set('k', 'theirs');
        return 'mine';
      });
      expect(value).toBe('theirs');
      await store.set('u', undefined);
      expect(await store.getOrSet('u', () => 'computed')).toBeUndefined();
    });
  });

  describe('scans', () => {
    test('are in order, cut by prefix, start, end and limit, both ways [R4]', async () => {
      const keys = Array.from({ length: 2500 }, (_, i) => `k${String(i).padStart(4, '0')}`);
      await store.setMany(keys.map((key, i) => [key, i] as const));
      expect(await store.keys()).toEqual(keys);
      expect(await store.keys({ reverse: true })).toEqual(keys.toReversed());
      expect(await store.keys({ prefix: 'k01', limit: 2 })).toEqual(['k0100', 'k0101']);
      expect(await store.keys({ start: 'k0007', end: 'k0009' })).toEqual(['k0007', 'k0008']);
      expect(await store.keys({ start: 'k0007', end: 'k0009', reverse: true })).toEqual(['k0008', 'k0007']);
      expect(await store.values({ prefix: 'k2499' })).toEqual([2499]);
      expect(await store.count({ prefix: 'k00' })).toBe(100);
      expect(await store.keys({ limit: 0 })).toEqual([]);
      let seen = 0;
      for await (const [key, value] of store) {
        expect(key).toBe(keys[value as number]);
        seen += 1;
        if (seen === 1500) break;
      }
      expect(seen).toBe(1500);
    });

    test('are of one version: what is written meanwhile does not show', async () => {
      await store.setMany(Array.from({ length: 3000 }, (_, i) => [`k${i}`, 'old'] as const));
      const values = new Set<unknown>();
      let seen = 0;
      for await (const value of store.values()) {
        if (seen === 0)
          await store.setMany(Array.from({ length: 4000 }, (_, i) => [`k${i}`, 'new'] as const));
        values.add(value);
        seen += 1;
      }
      expect([seen, [...values]]).toEqual([3000, ['old']]);
    });

    test('are good for one use', async () => {
      const scan = store.keys();
      await scan;
      await expect((async () => await scan)()).rejects.toThrow(TypeError);
    });
  });

  describe('time to live', () => {
    test('is given, told, prolonged and taken away [M6 R7]', async () => {
      await store.set('a', 1);
      expect(await store.ttl('a')).toBeNull();
      expect(await store.ttl('none')).toBeUndefined();
      expect(await store.expire('none', '1s')).toBe(false);
      expect(await store.expire('a', '10s')).toBe(true);
      expect(await store.ttl('a')).toBeGreaterThan(9000);
      expect(await store.ttl('a')).toBeLessThanOrEqual(10_000);
      expect(await store.expire('a', '1h')).toBe(true);
      expect(await store.ttl('a')).toBeGreaterThan(3_500_000);
      expect(await store.persist('a')).toBe(true);
      expect(await store.persist('a')).toBe(false);
      expect(await store.ttl('a')).toBeNull();
      await store.set('b', 2, { ttl: 5000 });
      expect(await store.expireMany(['a', 'none', 'b'], '2h')).toBe(2);
      expect(await store.keysWithTtl()).toEqual(['a', 'b']);
      expect(await store.get('a')).toBe(1);
    });

    test('makes a key missing everywhere when it is over [M7 P9 P10 P12 R7]', async () => {
      await store.set('gone', 'value that is long enough to be shared', { ttl: '1h' });
      await store.set('stays', 'value that is long enough to be shared');
      expect(await store.count()).toBe(2);
      await store.expire('gone', 1);
      await pause(10);
      expect(await store.get('gone')).toBeUndefined();
      expect(await store.has('gone')).toBe(false);
      expect(await store.getEntry('gone')).toBeUndefined();
      expect(await store.ttl('gone')).toBeUndefined();
      expect(await store.keys()).toEqual(['stays']);
      expect(await store.count()).toBe(1);
      expect(await store.countUnique()).toBe(1);
      expect(await store.delete('gone')).toBe(false);
      expect(await store.health()).toMatchObject({ totalKeys: 1, totalObjects: 1, expiredObjects: 1 });
      expect(await store.sweep()).toMatchObject({ expired: 1, orphaned: 0 });
      expect(await store.health()).toMatchObject({ totalKeys: 1, expiredObjects: 0 });
    });

    test('is dropped by set, unless keepTtl; both together are refused', async () => {
      await store.set('a', 1, { ttl: '1h' });
      await store.set('a', 2, { keepTtl: true });
      expect(await store.ttl('a')).toBeGreaterThan(0);
      await store.set('a', 3);
      expect(await store.ttl('a')).toBeNull();
      await expect(store.set('a', 4, { ttl: '1h', keepTtl: true })).rejects.toThrow(TypeError);
      expect(await store.get('a')).toBe(3);
    });

    test('leaves a key as new when it is swept and set again [R8]', async () => {
      await store.set('a', 'some value of more than sixteen bytes', { ttl: 20 });
      await pause(40);
      expect(await store.sweep()).toEqual({ expired: 1, orphaned: 1, bytes: 37 });
      expect(await store.delete('a')).toBe(false);
      await store.set('a', 'some value of more than sixteen bytes');
      expect(await store.ttl('a')).toBeNull();
      expect(await store.get('a')).toBe('some value of more than sixteen bytes');
      expect(await store.countUnique()).toBe(1);
    });

    test('is over by itself, without a call, when sweeping is on', async () => {
      await store.close();
      store = await place.open({ ttl: { sweepInterval: 20 } });
      await store.set('a', 1, { ttl: 20 });
      for (let i = 0; i < 500 && (await store.stats()).ttl.expired === 0; i++) await pause(20);
      expect((await store.stats()).ttl.expired).toBe(1);
    });
  });

  describe('equal values', () => {
    test('are stored once and counted by their keys [R3 R5]', async () => {
      await store.setMany(Array.from({ length: 100 }, (_, i) => [`key ${i}`, 'identical content'] as const));
      expect(await store.countUnique()).toBe(1);
      expect(await store.health()).toMatchObject({
        totalKeys: 100,
        totalObjects: 1,
        totalBytes: 17,
        logicalBytes: 1700,
        dedupRatio: 100,
      });
      expect(await store.delete('key 0')).toBe(true);
      expect(await store.get('key 1')).toBe('identical content');
      await store.deleteMany(Array.from({ length: 100 }, (_, i) => `key ${i}`));
      expect(await store.health()).toMatchObject({
        totalKeys: 0,
        totalObjects: 0,
        totalBytes: 0,
        dedupRatio: 1,
      });
    });

    test('of three keys and two objects give a ratio of 1.5 [R5]', async () => {
      await store.setMany([
        ['a', new Uint8Array(100).fill(1)],
        ['b', new Uint8Array(100).fill(1)],
        ['c', new Uint8Array(200).fill(2)],
      ]);
      expect(await store.health()).toMatchObject({
        totalKeys: 3,
        totalObjects: 2,
        totalBytes: 300,
        dedupRatio: 1.5,
      });
      const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((key) => store.getEntry(key)));
      expect(a!.objectId).toMatch(/^[0-9a-f]{64}$/);
      expect(b!.objectId).toBe(a!.objectId);
      expect(c!.objectId).not.toBe(a!.objectId);
    });

    test('set again write no value bytes', async () => {
      const value = new Uint8Array(50_000).fill(3);
      await store.set('a', value);
      const before = (await store.health()).storedBytes;
      await store.set('a', value);
      await store.set('b', value);
      expect((await store.health()).storedBytes - before).toBeLessThan(500);
      expect(await store.countUnique()).toBe(1);
    });

    test('short or long, a string and its bytes are two values', async () => {
      await store.setMany([
        ['a', 'abc'],
        ['b', new TextEncoder().encode('abc')],
        ['c', 'x'.repeat(100)],
        ['d', new TextEncoder().encode('x'.repeat(100))],
      ]);
      expect(await store.countUnique()).toBe(4);
      expect(await store.get('a')).toBe('abc');
      expect(await store.get('d')).toBeInstanceOf(Uint8Array);
    });
  });

  describe('being closed and opened again', () => {
    test('keeps data, deadlines and sharing [M9 R13]', async () => {
      if (!place.persistent) return expect((await store.stats()).mode).toBe('memory');
      await store.setMany(
        Array.from({ length: 50 }, (_, i) => [`k${i}`, { shared: 'by all the keys' }] as const),
      );
      await store.set('ttl', 'x', { ttl: '1h' });
      await store.set('over', 'x', { ttl: 5 });
      await pause(10);
      await reopen();
      expect(await store.count()).toBe(51);
      expect(await store.countUnique()).toBe(2);
      expect(await store.get('k49')).toEqual({ shared: 'by all the keys' });
      expect(await store.ttl('ttl')).toBeGreaterThan(3_500_000);
      expect(await store.has('over')).toBe(false);
      expect((await store.stats()).storage.recovered).toBeGreaterThan(51);
    });

    test('rejects calls afterwards, and may be done twice [M10 R1]', async () => {
      await store.close();
      await store.close();
      expect(store.closed).toBe(true);
      await expect(store.get('a')).rejects.toMatchObject({ name: 'ClosedError', code: 'CLOSED' });
      await expect(store.set('a', 1)).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(store.keys().then()).rejects.toMatchObject({ code: 'CLOSED' });
      store = await place.open();
    });
  });
});
