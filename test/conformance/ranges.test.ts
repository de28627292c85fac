/** `match` and `withTtl` of a range, wherever ranges are taken and wherever a store lives. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Store } from '../../src/index.js';
import { KINDS, newPlace } from './open-each.js';

const opened: Store[] = [];
afterAll(() => Promise.all(opened.map((store) => store.destroy())));

async function filled(kind: (typeof KINDS)[number]): Promise<Store> {
  const store = await newPlace(kind).open();
  opened.push(store);
  await store.setMany([
    ['user:1:name', 'Ada'],
    ['user:1:mail', 'ada@example.org'],
    ['user:2:name', 'Bob'],
    ['user:10:name', 'Cid'],
    ['users', 3],
  ]);
  await store.set('user:2:mail', 'bob@example.org', { ttl: 1_000_000 });
  return store;
}

describe.each(KINDS)('a range in a store of kind %s', (kind) => {
  test('gives the keys that match a pattern, in all its calls', async () => {
    const store = await filled(kind);
    const names = ['user:10:name', 'user:1:name', 'user:2:name'];
    expect(await store.keys({ match: 'user:*:name' })).toEqual(names);
    expect(await store.keys({ match: 'user:*:name', limit: 2, reverse: true })).toEqual([
      'user:2:name',
      'user:1:name',
    ]);
    expect(await store.keys({ match: 'user:?:name', start: 'user:2' })).toEqual(['user:2:name']);
    expect(await store.keys({ match: '*', prefix: 'users' })).toEqual(['users']);
    expect(await store.keys({ match: 'nothing*', prefix: 'user' })).toEqual([]);
    expect(await store.values({ match: 'user:[12]:name' })).toEqual(['Ada', 'Bob']);
    expect(await store.count({ match: '*:mail' })).toBe(2);
    expect(await store.keysWithTtl({ match: '*' })).toEqual(['user:2:mail']);
    const snapshot = await store.snapshot();
    expect(await snapshot.keys({ match: 'user:*:name' })).toEqual(names);
    expect(await snapshot.count({ match: '*:mail' })).toBe(2);
    expect(await store.clear({ match: '*:mail' })).toBe(2);
    expect(await store.count()).toBe(4);
    expect(await snapshot.count()).toBe(6);
    await snapshot.close();
  });

  test('adds the time to live to each item', async () => {
    const store = await filled(kind);
    const range = { prefix: 'user:2', withTtl: true } as const;
    const left = (ttl: number | null | undefined) => {
      expect(ttl).toBeGreaterThan(900_000);
      expect(ttl).toBeLessThanOrEqual(1_000_000);
    };
    const snapshot = await store.snapshot();
    await store.persist('user:2:mail');
    await store.expire('user:2:name', 1_000_000);
    const entries = await store.entries<string>(range);
    expect(entries.map(([key, value]) => [key, value])).toEqual([
      ['user:2:mail', 'bob@example.org'],
      ['user:2:name', 'Bob'],
    ]);
    expect(entries[0]![2]).toBe(null);
    left(entries[1]![2]);
    const keys = await snapshot.keys(range);
    expect(keys.map(([key]) => key)).toEqual(['user:2:mail', 'user:2:name']);
    left(keys[0]![1]);
    expect(keys[1]![1]).toBe(null);
    const values = await snapshot.values<string>(range);
    expect(values.map(([value]) => value)).toEqual(['bob@example.org', 'Bob']);
    left(values[0]![1]);
    await snapshot.close();
  });

  test('sees what its transaction has written', async () => {
    const store = await filled(kind);
    await store.transaction(async (tx) => {
      await tx.set('user:3:name', 'Dot', { ttl: 5000 });
      await tx.set('user:3:mail', 'dot@example.org');
      await tx.delete('user:10:name');
      await tx.expire('user:1:name', 7000);
      await tx.persist('user:2:mail');
      expect(await tx.keys({ match: 'user:*:name' })).toEqual(['user:1:name', 'user:2:name', 'user:3:name']);
      expect(await tx.keys({ match: 'user:*:name', withTtl: true })).toEqual([
        ['user:1:name', 7000],
        ['user:2:name', null],
        ['user:3:name', 5000],
      ]);
      expect(await tx.values({ match: '*:mail', withTtl: true })).toEqual([
        ['ada@example.org', null],
        ['bob@example.org', null],
        ['dot@example.org', null],
      ]);
      expect(await tx.entries({ match: 'user:3*', withTtl: true, reverse: true })).toEqual([
        ['user:3:name', 'Dot', 5000],
        ['user:3:mail', 'dot@example.org', null],
      ]);
      expect(await tx.count({ match: '*:mail' })).toBe(3);
      expect(await tx.clear({ match: '*:mail' })).toBe(3);
    });
    expect(await store.keys({ match: '*:mail' })).toEqual([]);
    expect(await store.count()).toBe(4);
    await store.transaction(async (tx) => {
      await tx.expire('users', 9000);
      expect(await tx.keys({ prefix: 'users', withTtl: true })).toEqual([['users', 9000]]);
    });
  });

  test('is refused with a bad pattern or a bad flag before anything moves', async () => {
    const store = await filled(kind);
    await expect(store.keys({ match: '[a' })).rejects.toThrow(RangeError);
    await expect(store.keys({ match: 1 as never })).rejects.toThrow(TypeError);
    await expect(store.keys({ withTtl: 'yes' as never })).rejects.toThrow(TypeError);
    await expect(store.clear({ match: 'a\\' })).rejects.toThrow(RangeError);
    expect(await store.count()).toBe(6);
  });
});
