import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/base/crc32c.js';
import { CapacityError, CorruptionError, FormatError, SerializationError } from '../../../src/base/errors.js';
import { Maplet, OPERATORS, type OperatorName } from '../../../src/structures/maplet/index.js';
import { AT } from '../../../src/structures/maplet/maplet-format.js';

const VALUES: Record<OperatorName, unknown[]> = {
  counter: [1, 2],
  max: [5, 3],
  min: [5, 3],
  replace: [{ a: 1 }, 'b'],
  or: [false, true],
  and: [true, false],
  concat: ['a', 'ä\ud800'],
  list: [[1], [[2]]],
  set: [new Set(['a']), new Set([1])],
  vector: [Float64Array.of(1), [2]],
};

/** The maplet in `bytes`, or undefined when they are refused as they should be. */
function readOrRefused(bytes: Uint8Array): Maplet<unknown> | undefined {
  try {
    return Maplet.fromBytes(bytes);
  } catch (error) {
    const typed = [CorruptionError, FormatError, TypeError].some((type) => error instanceof type);
    if (!typed) throw error;
    return undefined;
  }
}

/** Whatever was read can be used, unless it says that it is full or takes other values. */
function useOrRefused(maplet: Maplet<unknown>): void {
  try {
    for (let i = 0; i < 20; i++) maplet.delete(`more ${i}`);
    maplet.insert('another', maplet.operator.name === 'max' ? 1 : 'x');
    maplet.resize(Math.max(64, maplet.size));
    expect(maplet.dump()).toHaveLength(maplet.size);
    expect(maplet.query('another')).toBeDefined();
  } catch (error) {
    if (![CapacityError, RangeError, TypeError].some((type) => error instanceof type)) throw error;
  }
}

describe('a maplet in bytes', () => {
  test.each(Object.keys(OPERATORS) as OperatorName[])('comes back with its operator, %s', (operator) => {
    const maplet = new Maplet<unknown>({ operator: operator as never, capacity: 10, seed: 2 ** 40 + 5 });
    const values = VALUES[operator];
    for (let i = 0; i < 40; i++) for (const value of values) maplet.insert(`key ${i}`, value);
    for (let i = 0; i < 40; i += 3)
      for (let times = maplet.count(`key ${i}`); times > 0; times--) maplet.delete(`key ${i}`);
    const back = Maplet.fromBytes(maplet.toBytes());
    expect(back.dump()).toEqual(maplet.dump());
    expect(back.stats()).toEqual(maplet.stats());
    for (const each of [maplet, back]) {
      each.insert('key 3', values[0]);
      each.insert('key 1', values[0]);
    }
    expect(back.dump()).toEqual(maplet.dump());
    expect(back.toBytes()).toEqual(maplet.toBytes());
    back.merge(maplet);
    expect(back.size).toBe(maplet.size);
  });

  test('keeps its settings', () => {
    const maplet = new Maplet<number>({
      operator: 'max',
      valueBits: 7,
      capacity: 2,
      falsePositiveRate: 0.2,
      autoResize: false,
      // Under a seed drawn anew, one run in a few takes 'c' for a key that is there: then it is not full.
      seed: 1,
    });
    maplet.insert('a', 100);
    maplet.insert('b', 1);
    const back = Maplet.fromBytes<number>(maplet.toBytes());
    expect([back.valueBits, back.falsePositiveRate, back.operator]).toEqual([7, 0.2, OPERATORS.max]);
    expect(() => back.insert('c', 1)).toThrow(/full/);
    expect(() => back.insert('a', 128)).toThrow(RangeError);
  });

  test('needs an operator of its own given again, and takes no other', () => {
    const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
    const operator = { identity: 0, merge: gcd, associative: true, commutative: true };
    const maplet = new Maplet<number>({ operator, valueBits: 16 });
    maplet.insert('a', 12);
    maplet.insert('a', 18);
    const bytes = maplet.toBytes();
    expect(() => Maplet.fromBytes(bytes)).toThrow(TypeError);
    expect(Maplet.fromBytes<number>(bytes, { operator }).query('a')).toBe(6);
    const counter = new Maplet<number>({ operator: 'counter' }).toBytes();
    expect(() => Maplet.fromBytes<number>(counter, { operator })).toThrow(TypeError);
  });

  test('is refused with any bit flipped, cut anywhere, or with more behind it', () => {
    const maplet = new Maplet<unknown>({ capacity: 4, seed: 1 });
    for (let i = 0; i < 3; i++) maplet.insert(`key ${i}`, i);
    const bytes = maplet.toBytes();
    const refused = (of: Uint8Array, what: string) => {
      if (readOrRefused(of) !== undefined) expect.fail(`took ${what}`);
    };
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      refused(bytes, `bit ${bit}`);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    for (let cut = 0; cut < bytes.length; cut++) refused(bytes.subarray(0, cut), `cut ${cut}`);
    refused(Uint8Array.of(...bytes, 0), 'a byte more');
    expect(Maplet.fromBytes(bytes).size).toBe(3);
  });

  test('of a newer version is a FormatError', () => {
    const bytes = new Maplet().toBytes();
    bytes[AT.version] = 2;
    expect(() => Maplet.fromBytes(bytes)).toThrow(FormatError);
    expect(() => Maplet.fromBytes('text' as never)).toThrow(TypeError);
  });

  test.each<[string, Maplet<unknown>]>([
    [
      'values in slots',
      new Maplet<unknown>({ capacity: 6, seed: 1, valueBits: 3, operator: 'max' as never }),
    ],
    ['values by reference', new Maplet<unknown>({ capacity: 6, seed: 1 })],
  ])(
    'with %s ends in nothing but a typed error or a maplet, whatever byte is changed under a right check',
    (_, maplet) => {
      for (let i = 0; i < 18; i++) maplet.insert(`key ${i % 5}`, i % 7);
      for (let i = 0; i < 20; i++) maplet.insert(`more ${i}`, 1);
      maplet.delete('more 1');
      const bytes = maplet.toBytes();
      const planes = AT.body + 24;
      const slots = new DataView(bytes.buffer).getUint32(AT.body + 4, true);
      let taken = 0;
      for (let at = AT.version; at < bytes.length; at++) {
        for (const flip of [1, 16, 255]) {
          const wrong = bytes.slice();
          wrong[at]! ^= flip;
          new DataView(wrong.buffer).setUint32(AT.crc, crc32c(wrong, AT.version), true);
          const back = readOrRefused(wrong);
          if (back === undefined) continue;
          // Which slots are taken is checked in full.
          if (at >= planes && at < planes + (slots / 8) * 2 + slots / 64) expect.fail(`took byte ${at}`);
          taken++;
          useOrRefused(back);
        }
      }
      // Seeds, values and remainders of slots may be any.
      expect(taken).toBeGreaterThan(100);
    },
  );

  test('a table larger than its bytes is refused before memory is asked for', () => {
    const bytes = new Maplet({ capacity: 4, seed: 1 }).toBytes();
    const view = new DataView(bytes.buffer);
    view.setUint32(AT.body, 31, true);
    view.setUint32(AT.body + 4, 2 ** 27, true);
    view.setUint32(AT.crc, crc32c(bytes, AT.version), true);
    expect(() => Maplet.fromBytes(bytes)).toThrow(/head of a table/);
  });

  test('cannot hold what cannot be cloned', () => {
    const maplet = new Maplet<unknown>();
    maplet.insert('a', () => 1);
    expect(() => maplet.toBytes()).toThrow(SerializationError);
    const blobs = new Maplet<unknown>();
    blobs.insert('a', new Blob(['x']));
    expect(() => blobs.toBytes()).toThrow(SerializationError);
  });
});
