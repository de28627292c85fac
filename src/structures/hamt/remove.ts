/**
 * Removing an entry, so that the tree is as if it had never been there.
 *
 * A child that is left with one entry gives it to its parent, level by level
 * (invariant 2 of `node.ts`). Removing what is not there gives the same node.
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
  FIRST,
  grown,
  isSingle,
  KIDS,
  type Node,
  STRIDE,
  sameKey,
  withSlot,
} from './node.js';

/** The tree without `key`. Sets `grown`. */
export function remove(node: Node, shift: number, hash: number, key: unknown, edit: Edit): Node {
  if (shift < 0) return removeFromList(node, key, edit);
  const bit = bitAt(hash, shift);
  if (((node[DATA] as number) & bit) !== 0) {
    const at = entryAt(node, bit);
    if (node[at] !== hash || !sameKey(node[at + 1], key)) {
      grown[0] = 0;
      return node;
    }
    grown[0] = -1;
    return dropEntry(node, bit, at, edit);
  }
  if (((node[KIDS] as number) & bit) === 0) {
    grown[0] = 0;
    return node;
  }
  const at = childAt(node, bit);
  const child = node[at] as Node;
  const next = remove(child, shift - BITS, hash, key, edit);
  if (next === child && grown[0] === 0) return node;
  return isSingle(next) ? childToEntry(node, bit, at, next, edit) : withSlot(node, at, next, edit);
}

/** The list without `key`, in the same order. Sets `grown`. */
export function removeFromList(list: Node, key: unknown, edit: Edit): Node {
  const at = listIndex(list, key);
  if (at < 0) {
    grown[0] = 0;
    return list;
  }
  grown[0] = -1;
  return dropEntry(list, 0, at, edit);
}

/** The node without the entry at `at`. */
export function dropEntry(node: Node, bit: number, at: number, edit: Edit): Node {
  const length = node.length - STRIDE;
  const next: Node = new Array(length);
  let i = 0;
  for (; i < at; i++) next[i] = node[i];
  for (; i < length; i++) next[i] = node[i + STRIDE];
  next[DATA] = (node[DATA] as number) & ~bit;
  next[EDIT] = edit;
  return next;
}

/** The node with the one entry of `single` in place of the child at `at`. */
export function childToEntry(node: Node, bit: number, at: number, single: Node, edit: Edit): Node {
  const length = node.length + STRIDE - 1;
  const place = entryAt(node, bit);
  const next: Node = new Array(length);
  let i = 0;
  for (; i < place; i++) next[i] = node[i];
  next[i++] = single[FIRST];
  next[i++] = single[FIRST + 1];
  next[i++] = single[FIRST + 2];
  for (; i < at + STRIDE; i++) next[i] = node[i - STRIDE];
  for (; i < length; i++) next[i] = node[i - STRIDE + 1];
  next[DATA] = (node[DATA] as number) | bit;
  next[KIDS] = (node[KIDS] as number) ^ bit;
  next[EDIT] = edit;
  return next;
}
