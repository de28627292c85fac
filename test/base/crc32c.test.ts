import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/base/crc32c.js';

/** One bit at a time, from the definition. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

const repeated = (byte: number) => new Uint8Array(32).fill(byte);
const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

describe('CRC-32C', () => {
  test.each([
    ['32 bytes of zeros', repeated(0), 0x8a9136aa],
    ['32 bytes of ones', repeated(0xff), 0x62a8ab43],
    ['00 .. 1f', ascending, 0x46dd794e],
    ['1f .. 00', ascending.slice().reverse(), 0x113fdb5c],
    ['the digits 1 to 9', new TextEncoder().encode('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
  ])('of %s is the published value', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  test('equals the bitwise definition at every length and offset', () => {
    const bytes = Uint8Array.from({ length: 48 }, (_, i) => (i * 151) ^ 0x5a);
    for (let start = 0; start < 10; start++) {
      for (let end = start; end <= 48; end++) {
        expect(crc32c(bytes, start, end), `${start} .. ${end}`).toBe(bitwise(bytes.subarray(start, end)));
      }
    }
  });

  test('of two parts in a row is chained by the seed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(crc32c(bytes));
        expect(crc32c(bytes)).toBe(bitwise(bytes));
      }),
    );
  });

  test('changes with any single bit, and with the seed', () => {
    const bytes = Uint8Array.from({ length: 21 }, (_, i) => i);
    const seen = new Set([crc32c(bytes)]);
    for (let bit = 0; bit < 8 * 21; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      seen.add(crc32c(flipped));
    }
    expect(seen.size).toBe(1 + 8 * 21);

    const seeded = Array.from({ length: 100 }, (_, seed) => crc32c(bytes, 0, bytes.length, seed));
    expect(new Set(seeded).size).toBe(100);
  });
});
