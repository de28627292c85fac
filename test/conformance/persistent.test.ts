/**
 * What the persistent collections of PyPersistent do or promise, case by case.
 * The numbers are those of the list of cases that the project keeps.
 */
import { describe, expect, test, vi } from 'vitest';
import { NotFoundError } from '../../src/base/errors.js';
import {
  PersistentMap,
  PersistentSet,
  PersistentSortedMap,
  PersistentVector,
} from '../../src/structures/hamt/index.js';

/** Keys that begin with "same hash" all hash alike; all others hash as they do. */
vi.mock('../../src/structures/hamt/key-hash.js', async (original) => {
  const { hashKey } = await original<typeof import('../../src/structures/hamt/key-hash.js')>();
  return {
    hashKey: (secret: Int32Array, key: unknown) =>
      typeof key === 'string' && key.startsWith('same hash') ? 0x2aaaaaaa : hashKey(secret, key),
  };
});

const entries = (from: number, to: number, name = 'key') =>
  Array.from({ length: to - from }, (_, i): [string, number] => [`${name}${from + i}`, from + i]);

describe('PP1: the original is unchanged', () => {
  test.each([3, 8, 9, 1000])('after each kind of change to a map of %i', (size) => {
    const map = new PersistentMap(entries(0, size));
    const before = [...map];
    map.assoc('key1', -1).assoc('new', 1);
    map.dissoc('key1');
    map.merge(new Map([['key2', -2]]));
    map.merge(new PersistentMap(entries(1, 2000)));
    map.update({ other: 1 });
    map.update('key0', () => -1);
    map.clear();
    map.withMutations((m) => {
      m.delete('key0');
      m.set('key1', -1);
      m.clear();
    });
    expect([...map]).toEqual(before);
    expect(map.size).toBe(size);
  });
});

test('PP2: removing what is not there gives the same instance', () => {
  for (const size of [0, 5, 500]) {
    const map = new PersistentMap(entries(0, size));
    expect(map.dissoc('missing')).toBe(map);
    expect(map.delete('missing')).toBe(map);
  }
});

test('PP3: missing has a default or throws, and null is a key and a value of its own', () => {
  const map = new PersistentMap<unknown, unknown>([
    ['null', null],
    [null, 'value of null'],
    ['undefined', undefined],
  ]);
  expect(map.get('missing')).toBe(undefined);
  expect(map.get('missing', 7)).toBe(7);
  expect(() => map.getOrThrow('missing')).toThrow(NotFoundError);
  expect(map.get('null', 7)).toBe(null);
  expect(map.getOrThrow('null')).toBe(null);
  expect(map.get('undefined', 7)).toBe(undefined);
  expect(map.get(null)).toBe('value of null');
  expect(map.has('null') && map.has(null) && map.has('undefined') && !map.has(undefined)).toBe(true);
});

test('PP4: keys of mixed types, empty, of any script, and large values', () => {
  const large = 'x'.repeat(10_240);
  const keys = [
    1,
    '1',
    1.5,
    true,
    'true',
    null,
    'null',
    '',
    '日本語',
    'ключ',
    '🔑',
    'e\u0301',
    '\u00e9',
    10n ** 20n,
  ];
  const map = new PersistentMap(keys.map((key) => [key, large + String(key)]));
  expect(map.size).toBe(keys.length);
  for (const key of keys) expect(map.get(key)).toBe(large + String(key));
});

test('PP5: equality ignores the order and not the type', () => {
  const forward = new PersistentMap(entries(0, 100));
  const backward = new PersistentMap(entries(0, 100).reverse());
  expect(forward.equals(backward)).toBe(true);
  expect(forward.equals(backward.set('key5', -1))).toBe(false);
  expect(forward.equals(backward.delete('key5'))).toBe(false);
  expect(forward.equals(new Map(entries(0, 100)))).toBe(false);
  expect(forward.equals(new PersistentSortedMap(entries(0, 100)))).toBe(false);
  expect(forward.equals(Object.fromEntries(entries(0, 100)))).toBe(false);
});

describe('PP6: a merge has every key, the right value wins, the size is exact', () => {
  test.each([
    ['disjoint', 0, 100, 100, 200],
    ['overlapping', 0, 100, 50, 150],
    ['complete', 0, 100, 0, 100],
    ['with nothing on the left', 0, 0, 0, 100],
    ['with nothing on the right', 0, 100, 0, 0],
    ['of strings, half a thousand each', 0, 500, 500, 1000],
    ['of 50,000 each', 0, 50_000, 50_000, 100_000],
  ])('%s', (_, a, b, c, d) => {
    const left = entries(a, b);
    const right = entries(c, d).map(([key]): [string, number] => [key, -1]);
    const model = new Map([...left, ...right]);
    const map = new PersistentMap(left);
    for (const other of [new PersistentMap(right), new Map(right), right]) {
      const merged = map.merge(other);
      expect(merged.size).toBe(model.size);
      expect(new Map(merged)).toEqual(model);
      expect(map.update(other).equals(merged)).toBe(true);
    }
  });

  test('500,000 and 500,000 whole numbers', () => {
    const half = (from: number) =>
      new PersistentMap(Array.from({ length: 500_000 }, (_, i): [number, number] => [from + i, i]));
    const merged = half(0).merge(half(500_000));
    expect(merged.size).toBe(1_000_000);
    let missing = 0;
    for (let i = 0; i < 1_000_000; i++) if (merged.get(i) !== i % 500_000) missing++;
    expect(missing).toBe(0);
  });
});

test('PP7: 1,000 random operations answer as a Map does, and ten versions of one base are independent', () => {
  let state = 42;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  let map = new PersistentMap<number, number>();
  const model = new Map<number, number>();
  for (let i = 0; i < 1000; i++) {
    const key = random(200);
    if (random(3) > 0) {
      map = map.assoc(key, i);
      model.set(key, i);
    } else {
      map = map.dissoc(key);
      model.delete(key);
    }
    expect(map.get(key)).toBe(model.get(key));
    expect(map.size).toBe(model.size);
  }
  expect(new Map(map)).toEqual(model);
  const versions = Array.from({ length: 10 }, (_, i) =>
    map.assoc(i, `version ${i}` as never).assoc(1000 + i, i),
  );
  versions.forEach((version, i) => {
    for (let j = 0; j < 10; j++) {
      expect(version.get(j)).toBe(i === j ? `version ${i}` : model.get(j));
      expect(version.has(1000 + j)).toBe(i === j);
    }
  });
});

describe('PP8: keys of one hash', () => {
  test.each([2, 3, 10, 20, 100])('%i of them are found, changed and removed one by one', (count) => {
    const others = entries(0, 20, 'other');
    const keys = entries(0, count, 'same hash');
    const map = new PersistentMap([...others, ...keys]);
    expect(map.size).toBe(20 + count);
    for (const [key, value] of keys) expect(map.get(key)).toBe(value);
    expect(map.has('same hash, and never put in')).toBe(false);
    const changed = map.assoc('same hash0', -5);
    expect([changed.get('same hash0'), map.get('same hash0'), changed.get('same hash1')]).toEqual([-5, 0, 1]);
    expect(new Map(map)).toEqual(new Map([...others, ...keys]));
    let left = map;
    keys.forEach(([key], i) => {
      left = left.dissoc(key);
      expect(left.has(key)).toBe(false);
      expect(left.size).toBe(20 + count - i - 1);
      for (const [rest, value] of keys.slice(i + 1)) expect(left.get(rest)).toBe(value);
    });
    expect(left.equals(new PersistentMap(others))).toBe(true);
    for (const [key] of others) left = left.dissoc(key);
    expect(left.size).toBe(0);
    expect(map.size).toBe(20 + count);
  });
});

test('PP9: a walk is lazy and outlives the map that only it holds', () => {
  let made = 0;
  const walk = new PersistentMap(
    (function* () {
      for (let i = 0; i < 5000; i++) {
        made++;
        yield [i, i] as const;
      }
    })(),
  )
    .set(-1, -1)
    .entries();
  expect(made).toBe(5000);
  expect(walk.next().done).toBe(false);
  expect([...walk]).toHaveLength(5000);
  const inLoop: number[] = [];
  for (const value of PersistentVector.of(1).conj(2)) inLoop.push(value);
  expect(inLoop).toEqual([1, 2]);
  let first: unknown;
  for (const key of new PersistentMap(entries(0, 100_000)).keys()) {
    first = key;
    break;
  }
  expect(first).toBeDefined();
});

test.each([10_000, 1_000_000])('PP10: a map from %i entries has them all', (size) => {
  const map = new PersistentMap(Array.from({ length: size }, (_, i): [number, number] => [i, i]));
  expect(map.size).toBe(size);
  let wrong = 0;
  for (let i = 0; i < size; i++) if (map.get(i) !== i) wrong++;
  expect(wrong).toBe(0);
  expect(map.has(size)).toBe(false);
});

test('PP11: a sorted map is in order, has ends and half-open ranges, and can be emptied', () => {
  const map = new PersistentSortedMap([5, 3, 9, 1, 7].map((n) => [n, `${n}`]));
  expect([...map.keys()]).toEqual([1, 3, 5, 7, 9]);
  expect([map.first(), map.last()]).toEqual([
    [1, '1'],
    [9, '9'],
  ]);
  const empty = new PersistentSortedMap<number, string>();
  expect(() => empty.first()).toThrow(RangeError);
  expect(() => empty.last()).toThrow(RangeError);
  expect([...map.range({ start: 3, end: 7 }).keys()]).toEqual([3, 5]);
  expect(map.range({ start: 4, end: 4 }).size).toBe(0);
  expect(map.range({ start: 7, end: 3 }).size).toBe(0);
  expect([...map.range({ start: 3, end: 8 }).reverse()].map(([key]) => key)).toEqual([7, 5, 3]);
  let many = empty;
  for (let i = 0; i < 1000; i++) many = many.set((i * 617) % 1000, '');
  expect([...many.keys()]).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  for (let i = 0; i < 1000; i++) many = many.delete((i * 331) % 1000);
  expect(many.size).toBe(0);
});

describe('PP12: a vector', () => {
  test.each([31, 32, 33, 1024, 1056, 32_800])('of %i elements, at either end', (size) => {
    let vector = PersistentVector.empty<number>();
    for (let i = 0; i < size; i++) vector = vector.conj(i);
    expect(vector.size).toBe(size);
    expect([vector.nth(0), vector.nth(size - 1), vector.at(-1), vector.at(-size)]).toEqual([
      0,
      size - 1,
      size - 1,
      0,
    ]);
    expect(() => vector.nth(size)).toThrow(RangeError);
    const changed = vector.assoc(size - 1, -1).assoc(0, -2);
    expect([changed.at(-1), changed.at(0), vector.at(-1), vector.at(0)]).toEqual([-1, -2, size - 1, 0]);
    expect(vector.slice(-5, 10 ** 9).toArray()).toEqual(Array.from({ length: 5 }, (_, i) => size - 5 + i));
    expect(vector.slice(10, 5).size).toBe(0);
    while (vector.size > 0) vector = vector.pop();
    expect(() => vector.pop()).toThrow(RangeError);
  });

  test('holds vectors, and shows the first of many elements', () => {
    const nested = PersistentVector.of(PersistentVector.of(1, 2), PersistentVector.of(3));
    expect(nested.nth(0).nth(1)).toBe(2);
    expect(nested.equals(PersistentVector.of(PersistentVector.of(1, 2), PersistentVector.of(3)))).toBe(true);
    expect(String(PersistentVector.of<unknown>(1, 'a'))).toBe('PersistentVector(2) [1, "a"]');
    const long = String(new PersistentVector(Array.from({ length: 10_000 }, (_, i) => i)));
    expect(long.length).toBeLessThan(120);
    expect(long).toMatch(/^PersistentVector\(10000\) \[0, 1, .*, 19, …\]$/);
  });
});

test('PP13: the algebra of sets', () => {
  const a = PersistentSet.of(1, 2, 3);
  const b = PersistentSet.of(3, 4);
  const inOrder = (set: PersistentSet<number>) => [...set].sort();
  expect(inOrder(a.union(b))).toEqual([1, 2, 3, 4]);
  expect(inOrder(a.intersection(b))).toEqual([3]);
  expect(inOrder(a.difference(b))).toEqual([1, 2]);
  expect(inOrder(a.symmetricDifference(b))).toEqual([1, 2, 4]);
  expect([a.isSubsetOf(b), PersistentSet.of(3).isSubsetOf(a), a.isSubsetOf(a)]).toEqual([false, true, true]);
  expect([a.isSupersetOf(PersistentSet.of(1)), a.isSupersetOf(b)]).toEqual([true, false]);
  expect([a.isDisjointFrom(b), a.isDisjointFrom([9])]).toEqual([false, true]);
  expect(a.disj(9)).toBe(a);
  expect([...a.conj(1)]).toEqual([1, 2, 3]);
  expect([...a.update([3, 4])]).toEqual([1, 2, 3, 4]);
  expect(a.clear().size).toBe(0);
});

test('PP14: a map of 8 takes a 9th key and gives it up again', () => {
  const eight = new PersistentMap(entries(0, 8));
  const nine = eight.set('key8', 8);
  expect([eight.size, nine.size]).toEqual([8, 9]);
  for (let i = 0; i < 9; i++) expect(nine.get(`key${i}`)).toBe(i);
  expect(nine.delete('key8').equals(eight)).toBe(true);
  expect(nine.equals(new PersistentMap(entries(0, 9)))).toBe(true);
  expect([...eight.keys()]).toEqual(entries(0, 8).map(([key]) => key));
});

test('PP15: bytes bring a collection back, with those inside', () => {
  const nested = new PersistentMap<string, unknown>([
    ['vector', PersistentVector.of<unknown>(1, null, new PersistentSet(['a', 'b']))],
    ['map', new PersistentMap(entries(0, 100))],
    ['sorted', new PersistentSortedMap(entries(0, 10))],
    ['plain', 'value'],
  ]);
  const back = PersistentMap.fromBytes<string, unknown>(nested.toBytes());
  expect(back.equals(nested)).toBe(true);
  expect(back.set('plain', 'other').equals(nested)).toBe(false);
});
