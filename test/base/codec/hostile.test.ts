import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode, type Encoded, encode, Kind } from '../../../src/base/codec/index.js';
import { CorruptionError } from '../../../src/base/errors.js';
import { anyValue, samples } from './values.js';

/** Whether `bytes` were a value; anything thrown but a CorruptionError fails the test. */
function isValue(bytes: Uint8Array, kind: number = Kind.Tagged): boolean {
  try {
    decode(kind, bytes);
    return true;
  } catch (error) {
    if (error instanceof CorruptionError) return false;
    throw error;
  }
}

const encodings = Object.entries(samples()).map(
  ([name, value]) => [name, (encode(value) as Encoded).bytes] as const,
);
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

// Each of some hundred thousand errors would collect its stack.
const limit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = limit;
});

describe('malformed bytes', () => {
  test.each(encodings)('are no value when cut anywhere: %s', (_, bytes) => {
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(isValue(bytes.subarray(0, cut)), `cut at ${cut}`).toBe(false);
    }
  });

  test.each(encodings)('are no value when something follows: %s', (_, bytes) => {
    expect(isValue(Uint8Array.of(...bytes, 0x30))).toBe(false);
  });

  test.each(encodings)('give a value or CorruptionError with any bit flipped: %s', (_, bytes) => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      isValue(flipped);
    }
  });

  test.each(encodings)('give a value or CorruptionError with any byte of any value: %s', (_, bytes) => {
    for (let at = 0; at < Math.min(bytes.length, 60); at++) {
      const changed = bytes.slice();
      for (let byte = 0; byte < 256; byte++) {
        changed[at] = byte;
        isValue(changed);
      }
    }
  });

  test('give a value or CorruptionError at random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 4 }), (bytes, kind) => {
        isValue(bytes, kind);
      }),
      { numRuns: 5000 },
    );
  });

  test('made of two encodings give a value or CorruptionError', () => {
    fc.assert(
      fc.property(anyValue, anyValue, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, share) => {
        const head = (encode([a]) as Encoded).bytes;
        const tail = (encode([b]) as Encoded).bytes;
        isValue(
          Uint8Array.of(...head.subarray(0, share * head.length), ...tail.subarray(share * tail.length)),
        );
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['zeros', '00'],
    ['END alone', '01'],
    ['a string of more bytes than there are', '0c ff ff ff ff ff ff ff 0f 61'],
    ['a UTF-16 string of more units than there are', '0d 02 61 00 61'],
    ['a buffer of more bytes than there are', '19 ff ff ff ff 0f'],
    ['an array of more items than there are', '11 ff ff ff ff 0f'],
    ['a map of more entries than there are', '13 02 30 30 30'],
    ['an array longer than arrays may be', '12 80 80 80 80 10 01'],
    ['a bigint of more bytes than there are', '0a ff ff ff ff 0f'],
    ['a number above 2^53', '08 ff ff ff ff ff ff ff 1f'],
    ['a number that does not end', '08 80 80 80 80 80 80 80 80 80 00'],
    ['UTF-8 cut short', '61 c3'],
    ['an overlong character', '62 c0 80'],
    ['a surrogate in UTF-8', '63 ed a0 80'],
    ['a string that is not there', 'e2 62 61 62 a1'],
    ['an object that is not there', 'e1 0f 01'],
    ['a key that is no string', '10 30 30 01'],
    ['an index beyond the array', '12 02 32 30 01'],
    ['an index that is no whole number', '12 02 07 00 00 00 00 00 00 e0 3f 30 01'],
    ['a length as a property', '12 02 66 6c 65 6e 67 74 68 5f 01'],
    ['a view of a view', '1a 02 0f 00 30 30'],
    ['a view that is its own buffer', 'e2 10 01 1a 02 0f 01 00 00'],
    ['a view beyond its buffer', '1a 02 19 02 00 00 01 02'],
    ['a view of more elements than its buffer has', '1a 05 19 04 00 00 00 00 00 03'],
    ['a view that is not aligned', '1a 05 19 04 00 00 00 00 01 01'],
    ['a view of unknown kind', '1a 20 19 00 00 00'],
    ['a boxed object', '17 10 01'],
    ['an error of unknown kind', '18 07 00'],
    ['an error of unknown parts', '18 00 08'],
  ])('are refused before anything is made of them: %s', (_, hex) => {
    expect(() => decode(Kind.Tagged, bytesOf(hex))).toThrow(CorruptionError);
    expect(() => decode(Kind.Tagged, bytesOf(hex))).toThrow(/ malformed at byte | are not UTF-8/);
  });

  test.each([
    ['a regular expression that is none', '16 61 28 60'],
    ['flags that are none', '16 61 61 61 71'],
  ])('are refused with the reason of who refused them: %s', (_, hex) => {
    expect(isValue(bytesOf(hex))).toBe(false);
    expect(() => decode(Kind.Tagged, bytesOf(hex))).toThrow(/cannot be made: SyntaxError/);
  });

  test('of the other kinds are refused', () => {
    expect(isValue(bytesOf('ff'), Kind.String)).toBe(false);
    expect(isValue(bytesOf('61 00 61'), Kind.String16)).toBe(false);
    for (const kind of [5, 15, -1, Number.NaN]) expect(isValue(bytesOf('30'), kind)).toBe(false);
  });

  test('that claim a huge array of holes cost no memory', () => {
    const before = process.memoryUsage().heapUsed;
    const arrays = Array.from(
      { length: 50 },
      () => decode(Kind.Tagged, bytesOf('12 ff ff ff 0f 01')) as unknown[],
    );
    expect(arrays[0]).toHaveLength(2 ** 25 - 1);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50 * 2 ** 20);
  });

  test('nested a hundred thousand deep are read or refused', () => {
    const deep = new Uint8Array(100_001).fill(0xe1);
    expect(isValue(deep.subarray(1))).toBe(false);
    deep[100_000] = 0x30;
    expect(isValue(deep)).toBe(true);
  });

  test('say where they are wrong', () => {
    expect(() => decode(Kind.Tagged, bytesOf('e1 00'))).toThrow(
      'a stored value is malformed at byte 2: unknown tag 0',
    );
    expect(() => decode(9, bytesOf(''))).toThrow('a stored value is of kind 9, which is unknown here');
  });
});
