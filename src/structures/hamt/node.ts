/**
 * Nodes of a hash trie, each one array.
 *
 * The 30-bit hash of a key is read five bits at a time, the highest first. In a
 * node each value of the five bits has nothing, an entry, or a child. Two bit
 * maps say which; entries stand first, children last and in reverse, so that
 * neither count is needed to find one of the other [1].
 *
 *      0      1      2     3    4    5                  length - 1
 *    +------+------+------+----+-----+-------+-- ... --+---------+
 *    | DATA | KIDS | EDIT |hash| key | value |  child1 | child 0 |
 *    +------+------+------+----+-----+-------+-- ... --+---------+
 *
 *    DATA  bit i is set: there is an entry for i
 *    KIDS  bit i is set: there is a child for i
 *    EDIT  the edit that made this node and may still change it
 *
 * A *list* is a node with DATA and KIDS 0 whose entries just follow each other.
 * It stands below the last five bits, where all hashes are equal, and it is the
 * whole of a map of at most `LIST_MAX` entries, in order of insertion; there
 * nothing is hashed, and the hashes are 0.
 *
 * Invariants
 *  1. DATA and KIDS have no bit in common.
 *  2. Below the root every node holds two entries at least: one that is left
 *     alone moves up. With the secret, entries fix the tree, but for the order
 *     in lists, so equality compares trees.
 *  3. An entry's hash agrees with the path that leads to it.
 *  4. A node is changed only under the edit that made it, and before that edit
 *     gives its root away. Everything else copies.
 *  5. A key -0 is stored as 0.
 *
 * Hashes stand beside their entries: pushing an entry down or comparing with it
 * reads no key. An edit is an empty object, so that a version keeps nothing of
 * the builder it came from; it is no number, or nodes of numbers alone would be
 * arrays of another kind to the engine, and slow.
 *
 * [1] Steindorfer, Vinju: Optimizing Hash-Array Mapped Tries for Fast and Lean
 *     Immutable JVM Collections. OOPSLA 2015.
 */
export type Node = unknown[];

export const DATA = 0;
export const KIDS = 1;
export const EDIT = 2;
/** Where the entries begin. */
export const FIRST = 3;
/** Places of an entry: hash, key, value. */
export const STRIDE = 3;

/** Bits a level, the shift of the root, and the shift below the last level. */
export const BITS = 5;
export const ROOT = 25;
export const BOTTOM = -5;

/** The most entries of a map that is one list. */
export const LIST_MAX = 8;

/** What owns the nodes that it made, until it gives its root away. */
export type Edit = object;

/** The edit of what is final at once. */
export const NO_EDIT: Edit = {};

/** The list without entries. */
export const EMPTY: Node = [0, 0, NO_EDIT];

/** An edit that owns nothing yet. */
export function newEdit(): Edit {
  return {};
}

/** How many entries the last call of `put` or `remove` added: 1, 0 or -1. */
export const grown = new Int32Array(1);

/** The bit of `hash` in a node at `shift`. */
export function bitAt(hash: number, shift: number): number {
  return 1 << ((hash >>> shift) & 31);
}

export function popcount(bits: number): number {
  bits -= (bits >>> 1) & 0x55555555;
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Where in the node the entry of `bit` is, or would be. */
export function entryAt(node: Node, bit: number): number {
  return FIRST + STRIDE * popcount((node[DATA] as number) & (bit - 1));
}

/** Where in the node the child of `bit` is; one less than where it would be. */
export function childAt(node: Node, bit: number): number {
  return node.length - 1 - popcount((node[KIDS] as number) & (bit - 1));
}

/** Behind the last entry; the children begin here. Right for lists too. */
export function entriesEnd(node: Node): number {
  return node.length - popcount(node[KIDS] as number);
}

/** Whether the node holds one entry and nothing else, and so must move up. */
export function isSingle(node: Node): boolean {
  return node.length === FIRST + STRIDE && node[KIDS] === 0;
}

/** SameValueZero, as `Map` compares keys. */
export function sameKey(a: unknown, b: unknown): boolean {
  // biome-ignore lint/suspicious/noSelfCompare: NaN alone differs from itself.
  return a === b || (a !== a && b !== b);
}

/** The node with `value` at `at`: itself where `edit` owns it. */
export function withSlot(node: Node, at: number, value: unknown, edit: Edit): Node {
  if (edit !== NO_EDIT && node[EDIT] === edit) {
    node[at] = value;
    return node;
  }
  const next = node.slice();
  next[EDIT] = edit;
  next[at] = value;
  return next;
}

/** Entries in the tree, counted. */
export function countEntries(node: Node): number {
  const end = entriesEnd(node);
  let count = (end - FIRST) / STRIDE;
  for (let i = end; i < node.length; i++) count += countEntries(node[i] as Node);
  return count;
}
