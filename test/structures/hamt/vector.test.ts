/** PersistentVector against an array, at every size where the trie changes its shape. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PersistentVector } from '../../../src/structures/hamt/index.js';
import { EMPTY_TRIE, take, VectorBuilder } from '../../../src/structures/hamt/vector-trie.js';

const BOUNDARIES = [
  0, 1, 2, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 1055, 1056, 1057, 32_799, 32_800, 32_801,
];

const range = (size: number) => Array.from({ length: size }, (_, i) => i);

describe.each(BOUNDARIES)('a vector of %i elements', (size) => {
  const array = range(size);
  const vector = new PersistentVector(array);

  test('has them in order, from either end', () => {
    expect(vector.size).toBe(size);
    expect(vector.toArray()).toEqual(array);
    for (const i of [0, 1, 30, 31, 32, 33, 1023, 1024, size - 1]) {
      expect(vector.get(i)).toBe(array[i]);
      expect(vector.at(-1 - i)).toBe(array.at(-1 - i));
    }
    expect(vector.get(size, 'none')).toBe('none');
    expect(vector.get(-size - 1, 'none')).toBe('none');
  });

  test('grows and shrinks by one, and stays as it was', () => {
    const longer = vector.push(-1);
    expect(longer.size).toBe(size + 1);
    expect(longer.at(-1)).toBe(-1);
    expect(longer.pop().equals(vector)).toBe(true);
    if (size > 0) expect(vector.pop().toArray()).toEqual(array.slice(0, -1));
    if (size > 0)
      expect(
        vector
          .pop()
          .push(size - 1)
          .toArray(),
      ).toEqual(array);
    expect(vector.toArray()).toEqual(array);
  });

  test('is what pushing one by one makes', () => {
    let one = PersistentVector.empty<number>();
    for (const value of array) one = one.push(value);
    expect(one.equals(vector)).toBe(true);
    expect(one.toArray()).toEqual(array);
  });
});

describe('a vector', () => {
  test('answers like an array after any changes', () => {
    const change = fc.oneof(
      fc.record({ op: fc.constant('push'), count: fc.integer({ min: 0, max: 80 }) }),
      fc.record({ op: fc.constant('pop'), count: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ op: fc.constant('set'), count: fc.nat(2000) }),
      fc.record({ op: fc.constant('slice'), count: fc.integer({ min: -60, max: 60 }) }),
      fc.record({ op: fc.constant('take'), count: fc.nat(2000) }),
    );
    fc.assert(
      fc.property(fc.nat(1100), fc.array(change, { maxLength: 20, size: 'max' }), (start, changes) => {
        let array = range(start);
        let vector = new PersistentVector(array);
        const held: [PersistentVector<number>, number[]][] = [];
        let next = start;
        for (const { op, count } of changes) {
          held.push([vector, array]);
          array = array.slice();
          if (op === 'push') {
            for (let i = 0; i < count; i++) array.push(next + i);
            vector =
              count % 2
                ? vector.push(...array.slice(-count))
                : vector.concat(count ? array.slice(-count) : []);
            next += count;
          } else if (op === 'pop') {
            for (let i = 0; i < count && array.length > 0; i++) {
              array.pop();
              vector = vector.pop();
            }
          } else if (op === 'set' && array.length > 0) {
            const index = (count % (2 * array.length)) - array.length;
            array[index < 0 ? index + array.length : index] = -count;
            vector = vector.set(index, -count);
          } else if (op === 'slice') {
            array = array.slice(count, array.length);
            vector = vector.slice(count);
          } else if (op === 'take') {
            array = array.slice(0, count % (array.length + 1));
            vector = vector.slice(0, count % (vector.size + 1));
          }
        }
        held.push([vector, array]);
        for (const [version, then] of held) {
          expect(version.size).toBe(then.length);
          expect(version.toArray()).toEqual(then);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('slices as an array does, whatever the bounds', () => {
    const array = range(70);
    const vector = new PersistentVector(array);
    for (let start = -75; start <= 75; start += 5) {
      for (let end = -75; end <= 75; end += 5) {
        expect(vector.slice(start, end).toArray()).toEqual(array.slice(start, end));
      }
    }
    expect(vector.slice()).toBe(vector);
    expect(vector.slice(Number.NaN, 2.7).toArray()).toEqual([0, 1]);
  });

  test('is as high as its elements need, also when it was longer', () => {
    const builder = new VectorBuilder(EMPTY_TRIE);
    for (let i = 0; i < 33_000; i++) builder.push(i);
    expect(builder.trie().shift).toBe(15);
    for (const [size, shift] of [
      [32_800, 10],
      [32_801, 15],
      [1056, 5],
      [1057, 10],
      [20, 5],
    ] as const) {
      expect(take(builder.trie(), size).shift).toBe(shift);
    }
  });

  test('does not copy what a slice from the beginning shares', () => {
    const leaf = { here: true };
    const vector = new PersistentVector(Array.from({ length: 5000 }, () => leaf)).slice(0, 4000);
    expect(vector.size).toBe(4000);
    expect(vector.push(leaf).slice(0, 4000).equals(vector)).toBe(true);
  });

  test('refuses an index where nothing is', () => {
    const vector = new PersistentVector([1, 2]);
    for (const index of [2, -3, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '0' as never]) {
      expect(() => vector.set(index, 1)).toThrow(RangeError);
      expect(() => vector.getOrThrow(index)).toThrow(/whole number within 2 elements/);
      expect(vector.get(index, 'none')).toBe('none');
    }
    expect(() => PersistentVector.empty().pop()).toThrow(/not empty/);
    expect(() => new PersistentVector(5 as never)).toThrow(TypeError);
  });

  test('gives itself where nothing changes', () => {
    const vector = new PersistentVector(range(100));
    expect(vector.set(50, 50)).toBe(vector);
    expect(vector.concat([])).toBe(vector);
    expect(vector.push()).toBe(vector);
    expect(vector.filter(() => true)).toBe(vector);
    expect(vector.withMutations(() => undefined)).toBe(vector);
    expect(vector.copy()).toBe(vector);
    expect(PersistentVector.from(vector)).toBe(vector);
    const empty = vector.clear();
    expect(empty.clear()).toBe(empty);
  });

  test('has the methods of an array and the names of PyPersistent', () => {
    const vector = PersistentVector.of(5, 6, 7);
    expect(vector.map((value, i) => value * i).toArray()).toEqual([0, 6, 14]);
    expect(vector.filter((value) => value !== 6).toArray()).toEqual([5, 7]);
    expect([...vector.entries()]).toEqual([
      [0, 5],
      [1, 6],
      [2, 7],
    ]);
    expect([...vector.keys()]).toEqual([0, 1, 2]);
    expect([...vector.values()]).toEqual([5, 6, 7]);
    expect(vector.indexOf(7)).toBe(2);
    expect(vector.indexOf(8)).toBe(-1);
    expect(vector.includes(5) && vector.contains(5)).toBe(true);
    expect(vector.update(-1, (value) => value + 1).toArray()).toEqual([5, 6, 8]);
    expect(vector.append(8).conj(9).assoc(0, 4).with(1, 0).toArray()).toEqual([4, 0, 7, 8, 9]);
    expect(vector.nth(1)).toBe(6);
    const gathered = vector.withMutations((v) => {
      v.push(v.size);
      v.push(v.size);
    });
    expect(gathered.toArray()).toEqual([5, 6, 7, 3, 4]);
    expect(vector.size).toBe(3);
  });

  test('equals vectors of equal elements only, into vectors inside', () => {
    const nested = () => new PersistentVector([PersistentVector.of(1), Number.NaN]);
    expect(nested().equals(nested())).toBe(true);
    expect(nested().equals(nested().set(0, PersistentVector.of(2)))).toBe(false);
    expect(PersistentVector.of(1).equals([1])).toBe(false);
    expect(PersistentVector.of(1).equals(PersistentVector.of(1, 2))).toBe(false);
    expect(nested().indexOf(PersistentVector.of(1))).toBe(0);
    const long = new PersistentVector(range(100));
    expect(long.equals(long.set(40, -1))).toBe(false);
  });

  test('differs from another where an index says something else, and nowhere where they share', () => {
    const nested = (n: number) => PersistentVector.of(n);
    const a = new PersistentVector<unknown>([1, nested(2), 3, Number.NaN]);
    const b = new PersistentVector<unknown>([1, nested(2), 4]);
    expect(a.diff(b)).toEqual([
      { key: 2, kind: 'changed', before: 3, after: 4 },
      { key: 3, kind: 'removed', before: Number.NaN },
    ]);
    expect(b.diff(a)).toEqual([
      { key: 2, kind: 'changed', before: 4, after: 3 },
      { key: 3, kind: 'added', after: Number.NaN },
    ]);
    expect(a.diff(a)).toEqual([]);
    expect(() => a.diff([1] as never)).toThrow(/expected a PersistentVector/);
  });

  test('diff applied to one gives the other, whatever their sizes, and looks only at what they do not share', () => {
    let asked = 0;
    class Counted extends PersistentVector<number> {
      override equals(other: unknown): boolean {
        asked++;
        return super.equals(other);
      }
    }
    for (const size of BOUNDARIES) {
      for (const other of [0, 1, 32, 33, 1024, 1056, 1057, 2100, 32_800, 33_000]) {
        const a = new PersistentVector(range(size));
        let b = a.slice(0, other).concat(range(Math.max(0, other - size)).map((i) => -i));
        for (const i of [0, 31, 32, 1023, 1024, 32_767]) if (i < other) b = b.set(i, -1);
        const back = a.toArray().slice(0, other);
        let behind = 0;
        for (const { key, ...difference } of a.diff(b)) {
          if (difference.kind !== 'added' && difference.before !== key) expect.fail(`before at ${key}`);
          if (difference.kind === 'removed') behind++;
          else back[key] = difference.after;
        }
        expect(back, `${size} to ${other}`).toEqual(b.toArray());
        expect(behind).toBe(Math.max(0, size - other));
        expect(a.equals(b), `${size} and ${other}`).toBe(size === other && size === 0);
      }
    }
    const items = Array.from({ length: 40_000 }, () => new Counted([1]));
    const vector = new PersistentVector(items);
    expect(vector.diff(vector.set(20_000, new Counted([2])))).toHaveLength(1);
    // The 31 elements beside it are the very same.
    expect(asked).toBe(1);
    expect(vector.equals(new PersistentVector(items.map(() => new Counted([1]))))).toBe(true);
    expect(asked).toBe(40_001);
  });
});
