/**
 * A tree of many entries at once, from the bottom up.
 *
 * Sorted by hash, the entries of a node follow each other, so each node is made
 * once and at its exact length. Sorting is by three passes of ten bits over
 * plain numbers; neither keys nor values are looked at but for equal hashes.
 */
import type { Secret } from '../../base/hash.js';
import { hashKey } from './key-hash.js';
import { BITS, EMPTY, FIRST, LIST_MAX, NO_EDIT, type Node, popcount, ROOT, STRIDE, sameKey } from './node.js';
import { putInList } from './put.js';

/** Entries side by side: `values[i]` belongs to `keys[i]`. */
export interface Columns {
  readonly keys: unknown[];
  readonly values: unknown[];
}

/** The root of the map of `columns`; of equal keys the last one counts. Normalizes the keys in place. */
export function buildRoot(columns: Columns, secret: Secret): { root: Node; size: number } {
  const { keys, values } = columns;
  const count = keys.length;
  const hashes = new Int32Array(count);
  if (count > LIST_MAX) {
    for (let i = 0; i < count; i++) {
      const key = keys[i];
      if (key === 0) keys[i] = 0;
      hashes[i] = hashKey(secret, key);
    }
    const order = sortByHash(hashes);
    const size = dropDoubles(keys, hashes, order);
    if (size > LIST_MAX) {
      return { root: buildNode(keys, values, hashes, order, 0, size, ROOT), size };
    }
  }
  let list = EMPTY;
  for (let i = 0; i < count; i++) list = putInList(list, 0, keys[i] === 0 ? 0 : keys[i], values[i], NO_EDIT);
  return { root: list, size: (list.length - FIRST) / STRIDE };
}

const DIGIT = 10;
const DIGITS = 1 << DIGIT;

/** Sorts `hashes` in place, stably. Gives for each place the index it had. */
function sortByHash(hashes: Int32Array<ArrayBuffer>): Int32Array {
  const count = hashes.length;
  let from = hashes;
  let order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let to = new Int32Array(count);
  let nextOrder = new Int32Array(count);
  const starts = new Int32Array(DIGITS + 1);
  for (let shift = 0; shift < ROOT + BITS; shift += DIGIT) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[((from[i]! >>> shift) & (DIGITS - 1)) + 1]!++;
    for (let i = 0; i < DIGITS; i++) starts[i + 1]! += starts[i]!;
    for (let i = 0; i < count; i++) {
      const at = starts[(from[i]! >>> shift) & (DIGITS - 1)]!++;
      to[at] = from[i]!;
      nextOrder[at] = order[i]!;
    }
    [from, to] = [to, from];
    [order, nextOrder] = [nextOrder, order];
  }
  if (from !== hashes) hashes.set(from);
  return order;
}

/** Keeps of equal keys the last, moving the rest together. Gives how many are left. */
function dropDoubles(keys: unknown[], hashes: Int32Array, order: Int32Array): number {
  let size = 0;
  let run = 0; // where the entries kept with the current hash begin
  for (let i = 0; i < order.length; i++) {
    const hash = hashes[i]!;
    if (size > 0 && hashes[size - 1] !== hash) run = size;
    const key = keys[order[i]!];
    let at = run;
    while (at < size && !sameKey(keys[order[at]!], key)) at++;
    order[at] = order[i]!;
    hashes[at] = hash;
    if (at === size) size++;
  }
  return size;
}

/** The node of the sorted entries `start .. end`. REQUIRES: two or more, all different, alike above `shift`. */
function buildNode(
  keys: unknown[],
  values: unknown[],
  hashes: Int32Array,
  order: Int32Array,
  start: number,
  end: number,
  shift: number,
): Node {
  let data = 0;
  let kids = 0;
  if (shift >= 0) {
    for (let i = start; i < end; i++) {
      const bit = 1 << ((hashes[i]! >>> shift) & 31);
      if (((data | kids) & bit) === 0) data |= bit;
      else {
        data &= ~bit;
        kids |= bit;
      }
    }
  }
  const entries = shift < 0 ? end - start : popcount(data);
  const node: Node = new Array(FIRST + STRIDE * entries + popcount(kids));
  node[0] = data;
  node[1] = kids;
  node[2] = NO_EDIT;
  let at = FIRST;
  let child = node.length;
  for (let i = start; i < end; ) {
    const hash = hashes[i]!;
    const digit = hash >>> shift;
    if (shift < 0 || ((1 << (digit & 31)) & data) !== 0) {
      node[at] = hash;
      node[at + 1] = keys[order[i]!];
      node[at + 2] = values[order[i]!];
      at += STRIDE;
      i++;
    } else {
      let next = i + 1;
      while (next < end && hashes[next]! >>> shift === digit) next++;
      node[--child] = buildNode(keys, values, hashes, order, i, next, shift - BITS);
      i = next;
    }
  }
  return node;
}
