/** Looking a key up: down the five bits of each level, without recursion. */
import { BITS, childAt, DATA, entryAt, FIRST, KIDS, type Node, ROOT, STRIDE, sameKey } from './node.js';

/** The answer for a key that is not there: no value is it. */
export const MISSING: unique symbol = Symbol('missing');

/** The value of `key` in the tree whose top is at `top`, or MISSING. */
export function find(root: Node, hash: number, key: unknown, top: number = ROOT): unknown {
  let node = root;
  for (let shift = top; shift >= 0; shift -= BITS) {
    const bit = 1 << ((hash >>> shift) & 31);
    if (((node[DATA] as number) & bit) !== 0) {
      const at = entryAt(node, bit);
      return node[at] === hash && sameKey(node[at + 1], key) ? node[at + 2] : MISSING;
    }
    if (((node[KIDS] as number) & bit) === 0) return MISSING;
    node = node[childAt(node, bit)] as Node;
  }
  return findInList(node, key);
}

/** The value of `key` in a list, or MISSING. */
export function findInList(list: Node, key: unknown): unknown {
  const at = listIndex(list, key);
  return at < 0 ? MISSING : list[at + 2];
}

/** Where in the list the entry of `key` begins, or -1. */
export function listIndex(list: Node, key: unknown): number {
  for (let at = FIRST; at < list.length; at += STRIDE) if (sameKey(list[at + 1], key)) return at;
  return -1;
}
