/** Checks of the invariants that `src/structures/hamt/node.ts` numbers, and of the shape that follows from the size. */
import { expect } from 'vitest';
import type { Secret } from '../../../src/base/hash.js';
import { hashKey } from '../../../src/structures/hamt/key-hash.js';
import {
  BITS,
  DATA,
  entriesEnd,
  FIRST,
  KIDS,
  LIST_MAX,
  type Node,
  popcount,
  ROOT,
  STRIDE,
} from '../../../src/structures/hamt/node.js';

interface Trie {
  readonly root: Node;
  readonly size: number;
  readonly secret: Secret;
}

/** Fails unless the map is laid out as documented. */
export function checkInvariants(map: Trie): void {
  const problems: string[] = [];
  const entries =
    map.size <= LIST_MAX
      ? checkList(map.root, null, map, problems)
      : checkNode(map.root, ROOT, 0, map, problems);
  if (entries !== map.size) problems.push(`size is ${map.size}, entries are ${entries}`);
  expect(problems).toEqual([]);
}

function checkList(node: Node, hash: number | null, map: Trie, problems: string[]): number {
  if (node[DATA] !== 0 || node[KIDS] !== 0) problems.push('a list with bit maps');
  const keys = new Set<unknown>();
  for (let at = FIRST; at < node.length; at += STRIDE) {
    if (Object.is(node[at + 1], -0)) problems.push('invariant 5: a key -0');
    if (keys.has(node[at + 1])) problems.push('a key twice in a list');
    keys.add(node[at + 1]);
    if (node[at] !== (hash ?? 0)) problems.push('a list with another hash');
    if (hash !== null && hashKey(map.secret, node[at + 1]) !== hash) problems.push('invariant 3 in a list');
  }
  return keys.size;
}

function checkNode(node: Node, shift: number, path: number, map: Trie, problems: string[]): number {
  if (shift < 0) {
    const count = checkList(node, path, map, problems);
    if (count < 2) problems.push('invariant 2: a list of one below the root');
    return count;
  }
  const data = node[DATA] as number;
  const kids = node[KIDS] as number;
  if ((data & kids) !== 0) problems.push('invariant 1');
  if (node.length !== FIRST + STRIDE * popcount(data) + popcount(kids))
    problems.push('length and bit maps differ');
  let count = popcount(data);
  let at = FIRST;
  let child = node.length - 1;
  for (let i = 0; i < 32; i++) {
    const prefix = path | (i << shift);
    if ((data & (1 << i)) !== 0) {
      const hash = node[at] as number;
      if (hash >>> shift !== prefix >>> shift) problems.push('invariant 3: path');
      if (hash !== hashKey(map.secret, node[at + 1])) problems.push('invariant 3: hash');
      if (Object.is(node[at + 1], -0)) problems.push('invariant 5: a key -0');
      at += STRIDE;
    } else if ((kids & (1 << i)) !== 0) {
      count += checkNode(node[child--] as Node, shift - BITS, prefix, map, problems);
    }
  }
  if (at !== entriesEnd(node)) problems.push('entries end elsewhere');
  if (count < 2) problems.push('invariant 2');
  return count;
}
