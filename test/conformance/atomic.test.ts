/** Atomic writes through the public `open`, in every place a store can live. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BatchOperation, Store } from '../../src/index.js';
import { KINDS, newPlace, type Place } from './open-each.js';

describe.each(KINDS)('in a store of mode %s', (kind) => {
  let place: Place;
  let store: Store;
  beforeEach(async () => {
    place = newPlace(kind);
    store = await place.open();
  });
  afterEach(() => store.close());
  const reopen = async () => {
    await store.close();
    store = await place.open();
  };

  test('set with ifVersion compares and sets, and 0 is an absent key', async () => {
    const first = await store.set('a', 1, { ifVersion: 0 });
    await expect(store.set('a', 2, { ifVersion: 0 })).rejects.toMatchObject({
      code: 'CONFLICT',
      detail: { key: 'a', expected: 0, found: first.version },
    });
    const second = await store.set('a', 3, { ifVersion: first.version });
    await expect(store.set('a', 4, { ifVersion: first.version })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(store.set('none', 1, { ifVersion: 1 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await store.getEntry('a'))!.version).toBe(second.version);
    expect([await store.get('a'), await store.has('none')]).toEqual([3, false]);
    const outcomes = await Promise.allSettled([
      store.set('a', 'mine', { ifVersion: second.version }),
      store.set('a', 'theirs', { ifVersion: second.version }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await store.get('a')).toBe('mine');
  });

  test('a batch happens whole or not at all', async () => {
    await store.set('gone', 1, { ttl: '1h' });
    await store.set('kept', 'text', { ttl: '1h' });
    const operations: BatchOperation[] = [
      { type: 'set', key: 'a', value: new Map([['x', 1]]), ttl: '1h' },
      { type: 'merge', key: 'n', operand: 2, operator: 'counter' },
      { type: 'merge', key: 'n', operand: 3, operator: 'counter', ttl: '2h' },
      { type: 'delete', key: 'gone' },
      { type: 'persist', key: 'kept' },
      { type: 'expire', key: 'kept', ttl: '3h' },
    ];
    const refused = store.batch([
      ...operations,
      { type: 'merge', key: 'kept', operand: 1, operator: 'counter' },
    ]);
    await expect(refused).rejects.toThrow(
      /the value of key "kept": counter: expected a safe integer, got 'text'/,
    );
    expect(await store.keys()).toEqual(['gone', 'kept']);
    const { version } = await store.batch(operations);
    for (const after of [() => undefined, reopen]) {
      if (place.persistent) await after();
      expect(await store.entries()).toEqual([
        ['a', new Map([['x', 1]])],
        ['kept', 'text'],
        ['n', 5],
      ]);
      expect((await store.getEntry('n'))!.version).toBe(version);
      const hours = (await Promise.all(['a', 'kept', 'n'].map((key) => store.ttl(key)))).map((ms) =>
        Math.ceil(ms! / 36e5),
      );
      expect(hours).toEqual([1, 3, 2]);
    }
  });

  test('a batch and a merge that find long values in the log use them', async () => {
    const text = 'x'.repeat(1000);
    await store.setMany([
      ['a', text],
      ['b', text],
      ['list', Array.from({ length: 100 }, (_, i) => i)],
    ]);
    if (place.persistent) await reopen();
    await store.batch([
      { type: 'merge', key: 'a', operand: 'y', operator: 'concat' },
      { type: 'expire', key: 'b', ttl: '1h' },
      { type: 'merge', key: 'b', operand: 'y', operator: 'concat' },
      { type: 'merge', key: 'list', operand: [100], operator: 'list' },
    ]);
    expect(await store.getMany(['a', 'b'])).toEqual([`${text}y`, `${text}y`]);
    expect(await store.merge('list', [101], 'list')).toHaveLength(102);
    expect(await store.ttl('b')).toBeGreaterThan(0);
    expect(await store.countUnique()).toBe(2);
  });

  test('merges of many at once lose none, and each resolves to its own value', async () => {
    const merged = await Promise.all(Array.from({ length: 50 }, () => store.merge('n', 1, 'counter')));
    expect(merged).toEqual(merged.map((_, i) => i + 1));
    if (place.persistent) await reopen();
    expect(await store.get('n')).toBe(50);
  });

  test('updates of many at once lose none', async () => {
    const updates = Array.from({ length: 20 }, () => store.update<number>('n', (old = 0) => old + 1));
    expect(await Promise.all(updates)).toEqual(updates.map((_, i) => i + 1));
    expect(await store.get('n')).toBe(20);
  });

  test('an update sees what the calls before it in the same turn wrote', async () => {
    store.set('n', 41);
    expect(await store.update<number>('n', (old = 0) => old + 1)).toBe(42);
  });

  test('are given up when their signal is aborted', async () => {
    const signal = AbortSignal.abort('enough');
    const calls = [
      store.batch([{ type: 'set', key: 'a', value: 1 }], { signal }),
      store.merge('a', 1, 'counter', { signal }),
      store.update('a', () => 1, { signal }),
    ];
    for (const call of calls) await expect(call).rejects.toBe('enough');
    expect(await store.has('a')).toBe(false);
  });

  test('are refused once the store is closed', async () => {
    await store.close();
    await expect(store.batch([])).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.merge('a', 1, 'counter')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.update('a', () => 1)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
