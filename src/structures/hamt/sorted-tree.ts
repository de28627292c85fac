/**
 * A binary search tree balanced by weight, whose nodes never change.
 *
 * The weight of a tree is its entries and one. Neither side of a node weighs
 * more than three times the other, so the height is at most 2.41 log2 n [1].
 * Everything is made of `join`: two trees and an entry between them, in the time
 * that their heights differ. That gives split, union and ranges, which share all
 * but a path with the trees they come from.
 *
 * [1] Hirai, Yamamoto: Balancing Weight-Balanced Trees. JFP 2011 (parameters 3, 2).
 */
export interface SortedNode {
  readonly key: unknown;
  readonly value: unknown;
  readonly left: SortedTree;
  readonly right: SortedTree;
  readonly size: number;
}
export type SortedTree = SortedNode | null;

/** Below 0, 0 or above, as of `Array.prototype.sort`. */
export type Compare = (a: unknown, b: unknown) => number;

const DELTA = 3;
const GAMMA = 2;

export function sizeOf(tree: SortedTree): number {
  return tree === null ? 0 : tree.size;
}

function nodeOf(left: SortedTree, key: unknown, value: unknown, right: SortedTree): SortedNode {
  return { key, value, left, right, size: sizeOf(left) + sizeOf(right) + 1 };
}

/** Whether `b` does not weigh too much beside `a`. */
function isLight(a: SortedTree, b: SortedTree): boolean {
  return DELTA * (sizeOf(a) + 1) >= sizeOf(b) + 1;
}

/** The node, after a rotation when one side became too heavy by one entry or one join. */
function balanced(left: SortedTree, key: unknown, value: unknown, right: SortedTree): SortedNode {
  if (right !== null && !isLight(left, right)) {
    const { left: near, right: far } = right;
    if (near === null || sizeOf(near) + 1 < GAMMA * (sizeOf(far) + 1)) {
      return nodeOf(nodeOf(left, key, value, near), right.key, right.value, far);
    }
    const inner = nodeOf(left, key, value, near.left);
    return nodeOf(inner, near.key, near.value, nodeOf(near.right, right.key, right.value, far));
  }
  if (left !== null && !isLight(right, left)) {
    const { left: far, right: near } = left;
    if (near === null || sizeOf(near) + 1 < GAMMA * (sizeOf(far) + 1)) {
      return nodeOf(far, left.key, left.value, nodeOf(near, key, value, right));
    }
    const inner = nodeOf(near.right, key, value, right);
    return nodeOf(nodeOf(far, left.key, left.value, near.left), near.key, near.value, inner);
  }
  return nodeOf(left, key, value, right);
}

/** The tree of all of `left`, the entry, all of `right`, which are in this order. */
export function join(left: SortedTree, key: unknown, value: unknown, right: SortedTree): SortedNode {
  if (right !== null && !isLight(left, right)) {
    return balanced(join(left, key, value, right.left), right.key, right.value, right.right);
  }
  if (left !== null && !isLight(right, left)) {
    return balanced(left.left, left.key, left.value, join(left.right, key, value, right));
  }
  return nodeOf(left, key, value, right);
}

/** The tree of all of `left` and all of `right`, which are in this order. */
export function concat(left: SortedTree, right: SortedTree): SortedTree {
  if (left === null) return right;
  if (right === null) return left;
  const { key, value } = firstOf(right);
  return join(left, key, value, withoutFirst(right));
}

function withoutFirst(tree: SortedNode): SortedTree {
  return tree.left === null
    ? tree.right
    : balanced(withoutFirst(tree.left), tree.key, tree.value, tree.right);
}

export function firstOf(tree: SortedNode): SortedNode {
  while (tree.left !== null) tree = tree.left;
  return tree;
}

export function lastOf(tree: SortedNode): SortedNode {
  while (tree.right !== null) tree = tree.right;
  return tree;
}

export function findNode(tree: SortedTree, key: unknown, compare: Compare): SortedTree {
  while (tree !== null) {
    const order = compare(key, tree.key);
    if (order === 0) return tree;
    tree = order < 0 ? tree.left : tree.right;
  }
  return null;
}

/** The tree with the entry in it: the same tree when it is there, by `Object.is`. */
export function insert(tree: SortedTree, key: unknown, value: unknown, compare: Compare): SortedNode {
  if (tree === null) return nodeOf(null, key, value, null);
  const order = compare(key, tree.key);
  if (order === 0) {
    return Object.is(tree.value, value) ? tree : nodeOf(tree.left, tree.key, value, tree.right);
  }
  if (order < 0) {
    const left = insert(tree.left, key, value, compare);
    return left === tree.left ? tree : balanced(left, tree.key, tree.value, tree.right);
  }
  const right = insert(tree.right, key, value, compare);
  return right === tree.right ? tree : balanced(tree.left, tree.key, tree.value, right);
}

/** The tree without the key: the same tree when it is not there. */
export function erase(tree: SortedTree, key: unknown, compare: Compare): SortedTree {
  if (tree === null) return null;
  const order = compare(key, tree.key);
  if (order === 0) return concat(tree.left, tree.right);
  if (order < 0) {
    const left = erase(tree.left, key, compare);
    return left === tree.left ? tree : balanced(left, tree.key, tree.value, tree.right);
  }
  const right = erase(tree.right, key, compare);
  return right === tree.right ? tree : balanced(tree.left, tree.key, tree.value, right);
}

/** The entries with keys from `start` on, this included. */
export function from(tree: SortedTree, start: unknown, compare: Compare): SortedTree {
  if (tree === null) return null;
  if (compare(tree.key, start) < 0) return from(tree.right, start, compare);
  const left = from(tree.left, start, compare);
  return left === tree.left ? tree : join(left, tree.key, tree.value, tree.right);
}

/** The entries with keys below `end`. */
export function upTo(tree: SortedTree, end: unknown, compare: Compare): SortedTree {
  if (tree === null) return null;
  if (compare(tree.key, end) >= 0) return upTo(tree.left, end, compare);
  const right = upTo(tree.right, end, compare);
  return right === tree.right ? tree : join(tree.left, tree.key, tree.value, right);
}

/** The tree of `nodes`, which are in order, from `start` up to `end`. */
export function treeOf(
  nodes: readonly { key: unknown; value: unknown }[],
  start: number,
  end: number,
): SortedTree {
  if (start >= end) return null;
  const middle = (start + end) >> 1;
  const { key, value } = nodes[middle] as SortedNode;
  return nodeOf(treeOf(nodes, start, middle), key, value, treeOf(nodes, middle + 1, end));
}

/** The union; where both have a key, `resolve` gives the value from both. Without it that of `b` is taken. */
export function unite(
  a: SortedTree,
  b: SortedTree,
  compare: Compare,
  resolve?: (left: unknown, right: unknown, key: unknown) => unknown,
): SortedTree {
  if (a === null || (a === b && resolve === undefined)) return b;
  if (b === null) return a;
  const low = upTo(a, b.key, compare);
  const rest = from(a, b.key, compare);
  const first = rest === null ? null : firstOf(rest);
  const both = first !== null && compare(first.key, b.key) === 0;
  const high = both ? withoutFirst(rest as SortedNode) : rest;
  const value = both && resolve !== undefined ? resolve(first.value, b.value, b.key) : b.value;
  return join(unite(low, b.left, compare, resolve), b.key, value, unite(high, b.right, compare, resolve));
}

/** The nodes in order, or from the last to the first, on the way kept in O(log n). */
export function* walk(tree: SortedTree, reverse: boolean): IterableIterator<SortedNode> {
  const above: SortedNode[] = [];
  let node = tree;
  while (node !== null || above.length > 0) {
    while (node !== null) {
      above.push(node);
      node = reverse ? node.right : node.left;
    }
    const next = above.pop() as SortedNode;
    yield next;
    node = reverse ? next.left : next.right;
  }
}
