/**
 * What changed between two maps.
 *
 * Trees under one secret are walked together, and whatever they share is skipped
 * by identity: the cost goes with the changes and not with the sizes. In other
 * cases each entry is looked up in the other map. The order is unspecified.
 */
import { type Rooted, sameSecret } from './equal.js';
import { find, findInList, MISSING } from './find.js';
import {
  BITS,
  childAt,
  DATA,
  entriesEnd,
  entryAt,
  FIRST,
  KIDS,
  LIST_MAX,
  type Node,
  ROOT,
  STRIDE,
  sameKey,
} from './node.js';
import { sameValue } from './persistent.js';
import { forEachEntry, getFrom } from './trie.js';

/** One key in which two maps differ, seen from the first to the second. */
export type Difference<K, V> =
  | { readonly key: K; readonly kind: 'added'; readonly after: V }
  | { readonly key: K; readonly kind: 'changed'; readonly before: V; readonly after: V }
  | { readonly key: K; readonly kind: 'removed'; readonly before: V };

type Differences = Difference<unknown, unknown>[];

/** What changed from map `a` to map `b`. */
export function diffMaps(a: Rooted, b: Rooted): Differences {
  const out: Differences = [];
  if (a.root === b.root) return out;
  if (a.size <= LIST_MAX && b.size <= LIST_MAX) diffLists(a.root, b.root, out);
  else if (a.size > LIST_MAX && b.size > LIST_MAX && sameSecret(a, b)) diffTrees(a.root, b.root, ROOT, out);
  else diffByLookup(a, b, out);
  return out;
}

function diffByLookup(a: Rooted, b: Rooted, out: Differences): void {
  forEachEntry(a.root, (key, before) => {
    const after = getFrom(b.root, b.size, b.secret, key);
    if (after === MISSING) out.push({ key, kind: 'removed', before });
    else pushChanged(key, before, after, out);
  });
  forEachEntry(b.root, (key, after) => {
    if (getFrom(a.root, a.size, a.secret, key) === MISSING) out.push({ key, kind: 'added', after });
  });
}

/** Appends to `out` what changed from tree `a` to tree `b`, both at `shift`. */
function diffTrees(a: Node, b: Node, shift: number, out: Differences): void {
  if (a === b) return;
  if (shift < 0) {
    diffLists(a, b, out);
    return;
  }
  const dataA = a[DATA] as number;
  const kidsA = a[KIDS] as number;
  const dataB = b[DATA] as number;
  const kidsB = b[KIDS] as number;
  if (dataA === dataB && kidsA === kidsB) {
    diffAlike(a, b, shift, out);
    return;
  }
  let rest = dataA | kidsA | dataB | kidsB;
  while (rest !== 0) {
    const bit = rest & -rest;
    rest ^= bit;
    if ((kidsA & bit) !== 0) {
      const childA = a[childAt(a, bit)] as Node;
      if ((kidsB & bit) !== 0) diffTrees(childA, b[childAt(b, bit)] as Node, shift - BITS, out);
      else if ((dataB & bit) === 0) eachRemoved(childA, out, NO_KEY);
      else diffWithEntry(childA, b, entryAt(b, bit), shift - BITS, true, out);
    } else if ((dataA & bit) !== 0) {
      const at = entryAt(a, bit);
      if ((kidsB & bit) !== 0) {
        diffWithEntry(b[childAt(b, bit)] as Node, a, at, shift - BITS, false, out);
      } else if ((dataB & bit) === 0) {
        out.push({ key: a[at + 1], kind: 'removed', before: a[at + 2] });
      } else {
        diffEntries(a, at, b, entryAt(b, bit), out);
      }
    } else if ((kidsB & bit) !== 0) {
      eachAdded(b[childAt(b, bit)] as Node, out, NO_KEY);
    } else {
      const at = entryAt(b, bit);
      out.push({ key: b[at + 1], kind: 'added', after: b[at + 2] });
    }
  }
}

/** The same for two nodes with the same bit maps, which most are: place by place. */
function diffAlike(a: Node, b: Node, shift: number, out: Differences): void {
  const end = entriesEnd(a);
  for (let at = FIRST; at < end; at += STRIDE) {
    if (a[at + 1] !== b[at + 1] || a[at + 2] !== b[at + 2]) diffEntries(a, at, b, at, out);
  }
  for (let at = end; at < a.length; at++) {
    if (a[at] !== b[at]) diffTrees(a[at] as Node, b[at] as Node, shift - BITS, out);
  }
}

/** The same for two lists. */
function diffLists(a: Node, b: Node, out: Differences): void {
  for (let at = FIRST; at < a.length; at += STRIDE) {
    const after = findInList(b, a[at + 1]);
    if (after === MISSING) out.push({ key: a[at + 1], kind: 'removed', before: a[at + 2] });
    else pushChanged(a[at + 1], a[at + 2], after, out);
  }
  for (let at = FIRST; at < b.length; at += STRIDE) {
    if (findInList(a, b[at + 1]) === MISSING) out.push({ key: b[at + 1], kind: 'added', after: b[at + 2] });
  }
}

function diffEntries(a: Node, atA: number, b: Node, atB: number, out: Differences): void {
  if (a[atA] === b[atB] && sameKey(a[atA + 1], b[atB + 1])) {
    pushChanged(a[atA + 1], a[atA + 2], b[atB + 2], out);
  } else {
    out.push({ key: a[atA + 1], kind: 'removed', before: a[atA + 2] });
    out.push({ key: b[atB + 1], kind: 'added', after: b[atB + 2] });
  }
}

/** A subtree on one side where the other has the entry of `node` at `at`. */
function diffWithEntry(
  tree: Node,
  node: Node,
  at: number,
  shift: number,
  treeIsBefore: boolean,
  out: Differences,
): void {
  const key = node[at + 1];
  const value = node[at + 2];
  const other = find(tree, node[at] as number, key, shift);
  if (treeIsBefore) {
    eachRemoved(tree, out, key);
    if (other === MISSING) out.push({ key, kind: 'added', after: value });
    else pushChanged(key, other, value, out);
  } else {
    eachAdded(tree, out, key);
    if (other === MISSING) out.push({ key, kind: 'removed', before: value });
    else pushChanged(key, value, other, out);
  }
}

function pushChanged(key: unknown, before: unknown, after: unknown, out: Differences): void {
  if (!sameValue(before, after)) out.push({ key, kind: 'changed', before, after });
}

/** A key that equals none: stands for "skip nothing". */
const NO_KEY = Symbol('no key');

function eachRemoved(node: Node, out: Differences, except: unknown): void {
  const end = entriesEnd(node);
  for (let at = FIRST; at < end; at += STRIDE) {
    if (!sameKey(node[at + 1], except))
      out.push({ key: node[at + 1], kind: 'removed', before: node[at + 2] });
  }
  for (let at = node.length - 1; at >= end; at--) eachRemoved(node[at] as Node, out, except);
}

function eachAdded(node: Node, out: Differences, except: unknown): void {
  const end = entriesEnd(node);
  for (let at = FIRST; at < end; at += STRIDE) {
    if (!sameKey(node[at + 1], except)) out.push({ key: node[at + 1], kind: 'added', after: node[at + 2] });
  }
  for (let at = node.length - 1; at >= end; at--) eachAdded(node[at] as Node, out, except);
}
