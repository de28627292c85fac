/** Values for the tests of the codec: arbitrary ones, and one of each sort with every edge. */
import fc from 'fast-check';

/** Strings of any code units, lone surrogates among them. */
export const anyString = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 150 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom('__proto__', 'constructor', 'length', '0', '4294967295', '\ufeffx', '\0'),
);

export const anyNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    -16,
    -17,
    47,
    48,
    127,
    128,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 32,
    2 ** 53 - 1,
    -(2 ** 53),
    2 ** 53,
    Number.NaN,
    Infinity,
    -Infinity,
  ),
);

const anyError = fc
  .record({
    type: fc.constantFrom(Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError),
    message: fc.option(anyString, { nil: undefined }),
    name: fc.option(fc.constantFrom('TypeError', 'Custom'), { nil: undefined }),
    cause: fc.option(fc.anything(), { nil: undefined }),
    stack: fc.constantFrom('kept', 'none'),
  })
  .map(({ type, message, name, cause, stack }) => {
    const error = cause === undefined ? new type(message) : new type(message, { cause });
    if (name !== undefined) error.name = name;
    if (stack === 'none') Reflect.deleteProperty(error, 'stack');
    return error;
  });

const anyExpression = fc
  .tuple(fc.constantFrom('', 'a/b', '\\n', '[\\u{1F600}]', '(?<x>.)'), fc.subarray([...'dgimsuy']))
  .map(([source, flags]) => {
    const expression = new RegExp(source, flags.join(''));
    expression.lastIndex = 3;
    return expression;
  });

// biome-ignore format: a table
const VIEWS = [
  DataView, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array,
] as const;

/** Several views of one buffer, and the buffer itself. */
const anyViews = fc
  .tuple(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(fc.tuple(fc.constantFrom(...VIEWS), fc.nat(8), fc.nat(8)), { maxLength: 4 }),
  )
  .map(([bytes, views]) => {
    const buffer = bytes.slice().buffer;
    const made = views.map(([type, from, count]) => {
      const size = 'BYTES_PER_ELEMENT' in type ? type.BYTES_PER_ELEMENT : 1;
      const offset = Math.min(from * size, Math.floor(buffer.byteLength / size) * size);
      return new (type as typeof Uint8Array)(
        buffer,
        offset,
        Math.min(count, Math.floor((buffer.byteLength - offset) / size)),
      );
    });
    return made.length % 2 === 0 ? [...made, buffer] : made;
  });

/** Objects, arrays, maps and sets that hold each other at random, cycles and shared ones among them. */
const anyGraph = fc
  .tuple(
    fc.array(fc.constantFrom('object', 'array', 'map', 'set'), { minLength: 1, maxLength: 20 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.oneof(anyString, anyNumber)), { maxLength: 60 }),
  )
  .map(([kinds, edges]) => {
    const nodes = kinds.map(
      (kind) => ({ object: {}, array: [], map: new Map(), set: new Set() })[kind] as object,
    );
    for (const [from, to, label] of edges) {
      const node = nodes[from % nodes.length]!;
      const target = nodes[to % nodes.length];
      if (Array.isArray(node)) node.push(target, label);
      else if (node instanceof Map) node.set(label, target).set(target, label);
      else if (node instanceof Set) node.add(target).add(label);
      else
        Object.defineProperty(node, String(label), {
          value: target,
          enumerable: true,
          configurable: true,
          writable: true,
        });
    }
    return nodes[0];
  });

/** Arrays with holes and named properties. */
const anySparse = fc
  .tuple(
    fc.nat(3000),
    fc.array(fc.tuple(fc.oneof(fc.nat(3000).map(String), anyString), fc.anything()), { maxLength: 5 }),
  )
  .map(([length, entries]) => {
    const array: unknown[] = [];
    array.length = length;
    for (const [key, value] of entries) {
      if (key !== 'length')
        Object.defineProperty(array, key, { value, enumerable: true, configurable: true, writable: true });
    }
    return array;
  });

const anything = fc.anything({
  key: anyString,
  values: [
    anyString,
    anyNumber,
    fc.boolean(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.constantFrom(null, undefined),
  ],
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** Anything that structured clone takes, but blobs. */
export const anyValue = fc.oneof(
  { weight: 4, arbitrary: anything },
  anyGraph,
  anyError,
  anyViews,
  anySparse,
  anyExpression,
  anyString,
  anyNumber,
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.array(fc.record({ name: anyString, flags: fc.array(anyString, { maxLength: 3 }), n: anyNumber }), {
    maxLength: 10,
  }),
);

function cyclic(): object {
  const self: Record<string, unknown> = { list: [1] };
  (self['list'] as unknown[]).push(self, self['list']);
  self['map'] = new Map<unknown, unknown>([[self, new Set([self])]]);
  return self;
}

function error(): Error {
  const made = new RangeError('too far', { cause: { at: [1] } });
  made.stack = 'RangeError: too far\n    at here';
  return made;
}

/** One of each sort, always the same: the golden files hold their bytes. */
export function samples(): Record<string, unknown> {
  const buffer = Uint8Array.from({ length: 24 }, (_, i) => i * 11).buffer;
  // biome-ignore format: a table
  return {
    primitives: [undefined, null, false, true, Number.NaN, -0, 0.1, Infinity, -Infinity],
    integers: [0, -1, -16, -17, 47, 48, 127, 128, 1 << 30, 2 ** 31, 1.7e12, 2 ** 53 - 1, -(2 ** 53), 2 ** 53],
    bigints: [0n, 1n, -1n, 255n, 256n, -(2n ** 64n), 2n ** 100n + 7n],
    strings: ['', 'a', 'ab', 'ab', 'é', '€€', '😀', '\ufeff', '\ud800', '\udc00\ud800', 'x'.repeat(63), 'y'.repeat(64), 'z'.repeat(300)],
    'strings at the bounds of being numbered': ['w', 127, 128, 129].flatMap((n) => [n, n].map((n) => `${n}`.padEnd(Number(n) || 1, '.'))).concat('ab', 'ab'),
    'many strings': [...Array(70).keys(), 1, 69].map((i) => `string ${i}`),
    object: { version_added: '79', flags: [{ name: 'x', value: '79' }], ['__proto__']: { polluted: true }, '': 0 },
    records: [1, 2, 3].map((id) => ({ id, name: 'one', tags: ['a1', 'b1'] })),
    // biome-ignore lint/suspicious/noSparseArray: holes are the point
    sparse: Object.assign([1, , 3], { named: true }),
    long: Array.from({ length: 40 }, (_, i) => i),
    collections: [new Map<unknown, unknown>([[{ a: 1 }, 'x'], ['k', new Set([1, '2', null])]]), new Map(), new Set()],
    dates: [new Date(0), new Date(-1), new Date(Number.NaN)],
    expressions: [/a\/b/giu, /(?:)/],
    boxed: [Object(true), Object(false), Object(-0), Object('text'), Object(5n), Object(-5n)],
    error: error(),
    'bare error': Object.assign(new Error(), { stack: '' }),
    buffers: [buffer, new Uint8Array(buffer, 3, 5), new Float64Array(buffer, 8, 2), new DataView(buffer), new Uint16Array(0)],
    cyclic: cyclic(),
  };
}
