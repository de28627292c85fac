/**
 * The persistent set: the tree of a map whose every value is `true`.
 */
import type { Secret } from '../../base/hash.js';
import { checkSecret, processSecret } from '../../base/secret.js';
import { buildRoot } from './build.js';
import { fromBytes, register, SET, toBytes } from './bytes.js';
import { KeyIterator } from './cursor.js';
import { type Difference, diffMaps } from './diff.js';
import { equalMaps } from './equal.js';
import { MISSING } from './find.js';
import type { HashOptions } from './map.js';
import { describe, iterableOf } from './mapping.js';
import { mergeMaps } from './merge.js';
import { type Edit, EMPTY, grown, NO_EDIT, type Node, newEdit } from './node.js';
import { Persistent } from './persistent.js';
import { filterRoot } from './reshape.js';
import { forEachEntry, getFrom, putInto, removeFrom } from './trie.js';

/** What the methods of sets accept: a set of any kind, or anything that can be iterated. */
export type SetLike<T> = { readonly size: number; has(value: T): boolean; keys(): Iterator<T> } | Iterable<T>;

/**
 * A set whose changes each give a new set and leave the old one as it was.
 *
 * It has the methods of `Set`, those of ES2025 among them; what changes it gives
 * the set after the change, and this very set when nothing changed. Members
 * compare by SameValueZero. Order and costs as in `PersistentMap`.
 *
 * @example
 * new PersistentSet([1, 2]).union([2, 3]).size; // 3
 */
export class PersistentSet<T> extends Persistent implements Iterable<T> {
  readonly size: number;
  /** @internal */
  readonly root: Node;
  /** @internal */
  readonly secret: Secret;

  /** @throws TypeError when `values` cannot be iterated. */
  constructor(values?: Iterable<T> | null, options?: HashOptions);
  constructor(values: null, options: HashOptions, root: Node, size: number);
  constructor(values?: Iterable<T> | null, options: HashOptions = {}, root?: Node, size: number = 0) {
    super();
    const { secret = processSecret() } = options;
    this.secret = root === undefined ? checkSecret(secret) : secret;
    if (root === undefined && values != null) {
      const keys = [...iterableOf('values', values)];
      ({ root, size } = buildRoot({ keys, values: new Array(keys.length).fill(true) }, this.secret));
    }
    this.root = root ?? EMPTY;
    this.size = size;
  }

  /** The set without members. */
  static empty<T>(secret: Secret = processSecret()): PersistentSet<T> {
    return new PersistentSet<T>(null, { secret: checkSecret(secret) }, EMPTY, 0);
  }

  /** The same as the constructor; a PersistentSet with no other secret asked for is given back as it is. */
  static from<T>(values: Iterable<T>, options?: HashOptions): PersistentSet<T> {
    if (values instanceof PersistentSet && options === undefined) return values;
    return new PersistentSet(values, options);
  }

  static of<T>(...values: T[]): PersistentSet<T> {
    return new PersistentSet(values);
  }

  get [Symbol.toStringTag](): string {
    return 'PersistentSet';
  }

  has(value: T): boolean {
    return getFrom(this.root, this.size, this.secret, value) !== MISSING;
  }

  /** The same as `has`. */
  contains(value: T): boolean {
    return this.has(value);
  }

  add(value: T): PersistentSet<T> {
    const root = putInto(this.root, this.size, this.secret, value, true, NO_EDIT);
    return this.#with(root, this.size + grown[0]!);
  }

  /** The same as `add`. */
  conj(value: T): PersistentSet<T> {
    return this.add(value);
  }

  delete(value: T): PersistentSet<T> {
    const root = removeFrom(this.root, this.size, this.secret, value, NO_EDIT);
    return this.#with(root, this.size + grown[0]!);
  }

  /** The same as `delete`. */
  disj(value: T): PersistentSet<T> {
    return this.delete(value);
  }

  /** The set without members, under the same secret. */
  clear(): PersistentSet<T> {
    return this.#with(EMPTY, 0);
  }

  /** This set: there is no need to copy what never changes. */
  copy(): this {
    return this;
  }

  /** The same as `union`. */
  update<U>(other: SetLike<U>): PersistentSet<T | U> {
    return this.union(other);
  }

  /** This set after all that `change` does to a mutable copy of it. */
  withMutations(change: (set: MutableSet<T>) => void): PersistentSet<T> {
    const set = this.asMutable();
    change(set);
    return set.root === this.root ? this : set.persistent();
  }

  /** A mutable set that begins with these members, in O(1). This set does not change with it. */
  asMutable(): MutableSet<T> {
    return new MutableSet<T>(this.root, this.size, this.secret);
  }

  /** Two PersistentSets under one secret are united by structure: what they share costs nothing. */
  union<U>(other: SetLike<U>): PersistentSet<T | U> {
    const right =
      other instanceof PersistentSet ? (other as PersistentSet<T>) : this.#of(keysOf<T>('union', other));
    const { root, size } = mergeMaps(this, right, undefined);
    return root === right.root && root !== this.root ? right : this.#with(root, size);
  }

  intersection(other: SetLike<unknown>): PersistentSet<T> {
    const right = setOf<T>('intersection', other);
    if (right.size >= this.size) return this.filter((value) => right.has(value));
    return this.#of(keysOf<T>('intersection', right)).filter((value) => this.has(value));
  }

  difference(other: SetLike<unknown>): PersistentSet<T> {
    const right = setOf<T>('difference', other);
    if (right.size >= this.size) return this.filter((value) => !right.has(value));
    return this.withMutations((set) => {
      for (const value of keysOf<T>('difference', right)) set.delete(value);
    });
  }

  symmetricDifference<U>(other: SetLike<U>): PersistentSet<T | U> {
    const right = setOf<T>('symmetricDifference', other);
    return this.withMutations((set) => {
      for (const value of keysOf<T>('symmetricDifference', right)) if (!set.delete(value)) set.add(value);
    });
  }

  isSubsetOf(other: SetLike<unknown>): boolean {
    const right = setOf<T>('isSubsetOf', other);
    if (right.size < this.size) return false;
    for (const value of this) if (!right.has(value)) return false;
    return true;
  }

  isSupersetOf(other: SetLike<unknown>): boolean {
    const right = setOf<T>('isSupersetOf', other);
    if (right.size > this.size) return false;
    for (const value of keysOf<T>('isSupersetOf', right)) if (!this.has(value)) return false;
    return true;
  }

  isDisjointFrom(other: SetLike<unknown>): boolean {
    const right = setOf<T>('isDisjointFrom', other);
    if (right.size < this.size) {
      for (const value of keysOf<T>('isDisjointFrom', right)) if (this.has(value)) return false;
      return true;
    }
    for (const value of this) if (right.has(value)) return false;
    return true;
  }

  /** The members that pass `test`: this very set when all do. */
  filter(test: (value: T, set: this) => boolean): PersistentSet<T> {
    const { root, size } = filterRoot(this.root, this.size, (value) => test(value as T, this));
    return this.#with(root, size);
  }

  /** The set of what `change` makes of the members. */
  map<U>(change: (value: T, set: this) => U): PersistentSet<U> {
    const values: U[] = [];
    this.forEach((value) => {
      values.push(change(value, this));
    });
    return new PersistentSet(values, this);
  }

  /** The members twice, as a `Set` has it. */
  *entries(): IterableIterator<[T, T]> {
    for (const value of this) yield [value, value];
  }

  keys(): IterableIterator<T> {
    return new KeyIterator(this.root);
  }

  values(): IterableIterator<T> {
    return new KeyIterator(this.root);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return new KeyIterator(this.root);
  }

  forEach(visit: (value: T, again: T, set: this) => void): void {
    forEachEntry(this.root, (value) => visit(value as T, value as T, this));
  }

  /** Whether `other` is a PersistentSet with the same members. Skips what the two share. */
  equals(other: unknown): boolean {
    return this === other || (other instanceof PersistentSet && equalMaps(this, other));
  }

  /** The members that only `other` has ("added") or only this set ("removed"), in no order. */
  diff(other: PersistentSet<T>): readonly Difference<T, true>[] {
    if (!(other instanceof PersistentSet)) {
      throw new TypeError(`diff: expected a PersistentSet, got ${describe(other)}`);
    }
    return diffMaps(this, other) as Difference<T, true>[];
  }

  /** Bytes for `fromBytes`; equal sets give equal bytes. As of `PersistentMap`. */
  toBytes(): Uint8Array {
    return toBytes(this);
  }

  /** @throws CorruptionError, FormatError as `PersistentMap.fromBytes`. */
  static fromBytes<T>(bytes: Uint8Array, options?: HashOptions): PersistentSet<T> {
    return fromBytes(bytes, SET, ({ keys }) => new PersistentSet(keys as T[], options));
  }

  static {
    register({
      tag: SET,
      name: 'PersistentSet',
      isPaired: false,
      isOrdered: false,
      owns: (value) => value instanceof PersistentSet,
      make: ({ keys }) => new PersistentSet(keys),
    });
  }

  #of(values: Iterable<T>): PersistentSet<T> {
    return new PersistentSet(values, this);
  }

  #with(root: Node, size: number): PersistentSet<T> {
    return root === this.root ? this : new PersistentSet<T>(null, this, root, size);
  }
}

/** A set that is changed in place and gives its state away at no cost; `MutableMap` says how. */
export class MutableSet<T> {
  /** @internal */
  root: Node;
  #size: number;
  readonly #secret: Secret;
  #edit: Edit = newEdit();

  /** @internal */
  constructor(root: Node, size: number, secret: Secret) {
    this.root = root;
    this.#size = size;
    this.#secret = secret;
  }

  get size(): number {
    return this.#size;
  }

  has(value: T): boolean {
    return getFrom(this.root, this.#size, this.#secret, value) !== MISSING;
  }

  add(value: T): this {
    this.root = putInto(this.root, this.#size, this.#secret, value, true, this.#edit);
    this.#size += grown[0]!;
    return this;
  }

  /** Whether it was a member. */
  delete(value: T): boolean {
    this.root = removeFrom(this.root, this.#size, this.#secret, value, this.#edit);
    this.#size += grown[0]!;
    return grown[0] !== 0;
  }

  clear(): void {
    this.root = EMPTY;
    this.#size = 0;
  }

  /** The state of this set, which can go on changing. O(1). */
  persistent(): PersistentSet<T> {
    this.#edit = newEdit();
    return new PersistentSet<T>(null, { secret: this.#secret }, this.root, this.#size);
  }
}

interface Sized<T> {
  readonly size: number;
  has(value: T): boolean;
  keys(): Iterator<T>;
}

/** `other` as a set of T: what else is in it is in no set of T. */
function setOf<T>(name: string, other: SetLike<unknown>): Sized<T> {
  return isSized(other) ? (other as Sized<T>) : new Set(iterableOf(name, other) as Iterable<T>);
}

function keysOf<T>(name: string, other: SetLike<unknown>): Iterable<T> {
  if (!isSized(other)) return iterableOf(name, other) as Iterable<T>;
  // `keys()` of a set-like need be no more than an iterator.
  return { [Symbol.iterator]: () => other.keys() as Iterator<T> };
}

function isSized(other: SetLike<unknown>): other is Sized<unknown> {
  const { size, has, keys } = (other ?? {}) as Partial<Sized<unknown>>;
  return typeof size === 'number' && typeof has === 'function' && typeof keys === 'function';
}
