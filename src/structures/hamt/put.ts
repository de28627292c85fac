/**
 * Adding an entry, or giving it another value.
 *
 * The path from the root is copied, or changed where the edit owns it; what did
 * not change is the same node as before, up to the root: putting a value where
 * it already is (by `Object.is`) gives the same tree.
 */
import { listIndex } from './find.js';
import {
  BITS,
  bitAt,
  childAt,
  DATA,
  EDIT,
  type Edit,
  entryAt,
  grown,
  KIDS,
  type Node,
  STRIDE,
  sameKey,
  withSlot,
} from './node.js';

/** The tree with the entry in it. Sets `grown`. REQUIRES: `key` is not -0. */
export function put(node: Node, shift: number, hash: number, key: unknown, value: unknown, edit: Edit): Node {
  if (shift < 0) return putInList(node, hash, key, value, edit);
  const bit = bitAt(hash, shift);
  if (((node[DATA] as number) & bit) !== 0) {
    const at = entryAt(node, bit);
    if (node[at] === hash && sameKey(node[at + 1], key)) {
      grown[0] = 0;
      return Object.is(node[at + 2], value) ? node : withSlot(node, at + 2, value, edit);
    }
    grown[0] = 1;
    const child = pairOf(
      shift - BITS,
      node[at] as number,
      node[at + 1],
      node[at + 2],
      hash,
      key,
      value,
      edit,
    );
    return entryToChild(node, bit, at, child, edit);
  }
  if (((node[KIDS] as number) & bit) !== 0) {
    const at = childAt(node, bit);
    const child = node[at] as Node;
    const next = put(child, shift - BITS, hash, key, value, edit);
    return next === child ? node : withSlot(node, at, next, edit);
  }
  grown[0] = 1;
  return insertEntry(node, bit, hash, key, value, edit);
}

/** The list with the entry in it, at its end when it is new. Sets `grown`. */
export function putInList(list: Node, hash: number, key: unknown, value: unknown, edit: Edit): Node {
  const at = listIndex(list, key);
  if (at >= 0) {
    grown[0] = 0;
    return Object.is(list[at + 2], value) ? list : withSlot(list, at + 2, value, edit);
  }
  grown[0] = 1;
  const next = spread(list, list.length, STRIDE, edit);
  next[list.length] = hash;
  next[list.length + 1] = key;
  next[list.length + 2] = value;
  return next;
}

/** The node with one entry more. REQUIRES: nothing is there for `bit`. */
export function insertEntry(
  node: Node,
  bit: number,
  hash: number,
  key: unknown,
  value: unknown,
  edit: Edit,
): Node {
  const at = entryAt(node, bit);
  const next = spread(node, at, STRIDE, edit);
  next[DATA] = (node[DATA] as number) | bit;
  next[at] = hash;
  next[at + 1] = key;
  next[at + 2] = value;
  return next;
}

/** The node with `child` in place of the entry at `at`. */
export function entryToChild(node: Node, bit: number, at: number, child: Node, edit: Edit): Node {
  const length = node.length - STRIDE + 1;
  const place = childAt(node, bit) - STRIDE + 1;
  const next: Node = new Array(length);
  let i = 0;
  for (; i < at; i++) next[i] = node[i];
  for (; i < place; i++) next[i] = node[i + STRIDE];
  next[i++] = child;
  for (; i < length; i++) next[i] = node[i + STRIDE - 1];
  next[DATA] = (node[DATA] as number) ^ bit;
  next[KIDS] = (node[KIDS] as number) | bit;
  next[EDIT] = edit;
  return next;
}

/** The tree of two entries with different keys. */
export function pairOf(
  shift: number,
  hashA: number,
  keyA: unknown,
  valueA: unknown,
  hashB: number,
  keyB: unknown,
  valueB: unknown,
  edit: Edit,
): Node {
  if (shift < 0) return [0, 0, edit, hashA, keyA, valueA, hashB, keyB, valueB];
  const a = (hashA >>> shift) & 31;
  const b = (hashB >>> shift) & 31;
  if (a === b) {
    const child = pairOf(shift - BITS, hashA, keyA, valueA, hashB, keyB, valueB, edit);
    return [0, 1 << a, edit, child];
  }
  const data = (1 << a) | (1 << b);
  if (a < b) return [data, 0, edit, hashA, keyA, valueA, hashB, keyB, valueB];
  return [data, 0, edit, hashB, keyB, valueB, hashA, keyA, valueA];
}

/** A copy of the node with `count` free places before `at`. */
function spread(node: Node, at: number, count: number, edit: Edit): Node {
  // A new array of the exact length: one that grows by push keeps half its length in reserve.
  const next: Node = new Array(node.length + count);
  let i = 0;
  for (; i < at; i++) next[i] = node[i];
  for (; i < node.length; i++) next[i + count] = node[i];
  next[EDIT] = edit;
  return next;
}
