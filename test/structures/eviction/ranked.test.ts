import { describe, expect, test } from 'vitest';
import { createPolicy, PLAIN, Ranked, type Terms } from '../../../src/structures/eviction/index.js';
import { Sketch } from '../../../src/structures/eviction/sketch.js';

const BUDGET = { maxBytes: Infinity, maxEntries: 10 };
const ranked = () => new Ranked(BUDGET, (budget) => createPolicy('lru', budget));
const add = (policy: Ranked, key: number, terms: Partial<Terms> = {}) =>
  policy.add(key, key, 1, { ...PLAIN, ...terms });
const order = (policy: Ranked) => policy.victims(Infinity).map(([high]) => high);

describe('priorities', () => {
  test('are the first thing that counts, and the order of use the second', () => {
    const policy = ranked();
    add(policy, 1, { priority: 'high' });
    add(policy, 2);
    add(policy, 3, { priority: 'low' });
    add(policy, 4);
    add(policy, 5, { priority: 'low' });
    policy.access(3, 3);
    expect(order(policy)).toEqual([5, 3, 2, 4, 1]);
  });

  test('may change with each value', () => {
    const policy = ranked();
    for (const key of [1, 2, 3]) add(policy, key);
    add(policy, 1, { priority: 'high' });
    add(policy, 3, { priority: 'low' });
    add(policy, 2, { pinned: true });
    expect([policy.size, policy.pinned]).toEqual([3, 1]);
    expect(order(policy)).toEqual([3, 1]);
    policy.withdraw();
    add(policy, 2);
    expect(order(policy)).toEqual([3, 2, 1]);
  });

  test('pinned keys are never named, and can be removed', () => {
    const policy = ranked();
    add(policy, 1, { pinned: true });
    expect(order(policy)).toEqual([]);
    expect([policy.access(1, 1), policy.remove(1, 1), policy.remove(1, 1)]).toEqual([true, true, false]);
    expect(policy.size).toBe(0);
  });

  test('survive a restart with the order of use', () => {
    const policy = ranked();
    for (const key of [1, 2, 3, 4]) add(policy, key, key === 2 ? { priority: 'low' } : {});
    add(policy, 5, { pinned: true });
    policy.access(1, 1);
    const again = ranked();
    again.restore(policy.rows());
    expect(again.pinned).toBe(1);
    expect(order(again)).toEqual([2, 3, 4, 1]);
    again.clear();
    expect([again.size, order(again)]).toEqual([0, []]);
  });
});

describe('a sketch of frequencies', () => {
  test('is never too low before it is halved, and rarely too high', () => {
    const sketch = new Sketch();
    sketch.grow(1000);
    const hash = (key: number) => [Math.imul(key + 1, 0x9e3779b1), Math.imul(key + 1, 0x85ebca6b)] as const;
    for (let key = 0; key < 1000; key++) for (let i = 0; i < key % 5; i++) sketch.use(...hash(key));
    let tooHigh = 0;
    for (let key = 0; key < 1000; key++) {
      const frequency = sketch.frequency(...hash(key));
      expect(frequency).toBeGreaterThanOrEqual(key % 5);
      tooHigh += Number(frequency > key % 5);
    }
    expect(tooHigh).toBeLessThan(20);
  });

  test('stops at 15, forgets half after ten uses a key, and keeps all when it grows', () => {
    const sketch = new Sketch();
    for (let i = 0; i < 20; i++) sketch.use(1, 2);
    expect(sketch.frequency(1, 2)).toBe(15);
    sketch.grow(5000);
    expect(sketch.frequency(1, 2)).toBe(15);
    // Room for 8192 keys: after ten times that many uses.
    for (let i = 0; i < 81_920 - 15; i++) sketch.use(Math.imul(i, 0x9e3779b1), Math.imul(i + 77, 0xc2b2ae35));
    expect(sketch.frequency(1, 2)).toBe(7);
    // What was counted counts half, so the next time comes after half as many.
    for (let i = 0; i < 40_960; i++) sketch.use(Math.imul(i, 0x27d4eb2f), Math.imul(i + 7, 0x85ebca6b));
    expect(sketch.frequency(1, 2)).toBe(3);
    sketch.clear();
    expect(sketch.frequency(1, 2)).toBe(0);
  });
});
