/**
 * Format of a maplet, version 1. Integers are little-endian.
 *
 *    offset  size  field
 *    ------  ----  ----------------------------------------------------------
 *         0     4  magic       'RCMP'
 *         4     4  crc         CRC-32C of bytes 8 to the end
 *         8     1  version     1
 *         9     1  flags       bit 0: grows by itself; the others are 0
 *        10     1  operator    OperatorId
 *        11     1  valueBits   0: values by reference
 *        12     4  tables      how many
 *        16     8  seed        two words
 *        24     8  rate        the bound on false positives, a double
 *        32     8  capacity    keys, a double
 *        40     4  references  bytes of values by reference
 *        44     4  reserved    0
 *        48        the tables; then the references
 *
 * A table is five u32, bits, step, slots, used, entries, and its planes as in
 * quotient-table.ts: occupied, ends, spills, remainders, values. References are
 * one value of codec version 1: an array of all values and one of free places.
 *
 * A reader refuses with FormatError what has another magic or a higher version,
 * and with CorruptionError what is cut, fails the crc or breaks a rule.
 *
 * A maplet of capacity 1, rate 0.5, operator 'max' of 1 bit, seed 7, with nothing
 * in it, begins with these 48 bytes; 1 table of 20 + 8 + 8 + 1 + 8 + 16 bytes follows:
 *
 *    52 43 4d 50  d7 42 bc 80  01 01 02 01  01 00 00 00
 *    07 00 00 00  00 00 00 00  00 00 00 00  00 00 e0 3f
 *    00 00 00 00  00 00 f0 3f  00 00 00 00  00 00 00 00
 *
 * Adding an operator is compatible; all else is a new version.
 */
import { decode, encode, Kind } from '../../base/codec/index.js';
import { crc32c } from '../../base/crc32c.js';
import { CorruptionError, FormatError, SerializationError } from '../../base/errors.js';
import type { Secret } from '../../base/hash.js';
import { type Cells, cellsFor, cellsWith } from './cells.js';
import { OPERATORS, type Operator, type OperatorName } from './operators.js';
import { QuotientTable } from './quotient-table.js';

export const AT = {
  magic: 0,
  crc: 4,
  version: 8,
  flags: 9,
  operator: 10,
  valueBits: 11,
  tables: 12,
  seed: 16,
  rate: 24,
  capacity: 32,
  references: 40,
  reserved: 44,
  body: 48,
} as const;

const MAGIC = 0x504d4352;
const VERSION = 1;
const TABLE_HEAD = 20;
const SLOTS_MAX = 2 ** 27;
const SEALED = AT.version;

// Values are in stored bytes: never renumber, never reuse.
const OPERATOR_ID: Readonly<Record<OperatorName, number>> = {
  counter: 1,
  max: 2,
  min: 3,
  replace: 4,
  or: 5,
  and: 6,
  concat: 7,
  list: 8,
  set: 9,
  vector: 10,
};
const CUSTOM = 0;

/** Everything that a maplet is made of. */
export interface MapletParts<V> {
  readonly operator: Operator<V>;
  readonly falsePositiveRate: number;
  readonly valueBits: number;
  readonly limit: number;
  readonly autoResize: boolean;
  readonly secret: Secret;
  readonly tables: QuotientTable[];
  readonly cells: Cells<V>;
}

export function encodeMaplet<V>(parts: MapletParts<V>): Uint8Array {
  const { tables, cells, operator } = parts;
  const byReference = parts.valueBits === Number.POSITIVE_INFINITY;
  const references = byReference ? encodeReferences(cells) : new Uint8Array(0);
  const body = tables.reduce((sum, table) => sum + TABLE_HEAD + table.bytes, 0);
  const size = AT.body + body + references.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  view.setUint8(AT.version, VERSION);
  view.setUint8(AT.flags, parts.autoResize ? 1 : 0);
  view.setUint8(AT.operator, operator.name === undefined ? CUSTOM : OPERATOR_ID[operator.name]);
  view.setUint8(AT.valueBits, byReference ? 0 : parts.valueBits);
  view.setUint32(AT.tables, tables.length, true);
  view.setInt32(AT.seed, parts.secret[0]!, true);
  view.setInt32(AT.seed + 4, parts.secret[1]!, true);
  view.setFloat64(AT.rate, parts.falsePositiveRate, true);
  view.setFloat64(AT.capacity, parts.limit, true);
  view.setUint32(AT.references, references.length, true);
  let at: number = AT.body;
  for (const table of tables) {
    for (const field of [table.bits, table.step, table.slots, table.used, table.entries]) {
      view.setUint32(at, field, true);
      at += 4;
    }
    for (const plane of table.planes) {
      bytes.set(new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength), at);
      at += plane.byteLength;
    }
  }
  bytes.set(references, at);
  view.setUint32(AT.crc, crc32c(bytes, SEALED), true);
  return bytes;
}

/**
 * The parts of a maplet in `bytes`, which they share nothing with.
 *
 * @throws FormatError, CorruptionError, or TypeError when a custom operator is
 *   needed and not `given`, or given and not needed.
 */
export function decodeMaplet<V>(bytes: Uint8Array, given?: Operator<V>): MapletParts<V> {
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`bytes: expected a Uint8Array, got ${typeof bytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < AT.crc || view.getUint32(AT.magic, true) !== MAGIC)
    throw new FormatError('not a maplet');
  if (bytes.length < AT.body) throw corrupt('it ends in the header', bytes.length);
  const version = view.getUint8(AT.version);
  if (version > VERSION)
    throw new FormatError(`a maplet of version ${version}; this release reads ${VERSION}`);
  if (view.getUint32(AT.crc, true) !== crc32c(bytes, SEALED))
    throw corrupt('its check does not agree', AT.crc);
  const flags = view.getUint8(AT.flags);
  if (version !== VERSION || flags > 1 || view.getUint32(AT.reserved, true) !== 0)
    throw corrupt('its header', AT.flags);

  const operator = operatorFor(view.getUint8(AT.operator), given);
  const valueBits = view.getUint8(AT.valueBits) || Number.POSITIVE_INFINITY;
  const referencesSize = view.getUint32(AT.references, true);
  const end = bytes.length - referencesSize;
  const tables: QuotientTable[] = [];
  let at: number = AT.body;
  for (let left = view.getUint32(AT.tables, true); left > 0; left--) {
    const table = readTable(bytes, view, at, end, valueBits);
    tables.push(table);
    at += TABLE_HEAD + table.bytes;
  }
  if (at !== end || tables.length === 0) throw corrupt('its tables do not fill it', at);
  return {
    operator,
    valueBits,
    tables,
    falsePositiveRate: view.getFloat64(AT.rate, true),
    limit: view.getFloat64(AT.capacity, true),
    autoResize: flags === 1,
    secret: Int32Array.of(view.getInt32(AT.seed, true), view.getInt32(AT.seed + 4, true)),
    cells:
      referencesSize === 0 ? cellsFor(operator, valueBits) : decodeReferences(operator, bytes.slice(end)),
  };
}

function readTable(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
  valueBits: number,
): QuotientTable {
  if (from + TABLE_HEAD > end) throw corrupt('it ends in a table', from);
  const [bits, step, slots, used, entries] = [0, 4, 8, 12, 16].map((field) =>
    view.getUint32(from + field, true),
  );
  const plausible =
    bits! >= 1 && bits! <= 48 && step! >= 1 && slots! % 64 === 0 && used! <= slots! && entries! <= used!;
  if (!plausible || slots! > SLOTS_MAX || 2 ** bits! / step! > slots!)
    throw corrupt('the head of a table', from);
  const width = valueBits === Number.POSITIVE_INFINITY ? 32 : valueBits;
  const table = new QuotientTable({ bits: bits!, step: step!, valueBits: width }, slots);
  let at = from + TABLE_HEAD;
  if (at + table.bytes > end) throw corrupt('it ends in a table', from);
  for (const plane of table.planes) {
    new Uint8Array(plane.buffer).set(bytes.subarray(at, at + plane.byteLength));
    at += plane.byteLength;
  }
  table.used = used!;
  table.entries = entries!;
  return table;
}

function operatorFor<V>(id: number, given: Operator<V> | undefined): Operator<V> {
  const name = (Object.keys(OPERATOR_ID) as OperatorName[]).find((each) => OPERATOR_ID[each] === id);
  if (id !== CUSTOM && name === undefined) throw new FormatError(`a maplet with the unknown operator ${id}`);
  if (name !== undefined) {
    if (given !== undefined && given.name !== name) throw new TypeError(`operator: the maplet has '${name}'`);
    return OPERATORS[name] as unknown as Operator<V>;
  }
  if (given === undefined)
    throw new TypeError('operator: the maplet has one of its own, which must be given');
  return given;
}

function encodeReferences<V>(cells: Cells<V>): Uint8Array {
  const encoded = encode([Array.from(cells.references), Array.from(cells.unused)]);
  if (encoded instanceof Promise) {
    encoded.catch(() => {});
    throw new SerializationError('a Blob or File in a maplet cannot be written');
  }
  const bytes = new Uint8Array(1 + encoded.bytes.length);
  bytes[0] = encoded.kind;
  bytes.set(encoded.bytes, 1);
  return bytes;
}

function decodeReferences<V>(operator: Operator<V>, bytes: Uint8Array): Cells<V> {
  if (bytes[0] !== Kind.Tagged) throw corrupt('its references', 0);
  const [values, unused] = decode(Kind.Tagged, bytes.subarray(1)) as [(V | undefined)[], number[]];
  return cellsWith(operator, values, unused);
}

function corrupt(what: string, offset: number): CorruptionError {
  return new CorruptionError(`a damaged maplet: ${what}`, { detail: { offset } });
}
