/** PersistentSortedMap against a Map that is sorted when asked; the balance of its tree. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NotFoundError } from '../../../src/base/errors.js';
import { PersistentSortedMap } from '../../../src/structures/hamt/index.js';
import {
  erase,
  insert,
  type SortedTree,
  sizeOf,
  unite,
  upTo,
} from '../../../src/structures/hamt/sorted-tree.js';

const byNumber = (a: unknown, b: unknown) => (a as number) - (b as number);

/** Fails unless sizes are right, keys ascend and no side weighs more than three times the other. */
function checkTree(tree: SortedTree): void {
  const visit = (node: SortedTree, low: number, high: number): number => {
    if (node === null) return 0;
    expect(node.key).toBeGreaterThan(low);
    expect(node.key).toBeLessThan(high);
    const left = visit(node.left, low, node.key as number);
    const right = visit(node.right, node.key as number, high);
    expect(node.size).toBe(left + right + 1);
    expect(Math.max(left, right) + 1).toBeLessThanOrEqual(3 * (Math.min(left, right) + 1));
    return node.size;
  };
  visit(tree, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
}

const sorted = <V>(model: Map<number, V>) => [...model].sort((a, b) => a[0] - b[0]);

describe('the tree', () => {
  test('stays balanced under inserts and removals in any order', () => {
    const key = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(
        fc.array(key, { maxLength: 150, size: 'max' }),
        fc.array(key, { maxLength: 150, size: 'max' }),
        (put, gone) => {
          let tree: SortedTree = null;
          for (const k of put) tree = insert(tree, k, k, byNumber);
          checkTree(tree);
          for (const k of gone) tree = erase(tree, k, byNumber);
          checkTree(tree);
          expect(sizeOf(tree)).toBe(put.filter((k, i) => put.indexOf(k) === i && !gone.includes(k)).length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('stays balanced when built in order and taken apart from one end', () => {
    let tree: SortedTree = null;
    for (let i = 0; i < 2000; i++) tree = insert(tree, i, i, byNumber);
    checkTree(tree);
    for (let i = 0; i < 2000; i++) {
      tree = erase(tree, i, byNumber);
      if (i % 400 === 0) checkTree(tree);
    }
    expect(tree).toBeNull();
  });

  test('stays balanced when united and cut', () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 120, size: 'max' });
    fc.assert(
      fc.property(keys, keys, fc.nat(500), (a, b, cut) => {
        const build = (keys: number[]) =>
          keys.reduce<SortedTree>((tree, k) => insert(tree, k, k, byNumber), null);
        const united = unite(build(a), build(b), byNumber);
        checkTree(united);
        expect(sizeOf(united)).toBe(new Set([...a, ...b]).size);
        checkTree(upTo(united, cut, byNumber));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a sorted map', () => {
  test('answers like a Map that is sorted, after any changes, and versions held stay as they were', () => {
    const change = fc.record({ put: fc.boolean(), key: fc.integer({ min: -20, max: 20 }), value: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80, size: 'max' }), (changes) => {
        let map = new PersistentSortedMap<number, number>();
        const model = new Map<number, number>();
        const held: [typeof map, [number, number][]][] = [];
        for (const { put, key, value } of changes) {
          const same = put ? Object.is(model.get(key), value) : !model.has(key);
          const next = put ? map.set(key, value) : map.delete(key);
          expect(next === map).toBe(same);
          map = next;
          put ? model.set(key, value) : model.delete(key);
          held.push([map, sorted(model)]);
        }
        for (const [version, then] of held) {
          expect([...version]).toEqual(then);
          expect(version.size).toBe(then.length);
        }
        const entries = sorted(model);
        expect([...map.reverse()]).toEqual(entries.slice().reverse());
        if (entries.length > 0) {
          expect(map.first()).toEqual(entries[0]);
          expect(map.last()).toEqual(entries.at(-1));
        }
        for (let start = -22; start <= 22; start += 4) {
          const expected = entries.filter(([k]) => k >= start && k < start + 7);
          expect([...map.range({ start, end: start + 7 })]).toEqual(expected);
          expect([...map.range({ start })]).toEqual(entries.filter(([k]) => k >= start));
          expect([...map.range({ end: start })]).toEqual(entries.filter(([k]) => k < start));
        }
        expect(map.equals(new PersistentSortedMap(entries))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('merges: the right one wins, or the resolver', () => {
    const a = new PersistentSortedMap([
      [1, 'a'],
      [2, 'b'],
    ]);
    const right = new Map([
      [2, 'B'],
      [3, 'C'],
    ]);
    const both = new PersistentSortedMap(right);
    for (const other of [right, both, [...right]]) {
      expect([...a.merge(other)].join()).toBe('1,a,2,B,3,C');
      expect([...a.update(other)].join()).toBe('1,a,2,B,3,C');
      expect([...a.merge(other, (l, r, k) => `${l}${r}${k}`)].join()).toBe('1,a,2,bB2,3,C');
    }
    expect(a.merge([])).toBe(a);
    expect([...a.merge(a, (l, r) => l + r)].join()).toBe('1,aa,2,bb');
  });

  test('diff leads from one to the other', () => {
    const a = new PersistentSortedMap([
      [1, 'a'],
      [2, 'b'],
    ]);
    const b = a.delete(1).set(2, 'B').set(3, 'c');
    expect(a.diff(b)).toEqual([
      { key: 1, kind: 'removed', before: 'a' },
      { key: 2, kind: 'changed', before: 'b', after: 'B' },
      { key: 3, kind: 'added', after: 'c' },
    ]);
    expect(a.diff(a)).toEqual([]);
    expect(() => a.diff(new Map() as never)).toThrow(/expected a PersistentSortedMap/);
  });

  test('gathers changes, and what it gave away does not change with it', () => {
    const a = new PersistentSortedMap([[1, 'a']]);
    const b = a.withMutations((map) => {
      expect([map.set(2, 'b').get(2), map.get(3, 'none'), map.has(1), map.size]).toEqual([
        'b',
        'none',
        true,
        2,
      ]);
      expect([map.delete(1), map.delete(1)]).toEqual([true, false]);
    });
    expect([...b]).toEqual([[2, 'b']]);
    expect(a.withMutations(() => undefined)).toBe(a);
    const map = b.asMutable();
    const before = map.persistent();
    map.clear();
    expect([map.size, before.size, b.size, map.persistent().size]).toEqual([0, 1, 1, 0]);
  });

  test('takes an order of your own, and keeps it', () => {
    const compare = (a: string, b: string) => b.length - a.length;
    const map = new PersistentSortedMap([['a', 1]], { compare }).set('ccc', 3).set('bb', 2).set('dd', 4);
    expect([...map]).toEqual([
      ['ccc', 3],
      ['bb', 4],
      ['a', 1],
    ]);
    expect([
      ...map
        .filter((v) => v > 1)
        .map((v) => -v)
        .set('xxxx', 0)
        .keys(),
    ]).toEqual(['xxxx', 'ccc', 'bb']);
    expect(() => new PersistentSortedMap([], { compare: 1 as never })).toThrow(
      /compare: expected a function/,
    );
  });

  test('orders strings by code units, numbers and bigints by value, dates by time', () => {
    const keys = ['\uffff', '😀', 'a', 'B', ''];
    expect([...new PersistentSortedMap(keys.map((k) => [k, 1])).keys()]).toEqual([
      '',
      'B',
      'a',
      '😀',
      '\uffff',
    ]);
    expect([
      ...new PersistentSortedMap<number | bigint, number>([
        [10, 1],
        [9n, 2],
        [-0, 3],
      ]).keys(),
    ]).toEqual([0, 9n, 10]);
    const dates = [new Date(5), new Date(3), new Date(5)].map((d): [Date, number] => [d, 1]);
    expect(new PersistentSortedMap(dates).size).toBe(2);
    expect(new PersistentSortedMap([[Number.NaN, 1]]).set(Number.NaN, 2).get(Number.NaN)).toBe(2);
  });

  test('refuses keys without an order', () => {
    for (const [a, b] of [
      [1, 'a'],
      ['10', 9],
      [Number.NaN, 1],
      [{}, {}],
      [undefined, 1],
    ]) {
      expect(() => new PersistentSortedMap<unknown, number>([[a, 1]]).set(b, 1)).toThrow(TypeError);
    }
  });

  test('has the names of Map and of PyPersistent', () => {
    const map = PersistentSortedMap.fromObject({ b: 2, a: 1 });
    expect([...map.keys(), ...map.values()]).toEqual(['a', 'b', 1, 2]);
    expect(map.contains('a') && map.has('b') && !map.has('c')).toBe(true);
    expect(map.get('c', 'none')).toBe('none');
    expect(map.getOrThrow('a')).toBe(1);
    expect(() => map.getOrThrow('c')).toThrow(NotFoundError);
    expect([...map.assoc('c', 3).dissoc('a')].join()).toBe('b,2,c,3');
    expect(map.update('a', (n = 0) => n + 1).get('a')).toBe(2);
    expect(() => map.update('a', 5 as never)).toThrow(TypeError);
    expect(map.clear().size).toBe(0);
    expect(map.copy()).toBe(map);
    expect(PersistentSortedMap.from(map)).toBe(map);
    expect(map.filter(() => true)).toBe(map);
    const seen: unknown[] = [];
    map.forEach((value, key) => {
      seen.push(key, value);
    });
    expect(seen).toEqual(['a', 1, 'b', 2]);
    expect(map.equals(new Map(map))).toBe(false);
    expect(map.equals(map.set('a', 5))).toBe(false);
  });
});
