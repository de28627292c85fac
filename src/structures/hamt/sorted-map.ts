/**
 * The persistent map in the order of its keys, over `sorted-tree.ts`.
 */
import { NotFoundError } from '../../base/errors.js';
import type { Columns } from './build.js';
import { fromBytes, register, SORTED_MAP, toBytes } from './bytes.js';
import type { Difference } from './diff.js';
import { columnsOf, describe, iterableOf, type Mapping } from './mapping.js';
import { Persistent, sameValue } from './persistent.js';
import {
  type Compare,
  erase,
  findNode,
  firstOf,
  from,
  insert,
  lastOf,
  type SortedTree,
  sizeOf,
  treeOf,
  unite,
  upTo,
  walk,
} from './sorted-tree.js';

export interface OrderOptions<K> {
  /**
   * Below 0, 0 or above, as of `Array.prototype.sort`; 0 makes two keys the same.
   * Default: `<`, for strings the order of UTF-16 code units. Keys that `<` does
   * not order, such as 1 and "a", are a TypeError.
   */
  readonly compare?: (a: K, b: K) => number;
}

/**
 * A map in the order of its keys, whose changes each give a new map.
 *
 * Lookup, change, `first`, `last` and `range` cost O(log n). A range shares all
 * but a path with the map that it was taken from.
 *
 * @example
 * new PersistentSortedMap([['b', 2], ['a', 1]]).first(); // ['a', 1]
 */
export class PersistentSortedMap<K, V> extends Persistent implements Iterable<[K, V]> {
  readonly #tree: SortedTree;
  readonly #compare: Compare;

  /**
   * A map of `entries`, of which the later one wins where keys are the same.
   *
   * @throws TypeError when `entries` cannot be iterated, or keys cannot be ordered.
   */
  constructor(entries?: Iterable<readonly [K, V]> | null, options?: OrderOptions<K>);
  constructor(entries: null, options: OrderOptions<K>, tree: SortedTree);
  constructor(
    entries?: Iterable<readonly [K, V]> | null,
    options: OrderOptions<K> = {},
    tree: SortedTree = null,
  ) {
    super();
    const { compare = naturalOrder } = options;
    if (typeof compare !== 'function')
      throw new TypeError(`compare: expected a function, got ${describe(compare)}`);
    this.#compare = compare as Compare;
    this.#tree =
      entries == null ? tree : build(columnsOf('entries', iterableOf('entries', entries)), this.#compare);
  }

  /** The same as the constructor; a PersistentSortedMap with no order asked for is given back as it is. */
  static from<K, V>(
    entries: Iterable<readonly [K, V]>,
    options?: OrderOptions<K>,
  ): PersistentSortedMap<K, V> {
    if (entries instanceof PersistentSortedMap && options === undefined) return entries;
    return new PersistentSortedMap(entries, options);
  }

  /** A map of the own enumerable string properties of `object`. */
  static fromObject<V>(object: Readonly<Record<string, V>>): PersistentSortedMap<string, V> {
    return new PersistentSortedMap(Object.entries(object));
  }

  get [Symbol.toStringTag](): string {
    return 'PersistentSortedMap';
  }

  override get size(): number {
    return sizeOf(this.#tree);
  }

  /** The value of `key`, else `fallback`. */
  get(key: K): V | undefined;
  get<F>(key: K, fallback: F): V | F;
  get(key: K, fallback?: unknown): unknown {
    const node = findNode(this.#tree, key, this.#compare);
    return node === null ? fallback : node.value;
  }

  /** @throws NotFoundError when there is no such key. */
  getOrThrow(key: K): V {
    const node = findNode(this.#tree, key, this.#compare);
    if (node === null) throw new NotFoundError(`no such key: ${describe(key)}`);
    return node.value as V;
  }

  has(key: K): boolean {
    return findNode(this.#tree, key, this.#compare) !== null;
  }

  /** The same as `has`. */
  contains(key: K): boolean {
    return this.has(key);
  }

  /** This map with `value` under `key`: this very map when it is there already, by `Object.is`. */
  set(key: K, value: V): PersistentSortedMap<K, V> {
    // Compared with itself, so that the first key has to have an order too.
    if (this.#tree === null) this.#compare(key, key);
    return this.#with(insert(this.#tree, key === 0 ? (0 as K) : key, value, this.#compare));
  }

  /** The same as `set`. */
  assoc(key: K, value: V): PersistentSortedMap<K, V> {
    return this.set(key, value);
  }

  /** This map without `key`: this very map when there is no such key. */
  delete(key: K): PersistentSortedMap<K, V> {
    return this.#with(erase(this.#tree, key, this.#compare));
  }

  /** The same as `delete`. */
  dissoc(key: K): PersistentSortedMap<K, V> {
    return this.delete(key);
  }

  clear(): PersistentSortedMap<K, V> {
    return this.#with(null);
  }

  /** This map: there is no need to copy what never changes. */
  copy(): this {
    return this;
  }

  /** With a key and a function: as of `PersistentMap`. With a mapping: the same as `merge`. */
  update(key: K, change: (value: V | undefined) => V): PersistentSortedMap<K, V>;
  update(mapping: Mapping<K, V>): PersistentSortedMap<K, V>;
  update(...given: [K, (value: V | undefined) => V] | [Mapping<K, V>]): PersistentSortedMap<K, V> {
    if (given.length === 1) return this.merge(given[0]);
    const [key, change] = given;
    if (typeof change !== 'function')
      throw new TypeError(`update: expected a function, got ${describe(change)}`);
    return this.set(key, change(this.get(key)));
  }

  /** The union. Where both have a key, `resolve` gives the value from both, else that of `other` is taken. */
  merge(other: Mapping<K, V>, resolve?: (left: V, right: V, key: K) => V): PersistentSortedMap<K, V> {
    const compare = this.#compare;
    const right =
      other instanceof PersistentSortedMap && other.#compare === compare
        ? (other.#tree as SortedTree)
        : build(columnsOf('merge', other), compare);
    return this.#with(unite(this.#tree, right, compare, resolve as Parameters<typeof unite>[3]));
  }

  /** This map after all that `change` does to a mutable one; no cheaper than change by change. */
  withMutations(change: (map: MutableSortedMap<K, V>) => void): PersistentSortedMap<K, V> {
    const map = this.asMutable();
    change(map);
    return map.persistent();
  }

  /** A mutable map that begins with these entries, in O(1). This map does not change with it. */
  asMutable(): MutableSortedMap<K, V> {
    return new MutableSortedMap<K, V>(this);
  }

  /** The entry with the lowest key. @throws RangeError when the map is empty. */
  first(): [K, V] {
    if (this.#tree === null) throw new RangeError('first: expected a map that is not empty');
    const { key, value } = firstOf(this.#tree);
    return [key as K, value as V];
  }

  /** The entry with the highest key. @throws RangeError when the map is empty. */
  last(): [K, V] {
    if (this.#tree === null) throw new RangeError('last: expected a map that is not empty');
    const { key, value } = lastOf(this.#tree);
    return [key as K, value as V];
  }

  /** The entries with keys from `start` up to, not with, `end`; without one of them, to that side all. */
  range(range: { readonly start?: K; readonly end?: K } = {}): PersistentSortedMap<K, V> {
    let tree = this.#tree;
    if ('start' in range) tree = from(tree, range.start, this.#compare);
    if ('end' in range) tree = upTo(tree, range.end, this.#compare);
    return this.#with(tree);
  }

  /** The entries from the last to the first, lazily. */
  *reverse(): IterableIterator<[K, V]> {
    for (const { key, value } of walk(this.#tree, true)) yield [key as K, value as V];
  }

  *entries(): IterableIterator<[K, V]> {
    for (const { key, value } of walk(this.#tree, false)) yield [key as K, value as V];
  }

  *keys(): IterableIterator<K> {
    for (const { key } of walk(this.#tree, false)) yield key as K;
  }

  *values(): IterableIterator<V> {
    for (const { value } of walk(this.#tree, false)) yield value as V;
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: K, map: this) => void): void {
    for (const { key, value } of walk(this.#tree, false)) visit(value as V, key as K, this);
  }

  /** The entries that pass `test`: this very map when all do. */
  filter(test: (value: V, key: K, map: this) => boolean): PersistentSortedMap<K, V> {
    const nodes = [...walk(this.#tree, false)].filter(({ key, value }) => test(value as V, key as K, this));
    return nodes.length === this.size ? this : this.#with(treeOf(nodes, 0, nodes.length));
  }

  /** The same keys, each with what `change` makes of its value. */
  map<W>(change: (value: V, key: K, map: this) => W): PersistentSortedMap<K, W> {
    const nodes = [...walk(this.#tree, false)].map(({ key, value }) => {
      return { key, value: change(value as V, key as K, this) };
    });
    return new PersistentSortedMap<K, W>(null, { compare: this.#compare }, treeOf(nodes, 0, nodes.length));
  }

  /** Whether `other` is a PersistentSortedMap with the same entries in the same order. */
  equals(other: unknown): boolean {
    if (this === other) return true;
    if (!(other instanceof PersistentSortedMap) || other.size !== this.size) return false;
    const theirs = walk(other.#tree, false);
    for (const mine of walk(this.#tree, false)) {
      const { key, value } = theirs.next().value as { key: unknown; value: unknown };
      if (!sameValue(mine.key, key) || !sameValue(mine.value, value)) return false;
    }
    return true;
  }

  /** The keys in which `other` differs from this map, those of this map first. */
  diff(other: PersistentSortedMap<K, V>): readonly Difference<K, V>[] {
    if (!(other instanceof PersistentSortedMap)) {
      throw new TypeError(`diff: expected a PersistentSortedMap, got ${describe(other)}`);
    }
    const out: Difference<K, V>[] = [];
    for (const [key, before] of this) {
      const node = findNode(other.#tree, key, other.#compare);
      if (node === null) out.push({ key, kind: 'removed', before });
      else if (!sameValue(before, node.value))
        out.push({ key, kind: 'changed', before, after: node.value as V });
    }
    for (const [key, after] of other) if (!this.has(key)) out.push({ key, kind: 'added', after });
    return out;
  }

  /** Bytes for `fromBytes`; equal maps give equal bytes. As of `PersistentMap`. The order is not in them. */
  toBytes(): Uint8Array {
    return toBytes(this);
  }

  /** @throws CorruptionError, FormatError as `PersistentMap.fromBytes`. */
  static fromBytes<K, V>(bytes: Uint8Array, options: OrderOptions<K> = {}): PersistentSortedMap<K, V> {
    const { compare = naturalOrder } = options;
    return fromBytes(bytes, SORTED_MAP, (columns) => {
      return new PersistentSortedMap<K, V>(null, options, build(columns, compare as Compare));
    });
  }

  static {
    register({
      tag: SORTED_MAP,
      name: 'PersistentSortedMap',
      isPaired: true,
      isOrdered: true,
      owns: (value) => value instanceof PersistentSortedMap,
      make: (columns) => new PersistentSortedMap(null, {}, build(columns, naturalOrder)),
    });
  }

  #with(tree: SortedTree): PersistentSortedMap<K, V> {
    return tree === this.#tree ? this : new PersistentSortedMap<K, V>(null, { compare: this.#compare }, tree);
  }
}

/** A sorted map that is changed in place, by holding its newest version. */
export class MutableSortedMap<K, V> {
  #map: PersistentSortedMap<K, V>;

  /** @internal */
  constructor(map: PersistentSortedMap<K, V>) {
    this.#map = map;
  }

  get size(): number {
    return this.#map.size;
  }

  get(key: K): V | undefined;
  get<F>(key: K, fallback: F): V | F;
  get(key: K, fallback?: unknown): unknown {
    return this.#map.get(key, fallback);
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  set(key: K, value: V): this {
    this.#map = this.#map.set(key, value);
    return this;
  }

  /** Whether there was such a key. */
  delete(key: K): boolean {
    const { size } = this.#map;
    this.#map = this.#map.delete(key);
    return this.#map.size < size;
  }

  clear(): void {
    this.#map = this.#map.clear();
  }

  /** The state of this map, which can go on changing. O(1). */
  persistent(): PersistentSortedMap<K, V> {
    return this.#map;
  }
}

function build({ keys, values }: Columns, compare: Compare): SortedTree {
  let tree: SortedTree = null;
  for (let i = 0; i < keys.length; i++) {
    if (i === 0) compare(keys[0], keys[0]);
    tree = insert(tree, keys[i] === 0 ? 0 : keys[i], values[i], compare);
  }
  return tree;
}

/** @throws TypeError for keys that `<` does not order. */
function naturalOrder(a: unknown, b: unknown): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  // A string and a number have an order only where the string reads as one.
  if (typeof a === typeof b || (isNumeric(a) && isNumeric(b))) {
    const x = a as number;
    const y = b as number;
    if (x < y) return -1;
    if (x > y) return 1;
    if (a instanceof Date && b instanceof Date && a.getTime() === b.getTime()) return 0;
  }
  throw new TypeError(`keys: expected two that have an order, got ${describe(a)} and ${describe(b)}`);
}

function isNumeric(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint';
}
