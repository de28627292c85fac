/**
 * Format of a saved index, version 1: a manifest, and a file of bytes for each
 * segment, so that saving writes what has changed. Integers are little-endian.
 *
 * Manifest
 *    offset  size  field
 *    ------  ----  ----------------------------------------------------------
 *         0     4  magic            'RCIX'
 *         4     4  crc              CRC-32C of bytes 8 to the end
 *         8     4  version          1
 *        12     4  segmentSlots     options of the index
 *        16     4  leastSlots
 *        20     4  fingerprintBits
 *        24     4  next             the number that the next segment gets
 *        28     4  segments         how many
 *        32     8  each             in order of prefix: u32 number, u32 crc of its bytes
 *
 * Segment
 *         0     4  magic            'RCIS'
 *         4     4  crc              CRC-32C of bytes 8 to the end
 *         8     1  version          1
 *         9     1  depth
 *        10     1  bits
 *        11     1  extBits
 *        12     4  slots
 *        16     4  length           entries, spilled ones included
 *        20     4  spilled
 *        24     4  floor
 *        28     4  reserved         0
 *        32        words, 4 bytes a slot; tags, 2 bytes a slot; then for each
 *                  spilled entry u32 fingerprint, u32 word
 *
 * What words and tags mean is in slots.ts and segment.ts; an empty slot has the tag
 * that its place implies.
 *
 * The crc in the manifest tells a segment from another that had its number. A
 * reader refuses with FormatError another magic or a higher version, and with
 * CorruptionError all else that does not agree.
 *
 * The manifest of an index with default options and one segment, number 1, whose crc is 0x44332211, is these 40 bytes:
 *
 *    52 43 49 58  8d 16 1c f3  01 00 00 00  00 28 00 00  00 10 00 00
 *    40 00 00 00  02 00 00 00  01 00 00 00  01 00 00 00  11 22 33 44
 *
 * The segment of an index of 8 slots that has location 5 under the hash 0x80000000, 0, and nothing else, is these 80 bytes:
 *
 *    52 43 49 53  dc be 44 1c  01 00 0c 1c  08 00 00 00  01 00 00 00
 *    00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00
 *    05 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00  00 00 00 00
 *    00 00 00 00  ab 02 56 05  00 08 ac 0a  57 0d 02 10  ad 12 58 15
 */
import { crc32c } from '../../base/crc32c.js';
import { CorruptionError, FormatError } from '../../base/errors.js';
import { Segment } from './segment.js';

export const MANIFEST = {
  magic: 0,
  crc: 4,
  version: 8,
  segmentSlots: 12,
  leastSlots: 16,
  fingerprintBits: 20,
  next: 24,
  segments: 28,
  body: 32,
} as const;

export const SEGMENT = {
  magic: 0,
  crc: 4,
  version: 8,
  depth: 9,
  bits: 10,
  extBits: 11,
  slots: 12,
  length: 16,
  spilled: 20,
  floor: 24,
  reserved: 28,
  body: 32,
} as const;

const MANIFEST_MAGIC = 0x58494352;
const SEGMENT_MAGIC = 0x53494352;
const VERSION = 1;
const SEALED = MANIFEST.version;

export interface Manifest {
  readonly segmentSlots: number;
  readonly leastSlots: number;
  readonly fingerprintBits: number;
  readonly next: number;
  readonly segments: readonly { readonly number: number; readonly crc: number }[];
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = new Uint8Array(MANIFEST.body + manifest.segments.length * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(MANIFEST.magic, MANIFEST_MAGIC, true);
  view.setUint32(MANIFEST.version, VERSION, true);
  view.setUint32(MANIFEST.segmentSlots, manifest.segmentSlots, true);
  view.setUint32(MANIFEST.leastSlots, manifest.leastSlots, true);
  view.setUint32(MANIFEST.fingerprintBits, manifest.fingerprintBits, true);
  view.setUint32(MANIFEST.next, manifest.next, true);
  view.setUint32(MANIFEST.segments, manifest.segments.length, true);
  for (const [i, { number, crc }] of manifest.segments.entries()) {
    view.setUint32(MANIFEST.body + i * 8, number, true);
    view.setUint32(MANIFEST.body + i * 8 + 4, crc, true);
  }
  view.setUint32(MANIFEST.crc, crc32c(bytes, SEALED), true);
  return bytes;
}

/** @throws FormatError, CorruptionError. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const view = opened(bytes, MANIFEST_MAGIC, MANIFEST.body, 'index');
  if (view.getUint32(MANIFEST.version, true) !== VERSION) throw newer('index');
  const count = view.getUint32(MANIFEST.segments, true);
  if (bytes.length !== MANIFEST.body + count * 8) throw corrupt('index', 'its length');
  const segments = Array.from({ length: count }, (_, i) => ({
    number: view.getUint32(MANIFEST.body + i * 8, true),
    crc: view.getUint32(MANIFEST.body + i * 8 + 4, true),
  }));
  return {
    segmentSlots: view.getUint32(MANIFEST.segmentSlots, true),
    leastSlots: view.getUint32(MANIFEST.leastSlots, true),
    fingerprintBits: view.getUint32(MANIFEST.fingerprintBits, true),
    next: view.getUint32(MANIFEST.next, true),
    segments,
  };
}

export function encodeSegment(segment: Segment): Uint8Array {
  const { slots, spilled } = segment;
  const bytes = new Uint8Array(SEGMENT.body + slots * 6 + spilled * 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(SEGMENT.magic, SEGMENT_MAGIC, true);
  view.setUint8(SEGMENT.version, VERSION);
  view.setUint8(SEGMENT.depth, segment.depth);
  view.setUint8(SEGMENT.bits, segment.bits);
  view.setUint8(SEGMENT.extBits, segment.extBits);
  view.setUint32(SEGMENT.slots, slots, true);
  view.setUint32(SEGMENT.length, segment.length, true);
  view.setUint32(SEGMENT.spilled, spilled, true);
  view.setUint32(SEGMENT.floor, segment.floor, true);
  bytes.set(new Uint8Array(segment.words.buffer), SEGMENT.body);
  let at = SEGMENT.body + slots * 6;
  for (const [fingerprint, words] of segment.spill ?? []) {
    for (const word of words) {
      view.setUint32(at, fingerprint, true);
      view.setUint32(at + 4, word, true);
      at += 8;
    }
  }
  view.setUint32(SEGMENT.crc, crc32c(bytes, SEALED), true);
  return bytes;
}

/** `checked`: the caller has seen to it that no bit has changed. @throws FormatError, CorruptionError. */
export function decodeSegment(bytes: Uint8Array, checked = false): Segment {
  const view = opened(bytes, SEGMENT_MAGIC, SEGMENT.body, 'index segment', checked);
  if (view.getUint8(SEGMENT.version) !== VERSION) throw newer('index segment');
  const depth = view.getUint8(SEGMENT.depth);
  const bits = view.getUint8(SEGMENT.bits);
  const extBits = view.getUint8(SEGMENT.extBits);
  const slots = view.getUint32(SEGMENT.slots, true);
  const spilled = view.getUint32(SEGMENT.spilled, true);
  const size = SEGMENT.body + slots * 6 + spilled * 8;
  const sound =
    depth <= 24 && bits >= 1 && bits <= 30 && extBits <= 31 && slots >= 4 && bytes.length === size;
  if (!sound || view.getUint32(SEGMENT.reserved, true) !== 0) throw corrupt('index segment', 'its header');
  // Owned by nobody: whoever loads it clones before changing it.
  const segment = new Segment({ depth, slots, bits, extBits }, {});
  new Uint8Array(segment.words.buffer).set(bytes.subarray(SEGMENT.body, SEGMENT.body + slots * 6));
  for (let at = SEGMENT.body + slots * 6; at < size; at += 8) {
    segment.putSpill(view.getUint32(at, true), view.getUint32(at + 4, true));
  }
  segment.length = view.getUint32(SEGMENT.length, true);
  segment.floor = view.getUint32(SEGMENT.floor, true);
  if (segment.taken < 0 || segment.taken >= slots) throw corrupt('index segment', 'its length');
  return segment;
}

/** The crc that `encodeManifest` and `encodeSegment` wrote. */
export function crcOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(SEGMENT.crc, true);
}

function opened(bytes: Uint8Array, magic: number, least: number, what: string, checked = false): DataView {
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`${what}: expected a Uint8Array, got ${typeof bytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint32(0, true) !== magic) throw new FormatError(`no ${what}`);
  if (bytes.length < least) throw corrupt(what, 'it ends in its header');
  if (view.getUint8(SEALED) > VERSION) throw newer(what);
  if (!checked && view.getUint32(4, true) !== crc32c(bytes, SEALED))
    throw corrupt(what, 'its check does not agree');
  return view;
}

function newer(what: string): FormatError {
  return new FormatError(`an ${what} of another version; this release reads ${VERSION}`);
}

function corrupt(what: string, why: string): CorruptionError {
  return new CorruptionError(`a damaged ${what}: ${why}`);
}
