/** `batch`: whole or not at all, and each operation sees what those before it made of its key. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import type { BatchOperation, OpenOptions } from '../../src/index.js';
import { FileLog, MemoryFile } from '../../src/storage/log/index.js';
import { OPERATORS, type Operator, type OperatorName } from '../../src/structures/maplet/index.js';
import { type BenchStore, FakeTime, openBench, reopen, scanAll } from './bench-store.js';

interface Modelled {
  readonly value: unknown;
  readonly expiresAt: number;
}
type Model = Map<string, Modelled>;

/** What a batch makes of a `Map`, or the name of the error that refuses it: that of the first key that has one. */
function modelled(before: Model, operations: readonly BatchOperation[], now: number): Model | string {
  const model = new Map([...before].filter(([, { expiresAt }]) => expiresAt > now));
  const keys = [...new Set(operations.map(({ key }) => key))];
  for (const one of keys.flatMap((key) => operations.filter((one) => one.key === key))) {
    const old = model.get(one.key);
    const deadline = 'ttl' in one ? now + Number(one.ttl) : undefined;
    switch (one.type) {
      case 'set': {
        if (one.ifAbsent && old) return 'ConflictError';
        if (one.ifVersion !== undefined && (one.ifVersion !== 0 || old)) return 'ConflictError';
        const kept = one.keepTtl ? old?.expiresAt : undefined;
        model.set(one.key, { value: one.value, expiresAt: deadline ?? kept ?? Infinity });
        break;
      }
      case 'delete':
        model.delete(one.key);
        break;
      case 'expire':
      case 'persist':
        if (old) model.set(one.key, { ...old, expiresAt: deadline ?? Infinity });
        break;
      case 'merge': {
        const operator = OPERATORS[one.operator as OperatorName] as Operator;
        const expiresAt = deadline ?? old?.expiresAt ?? Infinity;
        try {
          operator.check?.(one.operand);
          const value = old ? operator.merge(old.value, one.operand) : one.operand;
          model.set(one.key, { value, expiresAt });
        } catch (error) {
          return (error as Error).name;
        }
      }
    }
  }
  return model;
}

const key = fc.constantFrom('', 'a', 'b', 'c', '__proto__', '\ud800', 'key-1');
const ttl = fc.constantFrom(1, 10, 1000);
const number = fc.integer({ min: -3, max: 3 });
const text = fc.constantFrom('', 'x', 'a text that is longer than a reference', 'y'.repeat(300));
const list = fc.array(number, { maxLength: 3 });
const value = fc.oneof(
  number,
  text,
  list,
  list.map((items) => new Set(items)),
  fc.constant(undefined),
);
const merge = <T>(operator: string, operand: fc.Arbitrary<T>) =>
  fc.record(
    { type: fc.constant('merge' as const), key, operator: fc.constant(operator), operand, ttl },
    { requiredKeys: ['type', 'key', 'operator', 'operand'] },
  );
const set = fc.record(
  { type: fc.constant('set' as const), key, value, ttl },
  { requiredKeys: ['type', 'key', 'value'] },
);
const operation: fc.Arbitrary<BatchOperation> = fc.oneof(
  { weight: 5, arbitrary: set },
  { weight: 1, arbitrary: set.map(({ ttl: _, ...one }) => ({ ...one, keepTtl: true })) },
  { weight: 1, arbitrary: set.map((one) => ({ ...one, ifAbsent: true })) },
  { weight: 1, arbitrary: set.map((one) => ({ ...one, ifVersion: 0 })) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('expire' as const), key, ttl }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('persist' as const), key }) },
  { weight: 2, arbitrary: merge('counter', number) },
  { weight: 2, arbitrary: merge('concat', text) },
  { weight: 1, arbitrary: merge('list', list) },
  { weight: 1, arbitrary: merge('set', list) },
  { weight: 1, arbitrary: merge('vector', list) },
  { weight: 1, arbitrary: merge('replace', value) },
);
type Step = readonly BatchOperation[] | { readonly wait: number } | 'seal' | 'reopen';
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.array(operation, { maxLength: 6 }) },
  { weight: 1, arbitrary: ttl.map((wait) => ({ wait })) },
  { weight: 1, arbitrary: fc.constant('seal' as const) },
  { weight: 1, arbitrary: fc.constant('reopen' as const) },
);

/** Over a log that answers reads later, as one in IndexedDB does. */
async function openLate(
  options: OpenOptions,
  file = new MemoryFile(),
  time = new FakeTime(),
): Promise<BenchStore> {
  const log = new FileLog(file, { backend: 'test', generation: 1, written: 'os', flushed: () => 'durable' });
  const late = new Proxy(log, {
    get: (target, name) => {
      if (name === 'read') return async (location: number) => target.read(location);
      const part: unknown = Reflect.get(target, name, target);
      return typeof part === 'function' ? part.bind(target) : part;
    },
  });
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions(options),
    log: late,
    secret: new Uint8Array(16),
    now: () => time.now,
    after: time.after,
  });
  return { engine, file, time, index: {} };
}

let fills = 0;
/** A value that fills an extent, so that the next write seals the one before. */
async function sealWithNext({ engine }: BenchStore): Promise<void> {
  await engine.set('filler', new Uint8Array(260 * 1024).fill(++fills));
  await engine.delete('filler');
}

async function compare({ engine, time }: BenchStore, model: Model): Promise<void> {
  const live = [...model].filter(([, { expiresAt }]) => expiresAt > time.now);
  live.sort(([a], [b]) => (a < b ? -1 : 1));
  expect(await scanAll(engine, 'entries')).toEqual(live.map(([key, { value }]) => [key, value]));
  for (const [key, { expiresAt }] of live) {
    expect(await engine.ttl(key), key).toBe(expiresAt === Infinity ? null : expiresAt - time.now);
  }
  expect(await engine.count()).toBe(live.length);
  expect((await engine.health()).totalKeys).toBe(live.length);
}

describe('batches', () => {
  test.each([
    ['of a store as it opens by default', {}, openBench],
    ['of a store without dedup', { dedup: { mode: 'off' as const } }, openBench],
    ['of a store that counts its keys', { maplet: { capacity: 100, autoResize: false } }, openBench],
    ['of a store that waits for each read', { cache: { maxBytes: 1 } }, openLate],
  ])('%s do what a Map does, or nothing, also when the log is read anew', async (_, options, openStore) => {
    const reopen = ({ file, time }: BenchStore, options: OpenOptions) =>
      openStore(options, new MemoryFile((file as MemoryFile).content()), time);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        let store = await openStore(options);
        let model: Model = new Map();
        for (const one of steps) {
          if (one === 'seal') await sealWithNext(store);
          else if (one === 'reopen') store = await reopen(store, options);
          else if ('wait' in one) store.time.pass(one.wait);
          else {
            const wanted = modelled(model, one, store.time.now);
            const outcome = await store.engine.batch(one).then(
              () => 'done',
              (error: Error) => error.name,
            );
            expect(outcome).toBe(typeof wanted === 'string' ? wanted : 'done');
            if (typeof wanted !== 'string') model = wanted;
          }
        }
        await compare(await reopen(store, options), model);
        await compare(store, model);
        await compare(await reopen(store, options), model);
      }),
      { numRuns: 120 },
    );
  });

  test('made in one turn apply in their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 12 }),
        async (batches) => {
          const store = await openBench();
          let model: Model = new Map();
          const wanted = batches.map((one) => {
            const after = modelled(model, one, store.time.now);
            if (typeof after !== 'string') model = after;
            return typeof after === 'string' ? 'rejected' : 'fulfilled';
          });
          const outcomes = await Promise.allSettled(batches.map((one) => store.engine.batch(one)));
          expect(outcomes.map(({ status }) => status)).toEqual(wanted);
          await compare(await reopen(store), model);
          await compare(store, model);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a batch', () => {
  const A = { key: 'a' } as const;
  const add = (operand: number) => ({ type: 'merge', ...A, operand, operator: 'counter' }) as const;

  test.each<[string, readonly BatchOperation[], unknown, number | null | undefined]>([
    ['set then merge', [{ type: 'set', ...A, value: 5 }, add(2)], 7, null],
    ['set with a ttl then merge', [{ type: 'set', ...A, value: 5, ttl: 50 }, add(2)], 7, 50],
    ['delete then merge', [{ type: 'delete', ...A }, add(2)], 2, null],
    ['merge then merge', [add(1), add(2)], 13, 1000],
    [
      'set then expire',
      [
        { type: 'set', ...A, value: 5 },
        { type: 'expire', ...A, ttl: 9 },
      ],
      5,
      9,
    ],
    [
      'delete then expire',
      [
        { type: 'delete', ...A },
        { type: 'expire', ...A, ttl: 9 },
      ],
      'none',
      undefined,
    ],
    [
      'set then delete',
      [
        { type: 'set', ...A, value: 5 },
        { type: 'delete', ...A },
      ],
      'none',
      undefined,
    ],
    [
      'delete then set',
      [
        { type: 'delete', ...A },
        { type: 'set', ...A, value: 1, keepTtl: true },
      ],
      1,
      null,
    ],
    [
      'delete then set ifAbsent',
      [
        { type: 'delete', ...A },
        { type: 'set', ...A, value: 1, ifAbsent: true },
      ],
      1,
      null,
    ],
    [
      'delete then set ifVersion 0',
      [
        { type: 'delete', ...A },
        { type: 'set', ...A, value: 1, ifVersion: 0 },
      ],
      1,
      null,
    ],
    [
      'expire then persist',
      [
        { type: 'expire', ...A, ttl: 9 },
        { type: 'persist', ...A },
      ],
      10,
      null,
    ],
    ['expire then merge', [{ type: 'expire', ...A, ttl: 9 }, add(1)], 11, 9],
    [
      'merge with a ttl then set keepTtl',
      [
        { ...add(1), ttl: 7 },
        { type: 'set', ...A, value: 3, keepTtl: true },
      ],
      3,
      7,
    ],
  ])('that does %s does both', async (_, operations, value, ttl) => {
    const store = await openBench();
    await store.engine.set('a', 10, { ttl: 1000 });
    const { version } = await store.engine.batch(operations);
    expect(version).toBe(2);
    for (const { engine } of [store, await reopen(store)]) {
      expect(await engine.get('a', { default: 'none' })).toBe(value);
      expect(await engine.ttl('a')).toBe(ttl);
    }
  });

  test('makes one version and one entry a key', async () => {
    const { engine } = await openBench();
    await engine.batch([...Array.from({ length: 100 }, () => add(1)), { type: 'set', key: 'b', value: 1 }]);
    expect(await engine.getEntry('a')).toMatchObject({ value: 100, version: 1 });
    expect(await engine.getEntry('b')).toMatchObject({ version: 1 });
    const store = await openBench();
    await store.engine.batch(Array.from({ length: 100_000 }, () => add(1)));
    expect(await store.engine.get('a')).toBe(100_000);
    expect((store.file as MemoryFile).content().length).toBeLessThan(1000);
  });

  test('writes nothing where it ends as it began', async () => {
    const store = await openBench();
    const { length } = (store.file as MemoryFile).content();
    const nothing = await store.engine.batch([
      { type: 'set', key: 'a', value: 1 },
      { type: 'delete', key: 'a' },
      { type: 'expire', key: 'b', ttl: 5 },
      { type: 'persist', key: 'b' },
    ]);
    expect(nothing.version).toBe(0);
    expect((await store.engine.batch([])).version).toBe(0);
    expect((store.file as MemoryFile).content().length).toBe(length);
  });

  test('refuses ifVersion of what it wrote itself, since nobody could know it', async () => {
    const { engine } = await openBench();
    for (const ifVersion of [0, 1, 2]) {
      const refused = engine.batch([
        { type: 'set', key: 'a', value: 1 },
        { type: 'set', key: 'a', value: 2, ifVersion },
      ]);
      await expect(refused).rejects.toMatchObject({
        code: 'CONFLICT',
        detail: { key: 'a', expected: ifVersion },
      });
    }
    expect(await engine.count()).toBe(0);
  });

  test('says which operation is wrong, before anything has moved', async () => {
    const { engine } = await openBench();
    const good = { type: 'set', key: 'good', value: 1 };
    const wrong: [unknown, string, RegExp][] = [
      [
        { type: 'put', key: 'a' },
        'TypeError',
        /batch\[1\]: type: expected one of set, delete, expire, persist, merge, got "put"/,
      ],
      [{ type: 'toString', key: 'a' }, 'TypeError', /batch\[1\]: type/],
      [null, 'TypeError', /batch\[1\]: expected \{ type, key, ... \}, got null/],
      [{ type: 'delete', key: 7 }, 'TypeError', /batch\[1\]: key: expected a string, got 7/],
      [{ type: 'delete', key: 'a', value: 7 }, 'TypeError', /batch\[1\]: delete: unknown option value/],
      [{ type: 'set', key: 'a' }, 'TypeError', /batch\[1\]: value: expected a value, got none/],
      [{ type: 'set', key: 'a', value: 1, durability: 'strict' }, 'TypeError', /unknown option durability/],
      [{ type: 'set', key: 'a', value: 1, ttl: 0 }, 'RangeError', /batch\[1\]: ttl/],
      [
        { type: 'set', key: 'a', value: 1, ttl: 5, keepTtl: true },
        'TypeError',
        /expected ttl or keepTtl, got both/,
      ],
      [{ type: 'set', key: 'a', value: () => 1 }, 'SerializationError', /batch\[1\]: .*function/],
      [{ type: 'expire', key: 'a' }, 'TypeError', /batch\[1\]: ttl.*got undefined/],
      [{ type: 'merge', key: 'a', operator: 'counter' }, 'TypeError', /operand: expected a value/],
      [
        { type: 'merge', key: 'a', operand: 1 },
        'TypeError',
        /operator: expected one of counter, .*got undefined/,
      ],
      [
        { type: 'merge', key: 'a', operand: 'x', operator: 'counter' },
        'TypeError',
        /batch\[1\]: counter: expected a safe integer/,
      ],
      [
        { type: 'merge', key: 'a', operand: 1, operator: 'counter', ttl: -1 },
        'RangeError',
        /batch\[1\]: ttl/,
      ],
    ];
    for (const [operation, name, message] of wrong) {
      const refused = engine.batch([good, operation]);
      await expect(refused).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
    }
    await expect(engine.batch('abc')).rejects.toThrow(/batch: expected an array of operations, got "abc"/);
    await expect(engine.batch([], { ttl: 5 })).rejects.toThrow(/batch: unknown option ttl/);
    expect(await engine.count()).toBe(0);
  });

  test('that the file refuses changes nothing', async () => {
    class Full extends MemoryFile {
      full = false;
      override write(bytes: Uint8Array, at: number): number {
        if (this.full) throw new Error('no space');
        return super.write(bytes, at);
      }
    }
    const file = new Full();
    const store = await openBench({}, file);
    await store.engine.set('a', 1);
    file.full = true;
    await expect(store.engine.batch([add(1), { type: 'set', key: 'b', value: 1 }])).rejects.toThrow();
    file.full = false;
    expect(await scanAll(store.engine, 'entries')).toEqual([['a', 1]]);
    expect(await store.engine.merge('a', 1, 'counter')).toBe(2);
  });

  test('is as durable as it asks for', async () => {
    const { engine } = await openBench();
    expect(await engine.batch([add(1)])).toEqual({ version: 1, durability: 'os' });
    expect(await engine.batch([add(1)], { durability: 'strict' })).toEqual({
      version: 2,
      durability: 'durable',
    });
  });

  test('stores a value once that it gives to many keys, and none that it replaces itself', async () => {
    const { engine } = await openBench();
    const value = 'a value that is longer than a reference';
    await engine.batch([
      { type: 'set', key: 'a', value: 'a value that nobody will ever see' },
      { type: 'set', key: 'b', value },
      { type: 'set', key: 'a', value },
      { type: 'merge', key: 'c', operand: value, operator: 'concat' },
    ]);
    expect(await engine.health()).toMatchObject({ totalKeys: 3, totalObjects: 1, totalBytes: value.length });
  });

  test('takes a Blob, which is read before', async () => {
    const { engine } = await openBench();
    await engine.batch([
      { type: 'set', key: 'a', value: new Blob(['content']) },
      { type: 'set', key: 'b', value: 1 },
    ]);
    expect(await ((await engine.get('a')) as Blob).text()).toBe('content');
    expect(await engine.get('b')).toBe(1);
  });

  test('keeps createdAt of what it changes, and not of what it removes before', async () => {
    const { engine, time } = await openBench();
    const createdAt = time.now;
    await engine.setMany([
      ['a', 1],
      ['b', 1],
    ]);
    time.pass(100);
    await engine.batch([add(1), { type: 'expire', ...A, ttl: 50 }]);
    await engine.batch([
      { type: 'delete', key: 'b' },
      { type: 'set', key: 'b', value: 1 },
    ]);
    expect(await engine.getEntry('a')).toMatchObject({ createdAt, updatedAt: createdAt + 100 });
    expect(await engine.getEntry('b')).toMatchObject({ createdAt: createdAt + 100 });
  });
});

describe('a batch of a store that may not grow', () => {
  const full = async () => {
    const { engine } = await openBench({ maplet: { capacity: 3, autoResize: false } });
    await engine.setMany(['a', 'b', 'c'].map((key) => [key, 1]));
    return engine;
  };

  test('needs room for what it adds less what it removes', async () => {
    const engine = await full();
    await engine.batch([
      { type: 'set', key: 'd', value: 1 },
      { type: 'delete', key: 'a' },
    ]);
    await engine.batch([{ type: 'merge', key: 'b', operand: 1, operator: 'counter' }]);
    const refused = engine.batch([
      { type: 'delete', key: 'b' },
      { type: 'set', key: 'e', value: 1 },
      { type: 'merge', key: 'f', operand: 1, operator: 'counter' },
    ]);
    await expect(refused).rejects.toMatchObject({
      code: 'CAPACITY',
      detail: { keys: 3, capacity: 3, wanted: 1 },
    });
    await expect(engine.merge('g', 1, 'counter')).rejects.toMatchObject({ code: 'CAPACITY' });
    expect(await scanAll(engine, 'entries')).toEqual([
      ['b', 2],
      ['c', 1],
      ['d', 1],
    ]);
  });

  test('takes no room for a key that it sets and removes', async () => {
    const engine = await full();
    await engine.batch([
      { type: 'set', key: 'd', value: 1 },
      { type: 'delete', key: 'd' },
    ]);
    expect(await engine.count()).toBe(3);
  });
});
