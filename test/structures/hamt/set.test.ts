/** PersistentSet against Set: changes, and the algebra of ES2025 over sets of every kind. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PersistentMap, PersistentSet } from '../../../src/structures/hamt/index.js';
import { checkInvariants } from './invariants.js';

const SECRET = Int32Array.of(3, 4);
const members = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constantFrom(Number.NaN, -0, 'a', null)),
  {
    maxLength: 40,
    size: 'max',
  },
);

/** One set in each form that the methods accept. */
const forms: Record<string, (values: unknown[]) => Iterable<unknown>> = {
  'a set under the same secret': (values) => new PersistentSet(values, { secret: SECRET }),
  'a set under another secret': (values) => new PersistentSet(values, { secret: Int32Array.of(1, 1) }),
  'a Set': (values) => new Set(values),
  'an array': (values) => values,
};

describe.each(Object.keys(forms))('the algebra with %s', (form) => {
  test('united with one that has all of it is that one, and what a mutable one gathers can be chained', () => {
    const set = new PersistentSet([1, 2, 3]);
    expect(PersistentSet.empty<number>().union(set)).toBe(set);
    expect(set.union(set.delete(1))).toBe(set);
    expect([...set.clear().withMutations((mutable) => mutable.add(4).add(5))]).toEqual([4, 5]);
  });

  test('gives what it gives for a Set', () => {
    fc.assert(
      fc.property(members, members, (left, right) => {
        const a = new PersistentSet(left, { secret: SECRET });
        const b = forms[form]!(right);
        const x = new Set(left);
        const y = new Set(right);
        const results: [PersistentSet<unknown>, unknown[]][] = [
          [a.union(b), [...x, ...y]],
          [a.update(b), [...x, ...y]],
          [a.intersection(b), [...x].filter((v) => y.has(v))],
          [a.difference(b), [...x].filter((v) => !y.has(v))],
          [
            a.symmetricDifference(b),
            [...[...x].filter((v) => !y.has(v)), ...[...y].filter((v) => !x.has(v))],
          ],
        ];
        for (const [result, expected] of results) {
          checkInvariants(result);
          expect(new Set(result)).toEqual(new Set(expected));
        }
        expect(a.isSubsetOf(b)).toBe([...x].every((v) => y.has(v)));
        expect(a.isSupersetOf(b)).toBe([...y].every((v) => x.has(v)));
        expect(a.isDisjointFrom(b)).toBe(![...x].some((v) => y.has(v)));
        expect(new Set(a)).toEqual(x);
      }),
      { numRuns: 80 },
    );
  });
});

describe('a set', () => {
  test('answers like a Set after any changes, one by one or gathered', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 25 })), { maxLength: 80, size: 'max' }),
        (changes) => {
          let set = PersistentSet.empty<number>(SECRET);
          const model = new Set<number>();
          const start = set;
          const gathered = start.withMutations((mutable) => {
            for (const [add, value] of changes) {
              if (add) mutable.add(value);
              else expect(mutable.delete(value)).toBe(model.has(value));
              const next = add ? set.add(value) : set.delete(value);
              expect(next === set).toBe(model.has(value) === add);
              set = next;
              add ? model.add(value) : model.delete(value);
              expect(mutable.size).toBe(model.size);
              expect(mutable.has(value)).toBe(add);
            }
          });
          expect(start.size).toBe(0);
          expect(new Set(set)).toEqual(model);
          expect(set.size).toBe(model.size);
          expect(gathered.equals(set)).toBe(true);
          checkInvariants(gathered);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('gives itself where nothing changes', () => {
    const set = new PersistentSet([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(set.add(1)).toBe(set);
    expect(set.delete(11)).toBe(set);
    expect(set.union([3])).toBe(set);
    expect(set.union([])).toBe(set);
    expect(set.intersection(set)).toBe(set);
    expect(set.difference([])).toBe(set);
    expect(set.filter(() => true)).toBe(set);
    expect(set.withMutations((s) => s.add(1))).toBe(set);
    expect(set.copy()).toBe(set);
    expect(PersistentSet.from(set)).toBe(set);
    const empty = set.clear();
    expect(empty.clear()).toBe(empty);
    expect(empty.size).toBe(0);
  });

  test('reads like a Set', () => {
    const set = PersistentSet.of('a', 'b');
    expect([...set.keys()]).toEqual(['a', 'b']);
    expect([...set.values()]).toEqual(['a', 'b']);
    expect([...set.entries()]).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    const seen: unknown[] = [];
    set.forEach((value, again, whole) => {
      seen.push(value, again, whole === set);
    });
    expect(seen).toEqual(['a', 'a', true, 'b', 'b', true]);
    expect(set.contains('a')).toBe(true);
    expect([...set.conj('c').disj('a')]).toEqual(['b', 'c']);
    expect([...set.map((value) => value.length)]).toEqual([1]);
    expect(Object.prototype.toString.call(set)).toBe('[object PersistentSet]');
  });

  test('equals sets of equal members only', () => {
    expect(new PersistentSet([1, 2]).equals(new PersistentSet([2, 1]))).toBe(true);
    expect(new PersistentSet([1, 2]).equals(new PersistentSet([1, 3]))).toBe(false);
    expect(new PersistentSet([1]).equals(new Set([1]))).toBe(false);
    expect(new PersistentSet([1]).equals(new PersistentMap([[1, true]]))).toBe(false);
  });

  test('diff tells what came and went', () => {
    const before = new PersistentSet([1, 2]);
    const diff = before.diff(before.delete(1).add(3));
    expect(diff.map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(['added 3', 'removed 1']);
  });

  test('stays as it was while a mutable copy goes on, and so does what that gave away', () => {
    const set = new PersistentSet(Array.from({ length: 100 }, (_, i) => i));
    const mutable = set.asMutable();
    mutable.add(100);
    const given = mutable.persistent();
    mutable.delete(100);
    mutable.delete(5);
    expect([set.size, given.size, mutable.size]).toEqual([100, 101, 99]);
    expect(given.has(100) && given.has(5)).toBe(true);
    mutable.clear();
    expect(mutable.size).toBe(0);
    expect([...mutable.persistent()]).toEqual([]);
  });

  test.each([
    ['a number', 5],
    ['null', null],
    ['an object', {}],
  ])('refuses %s where a set is expected', (_, wrong) => {
    const set = new PersistentSet([1]);
    expect(() => set.union(wrong as never)).toThrow(TypeError);
    expect(() => set.isSubsetOf(wrong as never)).toThrow(/isSubsetOf: expected something to iterate/);
    if (wrong !== null) expect(() => new PersistentSet(wrong as never)).toThrow(TypeError);
  });
});
