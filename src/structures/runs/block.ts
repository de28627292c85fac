/**
 * A block of a key run: a row of keys in order, prefix-compressed.
 *
 *    varint   2 * (code units shared with the key before) + (the key has a deadline)
 *    varint   2 * (code units of its own) + (they take two bytes each)
 *    n        its own code units
 *    4        location of its record, little-endian
 */
import { getUnits, isLatin1, putUnits } from '../../base/bytes.js';

/** Bytes of a block, about. Larger ones cost reads of single keys, smaller ones memory for fences. */
const BLOCK_BYTES = 4096;

export interface RunKey {
  readonly key: string;
  readonly location: number;
  readonly hasDeadline: boolean;
}

export interface Block {
  readonly firstKey: string;
  readonly bytes: Uint8Array;
}

/** Cuts keys that come in order into blocks. */
export class BlockWriter {
  #bytes = new Uint8Array(BLOCK_BYTES * 2);
  #end = 0;
  #firstKey = '';
  #before = '';

  /** The block that is full, if one is: `key` begins the next. */
  add({ key, location, hasDeadline }: RunKey): Block | undefined {
    const full = this.#end >= BLOCK_BYTES ? this.finish() : undefined;
    if (this.#end === 0) this.#firstKey = key;
    const shared = sharedUnits(this.#before, key);
    const own = key.slice(shared);
    const wide = !isLatin1(own);
    this.#reserve(14 + own.length * 2);
    const bytes = this.#bytes;
    let end = putVarint(bytes, this.#end, shared * 2 + Number(hasDeadline));
    end = putVarint(bytes, end, own.length * 2 + Number(wide));
    end = putUnits(bytes, end, own, wide);
    bytes[end++] = location;
    bytes[end++] = location >>> 8;
    bytes[end++] = location >>> 16;
    bytes[end++] = location >>> 24;
    this.#end = end;
    this.#before = key;
    return full;
  }

  /** The block of what is left. */
  finish(): Block | undefined {
    if (this.#end === 0) return undefined;
    const block = { firstKey: this.#firstKey, bytes: this.#bytes.slice(0, this.#end) };
    this.#end = 0;
    this.#before = '';
    return block;
  }

  #reserve(more: number): void {
    const wanted = this.#end + more;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, wanted));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

/** The blocks of `keys`, which are in order. */
export function encodeBlocks(keys: readonly RunKey[]): Block[] {
  const blocks: Block[] = [];
  const writer = new BlockWriter();
  for (const key of keys) {
    const block = writer.add(key);
    if (block) blocks.push(block);
  }
  const last = writer.finish();
  if (last) blocks.push(last);
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
