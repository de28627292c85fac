/**
 * Whether two maps are equal.
 *
 * Under one secret equal maps have equal trees (invariant 2 of `node.ts`), so
 * trees are compared node by node and shared ones not at all. Under different
 * secrets the entries of one are looked up in the other.
 */
import type { Secret } from '../../base/hash.js';
import { findInList, MISSING } from './find.js';
import { BITS, DATA, entriesEnd, FIRST, KIDS, LIST_MAX, type Node, ROOT, STRIDE, sameKey } from './node.js';
import { sameValue } from './persistent.js';
import { getFrom } from './trie.js';

/** What of a map is compared. */
export interface Rooted {
  readonly root: Node;
  readonly size: number;
  readonly secret: Secret;
}

export function equalMaps(a: Rooted, b: Rooted): boolean {
  if (a.size !== b.size) return false;
  if (a.size <= LIST_MAX) return equalLists(a.root, b.root);
  return sameSecret(a, b) ? equalTrees(a.root, b.root, ROOT) : isPartOf(a.root, b);
}

export function sameSecret(a: Rooted, b: Rooted): boolean {
  return a.secret === b.secret || (a.secret[0] === b.secret[0] && a.secret[1] === b.secret[1]);
}

function equalTrees(a: Node, b: Node, shift: number): boolean {
  if (a === b) return true;
  if (a.length !== b.length || a[DATA] !== b[DATA] || a[KIDS] !== b[KIDS]) return false;
  if (shift < 0) return equalLists(a, b);
  const end = entriesEnd(a);
  for (let at = FIRST; at < end; at += STRIDE) {
    if (a[at] !== b[at] || !sameKey(a[at + 1], b[at + 1]) || !sameValue(a[at + 2], b[at + 2])) return false;
  }
  for (let at = end; at < a.length; at++) {
    if (!equalTrees(a[at] as Node, b[at] as Node, shift - BITS)) return false;
  }
  return true;
}

/** REQUIRES: as many entries in one as in the other, which holds where lengths agree. */
function equalLists(a: Node, b: Node): boolean {
  if (a === b) return true;
  for (let at = FIRST; at < a.length; at += STRIDE) {
    const other = findInList(b, a[at + 1]);
    if (other === MISSING || !sameValue(a[at + 2], other)) return false;
  }
  return true;
}

/** Whether every entry of the tree is one of `map`. */
function isPartOf(node: Node, map: Rooted): boolean {
  const end = entriesEnd(node);
  for (let at = FIRST; at < end; at += STRIDE) {
    const other = getFrom(map.root, map.size, map.secret, node[at + 1]);
    if (other === MISSING || !sameValue(node[at + 2], other)) return false;
  }
  for (let at = end; at < node.length; at++) if (!isPartOf(node[at] as Node, map)) return false;
  return true;
}
