/** What an earlier release wrote is read, and is written again in the same bytes. */
import { describe, expect, test } from 'vitest';
import {
  type Persistent,
  PersistentMap,
  PersistentSet,
  PersistentSortedMap,
  PersistentVector,
} from '../../../src/structures/hamt/index.js';
import { expectGolden, golden } from '../golden.js';

const FILE = 'hamt-v1/collections.json';
const CLASSES: Readonly<Record<string, { fromBytes(bytes: Uint8Array): Persistent }>> = {
  PersistentMap,
  PersistentSet,
  PersistentSortedMap,
  PersistentVector,
};

const collections = (): Record<string, Persistent> => ({
  'an empty map': new PersistentMap(),
  'an empty set': new PersistentSet(),
  'an empty sorted map': new PersistentSortedMap(),
  'an empty vector': new PersistentVector(),
  'a map of keys of every kind': new PersistentMap<unknown, unknown>([
    ['', 'an empty key'],
    ['\ud800', 'a lone surrogate'],
    ['漢字 😀', 'x'.repeat(200)],
    [0, -0],
    [-1.5, Number.POSITIVE_INFINITY],
    [Number.NaN, Number.NaN],
    [2n ** 64n, -1n],
    [null, undefined],
    [undefined, null],
    [true, false],
  ]),
  'a map of values by content': new PersistentMap<string, unknown>([
    ['bytes', Uint8Array.of(0, 127, 255)],
    ['date', new Date(5)],
    ['plain', { list: [1, [2]], map: new Map([['k', new Set([1])]]) }],
  ]),
  'a set': new PersistentSet(['b', 'a', 1, Number.NaN]),
  'a sorted map': new PersistentSortedMap(Array.from({ length: 130 }, (_, i) => [130 - i, i % 3])),
  'a vector of 33': new PersistentVector(Array.from({ length: 33 }, (_, i) => i)),
  'collections in one another': new PersistentMap<unknown, unknown>([
    ['set', new PersistentSet([new PersistentSet([1]), 'x'])],
    [new PersistentVector(['key']), new PersistentSortedMap([['k', new PersistentMap([['v', 1]])]])],
  ]),
});

describe('the format of collections, version 1', () => {
  test('is written as in the golden file', () => {
    const written = Object.entries(collections()).map(([name, each]) => [
      name,
      (each as PersistentVector<unknown>).toBytes(),
    ]);
    expectGolden(FILE, Object.fromEntries(written));
  });

  test('is read from the golden file', () => {
    const bytes = golden(FILE);
    const wanted = Object.entries(collections());
    expect(Object.keys(bytes)).toEqual(wanted.map(([name]) => name));
    for (const [name, each] of wanted) {
      const back = CLASSES[each.constructor.name]!.fromBytes(bytes[name]!);
      // By content, also of what only is equal to itself.
      expect(plain(back), name).toEqual(plain(each));
    }
  });
});

/** A collection as arrays, all the way down, in an order that goes with the content. */
function plain(value: unknown): unknown {
  if (value instanceof PersistentVector) return ['vector', value.toArray().map(plain)];
  if (value instanceof PersistentSortedMap) return ['sorted', [...value].map((pair) => pair.map(plain))];
  if (value instanceof PersistentSet) return ['set', sorted([...value].map(plain))];
  if (value instanceof PersistentMap) return ['map', sorted([...value].map((pair) => pair.map(plain)))];
  // -0 is written as 0.
  return value === 0 ? 0 : value;
}

function sorted(items: unknown[]): unknown[] {
  const text = (item: unknown): string =>
    Array.isArray(item)
      ? `[${item.map(text)}]`
      : `${typeof item} ${Object.is(item, null) ? '' : String(item)}`;
  return items.sort((a, b) => (text(a) < text(b) ? -1 : 1));
}
