/**
 * A tree with fewer entries, or with other values, that keeps what did not change.
 */
import {
  DATA,
  EDIT,
  entriesEnd,
  FIRST,
  isSingle,
  KIDS,
  LIST_MAX,
  NO_EDIT,
  type Node,
  STRIDE,
} from './node.js';
import { listOf } from './trie.js';

export type Test = (key: unknown, value: unknown) => boolean;

/** The root and size of the map with the entries that pass `test`. */
export function filterRoot(root: Node, size: number, test: Test): { root: Node; size: number } {
  let left = 0;
  const node = filterNode(root, (key, value) => {
    const passes = test(key, value);
    if (passes) left++;
    return passes;
  });
  return { root: left <= LIST_MAX && size > LIST_MAX ? listOf(node, NO_EDIT) : node, size: left };
}

/**
 * The node with the entries that pass `test`: the same one when all do. May be
 * left with one entry or none, which the caller has to move up.
 */
function filterNode(node: Node, test: Test): Node {
  const next: Node = [0, 0, NO_EDIT];
  const children: Node[] = [];
  const end = entriesEnd(node);
  const isList = node[DATA] === 0 && node[KIDS] === 0;
  let changed = false;
  let at = FIRST;
  let child = node.length - 1;
  let data = 0;
  let kids = 0;
  for (let rest = (node[DATA] as number) | (node[KIDS] as number); rest !== 0; rest &= rest - 1) {
    const bit = rest & -rest;
    if (((node[KIDS] as number) & bit) === 0) {
      if (test(node[at + 1], node[at + 2])) {
        data |= bit;
        next.push(node[at], node[at + 1], node[at + 2]);
      } else changed = true;
      at += STRIDE;
      continue;
    }
    const before = node[child--] as Node;
    const after = filterNode(before, test);
    if (after !== before) changed = true;
    if (isSingle(after)) {
      data |= bit;
      next.push(after[FIRST], after[FIRST + 1], after[FIRST + 2]);
    } else if (after.length > FIRST) {
      kids |= bit;
      children.push(after);
    }
  }
  if (isList) {
    for (; at < end; at += STRIDE) {
      if (test(node[at + 1], node[at + 2])) next.push(node[at], node[at + 1], node[at + 2]);
      else changed = true;
    }
  }
  if (!changed) return node;
  next[DATA] = data;
  next[KIDS] = kids;
  for (let i = children.length - 1; i >= 0; i--) next.push(children[i]);
  // Pushing leaves room to grow, which would stay for good.
  return next.slice();
}

/** The node with each value replaced by what `change` makes of it. */
export function mapNode(node: Node, change: (key: unknown, value: unknown) => unknown): Node {
  const next = node.slice();
  next[EDIT] = NO_EDIT;
  const end = entriesEnd(node);
  for (let at = FIRST; at < end; at += STRIDE) next[at + 2] = change(node[at + 1], node[at + 2]);
  for (let at = node.length - 1; at >= end; at--) next[at] = mapNode(node[at] as Node, change);
  return next;
}
