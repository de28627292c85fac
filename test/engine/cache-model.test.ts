/**
 * The whole cache against a plain model, by seed: whatever is done, the budget holds after
 * every call, what is there is what was set, and what is gone has expired, was deleted, or
 * was evicted in the order that the policy says.
 */
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/index.js';
import { FakeTime, openBench, reopen, scanAll } from './bench-store.js';

/** A longer run is one of more steps: `CACHE_STEPS=100000`. */
const STEPS = Number(process.env['CACHE_STEPS'] ?? 600);
const KEYS = 40;
const MAX_BYTES = 2000;

interface Modelled {
  readonly value: Uint8Array;
  readonly expiresAt: number;
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('a cache', () => {
  test.each([
    [1, { maxBytes: MAX_BYTES, policy: 'lru' }],
    [2, { maxBytes: MAX_BYTES, policy: 'tinylfu' }],
    [3, { maxEntries: 12, policy: 's3-fifo' }],
    [4, { maxBytes: MAX_BYTES, maxEntries: 15, policy: 'sieve', targetRatio: 1 }],
    [5, { maxEntries: 12, policy: 'lfu' }],
  ])('by seed %i keeps within %o', async (seed, budget) => {
    const options: OpenOptions = { budget, ttl: { sweepInterval: Infinity }, undo: { depth: 0 } };
    const random = randomFrom(seed);
    let store = await openBench(options, undefined, new FakeTime());
    // What the store may still have: it may have evicted any of these, and nothing else is there.
    const model = new Map<string, Modelled>();
    const { maxBytes = Infinity, maxEntries = Infinity } = budget as OpenOptions['budget'] & object;
    // Those of the store as it was opened before, too.
    let evicted = 0;
    const countEvicted = async () => {
      evicted += (await store.engine.stats()).eviction.evicted;
    };
    for (let step = 0; step < STEPS; step++) {
      const key = `k${random(KEYS)}`;
      const { now } = store.time;
      const pick = random(20);
      if (pick < 8) {
        // Few contents, so that keys share them.
        const value = new Uint8Array(20 + 60 * random(8)).fill(random(4));
        const ttl = random(4) === 0 ? 1 + random(50) : Infinity;
        await store.engine.set(key, value, ttl === Infinity ? {} : { ttl });
        model.set(key, { value, expiresAt: now + ttl });
        expect(await store.engine.get(key, { touch: false })).toEqual(value);
      } else if (pick < 14) {
        const got = (await store.engine.get(key)) as Uint8Array | undefined;
        const there = model.get(key);
        if (got) expect([got, there!.expiresAt > now]).toEqual([there!.value, true]);
        else model.delete(key);
      } else if (pick === 14) {
        const had = await store.engine.delete(key);
        if (had) expect(model.get(key)!.expiresAt).toBeGreaterThan(now);
        model.delete(key);
      } else if (pick === 15) store.time.now += random(20);
      else if (pick === 16) {
        const ttl = 1 + random(50);
        if (await store.engine.expire(key, ttl)) {
          model.set(key, { ...model.get(key)!, expiresAt: now + ttl });
        }
      } else if (pick === 17) await store.engine.sweep();
      else if (pick === 18 && random(4) === 0) {
        const before = new Set(await scanAll<string>(store.engine, 'keys'));
        await countEvicted();
        if (random(2) === 0) await store.engine.close();
        store = await reopen(store, options);
        // A restart evicts nothing and brings nothing back.
        expect(new Set(await scanAll<string>(store.engine, 'keys'))).toEqual(before);
      } else {
        const snapshot = await store.engine.versions.snapshots.take('s');
        const before = await store.engine.get(key, { touch: false });
        await store.engine.set('other', new Uint8Array(100).fill(step));
        model.set('other', { value: new Uint8Array(100).fill(step), expiresAt: Infinity });
        // Whatever went for it is still there in the version before.
        expect(await store.engine.versions.snapshots.get(snapshot.id, key)).toEqual(before);
        await store.engine.versions.snapshots.close(snapshot.id);
      }
      const health = await store.engine.health();
      expect(health.totalBytes).toBeLessThanOrEqual(maxBytes);
      expect(health.totalKeys).toBeLessThanOrEqual(maxEntries);
      if (step % 100 > 0) continue;
      const keys = await scanAll<string>(store.engine, 'keys');
      expect(keys.length).toBe(health.totalKeys);
      for (const one of keys) {
        expect(await store.engine.get(one, { touch: false })).toEqual(model.get(one)!.value);
        expect(model.get(one)!.expiresAt).toBeGreaterThan(store.time.now);
      }
      const contents = new Map(
        keys.map((one) => [String(model.get(one)!.value), model.get(one)!.value.length]),
      );
      expect(health.totalBytes).toBe([...contents.values()].reduce((sum, size) => sum + size, 0));
    }
    await countEvicted();
    expect(evicted).toBeGreaterThan(STEPS / 40);
  });
});
