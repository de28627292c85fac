import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, type Encoded, encode, Kind } from '../../../src/base/codec/index.js';
import { difference } from './same.js';
import { anyString, anyValue, samples } from './values.js';

const now = (value: unknown) => encode(value) as Encoded;
const roundTrip = (value: unknown) => {
  const { kind, bytes } = now(value);
  return decode(kind, bytes);
};

describe('a value that was encoded and decoded', () => {
  test('is what structured clone gives', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
  });

  test.each(Object.entries(samples()))('is what structured clone gives: %s', (_, value) => {
    expect(difference(roundTrip(value), structuredClone(value))).toBeUndefined();
  });

  test('has equal bytes when encoded again', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const first = now(value);
        const copy = structuredClone(value);
        expect(now(copy)).toEqual(first);
        expect(now(decode(first.kind, first.bytes))).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps an own __proto__ and pollutes nothing', () => {
    const copy = roundTrip(JSON.parse('{"__proto__": {"polluted": 1}, "a": 2}')) as object;
    expect(Object.keys(copy)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect('polluted' in copy).toBe(false);
  });

  test('is a plain object when it was an instance', () => {
    class Point {
      x = 1;
      #secret = 2;
      get y() {
        return this.#secret;
      }
    }
    class Tagged {
      a = 1;
      get [Symbol.toStringTag]() {
        return 'Map';
      }
    }
    expect(difference(roundTrip([new Point(), new Tagged()]), [{ x: 1 }, { a: 1 }])).toBeUndefined();
  });

  test('goes by what it was made as, not by prototype and name', () => {
    class Odd extends Map<number, number> {
      override get [Symbol.toStringTag]() {
        return 'Date';
      }
    }
    const pretender = Object.create(Map.prototype, { a: { value: 1, enumerable: true } });
    expect(
      difference(roundTrip([new Odd([[1, 2]]), pretender]), [new Map([[1, 2]]), { a: 1 }]),
    ).toBeUndefined();
    expect(roundTrip([Buffer.from('ab')])).toEqual(structuredClone([Buffer.from('ab')]));
  });

  test('may call itself what it likes', () => {
    expect(roundTrip({ a: Object.assign(new (class {})(), { [Symbol.toStringTag]: 'Promise' }) })).toEqual({
      a: {},
    });
  });

  test('may be of another realm', () => {
    const foreign = runInNewContext(`[
      new Map([[1, new Set([2])]]), new Date(5), /x/g, Object('s'), [1, { a: 2 }],
      new Uint8Array([1, 2]), new ArrayBuffer(3), new RangeError('r'),
    ]`);
    foreign.at(-1).stack = '';
    const here = [new Map([[1, new Set([2])]]), new Date(5), /x/g, Object('s'), [1, { a: 2 }]];
    const error = Object.assign(new RangeError('r'), { stack: '' });
    expect(
      difference(roundTrip(foreign), [...here, Uint8Array.of(1, 2), new ArrayBuffer(3), error]),
    ).toBeUndefined();
  });

  test('may be nested to any depth', () => {
    let list: unknown = null;
    for (let i = 0; i < 100_000; i++) list = i % 2 === 0 ? { next: list } : [list];
    let left = roundTrip(list);
    let depth = 0;
    for (; left !== null; depth++) left = Array.isArray(left) ? left[0] : (left as { next: unknown }).next;
    expect(depth).toBe(100_000);
  });

  test('shares no memory with its bytes, nor they with it', () => {
    const value = Uint8Array.of(1, 2, 3);
    for (const given of [value, value.buffer, { value }]) {
      const { kind, bytes } = now(given);
      const before = bytes.slice();
      const copy = decode(kind, bytes);
      value.fill(9);
      expect(bytes).toEqual(before);
      bytes.fill(7);
      expect(new Uint8Array((copy as { value: Uint8Array }).value ?? copy)).toEqual(Uint8Array.of(1, 2, 3));
      value.set([1, 2, 3]);
    }
  });

  test('of a thousand objects keeps who is who', () => {
    const objects = Array.from({ length: 1000 }, (_, id) => ({ id }));
    const value = [...objects, ...objects];
    expect(difference(roundTrip(value), value)).toBeUndefined();
  });
});

describe('strings and bytes', () => {
  test('are their own payload', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
    expect(now(bytes)).toEqual({ kind: Kind.Bytes, bytes });
    expect(now(bytes.buffer)).toEqual({ kind: Kind.Buffer, bytes });
    expect(now('hello')).toEqual({ kind: Kind.String, bytes: Uint8Array.from(Buffer.from('hello')) });
    expect(now('é😀')).toEqual({ kind: Kind.String, bytes: Uint8Array.from(Buffer.from('é😀')) });
    expect(now('a\ud800')).toEqual({ kind: Kind.String16, bytes: Uint8Array.of(0x61, 0, 0, 0xd8) });
  });

  test('come back as they were, whatever their length', () => {
    fc.assert(
      fc.property(anyString, fc.nat(5), (text, times) => {
        const long = text.repeat(times * 10 + 1);
        expect(roundTrip(long)).toBe(long);
        expect(roundTrip([long])).toEqual([long]);
      }),
    );
  });

  test('are UTF-8 by hand as the platform has it', () => {
    const wellFormed = fc.string({ unit: 'binary', maxLength: 80 }).filter((text) => !/\p{Cs}/u.test(text));
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(now(text)).toEqual({ kind: Kind.String, bytes: new TextEncoder().encode(text) });
      }),
    );
  });

  test('of a part of a buffer come back with a buffer of their own size', () => {
    const part = new Uint8Array(64).subarray(10, 20);
    const copy = roundTrip(part) as Uint8Array;
    expect([copy.byteOffset, copy.length, copy.buffer.byteLength]).toEqual([0, 10, 10]);
    expect((roundTrip(Buffer.from('pool')) as Uint8Array).buffer.byteLength).toBe(4);
  });
});
