/** Checkpoints as an application sees them, in every place that a store can live in. */
import { describe, expect, test } from 'vitest';
import { NotFoundError } from '../../src/base/errors.js';
import type { Store } from '../../src/index.js';
import { KINDS, newPlace } from './open-each.js';

const text = (letter: string) => letter.repeat(5000);

async function withSome(store: Store): Promise<void> {
  await store.setMany([
    ['a', text('a')],
    ['same as a', text('a')],
    ['short', 'short'],
    ['b', new Uint8Array(3000).fill(7)],
  ]);
  await store.set('with deadline', 1, { ttl: '1h' });
}

const entriesOf = async (store: Store) => new Map(await store.entries());

describe.each(KINDS)('checkpoints in %s', (kind) => {
  test('name a version, are listed in their order, and a label taken again is replaced', async () => {
    await using store = await newPlace(kind).open();
    await withSome(store);
    const { logicalBytes } = await store.health();
    const before = Date.now();
    const one = await store.checkpoint('one');
    expect(one).toEqual({
      label: 'one',
      version: (await store.stats()).version,
      createdAt: expect.any(Number),
      keys: 5,
      bytes: logicalBytes,
    });
    expect(one.createdAt).toBeGreaterThanOrEqual(before);
    await store.delete('a');
    const two = await store.checkpoint('two');
    expect([two.keys, two.bytes]).toEqual([4, logicalBytes - 5000]);
    expect(await store.checkpoints()).toEqual([one, two]);
    const again = await store.checkpoint('one');
    expect(await store.checkpoints()).toEqual([two, again]);
  });

  test('bring everything back that was there, and nothing else, across compactions', async () => {
    await using store = await newPlace(kind).open();
    await withSome(store);
    const then = await entriesOf(store);
    const ttl = await store.ttl('with deadline');
    await store.checkpoint('then');
    await store.clear();
    await store.set('after', 1);
    await store.set('a', 'another value of a');
    await store.checkpoint('cleared');
    await store.compact();
    await store.set('short', 'changed');
    await store.compact();
    const { version } = await store.restoreCheckpoint('then', { durability: 'strict' });
    expect((await store.stats()).version).toBe(version);
    expect(await entriesOf(store)).toEqual(then);
    expect(await store.countUnique()).toBe(4);
    expect(await store.ttl('with deadline')).toBeGreaterThan(Number(ttl) - 60_000);
    await store.restoreCheckpoint('cleared');
    expect(await entriesOf(store)).toEqual(
      new Map<string, unknown>([
        ['a', 'another value of a'],
        ['after', 1],
      ]),
    );
  });

  test('survive closing', async () => {
    const place = newPlace(kind);
    if (!place.persistent) return;
    const first = await place.open();
    await withSome(first);
    const then = await entriesOf(first);
    const told = await first.checkpoint('then');
    await first.clear();
    await first.close();
    await using store = await place.open();
    expect(await store.checkpoints()).toEqual([told]);
    await store.restoreCheckpoint('then');
    expect(await entriesOf(store)).toEqual(then);
  });

  test('of an encrypted store come back across a compaction and another opening', async () => {
    const place = newPlace(kind);
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]);
    const options = { encryption: { key } };
    let store = await place.open(options);
    await withSome(store);
    const then = await entriesOf(store);
    for (const label of ['one', 'two']) {
      await store.checkpoint(label);
      await store.setMany(Array.from({ length: 100 }, (_, i) => [`${label} ${i}`, i]));
    }
    await store.compact();
    await store.clear();
    if (place.persistent) {
      await store.close();
      store = await place.open(options);
    }
    await store.restoreCheckpoint('two');
    expect(await store.count()).toBe(105);
    await store.restoreCheckpoint('one');
    expect(await entriesOf(store)).toEqual(then);
    await store.close();
  });

  test('refuse an unknown label and wrong arguments, and change nothing then', async () => {
    await using store = await newPlace(kind).open();
    await store.set('a', 1);
    await store.checkpoint('there');
    const { version } = await store.stats();
    for (const call of ['restoreCheckpoint', 'deleteCheckpoint'] as const) {
      await expect(store[call]('none')).rejects.toThrow(NotFoundError);
      await expect(store[call](7 as never)).rejects.toThrow(TypeError);
      await expect(store[call]('there', { strict: true } as never)).rejects.toThrow(/strict/);
    }
    await expect(store.checkpoint(undefined as never)).rejects.toThrow(TypeError);
    await expect(store.checkpoint('x'.repeat(65_537))).rejects.toThrow(RangeError);
    await expect(store.checkpoint('x', { durability: 'often' as never })).rejects.toThrow(/durability/);
    await expect(store.checkpoint('x', { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    expect((await store.stats()).version).toBe(version);
    expect((await store.checkpoints()).map(({ label }) => label)).toEqual(['there']);
    expect(await store.deleteCheckpoint('there')).toBe(true);
    await expect(store.deleteCheckpoint('there')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await store.checkpoints()).toEqual([]);
  });

  test('take their place among other calls: those before are in, those after are not', async () => {
    await using store = await newPlace(kind).open();
    void store.set('before', 1);
    const taken = store.checkpoint('between');
    void store.set('after', 1);
    void store.checkpoint('gone at once');
    void store.deleteCheckpoint('gone at once');
    const listed = store.checkpoints();
    const restored = store.restoreCheckpoint('between');
    void store.set('last', 1);
    expect(await listed).toEqual([await taken]);
    await restored;
    expect(await store.keys()).toEqual(['before', 'last']);
  });

  test('are not for undo, but going back to one is', async () => {
    await using store = await newPlace(kind).open();
    await store.set('a', 1);
    await store.checkpoint('one');
    await store.set('a', 2);
    await store.restoreCheckpoint('one');
    expect(await store.undo()).toBe(true);
    expect(await store.get('a')).toBe(2);
    expect(await store.undo()).toBe(true);
    expect(await store.get('a')).toBe(1);
    // The checkpoint between them is none of what is taken back.
    expect(await store.undo()).toBe(true);
    expect(await store.has('a')).toBe(false);
    expect(await store.undo()).toBe(false);
    expect(await store.checkpoints()).toHaveLength(1);
  });
});
