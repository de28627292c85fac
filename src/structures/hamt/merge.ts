/**
 * The union of two maps, where both have a key by the right one or a resolver.
 *
 * Trees under one secret are merged node by node: what only one has is taken
 * whole, and without a resolver what they share is not looked at. The size is
 * exact: along the way the entries that only the smaller map has are counted.
 */
import { type Rooted, sameSecret } from './equal.js';
import { find, findInList, MISSING } from './find.js';
import {
  BITS,
  childAt,
  countEntries,
  DATA,
  EDIT,
  entryAt,
  FIRST,
  grown,
  KIDS,
  LIST_MAX,
  NO_EDIT,
  type Node,
  newEdit,
  popcount,
  ROOT,
  STRIDE,
  sameKey,
} from './node.js';
import { pairOf, put, putInList } from './put.js';
import { forEachEntry, getFrom, putInto } from './trie.js';

export type Resolve = (left: unknown, right: unknown, key: unknown) => unknown;

/** A merge under way: `own` counts what only the left (`countLeft`) or only the right map has. */
interface Merge {
  readonly resolve: Resolve | undefined;
  readonly countLeft: boolean;
  own: number;
}

/** The root and size of the union. The root is that of `a` or `b` where the union equals it. */
export function mergeMaps(a: Rooted, b: Rooted, resolve: Resolve | undefined): { root: Node; size: number } {
  const alike = sameSecret(a, b);
  if (b.size === 0) return a;
  if (a.size === 0 && alike) return b;
  if (alike && a.size > LIST_MAX && b.size > LIST_MAX) {
    const merge: Merge = { resolve, countLeft: a.size < b.size, own: 0 };
    const root = mergeTrees(a.root, b.root, ROOT, merge);
    return { root, size: (merge.countLeft ? b.size : a.size) + merge.own };
  }
  return alike && a.size < b.size ? putUnder(a, b, resolve) : putOver(a, b, resolve);
}

/** Puts the entries of `b` into `a`, one by one. */
function putOver(a: Rooted, b: Rooted, resolve: Resolve | undefined): { root: Node; size: number } {
  const edit = newEdit();
  let { root, size } = a;
  forEachEntry(b.root, (key, right) => {
    const left = resolve === undefined ? MISSING : getFrom(root, size, a.secret, key);
    const value = left === MISSING ? right : resolve!(left, right, key);
    root = putInto(root, size, a.secret, key, value, edit);
    size += grown[0]!;
  });
  return { root, size };
}

/** Puts those entries of `a` into `b` that it lacks. */
function putUnder(a: Rooted, b: Rooted, resolve: Resolve | undefined): { root: Node; size: number } {
  const edit = newEdit();
  let { root, size } = b;
  forEachEntry(a.root, (key, left) => {
    const right = getFrom(b.root, b.size, b.secret, key);
    if (right !== MISSING && resolve === undefined) return;
    const value = right === MISSING ? left : resolve!(left, right, key);
    root = putInto(root, size, b.secret, key, value, edit);
    size += grown[0]!;
  });
  return { root, size };
}

function mergeTrees(a: Node, b: Node, shift: number, merge: Merge): Node {
  if (a === b && merge.resolve === undefined) return a;
  if (shift < 0) return mergeLists(a, b, merge);
  const dataA = a[DATA] as number;
  const kidsA = a[KIDS] as number;
  const dataB = b[DATA] as number;
  const kidsB = b[KIDS] as number;
  const differing = differingEntries(a, b, dataA & dataB);
  const data = (dataA | dataB) & ~(kidsA | kidsB | differing);
  const kids = kidsA | kidsB | differing;
  const next: Node = new Array(FIRST + STRIDE * popcount(data) + popcount(kids));
  next[DATA] = data;
  next[KIDS] = kids;
  next[EDIT] = NO_EDIT;
  let at = FIRST;
  let child = next.length;
  for (let rest = data | kids; rest !== 0; rest &= rest - 1) {
    const bit = rest & -rest;
    if ((kids & bit) !== 0) {
      next[--child] = mergeChild(a, b, bit, shift, merge);
      continue;
    }
    const inA = (dataA & bit) !== 0;
    const inB = (dataB & bit) !== 0;
    const from = inB ? b : a;
    const place = entryAt(from, bit);
    next[at] = from[place];
    next[at + 1] = from[place + 1];
    next[at + 2] =
      inA && inB && merge.resolve !== undefined
        ? merge.resolve(a[entryAt(a, bit) + 2], b[place + 2], b[place + 1])
        : from[place + 2];
    at += STRIDE;
    if (inA !== inB && inA === merge.countLeft) merge.own++;
  }
  return isSame(next, a) ? a : isSame(next, b) ? b : next;
}

/** Of `both`, the bits where the two nodes have entries of different keys. */
function differingEntries(a: Node, b: Node, both: number): number {
  let differing = 0;
  for (let rest = both; rest !== 0; rest &= rest - 1) {
    const bit = rest & -rest;
    const atA = entryAt(a, bit);
    const atB = entryAt(b, bit);
    if (a[atA] !== b[atB] || !sameKey(a[atA + 1], b[atB + 1])) differing |= bit;
  }
  return differing;
}

/** What comes to stand at a bit where either node has a child, or both have different entries. */
function mergeChild(a: Node, b: Node, bit: number, shift: number, merge: Merge): Node {
  const below = shift - BITS;
  const childA = ((a[KIDS] as number) & bit) !== 0 ? (a[childAt(a, bit)] as Node) : undefined;
  const childB = ((b[KIDS] as number) & bit) !== 0 ? (b[childAt(b, bit)] as Node) : undefined;
  if (childA !== undefined && childB !== undefined) return mergeTrees(childA, childB, below, merge);
  if (childA !== undefined) {
    if (((b[DATA] as number) & bit) === 0) return owned(childA, merge.countLeft, 0, merge);
    return mergeEntry(childA, b, entryAt(b, bit), below, true, merge);
  }
  if (childB !== undefined) {
    if (((a[DATA] as number) & bit) === 0) return owned(childB, !merge.countLeft, 0, merge);
    return mergeEntry(childB, a, entryAt(a, bit), below, false, merge);
  }
  merge.own++;
  const i = entryAt(a, bit);
  const j = entryAt(b, bit);
  return pairOf(below, a[i] as number, a[i + 1], a[i + 2], b[j] as number, b[j + 1], b[j + 2], NO_EDIT);
}

/** A child of one side, and the entry of the other side's `node` at `at`. */
function mergeEntry(
  child: Node,
  node: Node,
  at: number,
  shift: number,
  childIsLeft: boolean,
  merge: Merge,
): Node {
  const hash = node[at] as number;
  const key = node[at + 1];
  const there = find(child, hash, key, shift);
  const both = there !== MISSING;
  const countsChild = childIsLeft === merge.countLeft;
  if (!both && !countsChild) merge.own++;
  let value = node[at + 2];
  if (both && merge.resolve !== undefined) {
    value = childIsLeft ? merge.resolve(there, value, key) : merge.resolve(value, there, key);
  } else if (both && !childIsLeft) {
    value = there;
  }
  return put(owned(child, countsChild, both ? 1 : 0, merge), shift, hash, key, value, NO_EDIT);
}

/** `child`, after counting its entries but `less` where they count. */
function owned(child: Node, counts: boolean, less: number, merge: Merge): Node {
  if (counts) merge.own += countEntries(child) - less;
  return child;
}

function mergeLists(a: Node, b: Node, merge: Merge): Node {
  let next = a;
  let both = 0;
  for (let at = FIRST; at < b.length; at += STRIDE) {
    const left = findInList(a, b[at + 1]);
    let value = b[at + 2];
    if (left !== MISSING) {
      both++;
      if (merge.resolve !== undefined) value = merge.resolve(left, value, b[at + 1]);
    }
    next = putInList(next, b[at] as number, b[at + 1], value, NO_EDIT);
  }
  merge.own += ((merge.countLeft ? a : b).length - FIRST) / STRIDE - both;
  return next;
}

/** Whether two nodes hold the very same: then one of them is enough. */
function isSame(a: Node, b: Node): boolean {
  if (a.length !== b.length || a[DATA] !== b[DATA] || a[KIDS] !== b[KIDS]) return false;
  for (let i = FIRST; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}
