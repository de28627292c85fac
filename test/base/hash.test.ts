import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashBytes, hashKeyBytes, hashString, lane, type Secret, secretFrom } from '../../src/base/hash.js';
import { RunningHash } from '../../src/base/running-hash.js';
import { halfSipHash } from './halfsiphash.js';

const SECRET = secretFrom(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7));

/** Of the reference implementation, 2-4 rounds, 8 bytes: the message is 00 01 02 .., the key 00 .. 07. */
const VECTORS: readonly [length: number, hex: string][] = [
  [0, '218d1f59b9b83cc8'],
  [1, 'be552412f8387315'],
  [2, '064f39ef7c50eb57'],
  [3, 'ce0f1a45f7060679'],
  [4, 'd5e78a175be52ea1'],
  [5, 'cb9d7c3f2f3db580'],
  [7, 'ff202728b07bc684'],
  [8, 'edfee820bce4858c'],
  [63, '2ea63c71bf326087'],
];

const counting = (length: number) => Array.from({ length }, (_, i) => i);
const lanes = (first: number): [number, number] => [first, lane[0]!];
const ofString = (text: string, secret = SECRET) => lanes(hashString(secret, text));
const ofBytes = (bytes: readonly number[], secret = SECRET, domain = 0) =>
  lanes(hashBytes(secret, Uint8Array.from(bytes), 0, bytes.length, domain));
const latin1 = (text: string) => [...text].map((c) => c.charCodeAt(0));
const utf16 = (text: string) =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)).flatMap((unit) => [
    unit & 0xff,
    unit >> 8,
  ]);
const unit = (max: number) => fc.integer({ min: 0, max }).map((code) => String.fromCharCode(code));
const text = (max: number) => fc.array(unit(max), { maxLength: 64 }).map((units) => units.join(''));

describe('the independent HalfSipHash', () => {
  test('agrees with the published values', () => {
    for (const [length, hex] of VECTORS) {
      const [a, b] = halfSipHash([...SECRET], counting(length), 2, 4);
      const bytes = new DataView(new ArrayBuffer(8));
      bytes.setInt32(0, a, true);
      bytes.setInt32(4, b, true);
      expect(Buffer.from(bytes.buffer).toString('hex'), `length ${length}`).toBe(hex);
    }
  });
});

describe('a hash', () => {
  test('of bytes is HalfSipHash-1-3, at every length', () => {
    for (let length = 0; length <= 64; length++) {
      const bytes = counting(length).map((i) => (i * 37 + length) & 0xff);
      expect(ofBytes(bytes), `length ${length}`).toEqual(halfSipHash([...SECRET], bytes, 1, 3));
    }
  });

  test('of bytes is HalfSipHash-1-3 beyond 255 of them and under any secret', () => {
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), word, word, (bytes, k0, k1) => {
        expect(ofBytes([...bytes], Int32Array.of(k0, k1))).toEqual(halfSipHash([k0, k1], [...bytes], 1, 3));
      }),
    );
  });

  test('of a part of an array is that of the part alone', () => {
    const bytes = Uint8Array.from(counting(40));
    for (let start = 0; start <= 40; start++) {
      for (let end = start; end <= 40; end++) {
        expect(lanes(hashBytes(SECRET, bytes, start, end))).toEqual(ofBytes([...bytes.subarray(start, end)]));
      }
    }
  });

  test('of a Latin-1 string is that of its bytes', () => {
    fc.assert(
      fc.property(text(0xff), (key) => {
        expect(ofString(key)).toEqual(ofBytes(latin1(key)));
      }),
    );
  });

  test('of a string with one wide unit, wherever it is, is that of its UTF-16LE bytes in a domain of its own', () => {
    for (let length = 1; length <= 33; length++) {
      for (let at = 0; at < length; at++) {
        const key = `${'a'.repeat(at)}\u0100${'b'.repeat(length - at - 1)}`;
        expect(ofString(key), `${length} units, wide at ${at}`).toEqual(ofBytes(utf16(key), SECRET, -1));
        expect(ofString(key)).not.toEqual(ofBytes(utf16(key)));
      }
    }
  });

  test('of a key is had from its stored bytes, narrow or wide', () => {
    fc.assert(
      fc.property(fc.oneof(text(0xff), text(0xffff)), fc.nat(5), (key, before) => {
        const wide = /[\u0100-\uffff]/.test(key);
        const stored = Uint8Array.from([...counting(before), ...(wide ? utf16(key) : latin1(key)), 99]);
        const expected = ofString(key);
        expect(lanes(hashKeyBytes(SECRET, stored, before, stored.length - 1, wide))).toEqual(expected);
      }),
    );
  });

  test('tells lone surrogates from each other and from the replacement character', () => {
    const keys = ['\ud800', '\udfff', '\udc00', '\ufffd', '\ud83d\ude00', '\ude00\ud83d'];
    expect(new Set(keys.map((key) => ofString(key).join())).size).toBe(keys.length);
  });

  test('differs for strings of NUL of different lengths', () => {
    const hashes = counting(65).map((length) => ofString('\0'.repeat(length)).join());
    expect(new Set(hashes).size).toBe(65);
  });

  test('differs by domain', () => {
    const hashes = counting(16).map((domain) => ofBytes([1, 2, 3], SECRET, domain).join());
    expect(new Set(hashes).size).toBe(16);
  });

  test('is signed 32-bit in both lanes', () => {
    for (let i = 0; i < 100; i++) {
      const [a, b] = ofString(`key ${i}`);
      expect([a | 0, b | 0]).toEqual([a, b]);
    }
  });
});

describe('every bit of the hash turns with probability one half', () => {
  /** How often each of the 64 bits of the hash turned, of `trials` changes. */
  function turned(
    trials: number,
    pair: (trial: number) => [before: [number, number], after: [number, number]],
  ) {
    const counts = new Array<number>(64).fill(0);
    for (let trial = 0; trial < trials; trial++) {
      const [before, after] = pair(trial);
      for (let bit = 0; bit < 64; bit++) {
        const which = bit >> 5;
        counts[bit]! += ((before[which]! ^ after[which]!) >>> (bit & 31)) & 1;
      }
    }
    return counts.map((count) => count / trials);
  }
  // Four thousand fair coins stay within 0.45 .. 0.55: over six standard deviations.
  const TRIALS = 4000;
  const fair = (share: number) => share > 0.45 && share < 0.55;

  test('when a bit of the key is flipped', () => {
    const shares = turned(TRIALS, (trial) => {
      const key = latin1(`key-${trial}-abcdefgh`);
      const flipped = [...key];
      flipped[trial % key.length]! ^= 1 << (trial % 8);
      return [ofBytes(key), ofBytes(flipped)];
    });
    expect(shares.filter((share) => !fair(share))).toEqual([]);
  });

  test('when a bit of the secret is flipped', () => {
    const shares = turned(TRIALS, (trial) => {
      const other: Secret = Int32Array.from(SECRET);
      other[trial & 1]! ^= 1 << ((trial >> 1) & 31);
      return [ofString(`key ${trial}`), ofString(`key ${trial}`, other)];
    });
    expect(shares.filter((share) => !fair(share))).toEqual([]);
  });
});

describe('a secret', () => {
  test('is the first eight bytes, little-endian', () => {
    const bytes = Uint8Array.of(99, 1, 0, 0, 0x80, 0xff, 0xff, 0xff, 0x7f, 5).subarray(1);
    expect([...secretFrom(bytes)]).toEqual([-0x7fffffff, 0x7fffffff]);
  });

  test('of fewer bytes is refused', () => {
    expect(() => secretFrom(new Uint8Array(7))).toThrow(
      new RangeError('secret: expected at least 8 bytes, got 7'),
    );
  });
});

test('a hash of bytes that come in pieces is that of the whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 30 })),
      fc.integer({ min: 0, max: 15 }),
      (pieces, domain) => {
        const running = new RunningHash(SECRET, domain);
        for (const piece of pieces) running.update(piece);
        const all = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
        const high = running.finish();
        const low = lane[0];
        expect(hashBytes(SECRET, all, 0, all.length, domain)).toBe(high);
        expect(lane[0]).toBe(low);
      },
    ),
  );
});
