/**
 * The persistent map, and the mutable one that changes are gathered in.
 *
 * Both are a root and a size over `trie.ts`. A `PersistentMap` never changes. A
 * `MutableMap` changes the nodes that it made itself and copies all others, and
 * gives its state away as a `PersistentMap` at any time in O(1): from then on
 * those nodes count as not its own.
 *
 * Costs: a lookup or change reads the path to the key, about log32 n nodes; a
 * change of a `PersistentMap` copies it besides.
 */
import { NotFoundError } from '../../base/errors.js';
import type { Secret } from '../../base/hash.js';
import { checkSecret, processSecret } from '../../base/secret.js';
import { buildRoot, type Columns } from './build.js';
import { fromBytes, MAP, register, toBytes } from './bytes.js';
import { EntryIterator, KeyIterator, ValueIterator } from './cursor.js';
import { type Difference, diffMaps } from './diff.js';
import { equalMaps } from './equal.js';
import { MISSING } from './find.js';
import { columnsOf, describe, iterableOf, type Mapping } from './mapping.js';
import { mergeMaps, type Resolve } from './merge.js';
import { EMPTY, grown, NO_EDIT, type Node } from './node.js';
import { Persistent } from './persistent.js';
import { filterRoot, mapNode } from './reshape.js';
import { forEachEntry, getFrom, putInto, removeFrom } from './trie.js';
import { TrieMap } from './trie-map.js';

export interface HashOptions {
  /** Seeds the hash of the keys. Default: the secret of this process, drawn at random when first needed. */
  readonly secret?: Secret;
}

/**
 * A map whose changes each give a new map and leave the old one as it was.
 *
 * It reads like a `Map`: keys are any values, compared by SameValueZero. A map
 * of at most 8 entries is in order of insertion, a larger one in the order of
 * hashes, which differs from process to process. Change and lookup cost
 * O(log32 n), a copy nothing.
 *
 * @example
 * const before = new PersistentMap([['a', 1]]);
 * const after = before.set('b', 2);
 * before.size; // 1
 */
export class PersistentMap<K, V> extends Persistent implements Iterable<[K, V]> {
  readonly size: number;
  /** @internal */
  readonly root: Node;
  /** @internal */
  readonly secret: Secret;

  /**
   * A map of `entries`, of which the later one wins where keys are the same.
   *
   * @throws TypeError when `entries` cannot be iterated, or one of them is no pair.
   */
  constructor(entries?: Iterable<readonly [K, V]> | null, options?: HashOptions);
  constructor(entries: null, options: HashOptions, root: Node, size: number);
  constructor(
    entries?: Iterable<readonly [K, V]> | null,
    options: HashOptions = {},
    root?: Node,
    size: number = 0,
  ) {
    super();
    const { secret = processSecret() } = options;
    this.secret = root === undefined ? checkSecret(secret) : secret;
    if (root === undefined && entries != null) {
      ({ root, size } = buildRoot(columnsOf('entries', iterableOf('entries', entries)), this.secret));
    }
    this.root = root ?? EMPTY;
    this.size = size;
  }

  /** The map without entries, whose keys and those of all maps made from it are hashed with `secret`. */
  static empty<K, V>(secret: Secret = processSecret()): PersistentMap<K, V> {
    return new PersistentMap<K, V>(null, { secret: checkSecret(secret) }, EMPTY, 0);
  }

  /** The same as the constructor; a PersistentMap with no other secret asked for is given back as it is. */
  static from<K, V>(entries: Iterable<readonly [K, V]>, options?: HashOptions): PersistentMap<K, V> {
    if (entries instanceof PersistentMap && options === undefined) return entries;
    return new PersistentMap(entries, options);
  }

  /** A map of the own enumerable string properties of `object`. */
  static fromObject<V>(object: Readonly<Record<string, V>>, options?: HashOptions): PersistentMap<string, V> {
    return new PersistentMap(Object.entries(object), options);
  }

  get [Symbol.toStringTag](): string {
    return 'PersistentMap';
  }

  /** The value of `key`, else `fallback`. A value `undefined` is a value: it wins over `fallback`. */
  get(key: K): V | undefined;
  get<F>(key: K, fallback: F): V | F;
  get(key: K, fallback?: unknown): unknown {
    const value = getFrom(this.root, this.size, this.secret, key);
    return value === MISSING ? fallback : value;
  }

  /** @throws NotFoundError when there is no such key. */
  getOrThrow(key: K): V {
    const value = getFrom(this.root, this.size, this.secret, key);
    if (value === MISSING) throw new NotFoundError(`no such key: ${describe(key)}`);
    return value as V;
  }

  has(key: K): boolean {
    return getFrom(this.root, this.size, this.secret, key) !== MISSING;
  }

  /** This map with `value` under `key`: this very map when it is there already, by `Object.is`. */
  set(key: K, value: V): PersistentMap<K, V> {
    const root = putInto(this.root, this.size, this.secret, key, value, NO_EDIT);
    return root === this.root ? this : this.#with(root, this.size + grown[0]!);
  }

  /** This map without `key`: this very map when there is no such key. */
  delete(key: K): PersistentMap<K, V> {
    const root = removeFrom(this.root, this.size, this.secret, key, NO_EDIT);
    return root === this.root ? this : this.#with(root, this.size + grown[0]!);
  }

  /** The same as `set`. */
  assoc(key: K, value: V): PersistentMap<K, V> {
    return this.set(key, value);
  }

  /** The same as `delete`. */
  dissoc(key: K): PersistentMap<K, V> {
    return this.delete(key);
  }

  /** The same as `has`. */
  contains(key: K): boolean {
    return this.has(key);
  }

  /** The map without entries, under the same secret. */
  clear(): PersistentMap<K, V> {
    return this.size === 0 ? this : this.#with(EMPTY, 0);
  }

  /** This map: there is no need to copy what never changes. */
  copy(): this {
    return this;
  }

  /**
   * With a key and a function: this map with what the function makes of the
   * key's value, or of `undefined` when there is none. With a mapping: the same as `merge`.
   */
  update(key: K, change: (value: V | undefined) => V): PersistentMap<K, V>;
  update(mapping: Mapping<K, V>): PersistentMap<K, V>;
  update(...given: [K, (value: V | undefined) => V] | [Mapping<K, V>]): PersistentMap<K, V> {
    if (given.length === 1) return this.merge(given[0]);
    const [key, change] = given;
    if (typeof change !== 'function') {
      throw new TypeError(`update: expected a function, got ${describe(change)}`);
    }
    return this.set(key, change(this.get(key)));
  }

  /**
   * The union of this map and `other`: pairs, or an object for its own properties.
   *
   * Where both have a key, `resolve` gives the value from both, and without it
   * that of `other` is taken. Two maps under one secret are merged by structure:
   * what they share costs nothing, unless there is a `resolve` to be asked.
   */
  merge(other: Mapping<K, V>, resolve?: (left: V, right: V, key: K) => V): PersistentMap<K, V> {
    if (resolve !== undefined && typeof resolve !== 'function') {
      throw new TypeError(`merge: expected a function, got ${describe(resolve)}`);
    }
    let right: PersistentMap<K, V>;
    if (other instanceof PersistentMap) right = other;
    else {
      const built = buildRoot(columnsOf('merge', other), this.secret);
      right = this.#with(built.root, built.size);
    }
    const { root, size } = mergeMaps(this, right, resolve as Resolve | undefined);
    return root === this.root ? this : root === right.root ? right : this.#with(root, size);
  }

  /** The entries that pass `test`: this very map when all do. Keeps the parts in which all do. */
  filter(test: (value: V, key: K, map: this) => boolean): PersistentMap<K, V> {
    const { root, size } = filterRoot(this.root, this.size, (key, value) => test(value as V, key as K, this));
    return root === this.root ? this : this.#with(root, size);
  }

  /** The same keys, each with what `change` makes of its value. */
  map<W>(change: (value: V, key: K, map: this) => W): PersistentMap<K, W> {
    const root = mapNode(this.root, (key, value) => change(value as V, key as K, this));
    return new PersistentMap<K, W>(null, this, root, this.size);
  }

  /**
   * This map after all that `change` does to a mutable copy of it: several times
   * cheaper than one `set` after the other. This very map when nothing changed.
   */
  withMutations(change: (map: MutableMap<K, V>) => void): PersistentMap<K, V> {
    const map = this.asMutable();
    change(map);
    return map.root === this.root ? this : map.persistent();
  }

  /** A mutable map that begins with these entries, in O(1). This map does not change with it. */
  asMutable(): MutableMap<K, V> {
    return new MutableMap<K, V>(this.secret, this.root, this.size);
  }

  /** Iterates lazily, in O(log n) memory. */
  entries(): IterableIterator<[K, V]> {
    return new EntryIterator(this.root);
  }

  keys(): IterableIterator<K> {
    return new KeyIterator(this.root);
  }

  values(): IterableIterator<V> {
    return new ValueIterator(this.root);
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return new EntryIterator(this.root);
  }

  /** The quickest way over all entries. */
  forEach(visit: (value: V, key: K, map: this) => void): void {
    forEachEntry(this.root, (key, value) => visit(value as V, key as K, this));
  }

  /** Whether `other` is a PersistentMap with the same entries. Skips what the two share. */
  equals(other: unknown): boolean {
    return this === other || (other instanceof PersistentMap && equalMaps(this, other));
  }

  /**
   * The keys in which `other` differs from this map, in no order. Values that
   * are equal as in `equals` do not differ. Skips what the two share: the cost
   * goes with the changes, not with the sizes.
   */
  diff(other: PersistentMap<K, V>): readonly Difference<K, V>[] {
    if (!(other instanceof PersistentMap)) {
      throw new TypeError(`diff: expected a PersistentMap, got ${describe(other)}`);
    }
    return diffMaps(this, other) as Difference<K, V>[];
  }

  /**
   * Bytes for `fromBytes`, checked and versioned (`bytes.ts` has the format).
   * Equal maps give equal bytes, whatever their secrets and histories. Keys and
   * values are what can be stored, and persistent collections of it.
   *
   * @throws SerializationError for anything else.
   */
  toBytes(): Uint8Array {
    return toBytes(this);
  }

  /**
   * The map of which `toBytes` gave `bytes`.
   *
   * @throws CorruptionError when the bytes are damaged, FormatError when they are
   *   of another kind or a newer version.
   */
  static fromBytes<K, V>(bytes: Uint8Array, options?: HashOptions): PersistentMap<K, V> {
    return fromBytes(bytes, MAP, (columns) => PersistentMap.ofColumns<K, V>(columns, options));
  }

  static {
    register({
      tag: MAP,
      name: 'PersistentMap',
      isPaired: true,
      isOrdered: false,
      owns: (value) => value instanceof PersistentMap,
      make: (columns) => PersistentMap.ofColumns(columns),
    });
  }

  /** @internal */
  static ofColumns<K, V>(columns: Columns, options: HashOptions = {}): PersistentMap<K, V> {
    const secret = checkSecret(options.secret ?? processSecret());
    const { root, size } = buildRoot(columns, secret);
    return new PersistentMap<K, V>(null, { secret }, root, size);
  }

  #with(root: Node, size: number): PersistentMap<K, V> {
    // `this` has the one option that there is.
    return new PersistentMap<K, V>(null, this, root, size);
  }
}

/**
 * A map that is changed in place and gives its state away at no cost.
 *
 * What `persistent()` gave away stays as it was: changes after it copy what they
 * touch. A loop over this map goes over its state when the loop began.
 */
export class MutableMap<K, V> extends TrieMap<K, V> {
  /** The state of this map, which can go on changing. O(1). */
  persistent(): PersistentMap<K, V> {
    return new PersistentMap<K, V>(null, { secret: this.secret }, this.released(), this.size);
  }
}
