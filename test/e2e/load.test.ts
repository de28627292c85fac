/** The check that follows kills and power cuts: that it passes what is right, and sees each thing that is not. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { check } from '../../e2e/load/check.js';
import { callAt, LAST, type Life, type Shape, show, stateAfter } from '../../e2e/load/script.js';
import { summed } from '../../e2e/load/table.js';
import { open, type Store } from '../../src/index.js';

const SHAPE: Shape = { keys: 50, perCall: 3, sizes: [10, 300, 5000] };
const LIVES: readonly Life[] = [
  { seed: 1, from: 0, to: 99 },
  { seed: 2, from: 100, to: 149 },
];

describe('the check after a misfortune', () => {
  let store: Store;
  beforeEach(async () => {
    store = await open('load', { persistence: 'memory' });
    for (const { seed, from, to } of LIVES) {
      for (let n = from; n <= to; n++) await store.batch(callAt(seed, n, SHAPE));
    }
  });
  afterEach(() => store.destroy());

  test('finds nothing wrong in a store that had these calls, and names the last', async () => {
    expect(await check(store, LIVES, SHAPE)).toEqual({ last: 149, wrong: [], torn: 0 });
  });

  test('takes how far the latest life got from the store', async () => {
    await store.batch(callAt(2, 150, SHAPE));
    expect(await check(store, LIVES, SHAPE)).toMatchObject({ last: 150, wrong: [] });
  });

  test('of a store without calls passes only an empty one', async () => {
    const fresh: Life[] = [{ seed: 3, from: 0, to: 0 }];
    expect((await check(store, fresh, SHAPE)).wrong).not.toEqual([]);
    await store.clear();
    expect(await check(store, fresh, SHAPE)).toEqual({ last: -1, wrong: [], torn: 0 });
  });

  const someKey = async () => (await store.keys({ prefix: 'key-' }))[7]!;
  test.each<[string, () => Promise<unknown>]>([
    ['a key that is missing', async () => store.delete(await someKey())],
    ['a key too many', () => store.set('key-none', 'shared 1 ')],
    ['another value', async () => store.set(await someKey(), 'other')],
    ['the call before the last', () => store.batch(callAt(2, 148, SHAPE))],
    ['half of a call more', () => store.batch(callAt(2, 150, SHAPE).slice(-2))],
    ['a call of another life', () => store.batch(callAt(1, 149, SHAPE))],
    ['a last call that was not made', () => store.set(LAST, 150)],
    ['a last call that is too low', () => store.set(LAST, 140)],
  ])('sees %s', async (_, harm) => {
    await harm();
    expect((await check(store, LIVES, SHAPE)).wrong).not.toEqual([]);
  });

  test.each<[string, Partial<Store>]>([
    ['a wrong count', { count: async () => 1 }],
    ['a wrong count of values', { countUnique: async () => 1 }],
    ['a wrong number of keys', { health: async () => ({ ...(await store.health()), totalKeys: 1 }) }],
    ['a wrong number of objects', { health: async () => ({ ...(await store.health()), totalObjects: 1 }) }],
    [
      'a scan out of order',
      { keys: (async () => (await store.keys()).reverse()) as unknown as Store['keys'] },
    ],
    [
      'a scan that misses a key',
      { keys: (async () => (await store.keys()).slice(1)) as unknown as Store['keys'] },
    ],
  ])('sees %s', async (_, lie) => {
    const lying = new Proxy(store, {
      get: (real, name) => {
        const member = lie[name as keyof Store] ?? real[name as keyof Store];
        return typeof member === 'function' ? member.bind(real) : member;
      },
    });
    expect((await check(lying, LIVES, SHAPE)).wrong).toHaveLength(1);
  });
});

test('two calls with one number differ when their lives do', () => {
  for (let n = 0; n < 200; n++) expect(callAt(1, n, SHAPE)).not.toEqual(callAt(2, n, SHAPE));
});

test('a state has deleted keys no more, and shared values and bytes among the rest', () => {
  const state = stateAfter(LIVES, SHAPE);
  const values = [...state.values()].map(show);
  expect(state.size).toBeLessThan(51);
  expect(new Set(values).size).toBeLessThan(values.length);
  expect(values.some((value) => value.startsWith('bytes'))).toBe(true);
  expect(show(new Uint8Array(3).fill(7))).not.toBe(show(new Uint8Array(3).fill(8)));
});

test('a table adds up what rows of the same words count', () => {
  const rows = [
    { scenario: 'a', in: 'x', kills: 1, lost: 0, late: { most: 5 } },
    { scenario: 'a', in: 'y', kills: 1, lost: 3, late: { most: 7 } },
    { scenario: 'a', in: 'x', kills: 1, lost: 2, late: { most: 3 } },
  ];
  expect(summed(rows)).toEqual([
    { scenario: 'a', in: 'x', kills: 2, lost: 2, late: 5 },
    { scenario: 'a', in: 'y', kills: 1, lost: 3, late: 7 },
  ]);
});
