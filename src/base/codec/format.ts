/**
 * Format of tagged values, version 1: any value of the structured clone algorithm
 * as one run of bytes that says itself what it is. Integers are little-endian, a
 * *varint* has seven bits a byte, lowest first, and at most 53 bits.
 *
 *    tag        what follows
 *    ---------  ------------------------------------------------------------------
 *    00         never a value, so that zeroed space is none
 *    01 END     nothing: closes OBJECT and SPARSE
 *    02-06      nothing: undefined, null, false, true, NaN
 *    07         a double, 8 bytes
 *    08, 09     varint n: the integer n; the integer -1 - n
 *    0a, 0b     varint n, n bytes: the bigint of that magnitude; its negative
 *    0c         varint n, n bytes of UTF-8: a string
 *    0d         varint n, 2n bytes of UTF-16: a string that holds a lone surrogate
 *    0e         varint n: the n-th string again
 *    0f         varint n: the n-th object again
 *    10 OBJECT  a string and a value for each property, END
 *    11 ARRAY   varint n, n values
 *    12 SPARSE  varint length, then an integer or a string and a value for each
 *               property, END: an array with holes or with named properties
 *    13 MAP     varint n, n times a key and a value
 *    14 SET     varint n, n values
 *    15 DATE    a double, 8 bytes
 *    16 REGEXP  two strings: source, flags
 *    17 BOXED   a boolean, number, string or bigint: the object around it
 *    18 ERROR   index in `ERROR_NAMES`, `ErrorPart` bits; then those that are there
 *               of message and stack (strings) and cause (a value)
 *    19 BUFFER  varint n, n bytes
 *    1a VIEW    index in `VIEW_NAMES`; the BUFFER, or 0f and its number; varint
 *               offset in bytes; varint length in elements
 *    1b BLOB    a string, the type; varint n, n bytes
 *    1c FILE    two strings, name and type; a double, lastModified; varint n, n bytes
 *    20-5f      nothing: the integer tag - 30
 *    60-9f      tag - 60 bytes of UTF-8: a string
 *    a0-df      nothing: string number tag - a0 again
 *    e0-ff      tag - e0 values: an array
 *
 * Rules
 *  1. Strings of `SHARED_MIN` to `SHARED_MAX` code units are numbered from 0 as they
 *     are first written; from then on only their number is.
 *  2. Objects (tags 10-1c, e0-ff) are numbered from 0 as their tags come, and
 *     filled afterwards: an object inside itself is its number. A VIEW comes
 *     before its BUFFER.
 *  3. One value has one encoding: the shortest tag, properties in their order.
 *  4. Nothing follows the value.
 *
 * `{ flags: ['on', 'on'], n: -1 }` is these 16 bytes:
 *
 *    10  65 66 6c 61 67 73  e2 62 6f 6e a1  61 6e  2f  01
 *
 * The elements of views lie as in memory, which is little-endian on every
 * platform that has a browser. Anything incompatible is another `Kind`.
 */
export const Tag = {
  End: 0x01,
  Undefined: 0x02,
  Null: 0x03,
  False: 0x04,
  True: 0x05,
  NaN: 0x06,
  Double: 0x07,
  Integer: 0x08,
  Negative: 0x09,
  BigInt: 0x0a,
  NegativeBigInt: 0x0b,
  String: 0x0c,
  String16: 0x0d,
  SameString: 0x0e,
  SameObject: 0x0f,
  Object: 0x10,
  Array: 0x11,
  Sparse: 0x12,
  Map: 0x13,
  Set: 0x14,
  Date: 0x15,
  RegExp: 0x16,
  Boxed: 0x17,
  Error: 0x18,
  Buffer: 0x19,
  View: 0x1a,
  Blob: 0x1b,
  File: 0x1c,
} as const;

/** First tags of the ranges that carry a small number, and how many there are of each. */
export const SMALL = { integer: 0x20, string: 0x60, sameString: 0xa0, array: 0xe0 } as const;
export const SMALL_COUNT = { integer: 64, string: 64, sameString: 64, array: 32 } as const;
/** The integer of the first tag of its range. */
export const SMALL_INTEGER_MIN = -16;

/** Shorter strings are not numbered: a number takes as much. Longer ones seldom come twice. */
export const SHARED_MIN = 2;
export const SHARED_MAX = 128;

// Indices and bits are on disk: never renumber, never reuse.
export const ErrorPart = { Message: 1, Stack: 2, Cause: 4 } as const;
export const ERROR_NAMES = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
] as const;
export const VIEW_NAMES = [
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float16Array',
] as const;
