/**
 * The persistent vector: an array whose changes each give a new one.
 *
 * Costs, of n elements: reading and replacing O(log32 n), appending and removing
 * at the end O(1) but for every 32nd, a slice from the beginning O(log32 n), any
 * other slice and `concat` the elements that are moved, `equals` and `diff` what the
 * two vectors do not share.
 */
import { fromBytes, register, toBytes, VECTOR } from './bytes.js';
import type { Difference } from './diff.js';
import { describe, iterableOf } from './mapping.js';
import { Persistent, sameValue } from './persistent.js';
import {
  EMPTY_TRIE,
  everyUnshared,
  leafOf,
  pushOne,
  setAt,
  take,
  VectorBuilder,
  type VectorTrie,
  WIDTH,
} from './vector-trie.js';

/** The most elements that `toString` shows. */
const SHOWN = 20;

/**
 * A vector whose changes each give a new vector and leave the old one as it was.
 *
 * Indices count from the end where they are negative, everywhere.
 *
 * @example
 * new PersistentVector([1, 2]).push(3).at(-1); // 3
 */
export class PersistentVector<T> extends Persistent implements Iterable<T> {
  readonly #trie: VectorTrie;

  /** @throws TypeError when `values` cannot be iterated. */
  constructor(values?: Iterable<T> | null);
  constructor(values: null, trie: VectorTrie);
  constructor(values?: Iterable<T> | null, trie: VectorTrie = EMPTY_TRIE) {
    super();
    if (values != null) {
      const builder = new VectorBuilder(trie);
      for (const value of iterableOf('values', values)) builder.push(value);
      trie = builder.trie();
    }
    this.#trie = trie;
  }

  static empty<T>(): PersistentVector<T> {
    return new PersistentVector<T>();
  }

  /** The same as the constructor; a PersistentVector is given back as it is. */
  static from<T>(values: Iterable<T>): PersistentVector<T> {
    return values instanceof PersistentVector ? values : new PersistentVector(values);
  }

  static of<T>(...values: T[]): PersistentVector<T> {
    return new PersistentVector(values);
  }

  get [Symbol.toStringTag](): string {
    return 'PersistentVector';
  }

  override get size(): number {
    return this.#trie.size;
  }

  /** The element at `index`, else `undefined`. */
  at(index: number): T | undefined {
    return this.get(index);
  }

  /** The element at `index`, else `fallback`. */
  get(index: number): T | undefined;
  get<F>(index: number, fallback: F): T | F;
  get(index: number, fallback?: unknown): unknown {
    const trie = this.#trie;
    const i = index < 0 ? index + trie.size : index;
    if (!(i >= 0 && i < trie.size && Number.isInteger(i))) return fallback;
    return leafOf(trie, i)[i & (WIDTH - 1)];
  }

  /** @throws RangeError when there is no element at `index`. */
  getOrThrow(index: number): T {
    const i = this.#indexOrThrow(index);
    return leafOf(this.#trie, i)[i & (WIDTH - 1)] as T;
  }

  /** The same as `getOrThrow`. */
  nth(index: number): T {
    return this.getOrThrow(index);
  }

  /**
   * This vector with `value` at `index`: this very vector when it is there already.
   *
   * @throws RangeError when there is no element at `index`.
   */
  set(index: number, value: T): PersistentVector<T> {
    const i = this.#indexOrThrow(index);
    if (Object.is(leafOf(this.#trie, i)[i & (WIDTH - 1)], value)) return this;
    return vectorOf(setAt(this.#trie, i, value));
  }

  /** The same as `set`. */
  assoc(index: number, value: T): PersistentVector<T> {
    return this.set(index, value);
  }

  /** The same as `set`. */
  with(index: number, value: T): PersistentVector<T> {
    return this.set(index, value);
  }

  /** @throws RangeError when there is no element at `index`. */
  update(index: number, change: (value: T) => T): PersistentVector<T> {
    return this.set(index, change(this.getOrThrow(index)));
  }

  push(...values: T[]): PersistentVector<T> {
    if (values.length === 1) return vectorOf(pushOne(this.#trie, values[0]));
    return this.concat(values);
  }

  /** The same as `push` of one element. */
  append(value: T): PersistentVector<T> {
    return this.push(value);
  }

  /** The same as `push` of one element. */
  conj(value: T): PersistentVector<T> {
    return this.push(value);
  }

  /**
   * This vector without its last element.
   *
   * @throws RangeError when it is empty.
   */
  pop(): PersistentVector<T> {
    if (this.size === 0) throw new RangeError('pop: expected a vector that is not empty');
    return this.slice(0, -1);
  }

  /** The elements from `start` up to, not with, `end`, cut to what there is, as of an array. */
  slice(start: number = 0, end: number = this.size): PersistentVector<T> {
    const from = clamp(start, this.size);
    const to = clamp(end, this.size);
    if (to <= from) return vectorOf(EMPTY_TRIE);
    if (from === 0) return to === this.size ? this : vectorOf(take(this.#trie, to));
    const builder = new VectorBuilder(EMPTY_TRIE);
    for (let i = from; i < to; i++) builder.push(leafOf(this.#trie, i)[i & (WIDTH - 1)]);
    return vectorOf(builder.trie());
  }

  concat(values: Iterable<T>): PersistentVector<T> {
    const builder = new VectorBuilder(this.#trie);
    for (const value of iterableOf('concat', values)) builder.push(value);
    return builder.size === this.size ? this : vectorOf(builder.trie());
  }

  /** The vector without elements. */
  clear(): PersistentVector<T> {
    return this.size === 0 ? this : vectorOf(EMPTY_TRIE);
  }

  /** This vector: there is no need to copy what never changes. */
  copy(): this {
    return this;
  }

  /** This vector after all that `change` pushes to it: several times cheaper than one by one. */
  withMutations(
    change: (vector: { readonly size: number; push(value: T): void }) => void,
  ): PersistentVector<T> {
    const builder = new VectorBuilder(this.#trie);
    change(builder);
    return builder.size === this.size ? this : vectorOf(builder.trie());
  }

  /** Where `value` first is, by SameValueZero and into persistent values; -1 when nowhere. */
  indexOf(value: T): number {
    let i = 0;
    for (const element of this) {
      if (sameValue(element, value)) return i;
      i++;
    }
    return -1;
  }

  includes(value: T): boolean {
    return this.indexOf(value) >= 0;
  }

  /** The same as `includes`. */
  contains(value: T): boolean {
    return this.includes(value);
  }

  forEach(visit: (value: T, index: number, vector: this) => void): void {
    let i = 0;
    for (const value of this) visit(value, i++, this);
  }

  map<U>(change: (value: T, index: number, vector: this) => U): PersistentVector<U> {
    const builder = new VectorBuilder(EMPTY_TRIE);
    this.forEach((value, index) => {
      builder.push(change(value, index, this));
    });
    return vectorOf(builder.trie());
  }

  /** The elements that pass `test`: this very vector when all do. */
  filter(test: (value: T, index: number, vector: this) => boolean): PersistentVector<T> {
    const builder = new VectorBuilder(EMPTY_TRIE);
    this.forEach((value, index) => {
      if (test(value, index, this)) builder.push(value);
    });
    return builder.size === this.size ? this : vectorOf(builder.trie());
  }

  toArray(): T[] {
    return [...this];
  }

  *entries(): IterableIterator<[number, T]> {
    let i = 0;
    for (const value of this) yield [i++, value];
  }

  *keys(): IterableIterator<number> {
    for (let i = 0; i < this.size; i++) yield i;
  }

  values(): IterableIterator<T> {
    return this[Symbol.iterator]();
  }

  *[Symbol.iterator](): IterableIterator<T> {
    const trie = this.#trie;
    for (let start = 0; start < trie.size; start += WIDTH) {
      const leaf = leafOf(trie, start);
      for (let i = 0; i < leaf.length; i++) yield leaf[i] as T;
    }
  }

  /** Whether `other` is a PersistentVector of the same elements. Skips what the two share. */
  equals(other: unknown): boolean {
    if (this === other) return true;
    if (!(other instanceof PersistentVector) || other.size !== this.size) return false;
    return everyUnshared(this.#trie, other.#trie, (a, b) => a.every((value, i) => sameValue(value, b[i])));
  }

  /**
   * The indices at which `other` differs from this vector, ascending; its further
   * elements are "added", those that it has no longer "removed". Elements that are
   * equal as in `equals` do not differ. Nothing is taken as moved: after a slice
   * from the middle nearly all differ. Skips what the two share.
   */
  diff(other: PersistentVector<T>): readonly Difference<number, T>[] {
    if (!(other instanceof PersistentVector)) {
      throw new TypeError(`diff: expected a PersistentVector, got ${describe(other)}`);
    }
    const out: Difference<number, T>[] = [];
    everyUnshared(this.#trie, other.#trie, (a, b, start) => {
      for (let i = 0; i < Math.min(a.length, b.length); i++) {
        if (sameValue(a[i], b[i])) continue;
        out.push({ key: start + i, kind: 'changed', before: a[i] as T, after: b[i] as T });
      }
      return true;
    });
    for (let key = other.size; key < this.size; key++) {
      out.push({ key, kind: 'removed', before: this.get(key) as T });
    }
    for (let key = this.size; key < other.size; key++) {
      out.push({ key, kind: 'added', after: other.get(key) as T });
    }
    return out;
  }

  /** Bytes for `fromBytes`; equal vectors give equal bytes. As of `PersistentMap`. */
  toBytes(): Uint8Array {
    return toBytes(this);
  }

  /** @throws CorruptionError, FormatError as `PersistentMap.fromBytes`. */
  static fromBytes<T>(bytes: Uint8Array): PersistentVector<T> {
    return fromBytes(bytes, VECTOR, ({ keys }) => new PersistentVector(keys as T[]));
  }

  static {
    register({
      tag: VECTOR,
      name: 'PersistentVector',
      isPaired: false,
      isOrdered: true,
      owns: (value) => value instanceof PersistentVector,
      make: ({ keys }) => new PersistentVector(keys),
    });
  }

  /** The first elements and how many more there are. */
  override toString(): string {
    const shown = this.slice(0, SHOWN).toArray().map(describe).join(', ');
    return `PersistentVector(${this.size}) [${shown}${this.size > SHOWN ? ', …' : ''}]`;
  }

  #indexOrThrow(index: number): number {
    const i = index < 0 ? index + this.size : index;
    if (!(i >= 0 && i < this.size && Number.isInteger(i))) {
      throw new RangeError(
        `index: expected a whole number within ${this.size} elements, got ${String(index)}`,
      );
    }
    return i;
  }
}

function vectorOf<T>(trie: VectorTrie): PersistentVector<T> {
  return new PersistentVector<T>(null, trie);
}

function clamp(index: number, size: number): number {
  const i = Math.trunc(index) || 0;
  return i < 0 ? Math.max(0, i + size) : Math.min(i, size);
}
