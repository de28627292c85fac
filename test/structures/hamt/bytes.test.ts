/** The format of collections in bytes: round trips, equal bytes, the documented example, and every kind of damage. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.js';
import { crc32c } from '../../../src/base/crc32c.js';
import { CorruptionError, FormatError, SerializationError } from '../../../src/base/errors.js';
import {
  PersistentMap,
  PersistentSet,
  PersistentSortedMap,
  PersistentVector,
} from '../../../src/structures/hamt/index.js';
import { exampleIn } from '../golden.js';

const nested = () =>
  new PersistentMap<unknown, unknown>([
    ['map', new PersistentMap([['x', new PersistentVector([1, new PersistentSet(['s', null])])]])],
    [
      'sorted',
      new PersistentSortedMap([
        ['b', 1],
        ['a', 2],
      ]),
    ],
    [new PersistentVector([1]), { plain: [1, new Date(5)] }],
    [Number.NaN, undefined],
    ['\ud800', '😀'],
    ['bytes', new Uint8Array([1, 2])],
    [1n, -1.5],
    ['long', 'x'.repeat(300)],
    ['empty', new PersistentMap()],
  ]);

/** The bytes with a check that is right again. */
function sealed(bytes: Uint8Array): Uint8Array {
  const crc = crc32c(bytes, 12, bytes.length, crc32c(bytes, 0, 8));
  new DataView(bytes.buffer).setUint32(8, crc, true);
  return bytes;
}

describe('bytes of a collection', () => {
  test('come back as an equal collection', () => {
    const bytes = nested().toBytes();
    const back = PersistentMap.fromBytes<unknown, unknown>(bytes);
    expect(back.size).toBe(9);
    for (const key of ['map', 'sorted', '\ud800', 'bytes', 'long', 'empty', Number.NaN, 1n])
      expect(back.has(key)).toBe(true);
    for (const key of ['map', 'sorted', 'empty', '\ud800', 1n]) {
      expect(
        new PersistentMap([[0, back.get(key)]]).equals(new PersistentMap([[0, nested().get(key)]])),
      ).toBe(true);
    }
    expect(back.get('bytes')).toEqual(new Uint8Array([1, 2]));
    expect([...back.values()]).toContainEqual({ plain: [1, new Date(5)] });
    expect(back.toBytes()).toEqual(bytes);
  });

  test.each([0, 1, 8, 9, 127, 128, 1000])('of %i entries, of each class, come back equal', (size) => {
    const entries = Array.from({ length: size }, (_, i) => [`k${i}`, i] as const);
    const map = new PersistentMap(entries);
    const set = new PersistentSet(entries.map(([key]) => key));
    const sorted = new PersistentSortedMap(entries);
    const vector = new PersistentVector(entries.map(([, value]) => value));
    expect(PersistentMap.fromBytes(map.toBytes()).equals(map)).toBe(true);
    expect(PersistentSet.fromBytes(set.toBytes()).equals(set)).toBe(true);
    expect(PersistentSortedMap.fromBytes(sorted.toBytes()).equals(sorted)).toBe(true);
    expect(PersistentVector.fromBytes(vector.toBytes()).equals(vector)).toBe(true);
  });

  test('are equal for equal maps and sets, whatever their secret and history', () => {
    const key = fc.oneof(
      fc.integer({ min: -5, max: 30 }),
      fc.string({ maxLength: 2 }),
      fc.constantFrom(null, -0, 1n),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { maxLength: 40, size: 'max', selector: (k) => `${typeof k}${k}` }),
        (keys) => {
          const forward = new PersistentMap(
            keys.map((k) => [k, 0]),
            { secret: Int32Array.of(1, 2) },
          );
          let backward = new PersistentMap<unknown, number>([['gone', 1]], { secret: Int32Array.of(3, 4) });
          for (const k of keys.slice().reverse()) backward = backward.set(k, -0);
          backward = backward.delete('gone');
          if (!keys.includes('gone')) {
            expect(forward.equals(backward)).toBe(true);
            expect(forward.toBytes()).toEqual(backward.toBytes());
          }
          expect(new PersistentSet(keys).toBytes()).toEqual(
            new PersistentSet(keys.slice().reverse()).toBytes(),
          );
          const nest = (map: PersistentMap<unknown, number>) =>
            new PersistentVector([new PersistentMap([['m', map]])]);
          expect(nest(forward).toBytes()).toEqual(nest(backward.filter(() => true)).toBytes());
        },
      ),
      { numRuns: 60 },
    );
  });

  test('are those of the example', () => {
    const bytes = new PersistentMap([['a', 'b']]).toBytes();
    expect(toHex(bytes)).toBe(exampleIn('hamt/bytes.ts', /is these 19 bytes:/));
    expect([...PersistentMap.fromBytes(bytes)]).toEqual([['a', 'b']]);
  });

  test('are read under the secret and the order that are given', () => {
    const secret = Int32Array.of(7, 8);
    const entries = Array.from({ length: 50 }, (_, i) => [i, i] as const);
    const map = new PersistentMap(entries, { secret });
    expect([...PersistentMap.fromBytes(map.toBytes(), { secret })]).toEqual([...map]);
    const set = new PersistentSet(map.keys(), { secret });
    expect([...PersistentSet.fromBytes(set.toBytes(), { secret })]).toEqual([...set]);
    const compare = (a: number, b: number) => b - a;
    const down = new PersistentSortedMap(entries, { compare });
    expect(PersistentSortedMap.fromBytes<number, number>(down.toBytes(), { compare }).first()).toEqual([
      49, 49,
    ]);
  });
});

describe('damaged bytes', () => {
  const bytes = new PersistentMap<unknown, unknown>([
    ['a', 'b'],
    ['v', new PersistentVector(['x', 'y'])],
  ]).toBytes();

  test('are refused whichever bit is wrong', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const wrong = bytes.slice();
      wrong[bit >> 3]! ^= 1 << (bit & 7);
      const error = bit >> 3 < 5 ? FormatError : CorruptionError;
      expect(() => PersistentMap.fromBytes(wrong), `bit ${bit}`).toThrow(error);
    }
  });

  test('are refused wherever they are cut, also under a right check', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => PersistentMap.fromBytes(bytes.slice(0, length))).toThrow(
        length < 12 ? FormatError : CorruptionError,
      );
      if (length < 12) continue;
      expect(() => PersistentMap.fromBytes(sealed(bytes.slice(0, length))), `cut at ${length}`).toThrow(
        CorruptionError,
      );
    }
  });

  test('are refused with a byte more, a reserved byte that is not 0, or a key twice, under a right check', () => {
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => PersistentMap.fromBytes(sealed(longer))).toThrow(/behind its end/);
    for (const at of [6, 7]) {
      const reserved = bytes.slice();
      reserved[at] = 1;
      expect(() => PersistentMap.fromBytes(sealed(reserved))).toThrow(CorruptionError);
    }
    const twice = new PersistentMap([
      ['a', 'b'],
      ['c', 'b'],
    ]).toBytes();
    twice[twice.indexOf('c'.charCodeAt(0), 12)] = 'a'.charCodeAt(0);
    expect(() => PersistentMap.fromBytes(sealed(twice))).toThrow(/a key twice/);
  });

  test('never end in anything but a typed error, whatever byte is changed under a right check', () => {
    for (let at = 12; at < bytes.length; at++) {
      for (const byte of [0, 1, 2, 5, 15, 63, 64, 65, 68, 127, 128, 255]) {
        const wrong = bytes.slice();
        wrong[at] = byte;
        try {
          PersistentMap.fromBytes(sealed(wrong));
        } catch (error) {
          expect(error instanceof CorruptionError || error instanceof FormatError, `${at}: ${error}`).toBe(
            true,
          );
        }
      }
    }
  });

  test('a count beyond all bytes is refused at once', () => {
    const huge = sealed(
      Uint8Array.from([0x72, 0x63, 0x70, 0x63, 1, 4, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 15]),
    );
    expect(() => PersistentVector.fromBytes(huge)).toThrow(CorruptionError);
    const endless = sealed(
      Uint8Array.from([0x72, 0x63, 0x70, 0x63, 1, 4, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 1]),
    );
    expect(() => PersistentVector.fromBytes(endless)).toThrow(/too long/);
  });

  test('of another class or version say so', () => {
    expect(() => PersistentSet.fromBytes(bytes)).toThrow(/expected a PersistentSet, got a PersistentMap/);
    const newer = bytes.slice();
    newer[4] = 2;
    expect(() => PersistentMap.fromBytes(sealed(newer))).toThrow(/version 2, known is 1/);
    const unknown = bytes.slice();
    unknown[5] = 9;
    expect(() => PersistentMap.fromBytes(sealed(unknown))).toThrow(FormatError);
    expect(() => PersistentMap.fromBytes('text' as never)).toThrow(TypeError);
  });
});

describe('what cannot be stored', () => {
  test.each([
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a Blob', new Blob(['x'])],
    ['a collection in an object', { deep: [PersistentVector.of(1)] }],
  ])('%s is refused', (_, value) => {
    expect(() => PersistentVector.of<unknown>(value).toBytes()).toThrow(SerializationError);
  });

  test('an object that holds itself is no reason to hang', () => {
    const loop: unknown[] = [];
    loop.push(loop);
    const [back] = PersistentVector.fromBytes<unknown[]>(PersistentVector.of(loop).toBytes());
    expect(back![0]).toBe(back);
  });
});
