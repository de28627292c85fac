/** Behaviours of Prestige that hold here, by their numbers, and those that it promises and lacks. */
import { expect, test } from 'vitest';
import type { OpenOptions } from '../../src/contract/options.js';
import { type DedupStore, openDedup, reopenDedup } from '../engine/dedup-store.js';

const idOf = async ({ engine }: DedupStore, key: string) =>
  ((await engine.getEntry(key)) as { objectId: string }).objectId;

test('R3: a hundred keys with one value have one object, which goes with the last of them', async () => {
  const store = await openDedup({});
  const { engine } = store;
  const value = 'the value that all of them have';
  for (let i = 0; i < 100; i++) await engine.set(`key-${i}`, value);
  expect(await engine.health()).toMatchObject({ totalObjects: 1, dedupRatio: 100, totalBytes: value.length });
  expect(await idOf(store, 'key-3')).toBe(await idOf(store, 'key-97'));
  await engine.delete('key-0');
  expect(await engine.get('key-1')).toBe(value);
  await engine.set('key-1', 'another value, which only one key has');
  expect(await engine.get('key-2')).toBe(value);
  const { storedBytes } = await engine.health();
  await engine.set('key-2', value);
  expect((await engine.health()).storedBytes - storedBytes).toBeLessThan(120);
  for (let i = 0; i < 100; i++) await engine.delete(`key-${i}`);
  expect(await engine.health()).toMatchObject({
    totalKeys: 0,
    totalObjects: 0,
    totalBytes: 0,
    dedupRatio: 1,
  });
});

test('R5: three keys, two objects, 300 bytes, a ratio of 1.5', async () => {
  const { engine } = await openDedup({});
  await engine.set('a', new Uint8Array(100).fill(1));
  await engine.set('b', new Uint8Array(100).fill(1));
  await engine.set('c', new Uint8Array(200).fill(2));
  expect(await engine.health()).toMatchObject({
    totalKeys: 3,
    totalObjects: 2,
    totalBytes: 300,
    dedupRatio: 1.5,
    orphanedObjects: 0,
  });
});

test.each<[string, OpenOptions['dedup']]>([
  ['whitespace', { normalization: 'whitespace' }],
  ['ascii', { normalization: 'ascii' }],
  ['unicode', { normalization: 'unicode' }],
])(
  'R6: under %s each key gives what was set, and what is larger than the limit is not compared',
  async (_, given) => {
    const store = await openDedup({ dedup: { ...given, normalizationMaxBytes: 100 } });
    const { engine } = store;
    await engine.set('a', 'some words  with white space');
    await engine.set('b', ' some words with white space ');
    expect(await engine.get('a')).toBe('some words  with white space');
    expect(await engine.get('b')).toBe(' some words with white space ');
    expect(await engine.wouldDedupe('some\twords with white space')).toMatchObject({ duplicate: true });
    const long = 'many words '.repeat(20);
    await engine.set('long', long);
    expect(await engine.wouldDedupe(` ${long}`)).toMatchObject({ duplicate: false });
    expect(await engine.wouldDedupe(long)).toMatchObject({ duplicate: true });
  },
);

test('R12: fifty writes of one value to each of four keys at once leave one object', async () => {
  const { engine } = await openDedup({});
  const writes = Array.from({ length: 200 }, (_, i) =>
    engine.set(`key-${i % 4}`, 'the value of all the writes'),
  );
  await Promise.all(writes);
  expect(await engine.health()).toMatchObject({ totalKeys: 4, totalObjects: 1 });
});

test('R13: what is shared is shared after opening, and a value from before is found', async () => {
  const options: OpenOptions = { dedup: { normalization: 'ascii' } };
  const store = await openDedup(options);
  await store.engine.set('a', 'A value from before the store was opened again');
  await store.engine.set('b', 'A value from before the store was opened again');
  const reopened = await reopenDedup(store, options);
  await reopened.engine.set('c', 'A value from before the store was opened again');
  expect(await reopened.engine.health()).toMatchObject({ totalKeys: 3, totalObjects: 1 });
  expect(await idOf(reopened, 'c')).toBe(await idOf(store, 'a'));
  const asked = await reopened.engine.wouldDedupe('a VALUE from before the store was opened again');
  expect(asked).toMatchObject({ duplicate: true, objectId: await idOf(store, 'a') });
});

test('R19: asking whether a value is there adds nothing', async () => {
  const { engine } = await openDedup({});
  await engine.set('a', 'a value that is there');
  const before = await engine.health();
  expect(await engine.wouldDedupe('a value that is there')).toMatchObject({ duplicate: true });
  expect(await engine.wouldDedupe('a value that is not there')).toMatchObject({ duplicate: false });
  expect(await engine.health()).toEqual(before);
});
