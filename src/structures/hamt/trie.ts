/**
 * A map as root and size: a list while it is small, else a tree.
 *
 * Which of the two it is follows from the size alone, so that equal maps have
 * equal shapes: at most LIST_MAX entries are a list, more are a tree.
 */
import type { Secret } from '../../base/hash.js';
import { find, findInList } from './find.js';
import { hashKey } from './key-hash.js';
import { type Edit, entriesEnd, FIRST, grown, LIST_MAX, type Node, ROOT, STRIDE } from './node.js';
import { pairOf, put, putInList } from './put.js';
import { remove, removeFromList } from './remove.js';

/** The value of `key`, or MISSING. */
export function getFrom(root: Node, size: number, secret: Secret, key: unknown): unknown {
  return size <= LIST_MAX ? findInList(root, key) : find(root, hashKey(secret, key), key);
}

/** The root with the entry in it. Sets `grown`. */
export function putInto(
  root: Node,
  size: number,
  secret: Secret,
  key: unknown,
  value: unknown,
  edit: Edit,
): Node {
  // -0 is the same key as 0, and is kept as 0.
  if (key === 0) key = 0;
  if (size > LIST_MAX) return put(root, ROOT, hashKey(secret, key), key, value, edit);
  const list = putInList(root, 0, key, value, edit);
  return size + grown[0]! > LIST_MAX ? treeOf(list, secret, edit) : list;
}

/** The root without `key`. Sets `grown`. */
export function removeFrom(root: Node, size: number, secret: Secret, key: unknown, edit: Edit): Node {
  if (size <= LIST_MAX) return removeFromList(root, key, edit);
  const tree = remove(root, ROOT, hashKey(secret, key), key, edit);
  return size + grown[0]! <= LIST_MAX ? listOf(tree, edit) : tree;
}

/** The tree of the entries of a list. REQUIRES: two or more. Sets `grown` to 1. */
export function treeOf(list: Node, secret: Secret, edit: Edit): Node {
  const keyA = list[FIRST + 1];
  const keyB = list[FIRST + STRIDE + 1];
  const hashA = hashKey(secret, keyA);
  const hashB = hashKey(secret, keyB);
  let tree = pairOf(ROOT, hashA, keyA, list[FIRST + 2], hashB, keyB, list[FIRST + STRIDE + 2], edit);
  for (let at = FIRST + 2 * STRIDE; at < list.length; at += STRIDE) {
    tree = put(tree, ROOT, hashKey(secret, list[at + 1]), list[at + 1], list[at + 2], edit);
  }
  return tree;
}

/** The list of the entries of a tree. */
export function listOf(tree: Node, edit: Edit): Node {
  const list: Node = [0, 0, edit];
  collect(tree, list);
  return list.slice();
}

function collect(node: Node, list: Node): void {
  const end = entriesEnd(node);
  for (let at = FIRST; at < end; at += STRIDE) list.push(0, node[at + 1], node[at + 2]);
  for (let at = node.length - 1; at >= end; at--) collect(node[at] as Node, list);
}

/** Calls `visit` for each entry, in the order of iteration. */
export function forEachEntry(node: Node, visit: (key: unknown, value: unknown) => void): void {
  const end = entriesEnd(node);
  for (let at = FIRST; at < end; at += STRIDE) visit(node[at + 1], node[at + 2]);
  for (let at = node.length - 1; at >= end; at--) forEachEntry(node[at] as Node, visit);
}
