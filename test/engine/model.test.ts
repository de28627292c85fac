/**
 * Random scripts against a plain `Map`: whatever is done, the engine answers as the
 * model does, before and after the log is read anew.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/index.js';
import type { BenchStore } from './bench-store.js';
import { openBench, reopen, scanAll } from './bench-store.js';

interface Modelled {
  readonly value: unknown;
  readonly expiresAt: number;
}

class Model {
  readonly entries = new Map<string, Modelled>();

  live(now: number): Map<string, Modelled> {
    return new Map([...this.entries].filter(([, { expiresAt }]) => expiresAt > now));
  }
}

const key = fc.constantFrom(
  '',
  'a',
  'b',
  'c',
  'ab',
  'abc',
  '__proto__',
  '\ud800',
  '\udc00',
  '漢',
  'ü',
  'key-1',
  'key-2',
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    'x',
    'a value that is longer than sixteen bytes',
    'y'.repeat(700),
    null,
    undefined,
    0,
    42,
    true,
  ),
  fc.constantFrom(...[0, 1, 2, 3].map((n) => new Uint8Array(n * 40).fill(n))),
  fc.record({ n: fc.integer({ min: 0, max: 3 }), s: fc.constantFrom('one', 'two') }),
);

type Step =
  | {
      readonly do: 'set';
      readonly key: string;
      readonly value: unknown;
      readonly ttl?: number;
      readonly keepTtl?: boolean;
    }
  | { readonly do: 'setMany'; readonly pairs: readonly (readonly [string, unknown])[] }
  | { readonly do: 'setIfAbsent'; readonly key: string; readonly value: unknown }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'deleteMany'; readonly keys: readonly string[] }
  | { readonly do: 'expire'; readonly key: string; readonly ttl: number }
  | { readonly do: 'persist'; readonly key: string }
  | { readonly do: 'clear'; readonly prefix?: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'fill' }
  | { readonly do: 'reopen' };

const ttl = fc.constantFrom(1, 10, 1000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), key, value, ttl }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set' as const), key, value, keepTtl: fc.constant(true) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('setMany' as const),
      pairs: fc.array(fc.tuple(key, value), { maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('setIfAbsent' as const), key, value }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('deleteMany' as const), keys: fc.array(key, { maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), key, ttl }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('persist' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('clear' as const),
      prefix: fc.constantFrom('a', 'key', '\ud800'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 5, 20) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'sweep' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'fill' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

/** A value that fills an extent, so that the next write seals the one before. */
let fills = 0;
const filler = () => new Uint8Array(260 * 1024).fill(++fills);

async function run(store: BenchStore, model: Model, one: Step, options: OpenOptions): Promise<BenchStore> {
  const { engine, time } = store;
  const { now } = time;
  const live = model.live(now);
  switch (one.do) {
    case 'set': {
      const { key, value, do: _, ...options } = one;
      await engine.set(key, value, options);
      const expiresAt = one.keepTtl ? (live.get(key)?.expiresAt ?? Infinity) : now + (one.ttl ?? Infinity);
      model.entries.set(key, { value, expiresAt });
      break;
    }
    case 'setMany':
      await engine.setMany([...one.pairs]);
      for (const [key, value] of one.pairs) model.entries.set(key, { value, expiresAt: Infinity });
      break;
    case 'setIfAbsent': {
      const refused = await engine.set(one.key, one.value, { ifAbsent: true }).then(
        () => false,
        (error) => error.code === 'CONFLICT',
      );
      expect(refused).toBe(live.has(one.key));
      if (!refused) model.entries.set(one.key, { value: one.value, expiresAt: Infinity });
      break;
    }
    case 'delete':
      expect(await engine.delete(one.key)).toBe(live.has(one.key));
      if (live.has(one.key)) model.entries.delete(one.key);
      break;
    case 'deleteMany':
      expect(await engine.deleteMany(one.keys)).toBe(new Set(one.keys.filter((key) => live.has(key))).size);
      for (const key of one.keys) if (live.has(key)) model.entries.delete(key);
      break;
    case 'expire': {
      const old = live.get(one.key);
      expect(await engine.expire(one.key, one.ttl)).toBe(old !== undefined);
      if (old) model.entries.set(one.key, { ...old, expiresAt: now + one.ttl });
      break;
    }
    case 'persist': {
      const old = live.get(one.key);
      expect(await engine.persist(one.key)).toBe(old !== undefined && old.expiresAt !== Infinity);
      if (old) model.entries.set(one.key, { ...old, expiresAt: Infinity });
      break;
    }
    case 'clear': {
      const gone = [...live.keys()].filter((key) => key.startsWith(one.prefix ?? ''));
      expect(await engine.clear(one.prefix === undefined ? undefined : { prefix: one.prefix })).toBe(
        gone.length,
      );
      for (const key of gone) model.entries.delete(key);
      if (one.prefix === undefined) model.entries.clear();
      break;
    }
    case 'wait':
      time.pass(one.ms);
      break;
    case 'sweep': {
      await engine.sweep();
      break;
    }
    case 'fill': {
      const value = filler();
      await engine.set('filler', value);
      model.entries.set('filler', { value, expiresAt: Infinity });
      break;
    }
    case 'reopen':
      await engine.close();
      return reopen(store, options);
  }
  return store;
}

async function compare({ engine, time }: BenchStore, model: Model, dedup: boolean): Promise<void> {
  const live = model.live(time.now);
  const order = [...live.keys()].sort((a, b) => (a < b ? -1 : 1));
  expect(await scanAll(engine, 'keys')).toEqual(order);
  expect(await scanAll(engine, 'keys', { reverse: true })).toEqual(order.toReversed());
  const entries = (await scanAll<[string, unknown]>(engine, 'entries')).map(([key, value]) => [
    key,
    contentOf(value),
  ]);
  expect(entries).toEqual(order.map((key) => [key, contentOf(live.get(key)!.value)]));
  expect(await scanAll(engine, 'keysWithTtl')).toEqual(
    order.filter((key) => live.get(key)!.expiresAt !== Infinity),
  );
  for (const key of [...order, 'absent', ...model.entries.keys()]) {
    const wanted = live.has(key) ? live.get(key)!.value : 'none';
    expect(contentOf(await engine.get(key, { default: 'none' })), key).toBe(contentOf(wanted));
    expect(await engine.has(key), key).toBe(live.has(key));
    const left = live.get(key)?.expiresAt;
    expect(await engine.ttl(key), key).toBe(
      left === undefined ? undefined : left === Infinity ? null : left - time.now,
    );
  }
  expect(await engine.count()).toBe(live.size);
  const contents = new Map([...live.values()].map(({ value }) => [contentOf(value), sizeOf(value)]));
  expect(await engine.countUnique()).toBe(dedup ? contents.size : live.size);
  const health = await engine.health();
  expect(health.totalKeys).toBe(live.size);
  const expired = [...model.entries.values()].filter(({ expiresAt }) => expiresAt <= time.now);
  expect(health.expiredObjects).toBeLessThanOrEqual(expired.length);
  const known = [...live.values()].every(({ value }) => sizeOf(value) !== undefined);
  if (known && dedup) {
    expect(health.totalBytes).toBe([...contents.values()].reduce((sum: number, size) => sum + size!, 0));
    expect(health.logicalBytes).toBe([...live.values()].reduce((sum, { value }) => sum + sizeOf(value)!, 0));
  }
}

/** Equal for values that are stored once. */
function contentOf(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${value.length} ${value[0]} ${value.at(-1)}`;
  return value === undefined ? 'undefined' : JSON.stringify(value);
}

/** Bytes of a string or of bytes; how objects are encoded is not the model's business. */
function sizeOf(value: unknown): number | undefined {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : undefined;
}

describe('an engine', () => {
  test.each([
    ['as it opens by default', {}, {}],
    ['with a cache for a few records', { cache: { maxBytes: 3000 } }, {}],
    ['with an index that takes every fourth key for another', {}, { fingerprintBits: 2 }],
    ['without dedup', { dedup: { mode: 'off' as const } }, {}],
  ])(
    '%s answers as a Map does, whatever is done to it, also after it is opened anew',
    async (_, options, index) => {
      const dedup = !('dedup' in options);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
          let store = await openBench(options, undefined, undefined, index);
          const model = new Model();
          for (const one of steps) store = await run(store, model, one, options);
          // Read from the log first: looking at the live store settles what its writes left open.
          await compare(await reopen(store, options), model, dedup);
          await compare(store, model, dedup);
          await compare(await reopen(store, options), model, dedup);
        }),
        { numRuns: 100 },
      );
    },
  );
});
