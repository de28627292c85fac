/** What callers may ask a store to remove, and clocks that step. */
import { describe, expect, test } from 'vitest';
import { type BenchStore, openBench, reopen, scanAll } from './bench-store.js';

const bytes = (n: number, size = 100) => new Uint8Array(size).fill(n);
const keysOf = (store: BenchStore) => scanAll<string>(store.engine, 'keys');
const DAY = 86_400_000;

describe('evict [R10]', () => {
  test.each([
    ['with a budget', { budget: { maxEntries: 1000, policy: 'lru' } }],
    ['without one', {}],
  ])('%s does nothing where there is no more than asked for', async (_, options) => {
    const store = await openBench(options);
    for (let i = 0; i < 4; i++) await store.engine.set(`k${i}`, bytes(i));
    expect(await store.engine.evict({ toBytes: 400 })).toEqual({ entries: 0, bytes: 0 });
    expect(await store.engine.evict({ toEntries: 4 })).toEqual({ entries: 0, bytes: 0 });
    expect(await store.engine.count()).toBe(4);
  });

  test('removes what was used longest ago, also after a restart; a value that others have frees nothing', async () => {
    const options = { budget: { maxEntries: 1000, policy: 'lru' } };
    let store = await openBench(options);
    for (let i = 0; i < 5; i++) await store.engine.set(`k${i}`, bytes(i));
    await store.engine.set('same', bytes(1));
    await store.engine.get('k0');
    await store.engine.close();
    store = await reopen(store, options);
    expect(await store.engine.evict({ toBytes: 300 })).toEqual({ entries: 3, bytes: 200 });
    // k1 went first, but its value stayed with `same`.
    expect(await keysOf(store)).toEqual(['k0', 'k4', 'same']);
    expect(await store.engine.evict({ toEntries: 0 })).toEqual({ entries: 3, bytes: 300 });
    await store.engine.set('k1', 'as new');
    expect((await store.engine.getEntry('k1')) as object).toMatchObject({ value: 'as new' });
  });

  test('without a budget removes what was written longest ago', async () => {
    const store = await openBench();
    for (let i = 0; i < 5; i++) await store.engine.set(`k${i}`, bytes(i));
    await store.engine.set('k0', bytes(9));
    expect(await store.engine.evict({ toEntries: 3 })).toEqual({ entries: 2, bytes: 200 });
    expect(await keysOf(store)).toEqual(['k0', 'k3', 'k4']);
    expect(await store.engine.evict({ toBytes: 150 })).toEqual({ entries: 2, bytes: 200 });
    expect(await keysOf(store)).toEqual(['k0']);
  });

  test('lets expired keys go first', async () => {
    const store = await openBench({ ttl: { sweepInterval: Infinity } });
    await store.engine.set('old', 1);
    await store.engine.set('short', 2, { ttl: 10 });
    store.time.now += 10;
    await store.engine.evict({ toEntries: 1 });
    expect(await keysOf(store)).toEqual(['old']);
  });

  test('refuses what it cannot mean', async () => {
    const { engine } = await openBench();
    await expect(engine.evict(undefined)).rejects.toThrow(TypeError);
    await expect(engine.evict({})).rejects.toThrow('expected toBytes or toEntries, got neither');
    await expect(engine.evict({ toBytes: -1 })).rejects.toThrow(RangeError);
    await expect(engine.evict({ toEntries: 0.5 })).rejects.toThrow(RangeError);
    await expect(engine.evict({ toKeys: 1 })).rejects.toThrow('unknown option toKeys');
  });
});

describe('prune [R9]', () => {
  async function aged(): Promise<BenchStore> {
    const store = await openBench({
      budget: { maxEntries: 1000, policy: 'lru' },
      ttl: { sweepInterval: Infinity },
    });
    await store.engine.set('old', 1);
    await store.engine.set('read', 2);
    await store.engine.set('gone', 3, { ttl: DAY });
    store.time.now += 10 * DAY;
    await store.engine.set('new', 4);
    await store.engine.get('read');
    store.time.now += DAY;
    return store;
  }

  test('of nothing removes what has expired', async () => {
    const store = await aged();
    expect(await store.engine.prune()).toBe(1);
    expect(await keysOf(store)).toEqual(['new', 'old', 'read']);
  });

  test('by age goes by when the value was set', async () => {
    const store = await aged();
    expect(await store.engine.prune({ maxAge: '5d' })).toBe(3);
    expect(await keysOf(store)).toEqual(['new']);
  });

  test('by idleness spares what was read', async () => {
    const store = await aged();
    expect(await store.engine.prune({ maxIdle: 5 * DAY })).toBe(2);
    expect(await keysOf(store)).toEqual(['new', 'read']);
    expect(await store.engine.prune({ maxIdle: DAY })).toBe(0);
    store.time.now += 1001;
    expect(await store.engine.prune({ maxIdle: DAY })).toBe(2);
  });

  test('by both removes what is either', async () => {
    const store = await aged();
    expect(await store.engine.prune({ maxAge: '20d', maxIdle: '5d' })).toBe(2);
    expect(await store.engine.prune({ maxAge: '2d', maxIdle: '20d' })).toBe(1);
    expect(await keysOf(store)).toEqual(['new']);
    expect(await store.engine.delete('old')).toBe(false);
    await store.engine.set('old', 'as new');
    expect(await store.engine.get('old')).toBe('as new');
  });

  test('refuses 0, which is no limit elsewhere', async () => {
    const { engine } = await openBench();
    await expect(engine.prune({ maxAge: 0 })).rejects.toThrow(RangeError);
    await expect(engine.prune({ age: 1 })).rejects.toThrow('unknown option age');
  });
});

describe('accessedAt', () => {
  test('is when the key was read or set before, about, and is kept where the store has a budget', async () => {
    const at = async ({ engine }: BenchStore) =>
      ((await engine.getEntry('k', { touch: false })) as { accessedAt: number }).accessedAt;
    const store = await openBench({ budget: { maxEntries: 10 } });
    const plain = await openBench();
    for (const one of [store, plain]) {
      await one.engine.set('k', 1);
      one.time.now += 5000;
      await one.engine.get('k');
      one.time.now += 5000;
    }
    expect(await at(store)).toBe(store.time.now - 5000);
    expect(await at(plain)).toBe(plain.time.now - 10_000);
  });
});

describe('a clock that steps back', () => {
  test('revives nothing that a read has found expired', async () => {
    const store = await openBench({ ttl: { sweepInterval: Infinity } });
    await store.engine.set('k', 1, { ttl: 1000 });
    store.time.now += 1000;
    expect(await store.engine.get('k')).toBeUndefined();
    store.time.now -= 500;
    expect(await store.engine.get('k')).toBeUndefined();
    expect(await store.engine.count()).toBe(0);
    await store.engine.set('other', 1, { ttl: 1000 });
    // What was elapsed counts: the store's clock stands until the other has come after it.
    expect(await store.engine.ttl('other')).toBe(1000);
  });

  test('loses no deadline, and what is due later is swept later', async () => {
    const store = await openBench({ ttl: { sweepInterval: 1000 } });
    for (let i = 0; i < 50; i++) await store.engine.set(`k${i}`, i, { ttl: 5000 + i });
    store.time.now += 4000;
    await store.engine.count();
    store.time.now -= 3000;
    await store.engine.sweep();
    expect(await store.engine.count()).toBe(50);
    store.time.now += 20_000;
    expect((await store.engine.sweep()).expired).toBe(50);
  });
});

describe('a scan of a sealed key that had expired', () => {
  test('does not show it when it is swept, or set anew, while the scan goes on', async () => {
    const store = await openBench({ ttl: { sweepInterval: Infinity } });
    const many = Array.from({ length: 1500 }, (_, i) => [`a${String(i).padStart(4, '0')}`, i] as const);
    await store.engine.setMany(many.map((pair) => [...pair]));
    for (const key of ['swept', 'anew', 'later']) await store.engine.set(key, key, { ttl: 1000 });
    await store.engine.expire('later', 10_000);
    await store.engine.set('filler', bytes(1, 300 * 1024));
    await store.engine.set('one more', 1);
    store.time.now += 1000;
    const first = await store.engine.scan('keys');
    await store.engine.sweep();
    await store.engine.set('anew', 2, { ttl: 5000 });
    const rest = await store.engine.scanNext(first.id);
    expect(first.items.length + rest.items.length).toBe(1503);
    expect(rest.items.slice(-3)).toEqual(['filler', 'later', 'one more']);
  });
});

describe('a million keys that expire at once', () => {
  test('go in slices, between which others run', async () => {
    // As many as a test has time for: what matters is that each commit is bounded.
    const store = await openBench({ ttl: { sweepInterval: Infinity } });
    for (let from = 0; from < 20_000; from += 5000) {
      await store.engine.setMany(
        Array.from({ length: 5000 }, (_, i) => [`k${from + i}`, from + i]),
        { ttl: 1000 },
      );
    }
    const before = (await store.engine.stats()).storage.batches;
    store.time.now += 1000;
    const order: string[] = [];
    const swept = store.engine.sweep().then(({ expired }) => order.push(`swept ${expired}`));
    for (let i = 0; i < 5; i++) await store.engine.set(`live${i}`, i);
    order.push('written');
    await swept;
    expect(order).toEqual(['written', 'swept 20000']);
    expect((await store.engine.stats()).storage.batches - before).toBeGreaterThanOrEqual(20);
    expect(await store.engine.count()).toBe(5);
  });
});
