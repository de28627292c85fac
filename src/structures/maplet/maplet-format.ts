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
 * A table is u32 bits, u32 slots, double step, u32 used, u32 entries, and its planes
 * as in quotient-table.ts: occupied, ends, spills, remainders, values. References are a
 * byte, the kind of value of `base/codec`, and one value: an array of all values and
 * one of free places; nothing where values stand in their slots.
 *
 * A reader refuses with FormatError what has another magic or a higher version,
 * and with CorruptionError what is cut, fails the crc, or breaks a rule of this
 * table or of quotient-table.ts.
 *
 * A maplet of capacity 1, rate 0.5, operator 'max' of 1 bit, seed 7, with nothing
 * in it, begins with these 48 bytes; 1 table of 24 + 8 + 8 + 1 + 24 + 16 bytes follows:
 *
 *    52 43 4d 50  4f 9d ea 5f  01 01 02 01  01 00 00 00
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
import { isStep } from './geometry.js';
import { OPERATORS, type Operator, type OperatorName } from './operators.js';
import { isSound } from './quotient-check.js';
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
const TABLE = { bits: 0, slots: 4, step: 8, used: 16, entries: 20, planes: 24 } as const;
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
  const body = tables.reduce((sum, table) => sum + TABLE.planes + table.bytes, 0);
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
    view.setUint32(at + TABLE.bits, table.bits, true);
    view.setUint32(at + TABLE.slots, table.slots, true);
    view.setFloat64(at + TABLE.step, table.step, true);
    view.setUint32(at + TABLE.used, table.used, true);
    view.setUint32(at + TABLE.entries, table.entries, true);
    at += TABLE.planes;
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
  const falsePositiveRate = view.getFloat64(AT.rate, true);
  const limit = view.getFloat64(AT.capacity, true);
  if (!(falsePositiveRate > 0 && falsePositiveRate < 1)) throw corrupt('its rate', AT.rate);
  if (!(limit >= 1 && Number.isSafeInteger(limit))) throw corrupt('its capacity', AT.capacity);
  const end = bytes.length - view.getUint32(AT.references, true);
  const tables: QuotientTable[] = [];
  let at: number = AT.body;
  for (let left = view.getUint32(AT.tables, true); left > 0; left--) {
    const table = readTable(bytes, view, at, end, valueBits);
    if (table.bits < (tables.at(-1)?.bits ?? 0)) throw corrupt('the order of its tables', at);
    tables.push(table);
    at += TABLE.planes + table.bytes;
  }
  if (at !== end || tables.length === 0) throw corrupt('its tables do not fill it', at);
  return {
    operator,
    valueBits,
    tables,
    falsePositiveRate,
    limit,
    autoResize: flags === 1,
    secret: Int32Array.of(view.getInt32(AT.seed, true), view.getInt32(AT.seed + 4, true)),
    cells: readCells(operator, valueBits, bytes.slice(end), tables),
  };
}

function readCells<V>(
  operator: Operator<V>,
  valueBits: number,
  references: Uint8Array,
  tables: readonly QuotientTable[],
): Cells<V> {
  const byReference = valueBits === Number.POSITIVE_INFINITY;
  if (references.length > 0 !== byReference) throw corrupt('its references', AT.references);
  if (byReference) return decodeReferences(operator, references, tables);
  try {
    return cellsFor(operator, valueBits);
  } catch (cause) {
    throw new CorruptionError('a damaged maplet: its width', { cause });
  }
}

function readTable(
  bytes: Uint8Array,
  view: DataView,
  from: number,
  end: number,
  valueBits: number,
): QuotientTable {
  if (from + TABLE.planes > end) throw corrupt('it ends in a table', from);
  const bits = view.getUint32(from + TABLE.bits, true);
  const slots = view.getUint32(from + TABLE.slots, true);
  const step = view.getFloat64(from + TABLE.step, true);
  // Two bits a slot at least, before memory is asked for so many.
  const plausible = bits >= 1 && bits <= 48 && isStep(step) && slots % 64 === 0 && slots / 4 <= end - from;
  if (!plausible || slots > SLOTS_MAX || 2 ** bits / step > slots) throw corrupt('the head of a table', from);
  const width = valueBits === Number.POSITIVE_INFINITY ? 32 : valueBits;
  const table = new QuotientTable({ bits, step, valueBits: width }, slots);
  let at = from + TABLE.planes;
  if (at + table.bytes > end) throw corrupt('it ends in a table', from);
  for (const plane of table.planes) {
    new Uint8Array(plane.buffer).set(bytes.subarray(at, at + plane.byteLength));
    at += plane.byteLength;
  }
  table.used = view.getUint32(from + TABLE.used, true);
  table.entries = view.getUint32(from + TABLE.entries, true);
  if (table.slots !== slots || !isSound(table)) throw corrupt('the planes of a table', from);
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

/** Every place is named by one slot or free. */
function decodeReferences<V>(
  operator: Operator<V>,
  bytes: Uint8Array,
  tables: readonly QuotientTable[],
): Cells<V> {
  if (bytes[0] !== Kind.Tagged) throw corrupt('its references', 0);
  const both = decode(Kind.Tagged, bytes.subarray(1));
  if (!Array.isArray(both) || !both.every(Array.isArray)) throw corrupt('its references', 1);
  const [values = [], unused = []] = both as [(V | undefined)[], number[]];
  const named = new Set(unused);
  let count = unused.length;
  for (const table of tables) {
    table.forEach((_, place) => {
      named.add(place);
      count++;
    });
  }
  const all = Array.from(values, (_, place) => named.has(place));
  if (count !== values.length || all.includes(false)) throw corrupt('its references', 1);
  return cellsWith(operator, values, unused);
}

function corrupt(what: string, offset: number): CorruptionError {
  return new CorruptionError(`a damaged maplet: ${what}`, { detail: { offset } });
}
