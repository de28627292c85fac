/** A store within its budget: who goes, when, and what survives a restart. */
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/index.js';
import { type BenchStore, openBench, reopen, scanAll } from './bench-store.js';

const bytes = (n: number, size = 100) => new Uint8Array(size).fill(n % 256).fill(n >> 8, 0, 1);
const keysOf = (store: BenchStore) => scanAll<string>(store.engine, 'keys');

async function filled(budget: OpenOptions['budget'], keys = 5): Promise<BenchStore> {
  const store = await openBench({ budget: budget! });
  for (let i = 0; i < keys; i++) await store.engine.set(`k${i}`, bytes(i));
  return store;
}

describe('a budget of entries', () => {
  test('evicts just enough, in the order of the policy', async () => {
    const store = await filled({ maxEntries: 5, policy: 'lru' });
    await store.engine.get('k0');
    await store.engine.set('k5', 'new');
    expect(await keysOf(store)).toEqual(['k0', 'k2', 'k3', 'k4', 'k5']);
    await store.engine.setMany([
      ['k6', 1],
      ['k7', 2],
    ]);
    expect(await keysOf(store)).toEqual(['k0', 'k4', 'k5', 'k6', 'k7']);
    expect((await store.engine.stats()).eviction).toMatchObject({ policy: 'lru', evicted: 3, pinned: 0 });
  });

  test('leaves a key alone that is only written again', async () => {
    const store = await filled({ maxEntries: 5, policy: 'lru' });
    for (let i = 0; i < 5; i++) await store.engine.set(`k${i}`, `again ${i}`);
    expect(await store.engine.count()).toBe(5);
    expect((await store.engine.stats()).eviction.evicted).toBe(0);
  });

  test('a read that says so does not count as use', async () => {
    const store = await filled({ maxEntries: 5, policy: 'lru' });
    await store.engine.get('k0', { touch: false });
    await store.engine.getMany(['k0'], { touch: false });
    await store.engine.getEntry('k0', { touch: false });
    await store.engine.getEntry('k1');
    await store.engine.getMany(['k2']);
    await store.engine.set('k5', 'new');
    await store.engine.set('k6', 'new');
    expect(await keysOf(store)).toEqual(['k1', 'k2', 'k4', 'k5', 'k6']);
  });

  test('lets expired keys go before any that is alive, whatever was used', async () => {
    const store = await openBench({
      budget: { maxEntries: 3, policy: 'lru' },
      ttl: { sweepInterval: Infinity },
    });
    await store.engine.set('old', 1);
    await store.engine.set('short', 2, { ttl: 10 });
    await store.engine.set('other', 3);
    store.time.now += 20;
    await store.engine.set('new', 4);
    expect(await keysOf(store)).toEqual(['new', 'old', 'other']);
  });

  test('holds for many calls of one turn and for a batch that replaces', async () => {
    const store = await filled({ maxEntries: 5, policy: 'fifo' });
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.engine.set(`n${i}`, i)));
    expect(await store.engine.count()).toBe(5);
    const [first] = await keysOf(store);
    await store.engine.batch([
      { type: 'delete', key: first! },
      { type: 'set', key: 'in its place', value: 1 },
    ]);
    expect(await store.engine.count()).toBe(5);
    await expect(
      store.engine.setMany(Array.from({ length: 6 }, (_, i) => [`m${i}`, i])),
    ).rejects.toMatchObject({
      code: 'CAPACITY',
    });
    expect(await store.engine.count()).toBe(5);
  });
});

describe('a budget of bytes', () => {
  test('holds at every moment, and evicts down to its ratio', async () => {
    const store = await openBench({ budget: { maxBytes: 1000, policy: 'lru', targetRatio: 0.5 } });
    for (let i = 0; i < 60; i++) {
      await store.engine.set(`k${i}`, bytes(i));
      expect((await store.engine.health()).totalBytes).toBeLessThanOrEqual(1000);
    }
    // The eleventh left five with itself.
    expect((await store.engine.stats()).eviction.evicted).toBe(54);
    expect(await store.engine.get('k59')).toEqual(bytes(59));
  });

  test('counts a value that keys share once, and keeps it while one of them is there', async () => {
    const store = await openBench({ budget: { maxBytes: 350, policy: 'fifo', targetRatio: 1 } });
    for (let i = 0; i < 50; i++) await store.engine.set(`same${i}`, bytes(1));
    expect(await store.engine.count()).toBe(50);
    for (const n of [2, 3]) await store.engine.set(`k${n}`, bytes(n));
    expect(await store.engine.count()).toBe(52);
    await store.engine.set('k4', bytes(4));
    // All fifty had to go before a byte was free.
    expect(await keysOf(store)).toEqual(['k2', 'k3', 'k4']);
    expect((await store.engine.health()).totalBytes).toBe(300);
  });

  test('a value that would share one that has to go for it is written anew', async () => {
    const store = await openBench({ budget: { maxBytes: 300, policy: 'fifo', targetRatio: 1 } });
    await store.engine.set('a', bytes(1));
    await store.engine.set('b', bytes(2));
    await store.engine.setMany([
      ['c', bytes(1)],
      ['d', bytes(3)],
      ['e', bytes(4)],
    ]);
    expect(await store.engine.getMany(['c', 'd', 'e'])).toEqual([bytes(1), bytes(3), bytes(4)]);
    expect((await store.engine.health()).totalBytes).toBeLessThanOrEqual(300);
    expect(await (await reopen(store, { budget: { maxBytes: 300 } })).engine.get('c')).toEqual(bytes(1));
  });

  test('refuses a value larger than itself, and nothing goes for it', async () => {
    const store = await filled({ maxBytes: 1000, policy: 'tinylfu' });
    await expect(store.engine.set('huge', bytes(9, 1001))).rejects.toMatchObject({
      code: 'CAPACITY',
      detail: { maxBytes: 1000, wanted: { bytes: 1001 } },
    });
    expect(await store.engine.count()).toBe(5);
    await store.engine.set('all', bytes(9, 1000));
    expect(await keysOf(store)).toEqual(['all']);
  });

  test('a key that is written is not the one to go for it, and has its value counted once', async () => {
    const store = await openBench({ budget: { maxBytes: 300, policy: 'lru', targetRatio: 1 } });
    for (const n of [1, 2, 3]) await store.engine.set(`k${n}`, bytes(n));
    await store.engine.set('k1', bytes(4, 200));
    expect(await keysOf(store)).toEqual(['k1', 'k3']);
    expect((await store.engine.stats()).eviction.evicted).toBe(1);
    // It was named, and can be again.
    expect(await store.engine.evict({ toEntries: 0 })).toEqual({ entries: 2, bytes: 300 });
    await store.engine.set('k1', bytes(4, 200));
    await store.engine.set('k3', bytes(3));
    await store.engine.setMany([
      ['k1', bytes(4, 200)],
      ['n', bytes(5)],
    ]);
    expect(await keysOf(store)).toEqual(['k1', 'n']);
    expect((await store.engine.health()).totalBytes).toBe(300);
  });

  test('a value may take the place of its own key', async () => {
    const store = await openBench({ budget: { maxBytes: 100, policy: 'reject' } });
    for (let i = 0; i < 5; i++) await store.engine.set('k', bytes(i));
    expect(await store.engine.get('k')).toEqual(bytes(4));
    await expect(store.engine.set('k', bytes(1, 101))).rejects.toMatchObject({ code: 'CAPACITY' });
    expect(await store.engine.get('k')).toEqual(bytes(4));
  });
});

describe('reject', () => {
  test('refuses with CapacityError and changes nothing', async () => {
    const store = await filled({ maxEntries: 5, policy: 'reject' });
    const before = (await store.engine.stats()).version;
    await expect(store.engine.set('k5', 1)).rejects.toMatchObject({ code: 'CAPACITY' });
    await expect(store.engine.merge('k6', 1, 'counter')).rejects.toMatchObject({ code: 'CAPACITY' });
    expect((await store.engine.stats()).version).toBe(before);
    await store.engine.set('k0', 'again');
    await store.engine.delete('k1');
    await store.engine.set('k5', 1);
    expect(await keysOf(store)).toEqual(['k0', 'k2', 'k3', 'k4', 'k5']);
  });

  test('lets those that wait behind a refused call through', async () => {
    const store = await filled({ maxEntries: 5, policy: 'reject' });
    const calls = [
      store.engine.set('k5', 1),
      store.engine.set('k0', 'again'),
      store.engine.delete('k4'),
      store.engine.set('k6', 2),
    ];
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});

describe('terms of a key', () => {
  const SEALS = { maxEntries: 4, policy: 'lru' } as const;

  test.each([['live'], ['opened anew'], ['compacted and opened anew']])('are kept: %s', async (how) => {
    let store = await openBench({ budget: SEALS });
    await store.engine.set('pinned', 1, { pinned: true });
    await store.engine.set('low', 2, { priority: 'low' });
    await store.engine.set('high', 3, { priority: 'high' });
    await store.engine.set('plain', 4);
    if (how !== 'live') {
      await store.engine.close();
      store = await reopen(store, { budget: SEALS });
    }
    // A new value without terms asks for nothing; another deadline leaves them.
    await store.engine.expire('pinned', 1e6);
    await store.engine.get('low');
    const gone: string[][] = [];
    for (const n of [1, 2, 3]) {
      await store.engine.set(`n${n}`, n, { priority: 'high' });
      gone.push(await keysOf(store));
    }
    expect(gone).toEqual([
      ['high', 'n1', 'pinned', 'plain'],
      ['high', 'n1', 'n2', 'pinned'],
      ['n1', 'n2', 'n3', 'pinned'],
    ]);
    await store.engine.set('pinned', 'not any more');
    await store.engine.set('n4', 4, { priority: 'high' });
    expect(await keysOf(store)).toEqual(['n1', 'n2', 'n3', 'n4']);
  });

  test('where all that is left is pinned, a write is refused', async () => {
    const store = await openBench({ budget: { maxEntries: 2 } });
    await store.engine.set('a', 1, { pinned: true });
    await store.engine.set('b', 2, { pinned: true });
    await expect(store.engine.set('c', 3)).rejects.toMatchObject({ code: 'CAPACITY' });
    expect(await keysOf(store)).toEqual(['a', 'b']);
  });

  test('that are wrong are refused before anything moves', async () => {
    const store = await openBench({ budget: { maxEntries: 2 } });
    await expect(store.engine.set('a', 1, { priority: 'urgent' })).rejects.toThrow(TypeError);
    await expect(store.engine.set('a', 1, { pinned: 1 })).rejects.toThrow(TypeError);
    await expect(store.engine.set('a', 1, { cost: 0 })).rejects.toThrow(RangeError);
    await expect(store.engine.set('a', 1, { cost: NaN })).rejects.toThrow(RangeError);
    expect(await store.engine.count()).toBe(0);
  });
});

describe('the order of use', () => {
  test('survives a close, and a crash after enough reads', async () => {
    const budget = { maxEntries: 3000, policy: 'lru' } as const;
    let store = await openBench({ budget });
    await store.engine.setMany(Array.from({ length: 3000 }, (_, i) => [`k${String(i).padStart(4, '0')}`, i]));
    for (let i = 0; i < 10; i++) await store.engine.get(`k000${i}`);
    await store.engine.close();
    store = await reopen(store, { budget });
    await store.engine.setMany(Array.from({ length: 5 }, (_, i) => [`n${i}`, i]));
    expect((await keysOf(store)).slice(0, 12)).toEqual([
      ...Array.from({ length: 10 }, (_, i) => `k000${i}`),
      'k0015',
      'k0016',
    ]);
    for (let i = 15; i < 1100; i++) await store.engine.get(`k${String(i).padStart(4, '0')}`);
    await store.engine.set('one more', 1);
    store.time.pass(1000);
    await store.engine.flush();
    // Killed: what was read last, and was not told to the log, is forgotten.
    store = await reopen(store, { budget });
    await store.engine.set('another', 1);
    expect(await store.engine.has('k0016')).toBe(true);
    expect(await store.engine.has('k1100')).toBe(false);
  });

  test('goes through a compaction', async () => {
    const store = await openBench({ budget: { maxEntries: 3, policy: 'lru' } });
    for (const key of ['a', 'b', 'c']) await store.engine.set(key, key);
    await store.engine.get('a');
    await store.engine.compact();
    await store.engine.set('d', 1);
    expect(await keysOf(store)).toEqual(['a', 'c', 'd']);
  });
});
