/**
 * Building at once, merging, filtering and mapping against a plain Map, under
 * full hashes and under hashes of a few bits.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PersistentMap } from '../../../src/structures/hamt/index.js';
import { checkInvariants } from './invariants.js';

const hashing = vi.hoisted(() => ({ mask: 0x3fffffff }));
vi.mock('../../../src/structures/hamt/key-hash.js', async (original) => {
  const { hashKey } = await original<typeof import('../../../src/structures/hamt/key-hash.js')>();
  return { hashKey: (...args: Parameters<typeof hashKey>) => hashKey(...args) & hashing.mask };
});
afterEach(() => {
  hashing.mask = 0x3fffffff;
});

const SECRET = Int32Array.of(0x5eed, -7);
const OTHER = Int32Array.of(9, 9);
const MASKS = [0x3fffffff, 0x3e000000, 0x1f, 0x02100421, 0x3e00001f, 0x318000, 0];

const key = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 60 }) },
  fc.constantFrom<unknown>(undefined, null, Number.NaN, -0, 0.5, 'a', 'b', true, 7n),
);
const pairs = fc.array(fc.tuple(key, fc.integer({ min: 0, max: 3 })), { maxLength: 90, size: 'max' });

const build = (entries: [unknown, unknown][], secret = SECRET) => new PersistentMap(entries, { secret });

function sameAs(map: PersistentMap<unknown, unknown>, model: Map<unknown, unknown>): void {
  checkInvariants(map);
  expect(map.size).toBe(model.size);
  expect(new Map(map)).toEqual(model);
}

describe.each(MASKS)('under the hash mask %i', (mask) => {
  test('a map of many entries at once is the map of one after the other', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(pairs, (entries) => {
        const map = build(entries);
        sameAs(map, new Map(entries));
        let single = PersistentMap.empty<unknown, unknown>(SECRET);
        for (const [k, v] of entries) single = single.set(k, v);
        expect(map.equals(single)).toBe(true);
        if (map.size <= 8) expect([...map.keys()]).toEqual([...new Map(entries).keys()]);
      }),
      { numRuns: 100 },
    );
  });

  test('a merge has every key, the right value of both, and the exact size', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(pairs, pairs, fc.constantFrom('same', 'other', 'fork'), (a, b, kind) => {
        const left = build(a);
        const right =
          kind === 'fork'
            ? left.withMutations((m) => {
                for (const [k, v] of b) v === 0 ? m.delete(k) : m.set(k, v);
              })
            : build(b, kind === 'same' ? SECRET : OTHER);
        const x = new Map(left);
        const y = new Map(right);
        sameAs(left.merge(right), new Map([...x, ...y]));
        const asked: unknown[] = [];
        const resolved = left.merge(right, (l, r, k) => {
          expect(l).toBe(x.get(k));
          expect(r).toBe(y.get(k));
          asked.push(k);
          return `${l}${r}`;
        });
        const both = [...x.keys()].filter((k) => y.has(k));
        expect(new Set(asked)).toEqual(new Set(both));
        expect(asked).toHaveLength(both.length);
        sameAs(resolved, new Map([...x, ...y, ...both.map((k) => [k, `${x.get(k)}${y.get(k)}`] as const)]));
        sameAs(left, x);
        sameAs(right, y);
        expect(left.merge(left)).toBe(left);
        expect(left.merge(left.filter((v) => v === 1))).toBe(left);
      }),
      { numRuns: 60 },
    );
  });

  test('a filter leaves what passes, and the same map when all does', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(pairs, fc.integer({ min: 0, max: 4 }), (entries, limit) => {
        const map = build(entries);
        const model = new Map([...map].filter(([, v]) => (v as number) < limit));
        const left = map.filter((v) => (v as number) < limit);
        sameAs(left, model);
        expect(left === map).toBe(left.size === map.size);
        expect(left.equals(build([...model]))).toBe(true);
        sameAs(map, new Map(entries));
      }),
      { numRuns: 60 },
    );
  });

  test('map changes values and no keys', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(pairs, (entries) => {
        const map = build(entries);
        const model = new Map([...map].map(([k, v]) => [k, [k, v]]));
        sameAs(
          map.map((v, k) => [k, v]),
          model,
        );
        sameAs(map, new Map(entries));
      }),
      { numRuns: 30 },
    );
  });
});

test('two keys of one hash, one in each map, are two keys to merge, diff and equals', () => {
  for (const mask of MASKS) {
    hashing.mask = mask;
    const base = build(Array.from({ length: 12 }, (_, i) => [`base ${i}`, 1]));
    for (let i = 0; i < 60; i++) {
      const a = base.set(i, 'v');
      const b = base.set(i + 1, 'v');
      expect(a.equals(b)).toBe(false);
      expect(a.diff(b)).toHaveLength(2);
      expect(a.diff(b)).toContainEqual({ key: i, kind: 'removed', before: 'v' });
      expect(a.diff(b)).toContainEqual({ key: i + 1, kind: 'added', after: 'v' });
      for (const merged of [a.merge(b), a.merge(b, (l) => l)]) {
        checkInvariants(merged);
        expect([merged.size, merged.get(i), merged.get(i + 1)]).toEqual([14, 'v', 'v']);
      }
    }
  }
});

describe('a merge', () => {
  const numbers = (from: number, to: number) =>
    new PersistentMap(
      Array.from({ length: to - from }, (_, i): [number, string] => [from + i, 'left']),
      { secret: SECRET },
    );

  test('shares with either side what the other lacks', () => {
    const a = numbers(0, 5000);
    expect(a.merge(numbers(0, 5000))).toBe(a);
    const b = a.set(-1, 'new');
    expect(a.merge(b)).toBe(b);
    expect(b.merge(a)).toBe(b);
    expect(a.merge(PersistentMap.empty())).toBe(a);
    expect(PersistentMap.empty<number, string>(SECRET).merge(a)).toBe(a);
    expect(PersistentMap.empty<number, string>(OTHER).merge(a).secret).toBe(OTHER);
  });

  test.each([
    [10, 5000],
    [5000, 10],
    [3, 5],
    [0, 20],
  ])('of %i and %i entries that overlap counts right', (left, right) => {
    const a = numbers(0, left);
    const b = numbers(Math.max(0, left - 3), left + right);
    for (const merged of [a.merge(b), a.merge(b, (l) => l)]) {
      expect(merged.size).toBe(left + right);
      checkInvariants(merged);
    }
    for (const merged of [b.merge(a), b.merge(a, (_, r) => r)]) {
      expect(merged.size).toBe(left + right);
      checkInvariants(merged);
    }
  });

  test('takes maps, pairs and objects', () => {
    const map = new PersistentMap([['a', 1]]);
    expect(map.merge(new Map([['b', 2]])).get('b')).toBe(2);
    expect(map.merge([['b', 2]]).get('b')).toBe(2);
    expect(map.merge({ b: 2 }).get('b')).toBe(2);
    expect(map.merge(JSON.parse('{"__proto__": 5}')).get('__proto__')).toBe(5);
    for (const wrong of [5, null, undefined, 'text', [1], () => 1]) {
      expect(() => map.merge(wrong as never)).toThrow(/merge: expected pairs of key and value/);
    }
    expect(() => map.merge([], 5 as never)).toThrow(/expected a function/);
  });
});
