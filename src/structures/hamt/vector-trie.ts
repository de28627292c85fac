/**
 * Elements in order, in a trie of 32 children a node and a tail.
 *
 * The digits of an index, five bits each, are the way from the root to a leaf
 * of 32 elements. The last one to 32 elements stand in the tail, outside of the
 * trie, so that most appends copy nothing else. Nodes and leaves are plain arrays.
 *
 * Invariants
 *  1. `size` = elements of the trie, a multiple of 32, + `tail.length`.
 *  2. The tail is empty exactly when the vector is.
 *  3. `shift` is the shift of the root's digit; the root has two children at
 *     least where it is above 5, and is an empty array when the trie is empty.
 */
export interface VectorTrie {
  readonly size: number;
  readonly shift: number;
  readonly root: readonly unknown[];
  readonly tail: readonly unknown[];
}

type Branch = readonly unknown[];

const BITS = 5;
export const WIDTH = 32;
const MASK = WIDTH - 1;
const NOTHING: Branch = [];

export const EMPTY_TRIE: VectorTrie = { size: 0, shift: BITS, root: NOTHING, tail: NOTHING };

/** The leaf or tail with the element `index`, at `index & 31`. REQUIRES: 0 <= index < size. */
export function leafOf(trie: VectorTrie, index: number): Branch {
  if (index >= trie.size - trie.tail.length) return trie.tail;
  let node = trie.root;
  for (let shift = trie.shift; shift > 0; shift -= BITS) node = node[(index >>> shift) & MASK] as Branch;
  return node;
}

/** REQUIRES: 0 <= index < size. */
export function setAt(trie: VectorTrie, index: number, value: unknown): VectorTrie {
  const { size, shift, root, tail } = trie;
  if (index >= size - tail.length) return { size, shift, root, tail: replaced(tail, index & MASK, value) };
  return { size, shift, root: setBelow(root, shift, index, value), tail };
}

function setBelow(node: Branch, shift: number, index: number, value: unknown): Branch {
  const digit = (index >>> shift) & MASK;
  if (shift === 0) return replaced(node, digit, value);
  return replaced(node, digit, setBelow(node[digit] as Branch, shift - BITS, index, value));
}

export function pushOne(trie: VectorTrie, value: unknown): VectorTrie {
  const { size, shift, root, tail } = trie;
  if (tail.length < WIDTH) return { size: size + 1, shift, root, tail: [...tail, value] };
  const grown = pushLeaf(trie, tail);
  return { size: size + 1, shift: grown.shift, root: grown.root, tail: [value] };
}

/** The trie with a full leaf more. `size` counts its elements when they stood in the tail, as they must. */
export function pushLeaf(trie: VectorTrie, leaf: Branch): { shift: number; root: Branch } {
  const index = trie.size - WIDTH;
  const { shift, root } = trie;
  // The trie is full when the index has a digit above the root's.
  if (index >>> (shift + BITS) > 0) {
    return { shift: shift + BITS, root: [root, pathTo(leaf, shift)] };
  }
  return { shift, root: pushBelow(root, shift, index, leaf) };
}

function pushBelow(node: Branch, shift: number, index: number, leaf: Branch): Branch {
  const digit = (index >>> shift) & MASK;
  if (shift === BITS) return [...node, leaf];
  const child = node[digit] as Branch | undefined;
  if (child === undefined) return [...node, pathTo(leaf, shift - BITS)];
  return replaced(node, digit, pushBelow(child, shift - BITS, index, leaf));
}

function pathTo(leaf: Branch, shift: number): Branch {
  return shift === 0 ? leaf : [pathTo(leaf, shift - BITS)];
}

/** The first `size` elements. Copies one path. REQUIRES: 0 < size < trie.size. */
export function take(trie: VectorTrie, size: number): VectorTrie {
  const inTrie = trie.size - trie.tail.length;
  const tail = leafOf(trie, size - 1).slice(0, ((size - 1) & MASK) + 1);
  if (size > inTrie) return { size, shift: trie.shift, root: trie.root, tail };
  const leaves = size - tail.length;
  if (leaves === 0) return { size, shift: BITS, root: NOTHING, tail };
  let root = takeBelow(trie.root, trie.shift, leaves - 1);
  let shift = trie.shift;
  while (shift > BITS && root.length === 1) {
    root = root[0] as Branch;
    shift -= BITS;
  }
  return { size, shift, root, tail };
}

/** The node up to the leaf that holds element `last`. */
function takeBelow(node: Branch, shift: number, last: number): Branch {
  const digit = (last >>> shift) & MASK;
  if (shift === 0) return node;
  return [...node.slice(0, digit), takeBelow(node[digit] as Branch, shift - BITS, last)];
}

/**
 * Whether `test` holds for every two leaves that begin at one index and are not the
 * same, up to the shorter trie's end. Branches that the tries share are not entered.
 */
export function everyUnshared(a: VectorTrie, b: VectorTrie, test: LeafTest): boolean {
  const shift = Math.min(a.shift, b.shift);
  const whole = Math.min(a.size - a.tail.length, b.size - b.tail.length);
  if (!everyBelow(firstAt(a, shift), firstAt(b, shift), shift, 0, whole, test)) return false;
  const [lastA, lastB] = [leafOf(a, whole), leafOf(b, whole)];
  return lastA === lastB || test(lastA, lastB, whole);
}

/** The leaves of two tries that begin at `start`; the last ones may differ in length. */
type LeafTest = (a: Branch, b: Branch, start: number) => boolean;

function everyBelow(
  a: Branch,
  b: Branch,
  shift: number,
  start: number,
  end: number,
  test: LeafTest,
): boolean {
  if (a === b) return true;
  if (shift === 0) return test(a, b, start);
  for (let digit = 0; digit < WIDTH && start + digit * 2 ** shift < end; digit++) {
    const [childA, childB] = [a[digit] as Branch, b[digit] as Branch];
    if (!everyBelow(childA, childB, shift - BITS, start + digit * 2 ** shift, end, test)) return false;
  }
  return true;
}

/** The node at `shift` that holds the first elements. */
function firstAt(trie: VectorTrie, shift: number): Branch {
  let node = trie.root;
  for (let at = trie.shift; at > shift; at -= BITS) node = node[0] as Branch;
  return node;
}

function replaced(node: Branch, at: number, value: unknown): Branch {
  const next = node.slice();
  next[at] = value;
  return next;
}

/** Gathers elements in order, 32 at a time. */
export class VectorBuilder {
  #trie: VectorTrie;
  #tail: unknown[];
  #count: number;

  constructor(trie: VectorTrie) {
    this.#trie = trie;
    this.#tail = new Array(WIDTH);
    this.#count = trie.tail.length;
    for (let i = 0; i < this.#count; i++) this.#tail[i] = trie.tail[i];
  }

  get size(): number {
    return this.#trie.size - this.#trie.tail.length + this.#count;
  }

  push(value: unknown): void {
    if (this.#count === WIDTH) {
      const size = this.size;
      const { shift, root } = pushLeaf({ ...this.#trie, size }, this.#tail);
      this.#trie = { size, shift, root, tail: NOTHING };
      this.#tail = new Array(WIDTH);
      this.#count = 0;
    }
    this.#tail[this.#count++] = value;
  }

  /** What was gathered; more can be pushed. */
  trie(): VectorTrie {
    const { shift, root } = this.#trie;
    return { size: this.size, shift, root, tail: this.#tail.slice(0, this.#count) };
  }
}
