/**
 * TrieMap: the least that a map over `trie.ts` can do, changed in place.
 *
 * `fork` gives another map that begins with the same entries, in O(1): both count the
 * nodes that there are as not their own, and copy what they change. `MutableMap` is
 * this and leads back to a `PersistentMap`; who needs no more than versions takes a
 * TrieMap alone, and loads neither merging nor comparing nor bytes with it.
 */
import type { Secret } from '../../base/hash.js';
import { EntryIterator, KeyIterator, ValueIterator } from './cursor.js';
import { MISSING } from './find.js';
import { EMPTY, grown, type Node, newEdit } from './node.js';
import { getFrom, putInto, removeFrom } from './trie.js';

/** A map that is changed in place. A loop over it goes over its state when the loop began. */
export class TrieMap<K, V> implements Iterable<[K, V]> {
  /** @internal */
  root: Node;
  /** @internal */
  readonly secret: Secret;
  #size: number;
  #edit = newEdit();

  constructor(secret: Secret, root: Node = EMPTY, size = 0) {
    this.root = root;
    this.#size = size;
    this.secret = secret;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined;
  get<F>(key: K, fallback: F): V | F;
  get(key: K, fallback?: unknown): unknown {
    const value = getFrom(this.root, this.#size, this.secret, key);
    return value === MISSING ? fallback : value;
  }

  has(key: K): boolean {
    return getFrom(this.root, this.#size, this.secret, key) !== MISSING;
  }

  set(key: K, value: V): this {
    this.root = putInto(this.root, this.#size, this.secret, key, value, this.#edit);
    this.#size += grown[0]!;
    return this;
  }

  /** Whether there was such a key. */
  delete(key: K): boolean {
    this.root = removeFrom(this.root, this.#size, this.secret, key, this.#edit);
    this.#size += grown[0]!;
    return grown[0] !== 0;
  }

  clear(): void {
    this.root = EMPTY;
    this.#size = 0;
  }

  /** A map with the entries of this one; neither changes with the other. O(1). */
  fork(): TrieMap<K, V> {
    return new TrieMap<K, V>(this.secret, this.released(), this.#size);
  }

  entries(): IterableIterator<[K, V]> {
    return new EntryIterator(this.released());
  }

  keys(): IterableIterator<K> {
    return new KeyIterator(this.released());
  }

  values(): IterableIterator<V> {
    return new ValueIterator(this.released());
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  /** The root, no longer to be changed by anybody. */
  protected released(): Node {
    this.#edit = newEdit();
    return this.root;
  }
}

/** A TrieMap for reading alone, as `ReadonlyMap` is to `Map`. */
export type ReadonlyTrieMap<K, V> = Pick<
  TrieMap<K, V>,
  'get' | 'has' | 'size' | 'entries' | 'keys' | 'values' | typeof Symbol.iterator
>;
