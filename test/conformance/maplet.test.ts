import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../src/base/codec/index.js';
import { CorruptionError } from '../../src/base/errors.js';
import { IndexMaplet, Maplet, OPERATORS } from '../../src/structures/maplet/index.js';

describe('maplet', () => {
  test('M11 counter: 5 and 3 are 8, of one key', () => {
    const maplet = new Maplet<number>({ operator: 'counter' });
    maplet.insert('a', 5);
    maplet.insert('a', 3);
    expect(maplet.query('a')).toBe(8);
    expect(maplet.size).toBe(1);
  });

  test('M11 counter saturates', () => {
    const maplet = new Maplet<number>({ operator: 'counter', valueBits: 8 });
    maplet.insert('a', 200);
    maplet.insert('a', 200);
    expect(maplet.query('a')).toBe(255);
    expect(OPERATORS.counter.merge(Number.MAX_SAFE_INTEGER, 1)).toBe(Number.MAX_SAFE_INTEGER);
    expect(OPERATORS.counter.merge(Number.MIN_SAFE_INTEGER, -1)).toBe(Number.MIN_SAFE_INTEGER);
  });

  test('M11 set union, max, min', () => {
    const sets = new Maplet<Set<string>>({ operator: 'set' });
    sets.insert('k', new Set(['a']));
    sets.insert('k', new Set(['b', 'a']));
    expect(sets.query('k')).toEqual(new Set(['a', 'b']));
    const max = new Maplet<number>({ operator: 'max' });
    const min = new Maplet<number>({ operator: 'min' });
    for (const value of [4, 9, 2]) {
      max.insert('k', value);
      min.insert('k', value);
    }
    expect(max.query('k')).toBe(9);
    expect(min.query('k')).toBe(2);
  });

  test('M11 vector addition commutes and associates, has a zero, and refuses another length', () => {
    const { merge } = OPERATORS.vector;
    const [a, b, c] = [
      [1, 2],
      [10, 20],
      [100, 200],
    ] as const;
    expect(merge(a, b)).toEqual([11, 22]);
    expect(merge(b, a)).toEqual(merge(a, b));
    expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
    expect(merge(a, [0, 0])).toEqual(a);
    expect(() => merge(a, [1, 2, 3])).toThrow(RangeError);
  });

  test('M11 every operator leaves a value merged with its identity as it is', () => {
    const some = {
      counter: 7,
      max: -3,
      min: -3,
      replace: 'x',
      or: true,
      and: false,
      concat: 'text',
      list: [1],
      set: new Set([1]),
      vector: [1, 2],
    };
    for (const [name, operator] of Object.entries(OPERATORS)) {
      const value = some[name as keyof typeof some] as never;
      expect(operator.merge(operator.identity as never, value), name).toEqual(value);
      if (operator.commutative)
        expect(operator.merge(value, operator.identity as never), name).toEqual(value);
    }
    for (const value of [0, 5, true, false]) {
      expect(OPERATORS.or.merge(OPERATORS.or.identity, value)).toBe(value);
      expect(OPERATORS.and.merge(OPERATORS.and.identity, value)).toBe(value);
      expect(OPERATORS.or.merge(value, OPERATORS.or.identity)).toBe(value);
      expect(OPERATORS.and.merge(value, OPERATORS.and.identity)).toBe(value);
    }
  });

  test('M11 vectors take NaN and Infinity', () => {
    expect(OPERATORS.vector.merge([Number.NaN, Number.POSITIVE_INFINITY], [1, 1])).toEqual([
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]);
    expect(OPERATORS.vector.merge(Float64Array.of(1, 2), [1, Number.NEGATIVE_INFINITY])).toEqual(
      Float64Array.of(2, Number.NEGATIVE_INFINITY),
    );
  });

  test('M12 a capacity of 0 and a rate outside of ]0, 1[ are refused', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN])
      expect(() => new Maplet({ capacity })).toThrow(RangeError);
    for (const falsePositiveRate of [0, 1, -0.1, 1.1, Number.NaN]) {
      expect(() => new Maplet({ falsePositiveRate })).toThrow(RangeError);
    }
  });

  test('M13 no inserted key is ever missing: at any load, grown eightfold, after deletes', () => {
    for (const falsePositiveRate of [0.1, 0.01, 0.001, 1e-6]) {
      const capacity = 2000;
      const maplet = new Maplet<number>({ capacity, falsePositiveRate, operator: 'max' });
      const lost = (from: number, to: number) => {
        for (let i = from; i < to; i++) if ((maplet.query(`key ${i}`) ?? -1) < i) return i;
        return undefined;
      };
      for (let i = 0; i < 8 * capacity; i++) {
        maplet.insert(`key ${i}`, i);
        if (i % 500 === 499) expect(lost(0, i + 1)).toBeUndefined();
      }
      for (let i = 0; i < 4 * capacity; i++) expect(maplet.delete(`key ${i}`)).toBe(true);
      expect(lost(4 * capacity, 8 * capacity)).toBeUndefined();
      const explicit = new Maplet<number>({ capacity, falsePositiveRate, operator: 'max' });
      for (let i = 0; i < capacity; i++) explicit.insert(`key ${i}`, i);
      explicit.resize(8 * capacity);
      for (let i = 0; i < capacity; i++) expect(explicit.query(`key ${i}`)).toBeGreaterThanOrEqual(i);
    }
  });

  test.each([0.1, 0.01, 0.001])('M14 the measured rate stays below 1.5 times %f', (falsePositiveRate) => {
    const maplet = new Maplet<number>({ capacity: 10_000, falsePositiveRate, operator: 'counter' });
    for (let i = 0; i < 10_000; i++) maplet.insert(`key ${i}`, 1);
    const asked = Math.max(20_000, 300 / falsePositiveRate);
    let answered = 0;
    for (let i = 0; i < asked; i++) if (maplet.has(`absent ${i}`)) answered++;
    expect(answered / asked).toBeLessThan(1.5 * falsePositiveRate);
  });

  test('M15 of three inserted one deleted leaves two', () => {
    const maplet = new Maplet<number>({ operator: 'counter' });
    for (let i = 0; i < 3; i++) maplet.insert('a', 1);
    expect(maplet.count('a')).toBe(3);
    expect(maplet.delete('a')).toBe(true);
    expect(maplet.count('a')).toBe(2);
    expect(maplet.has('a')).toBe(true);
  });

  test('M16 a fingerprint is as long as capacity and rate ask for, and no longer', () => {
    for (const [rate, least] of [
      [0.1, 4],
      [0.01, 7],
      [0.001, 10],
    ] as const) {
      for (const capacity of [1000, 4096, 30_000]) {
        const maplet = new Maplet<number>({
          capacity,
          falsePositiveRate: rate,
          operator: 'max',
          valueBits: 8,
        });
        const { slots, bytes, falsePositiveRate } = maplet.stats(0);
        expect(falsePositiveRate).toBe(0);
        for (let i = 0; i < capacity; i++) maplet.insert(`key ${i}`, 1);
        expect(maplet.stats(0).falsePositiveRate).toBeLessThanOrEqual(rate);
        expect(maplet.stats(0).falsePositiveRate).toBeGreaterThan(rate / 2.1);
        // 2.125 bits of bookkeeping, the value, and a remainder of the table's length or one bit more.
        const remainder = Math.round((bytes * 8) / slots - 2.125 - 8);
        expect(remainder).toBeGreaterThanOrEqual(least);
        expect(remainder).toBeLessThanOrEqual(least + 1);
      }
    }
  });

  test('M17 integers of any length come back from bytes, and cut bytes are refused', () => {
    for (const value of [0, 127, 128, 2 ** 32, Number.MAX_SAFE_INTEGER, 2n ** 64n - 1n]) {
      const encoded = encode([value]) as { kind: number; bytes: Uint8Array };
      expect(decode(encoded.kind, encoded.bytes)).toEqual([value]);
      for (let cut = 0; cut < encoded.bytes.length; cut++) {
        expect(() => decode(encoded.kind, encoded.bytes.subarray(0, cut))).toThrow(CorruptionError);
      }
    }
  });

  test('M18 the same keys inserted by several callers in turn count once', async () => {
    const maplet = new Maplet<number>({ operator: 'counter', falsePositiveRate: 1e-6 });
    const index = new IndexMaplet();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 100; i++) {
          maplet.insert(`key ${i}`, 1);
          index.insert(Math.imul(i, 0x9e3779b1), i, i);
          await Promise.resolve();
        }
      }),
    );
    expect(maplet.size).toBe(100);
    expect(index.size).toBe(100);
    for (let i = 0; i < 100; i++) expect(maplet.query(`key ${i}`)).toBe(8);
  });
});
