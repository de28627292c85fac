import { describe, expect, test } from 'vitest';
import { applyUse, encodeUse, USED } from '../../src/engine/use.js';
import { createPolicy, Ranked } from '../../src/structures/eviction/index.js';

const ranked = () =>
  new Ranked({ maxBytes: Infinity, maxEntries: 10 }, (budget) => createPolicy('lru', budget));

describe('rows of use', () => {
  test('are these bytes, as the comment says', () => {
    const rows = encodeUse([{ high: 1, low: -2, rank: 3, cost: 2, size: 100 }]);
    expect(Buffer.from(rows).toString('hex')).toBe('01000000feffffff038864000000');
    const used = encodeUse([{ high: 1, low: -2, rank: USED, cost: 9, size: 0 }]);
    expect(Buffer.from(used).toString('hex')).toBe('01000000feffffffff0000000000');
  });

  test('of a cost beyond a byte, or of a size beyond four, hold what they can', () => {
    const [low, high] = [2 ** -20, 2 ** 20].map(
      (cost) => encodeUse([{ high: 0, low: 0, rank: 1, cost, size: 2 ** 40 }])[9],
    );
    expect([low, high]).toEqual([1, 255]);
    expect([...encodeUse([{ high: 0, low: 0, rank: 1, cost: 1, size: 2 ** 40 }]).slice(10)]).toEqual([
      255, 255, 255, 255,
    ]);
  });

  test('cut short at any byte say what is whole, and of keys that are not there nothing', () => {
    const rows = encodeUse([
      { high: 1, low: 1, rank: USED, cost: 1, size: 0 },
      { high: 2, low: 2, rank: 3, cost: 1, size: 5 },
      { high: 7, low: 7, rank: 3, cost: 1, size: 5 },
    ]);
    for (let cut = 0; cut <= rows.length; cut++) {
      const policy = ranked();
      for (const key of [1, 2, 3]) policy.keep(key, key, 1);
      applyUse(policy, rows.slice(0, cut));
      const order = policy.victims(Infinity).map(([high]) => high);
      const wanted = cut < 14 ? [1, 2, 3] : cut < 28 ? [2, 3, 1] : [3, 1];
      expect(order, `cut at ${cut}`).toEqual(wanted);
      expect(policy.size).toBe(3);
    }
  });
});
