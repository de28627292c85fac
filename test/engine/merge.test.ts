/** `merge`: the operators mean what those of the maplet mean, and a merge is a write like any other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/contract/options.js';
import type { Operator } from '../../src/engine/index.js';
import { Engine, withOperators } from '../../src/engine/index.js';
import { FileLog, MemoryFile } from '../../src/storage/log/index.js';
import { OPERATORS, type OperatorName } from '../../src/structures/maplet/index.js';
import { openBench, reopen, START } from './bench-store.js';

const LIMIT = Number.MAX_SAFE_INTEGER;

/** Values that each operator takes. */
const TAKEN: Readonly<Record<OperatorName, fc.Arbitrary<unknown>>> = {
  counter: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(LIMIT, -LIMIT, LIMIT - 4)),
  max: fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Infinity, -0, 0)),
  min: fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -Infinity, -0, 0)),
  replace: fc.anything(),
  or: fc.oneof(fc.boolean(), fc.nat(), fc.constant(LIMIT)),
  and: fc.oneof(fc.boolean(), fc.nat(), fc.constant(LIMIT)),
  concat: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '\udc00')),
  list: fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant({ deep: [1] }))),
  set: fc
    .array(fc.oneof(fc.nat(5), fc.constantFrom('a', Number.NaN, -0, null)))
    .chain((items) => fc.constantFrom(items, new Set(items))),
  vector: fc.oneof(
    fc.array(fc.double(), { maxLength: 3 }),
    fc.constantFrom(new Float32Array([0.1, 2]), new Float64Array([0.1, 2]), new Float64Array(0)),
  ),
};

/** What comes of it: a value, or the error that refuses it. */
async function outcomeOf(merging: () => unknown): Promise<unknown> {
  try {
    return { value: await merging() };
  } catch (error) {
    return { error: (error as Error).name };
  }
}

describe('every operator', () => {
  test.each(Object.keys(TAKEN) as OperatorName[])(
    '%s merges as it does in a maplet, through the log',
    async (name) => {
      const operator = OPERATORS[name] as unknown as Operator;
      await fc.assert(
        fc.asyncProperty(
          fc.array(TAKEN[name], { minLength: 1, maxLength: 5 }),
          fc.boolean(),
          async (operands, anew) => {
            let store = await openBench();
            let wanted: { value: unknown } | undefined;
            for (const operand of structuredClone(operands)) {
              const before = wanted;
              const merged = await outcomeOf(() => store.engine.merge('k', operand, name));
              const modelled = before
                ? await outcomeOf(() => operator.merge(before.value, operand))
                : { value: operand };
              expect(merged).toEqual(modelled);
              if (!('error' in (modelled as object))) wanted = modelled as { value: unknown };
              if (anew) store = await reopen(store);
              expect(await store.engine.get('k')).toEqual(wanted!.value);
            }
          },
        ),
        { numRuns: 60 },
      );
    },
  );

  const wrong: [OperatorName, unknown[], RegExp][] = [
    ['counter', [Number.NaN, 1.5, '1', null, undefined, LIMIT + 1, 1n], /counter: expected a safe integer/],
    ['max', ['1', null, undefined, new Date(0)], /max: expected a number/],
    ['min', ['1', true], /min: expected a number/],
    ['or', [-1, 1.5, 'true', null], /or: expected a boolean or an integer/],
    ['and', [-1, Number.NaN, undefined], /and: expected a boolean or an integer/],
    ['concat', [1, null, ['a']], /concat: expected a string/],
    ['list', ['a', new Set(), { length: 0 }], /list: expected an array/],
    ['set', ['a', new Map(), {}], /set: expected a Set or an array/],
    ['vector', [['1'], 1, new Uint8Array(2)], /vector: expected an array of numbers/],
  ];
  test.each(wrong)(
    '%s refuses an operand that it does not take, even for a new key',
    async (name, operands, message) => {
      const { engine } = await openBench();
      for (const operand of operands) {
        const refused = engine.merge('k', operand, name);
        await expect(refused).rejects.toMatchObject({
          name: 'TypeError',
          message: expect.stringMatching(message),
        });
      }
      expect(await engine.has('k')).toBe(false);
      expect((await engine.set('other', 1)).version).toBe(1);
    },
  );

  test.each(wrong)(
    '%s refuses a stored value that it does not take, and changes nothing',
    async (name, stored) => {
      const good: Record<string, unknown> = {
        concat: 'x',
        list: [],
        set: [],
        vector: [1],
        or: true,
        and: true,
      };
      for (const value of stored) {
        const { engine } = await openBench();
        await engine.set('k', value, { ttl: 100 });
        const refused = engine.merge('k', good[name] ?? 1, name, { ttl: 7 });
        await expect(refused).rejects.toMatchObject({
          name: 'TypeError',
          message: expect.stringMatching(new RegExp(`^the value of key "k": ${name}: expected`)),
        });
        expect(await engine.get('k')).toEqual(value);
        expect(await engine.ttl('k')).toBe(100);
        expect((await engine.set('other', 1)).version).toBe(2);
      }
    },
  );
});

describe('merge', () => {
  test('of a counter stops at the largest safe integer, both ways', async () => {
    const { engine } = await openBench();
    expect(await engine.merge('up', LIMIT, 'counter')).toBe(LIMIT);
    expect(await engine.merge('up', 5, 'counter')).toBe(LIMIT);
    expect(await engine.merge('up', -5, 'counter')).toBe(LIMIT - 5);
    expect(await engine.merge('down', -LIMIT, 'counter')).toBe(-LIMIT);
    expect(await engine.merge('down', -1, 'counter')).toBe(-LIMIT);
  });

  test('of vectors of unequal length is a RangeError and changes nothing', async () => {
    const { engine } = await openBench();
    await engine.merge('k', [1, 2], 'vector');
    await expect(engine.merge('k', [1, 2, 3], 'vector')).rejects.toThrow(
      new RangeError('vector: expected 2 elements, got 3'),
    );
    expect(await engine.merge('k', [1, 2], 'vector')).toEqual([2, 4]);
  });

  test('keeps the expiry, unless ttl gives another', async () => {
    const { engine, time } = await openBench();
    await engine.set('k', 1, { ttl: 100 });
    time.pass(40);
    await engine.merge('k', 1, 'counter');
    expect(await engine.ttl('k')).toBe(60);
    await engine.merge('k', 1, 'counter', { ttl: '1s' });
    expect(await engine.ttl('k')).toBe(1000);
    await engine.merge('k', 1, 'counter', { ttl: Infinity });
    expect(await engine.ttl('k')).toBeNull();
  });

  test('gives a new key the default time to live, and so does a set that keeps', async () => {
    const { engine } = await openBench({ ttl: { default: 500 } });
    await engine.merge('merged', 1, 'counter');
    await engine.set('kept', 1, { keepTtl: true });
    expect([await engine.ttl('merged'), await engine.ttl('kept')]).toEqual([500, 500]);
    await engine.persist('merged');
    await engine.merge('merged', 1, 'counter');
    expect(await engine.ttl('merged')).toBeNull();
  });

  test('takes an expired key for missing', async () => {
    const { engine, time } = await openBench();
    await engine.set('k', 'expired', { ttl: 10 });
    time.now += 10;
    expect(await engine.merge('k', 3, 'counter')).toBe(3);
    expect(await engine.ttl('k')).toBeNull();
    expect(await engine.getEntry('k')).toMatchObject({ createdAt: START + 10 });
  });

  test('keeps createdAt, and each one is a version', async () => {
    const { engine, time } = await openBench();
    await engine.merge('k', 1, 'counter');
    time.pass(5);
    await engine.merge('k', 0, 'counter');
    expect(await engine.getEntry('k')).toMatchObject({
      version: 2,
      createdAt: START,
      updatedAt: START + 5,
    });
  });

  test('finds a key in a sealed extent, and a null there is a value', async () => {
    const store = await openBench();
    await store.engine.setMany([
      ['n', 1],
      ['null', null],
    ]);
    for (let i = 0; i < 3; i++) await store.engine.set('filler', new Uint8Array(260 * 1024).fill(i));
    expect(await store.engine.merge('n', 1, 'counter')).toBe(2);
    await expect(store.engine.merge('null', 1, 'counter')).rejects.toThrow(TypeError);
    const { engine } = await reopen(store);
    expect(await engine.merge('n', 1, 'counter')).toBe(3);
    expect(await engine.count()).toBe(3);
  });

  test('stores a value once that is stored already', async () => {
    const { engine } = await openBench();
    const text = 'a text that is longer than a reference';
    await engine.set('whole', text);
    await engine.merge('parts', text.slice(0, 20), 'concat');
    await engine.merge('parts', text.slice(20), 'concat');
    expect(await engine.health()).toMatchObject({ totalKeys: 2, totalObjects: 1, totalBytes: text.length });
  });

  test('takes a stored value of any length', async () => {
    const store = await openBench();
    const numbers = Array.from({ length: 100_000 }, (_, i) => i);
    await store.engine.merge('text', 'x'.repeat(300_000), 'concat');
    await store.engine.merge('numbers', numbers, 'list');
    expect(await store.engine.merge('text', 'y', 'concat')).toBe(`${'x'.repeat(300_000)}y`);
    expect(await store.engine.merge('numbers', [7], 'list')).toEqual([...numbers, 7]);
    const { engine } = await reopen(store);
    expect(await engine.get('numbers')).toEqual([...numbers, 7]);
  });

  test('takes its place among the calls of a turn', async () => {
    const { engine } = await openBench();
    const outcomes = await Promise.all([
      engine.merge('k', 1, 'counter'),
      engine.get('k'),
      engine.merge('k', 1, 'counter'),
      engine.set('k', 10),
      engine.merge('k', 5, 'counter'),
      engine.delete('k'),
      engine.merge('k', 7, 'counter'),
      engine.get('k'),
    ]);
    expect([0, 1, 2, 4, 6, 7].map((i) => outcomes[i])).toEqual([1, 1, 2, 15, 7, 7]);
  });

  test('of one key a thousand times at once loses none', async () => {
    const store = await openBench();
    const merged = await Promise.all(
      Array.from({ length: 1000 }, () => store.engine.merge('k', 1, 'counter')),
    );
    expect(merged).toEqual(merged.map((_, i) => i + 1));
    expect(await (await reopen(store)).engine.get('k')).toBe(1000);
  });

  test('gives a value that nobody else holds', async () => {
    const { engine } = await openBench();
    const operand = [1];
    const merging = engine.merge('k', operand, 'list');
    operand.push(2);
    const merged = (await merging) as number[];
    merged.push(3);
    expect(await engine.get('k')).toEqual([1]);
    expect(await engine.merge('k', [4], 'list')).toEqual([1, 4]);
  });

  test('takes a Blob, which is read before', async () => {
    const { engine } = await openBench();
    await engine.merge('k', [new Blob(['one'])], 'list');
    const blobs = (await engine.merge('k', [new Blob(['two'])], 'list')) as Blob[];
    expect(await Promise.all(blobs.map((blob) => blob.text()))).toEqual(['one', 'two']);
  });

  test('is flushed before it resolves where it asks for that', async () => {
    class Counting extends MemoryFile {
      flushes = 0;
      override flush(): void {
        this.flushes += 1;
        super.flush();
      }
    }
    const file = new Counting();
    const { engine } = await openBench({ durability: { syncInterval: Infinity } }, file);
    await engine.merge('k', 1, 'counter');
    expect(file.flushes).toBe(0);
    await engine.merge('k', 1, 'counter', { durability: 'strict' });
    expect(file.flushes).toBe(1);
    await expect(engine.merge('k', 1, 'counter', { durability: 'very' })).rejects.toThrow(/durability/);
  });

  test('refuses what it does not know, and lists what it does', async () => {
    const { engine } = await openBench();
    const known = 'counter, max, min, replace, or, and, concat, list, set, vector';
    await expect(engine.merge('k', 1, 'sum')).rejects.toThrow(
      new TypeError(`operator: expected one of ${known}, got "sum"`),
    );
    await expect(engine.merge('k', 1, '__proto__')).rejects.toThrow(TypeError);
    await expect(engine.merge('k', 1, { merge: 1 })).rejects.toThrow(/got an object/);
    await expect(engine.merge('k', 1, 'counter', { keepTtl: true })).rejects.toThrow(
      /merge: unknown option keepTtl/,
    );
    await expect(engine.merge('k', 1, 'counter', { ttl: 0 })).rejects.toThrow(RangeError);
    await expect(engine.merge(7, 1, 'counter')).rejects.toThrow(/key: expected a string/);
    await expect(engine.merge('k', () => 1, 'replace')).rejects.toMatchObject({ code: 'SERIALIZATION' });
    expect(await engine.count()).toBe(0);
  });
});

describe('an operator of one’s own', () => {
  const longest: Operator<string> = {
    identity: '',
    merge: (a, b) => (b.length > a.length ? b : a),
    associative: true,
    commutative: false,
  };
  const openWith = (operators: object) =>
    Engine.open({
      mode: 'hybrid',
      settings: resolveOptions(),
      log: new FileLog(new MemoryFile(), {
        backend: 'test',
        generation: 1,
        written: 'os',
        flushed: () => 'durable',
      }),
      secret: new Uint8Array(16),
      operators: withOperators(new Map(), operators),
      now: () => START,
      after: () => () => {},
    });

  test('merges by its name, in a batch too, and is listed', async () => {
    const engine = await openWith({ longest });
    await engine.merge('k', 'two', 'longest');
    expect(await engine.merge('k', 'three', 'longest')).toBe('three');
    await engine.batch([{ type: 'merge', key: 'k', operand: 'eleven', operator: 'longest' }]);
    expect(await engine.get('k')).toBe('eleven');
    await expect(engine.merge('k', '', 'shortest')).rejects.toThrow(/vector, longest, got "shortest"/);
  });

  test('that throws, or makes what cannot be stored, refuses the call alone', async () => {
    const fails = (merge: () => unknown) => ({ identity: 0, merge, associative: true, commutative: true });
    const engine = await openWith({
      throws: fails(() => {
        throw new RangeError('too far');
      }),
      makesFunction: fails(() => () => 1),
      makesPromise: fails(() => Promise.resolve(1)),
    });
    await engine.set('k', 1);
    const outcomes = await Promise.allSettled([
      engine.merge('k', 2, 'throws'),
      engine.merge('k', 2, 'makesFunction'),
      engine.merge('k', 2, 'makesPromise'),
      engine.merge('k', 2, 'counter'),
    ]);
    expect(outcomes).toMatchObject([
      { reason: { name: 'RangeError', message: 'too far' } },
      { reason: { code: 'SERIALIZATION' } },
      { reason: { code: 'SERIALIZATION' } },
      { value: 3 },
    ]);
  });

  test('has a name of its own and every part', () => {
    expect(() => withOperators(new Map(), { counter: longest })).toThrow(/the name "counter" is taken/);
    const own = withOperators(new Map(), { longest });
    expect(() => withOperators(own, { longest })).toThrow(/the name "longest" is taken/);
    for (const part of ['identity', 'merge', 'associative', 'commutative'] as const) {
      const { [part]: _, ...rest } = longest;
      expect(() => withOperators(own, { other: rest })).toThrow(new RegExp(`without ${part}`));
    }
    expect(() => withOperators(own, { other: 'counter' })).toThrow(/operators.other: expected \{ identity/);
    expect([...own.keys()]).toEqual(['longest']);
  });
});
