/**
 * Key runs: the keys of sealed extents, in order, so that ordered scans need no keys
 * in memory.
 *
 * A run is a row of blocks of about 4 KiB, which lie in the log; in memory stands the
 * first key of each block, its *fence*. A block is a row of keys, prefix-compressed:
 *
 *    varint   2 * (code units shared with the key before) + (the key has a deadline)
 *    varint   2 * (code units of its own) + (they take two bytes each)
 *    n        its own code units
 *    4        location of its record, little-endian
 *
 * A run says what was written, not what is current: a key counts only while the index
 * still names its location. So runs are never changed, and deletes leave no mark.
 */
import { getUnits, isLatin1, putUnits } from '../../base/bytes.js';

/** Bytes of a block, about. Larger ones cost reads of single keys, smaller ones memory for fences. */
const BLOCK_BYTES = 4096;

export interface RunKey {
  readonly key: string;
  readonly location: number;
  readonly hasDeadline: boolean;
}

export interface Fence {
  readonly firstKey: string;
  /** Of the entry that holds the block. */
  readonly location: number;
}

/** In order of their first keys. */
export type Run = readonly Fence[];

export interface Block {
  readonly firstKey: string;
  readonly bytes: Uint8Array;
}

/** Cuts `keys`, which are in order, into blocks. */
export function encodeBlocks(keys: readonly RunKey[]): Block[] {
  const blocks: Block[] = [];
  let bytes = new Uint8Array(BLOCK_BYTES * 2);
  let end = 0;
  let firstKey = '';
  let before = '';
  const close = () => {
    if (end > 0) blocks.push({ firstKey, bytes: bytes.slice(0, end) });
    end = 0;
    before = '';
  };
  for (const { key, location, hasDeadline } of keys) {
    if (end >= BLOCK_BYTES) close();
    if (end === 0) firstKey = key;
    const shared = sharedUnits(before, key);
    const own = key.slice(shared);
    const wide = !isLatin1(own);
    const most = 14 + own.length * 2;
    if (end + most > bytes.length) {
      const grown = new Uint8Array(Math.max(bytes.length * 2, end + most));
      grown.set(bytes.subarray(0, end));
      bytes = grown;
    }
    end = putVarint(bytes, end, shared * 2 + Number(hasDeadline));
    end = putVarint(bytes, end, own.length * 2 + Number(wide));
    end = putUnits(bytes, end, own, wide);
    bytes[end++] = location;
    bytes[end++] = location >>> 8;
    bytes[end++] = location >>> 16;
    bytes[end++] = location >>> 24;
    before = key;
  }
  close();
  return blocks;
}

/** The keys of a block that `encodeBlocks` made, in order. */
export function decodeBlock(bytes: Uint8Array): RunKey[] {
  const keys: RunKey[] = [];
  const reader = { bytes, at: 0 };
  let before = '';
  while (reader.at < bytes.length) {
    const sharedAndDeadline = getVarint(reader);
    const ownAndWide = getVarint(reader);
    const wide = (ownAndWide & 1) === 1;
    const start = reader.at;
    const end = start + (ownAndWide >>> 1) * (wide ? 2 : 1);
    const key = before.slice(0, sharedAndDeadline >>> 1) + getUnits(bytes, start, end, wide);
    const location =
      (bytes[end]! | (bytes[end + 1]! << 8) | (bytes[end + 2]! << 16) | (bytes[end + 3]! << 24)) >>> 0;
    keys.push({ key, location, hasDeadline: (sharedAndDeadline & 1) === 1 });
    reader.at = end + 4;
    before = key;
  }
  return keys;
}

/** Index of the block of `run` in which `key` stands if it stands anywhere; -1 where it is before them all. */
export function blockOf(run: Run, key: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (run[middle]!.firstKey <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function sharedUnits(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let shared = 0;
  while (shared < most && a.charCodeAt(shared) === b.charCodeAt(shared)) shared += 1;
  return shared;
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}

function getVarint(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.bytes[reader.at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
