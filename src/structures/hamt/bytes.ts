/**
 * Format of persistent collections in bytes, version 1. Integers are
 * little-endian; a *varint* has seven bits a byte, the lowest first, and the high
 * bit set in all but the last byte.
 *
 *    offset  size  field
 *    ------  ----  ---------------------------------------------------------
 *         0     4  magic     "rcpc"
 *         4     1  version   1
 *         5     1  type      1 map, 2 set, 3 sorted map, 4 vector
 *         6     2  reserved  0; a reader refuses anything else
 *         8     4  crc       CRC-32C of bytes 0 .. 8 and 12 .. end
 *        12     n  body
 *
 *    body = varint count of entries, then the items: of a map key, value, key,
 *           value; of a set or a vector one for each
 *    item = tag (1 byte), varint length, `length` bytes:
 *           tag 0 .. 15    a value of that kind of `base/codec`
 *           tag 64 + type  the body of a collection
 *
 * Maps and sets are in the order of the bytes of their items, as they have no
 * order of their own; sorted maps and vectors in theirs. A value -0 is written
 * as 0. So equal collections give equal bytes, but for objects that are equal by
 * nothing than being the same.
 *
 * A reader takes all bytes or none: after the crc it still checks each length.
 *
 * The map of "a" to "b" is these 19 bytes:
 *
 *    72 63 70 63  01 01  00 00  06 26 a6 cb  01  01 01 61  01 01 62
 *
 * Anything else is a new version.
 */
import { decode, encode } from '../../base/codec/index.js';
import { crc32c } from '../../base/crc32c.js';
import { CorruptionError, FormatError, SerializationError } from '../../base/errors.js';
import type { Columns } from './build.js';
import { Persistent } from './persistent.js';

// Values are on disk: never renumber, never reuse.
export const MAP = 1;
export const SET = 2;
export const SORTED_MAP = 3;
export const VECTOR = 4;

const AT = { magic: 0, version: 4, type: 5, reserved: 6, crc: 8, body: 12 } as const;
const MAGIC = 0x63706372;
const VERSION = 1;
/** Added to the type, the tag of an item that is a collection. */
const NESTED = 64;

/** A class of collections. For a set or vector the items are the `keys`. */
export interface CollectionType {
  readonly tag: number;
  readonly name: string;
  readonly isPaired: boolean;
  readonly isOrdered: boolean;
  owns(value: Persistent): boolean;
  make(columns: Columns): Persistent;
}

/** The classes, which make themselves known: this module is below them. */
const types: CollectionType[] = [];

export function register(type: CollectionType): void {
  types.push(type);
}

/** @throws SerializationError for content that cannot be stored. */
export function toBytes(collection: Persistent): Uint8Array {
  const type = typeOf(collection);
  const body = bodyOf(collection, type);
  const bytes = new Uint8Array(AT.body + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  bytes[AT.version] = VERSION;
  bytes[AT.type] = type.tag;
  bytes.set(body, AT.body);
  view.setUint32(AT.crc, checkOf(bytes), true);
  return bytes;
}

/** The content of `bytes`, which must be of type `tag`, as `make` makes it. */
export function fromBytes<C extends Persistent>(
  bytes: Uint8Array,
  tag: number,
  make: (columns: Columns) => C,
): C {
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`fromBytes: expected a Uint8Array, got ${typeof bytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < AT.body || view.getUint32(AT.magic, true) !== MAGIC) {
    throw new FormatError('these bytes are no persistent collection');
  }
  if (bytes[AT.version] !== VERSION) {
    throw new FormatError(`a persistent collection of version ${bytes[AT.version]}, known is ${VERSION}`);
  }
  if (view.getUint32(AT.crc, true) !== checkOf(bytes) || view.getUint16(AT.reserved, true) !== 0) {
    throw new CorruptionError('a persistent collection fails its check');
  }
  const type = typeWith(bytes[AT.type]!);
  if (type.tag !== tag) throw new FormatError(`expected a ${typeWith(tag).name}, got a ${type.name}`);
  return readBody(bytes, AT.body, bytes.length, type, make) as C;
}

function checkOf(bytes: Uint8Array): number {
  return crc32c(bytes, AT.body, bytes.length, crc32c(bytes, 0, AT.crc)) >>> 0;
}

function typeOf(collection: Persistent): CollectionType {
  const type = types.find((type) => type.owns(collection));
  if (type === undefined) throw new SerializationError('a persistent collection of an unknown class');
  return type;
}

function typeWith(tag: number): CollectionType {
  const type = types.find((type) => type.tag === tag);
  // Also where a bundler left the class out because nothing names it.
  if (type === undefined) throw new FormatError(`a persistent collection of type ${tag} is unknown here`);
  return type;
}

function bodyOf(collection: Persistent, type: CollectionType): Uint8Array {
  const items: Uint8Array[] = [];
  for (const entry of collection) {
    if (type.isPaired) {
      const [key, value] = entry as [unknown, unknown];
      items.push(join([itemOf(key), itemOf(value)]));
    } else {
      items.push(itemOf(entry));
    }
  }
  if (!type.isOrdered) items.sort(compareBytes);
  items.unshift(varint(items.length));
  return join(items);
}

function itemOf(value: unknown): Uint8Array {
  if (value instanceof Persistent) {
    const type = typeOf(value);
    return tagged(NESTED + type.tag, bodyOf(value, type));
  }
  refuseHidden(value, new Set());
  const encoded = encode(value === 0 ? 0 : value);
  if (encoded instanceof Promise) {
    // Whoever waits for it is nobody.
    encoded.catch(() => undefined);
    throw new SerializationError('a Blob or File has to be read first: toBytes() cannot wait for it');
  }
  return tagged(encoded.kind, encoded.bytes);
}

/** The codec would take a collection inside of a plain value for an object of no class. */
function refuseHidden(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  if (value instanceof Persistent) {
    throw new SerializationError(
      'a persistent collection inside of a plain object or array cannot be stored',
    );
  }
  const prototype = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return;
  seen.add(value);
  for (const inner of Object.values(value)) refuseHidden(inner, seen);
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  return join([Uint8Array.of(tag), varint(bytes.length), bytes]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return Uint8Array.from(bytes);
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function readBody(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: CollectionType,
  make: (columns: Columns) => Persistent,
): Persistent {
  let at = start;
  const number = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 35; factor *= 0x80) {
      if (at >= end) throw cutShort();
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new CorruptionError('a number in a persistent collection is too long');
  };
  const item = (): unknown => {
    if (at >= end) throw cutShort();
    const tag = bytes[at++]!;
    const length = number();
    if (length > end - at) throw cutShort();
    const from = at;
    at += length;
    if (tag < NESTED) return decode(tag, bytes.subarray(from, at));
    const inner = typeWith(tag - NESTED);
    return readBody(bytes, from, at, inner, inner.make);
  };
  const keys: unknown[] = [];
  const values: unknown[] = [];
  const count = number();
  for (let i = 0; i < count; i++) {
    keys.push(item());
    if (type.isPaired) values.push(item());
  }
  if (at !== end) throw new CorruptionError('a persistent collection has bytes behind its end');
  const collection = make({ keys, values });
  if (collection.size !== count) throw new CorruptionError('a persistent collection has a key twice');
  return collection;
}

function cutShort(): CorruptionError {
  return new CorruptionError('a persistent collection is cut short');
}
