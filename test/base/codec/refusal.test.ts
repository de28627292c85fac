import { describe, expect, test } from 'vitest';
import { decode, type Encoded, encode } from '../../../src/base/codec/index.js';
import { SerializationError } from '../../../src/base/errors.js';

const roundTrip = (value: unknown) => {
  const { kind, bytes } = encode(value) as Encoded;
  return decode(kind, bytes);
};

function refusal(value: unknown): SerializationError {
  try {
    encode(value);
  } catch (error) {
    expect(error).toBeInstanceOf(SerializationError);
    return error as SerializationError;
  }
  throw new Error('it was encoded');
}

const nothing = () => undefined;
function* generator() {
  yield 1;
}
const detached = () => {
  const buffer = new ArrayBuffer(8);
  const view = new Uint8Array(buffer);
  structuredClone(buffer, { transfer: [buffer] });
  return { buffer, view };
};
// The types of this version of the library do not know it yet.
const resizable = () =>
  new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(8, { maxByteLength: 16 });

describe('what cannot be stored is refused', () => {
  test.each<[what: string, value: unknown]>([
    ['a function', nothing],
    ['a symbol', Symbol('x')],
    ['a Symbol', Object(Symbol('x'))],
    ['a WeakMap', new WeakMap()],
    ['a WeakSet', new WeakSet()],
    ['a WeakRef', new WeakRef({})],
    ['a Promise', Promise.resolve()],
    ['a Generator', generator()],
    ['an Array Iterator', [][Symbol.iterator]()],
    ['an Intl.NumberFormat', new Intl.NumberFormat()],
    ['a URL', new URL('https://a.example')],
    ['a Response', new Response()],
    ['an AbortSignal', new AbortController().signal],
    ['a DOMException', new DOMException('x')],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['shared memory', new Uint8Array(new SharedArrayBuffer(1))],
    ['shared memory', new Float64Array(new SharedArrayBuffer(8))],
    ['resizable memory', resizable()],
    ['resizable memory', new Uint8Array(resizable())],
    ['a detached ArrayBuffer', detached().buffer],
    ['a detached ArrayBuffer', detached().view],
  ])('alone and inside: %s', (what, value) => {
    expect(refusal(value).message).toBe(`value is ${what}, which cannot be stored`);
    expect(refusal([{ a: value }]).message).toBe(`value[0].a is ${what}, which cannot be stored`);
  });

  test.each<[path: string, value: unknown]>([
    ['value.user.onClick', { user: { onClick: nothing } }],
    ['value.c[2]', { a: { b: 1 }, c: [1, [2], nothing] }],
    ['value["odd key"][""]', { 'odd key': { '': nothing } }],
    ['value[7]', { 7: nothing }],
    ['value.named', Object.assign([1], { named: nothing })],
    ['value.keys()[0]', new Map([[nothing, 1]])],
    ['value.get("k").x', new Map(Object.entries({ a: 1, k: { x: nothing } }))],
    ['value.values()[0]', new Map([[{}, nothing]])],
    ['value.values()[1]', new Set([1, nothing])],
    ['value.cause[0]', new Error('x', { cause: [nothing] })],
  ])('with its place: %s', (path, value) => {
    const error = refusal(value);
    expect(error.message).toBe(`${path} is a function, which cannot be stored`);
    expect(error.detail).toEqual({ path });
    expect(error.code).toBe('SERIALIZATION');
  });

  test('with a short name of a place very far inside', () => {
    let value: unknown = nothing;
    for (let i = 0; i < 50_000; i++) value = { next: value };
    expect(refusal(value).message.length).toBeLessThan(400);
  });

  test('and leaves nothing behind for the next value', () => {
    const shared = { a: 1 };
    for (let i = 0; i < 3; i++) refusal([shared, 'name', nothing]);
    expect(roundTrip([shared, 'name'])).toEqual([{ a: 1 }, 'name']);
  });
});

describe('getters', () => {
  test('are read once', () => {
    let reads = 0;
    const value = {
      get x() {
        return ++reads;
      },
    };
    expect(roundTrip([value, value])).toEqual([{ x: 1 }, { x: 1 }]);
    expect(reads).toBe(1);
  });

  test('that throw are a SerializationError with the cause', () => {
    const cause = new Error('no');
    const error = refusal({
      a: {
        get x() {
          throw cause;
        },
      },
    });
    expect(error.message).toBe('value.a.x could not be read: Error: no');
    expect(error.cause).toBe(cause);
  });

  test('may encode something themselves', () => {
    const value = {
      name: 'outer',
      get inner() {
        return roundTrip({ name: 'inner', list: ['outer', 'name'] });
      },
      last: 'inner',
    };
    expect(roundTrip(value)).toEqual({
      name: 'outer',
      inner: { name: 'inner', list: ['outer', 'name'] },
      last: 'inner',
    });
  });

  test('may change what is being walked: that is structured clone', () => {
    const make = () => {
      const map = new Map<unknown, unknown>();
      const value: Record<string, unknown> = { map, gone: 1, late: 2 };
      map.set('first', {
        get x() {
          map.set('more', 1);
          delete value['gone'];
          value['new'] = 1;
          return 1;
        },
      });
      return value;
    };
    expect(roundTrip(make())).toStrictEqual(structuredClone(make()));
    expect(roundTrip(make())).not.toHaveProperty('gone');
  });
});
