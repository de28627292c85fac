/** Watching as an application does it, in every place that a store can live in. */
import { describe, expect, test } from 'vitest';
import { HistoryError } from '../../src/base/errors.js';
import type { Change, Store } from '../../src/index.js';
import { KINDS, newPlace } from './open-each.js';

/** The next `count` changes, and the end of the watching. */
async function take(changes: AsyncIterable<Change>, count: number): Promise<Change[]> {
  const taken: Change[] = [];
  if (count === 0) return taken;
  for await (const change of changes) if (taken.push(change) === count) break;
  return taken;
}

const short = ({ key, kind, value }: Change) => [key, kind, value];

async function versionOf(store: Store): Promise<number> {
  return (await store.stats()).version;
}

describe.each(KINDS)('watching a store in %s', (kind) => {
  test('tells every change from the call on, in order, with its value', async () => {
    await using store = await newPlace(kind).open();
    await store.set('before', 1);
    const watching = take(store.watch(), 9);
    const { version } = await store.set('a', { n: 1 });
    await store.setMany([
      ['b', undefined],
      ['c', null],
    ]);
    await store.delete('a');
    await store.delete('not there');
    await store.batch([
      { type: 'set', key: 'd', value: 1 },
      { type: 'merge', key: 'd', operand: 2, operator: 'counter' },
      { type: 'delete', key: 'c' },
    ]);
    await store.expire('d', '1h');
    await store.set('e', new Uint8Array(100_000).fill(7));
    await store.set('f', 'last');
    const changes = await watching;
    expect(changes.map(short)).toEqual([
      ['a', 'set', { n: 1 }],
      ['b', 'set', undefined],
      ['c', 'set', null],
      ['a', 'delete', undefined],
      ['d', 'set', 3],
      ['c', 'delete', undefined],
      ['d', 'set', 3],
      ['e', 'set', new Uint8Array(100_000).fill(7)],
      ['f', 'set', 'last'],
    ]);
    expect(changes.map((change) => change.version - version)).toEqual([0, 1, 1, 2, 3, 3, 4, 5, 6]);
    expect(changes.every(({ local }) => local)).toBe(true);
    expect('value' in changes[3]!).toBe(false);
  });

  test('of a key or a prefix tells of no other, and goes on from a version', async () => {
    await using store = await newPlace(kind).open();
    const since = await versionOf(store);
    await store.setMany(['u:1', 'u:2', 'v:1', 'u', 'u:1:x'].map((key) => [key, key]));
    await store.delete('u:1');
    await store.set('u:2', 'again');
    expect((await take(store.watch({ prefix: 'u:', since }), 5)).map(short)).toEqual([
      ['u:1', 'set', 'u:1'],
      ['u:2', 'set', 'u:2'],
      ['u:1:x', 'set', 'u:1:x'],
      ['u:1', 'delete', undefined],
      ['u:2', 'set', 'again'],
    ]);
    const one = await take(store.watch({ key: 'u:1', since }), 2);
    expect(one.map(short)).toEqual([
      ['u:1', 'set', 'u:1'],
      ['u:1', 'delete', undefined],
    ]);
    // Since is exclusive.
    const rest = await take(store.watch({ since: one[0]!.version }), 2);
    expect(rest.map(({ kind }) => kind)).toEqual(['delete', 'set']);
  });

  test('tells what expires as that, and each key that a clear takes', async () => {
    await using store = await newPlace(kind).open({ ttl: { sweepInterval: Infinity } });
    const watching = take(store.watch(), 7);
    await store.set('short', 1, { ttl: 1 });
    await store.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.sweep();
    await store.clear();
    await store.set('after', 1);
    expect((await watching).map(({ key, kind }) => `${kind} ${key}`)).toEqual([
      'set short',
      'set a',
      'set b',
      'expire short',
      'delete a',
      'delete b',
      'set after',
    ]);
  });

  test('tells what undo, going back, transactions and imports change', async () => {
    await using store = await newPlace(kind).open();
    await store.set('a', 1);
    const before = await store.snapshot();
    const exported = await new Response(store.export()).blob();
    const watching = take(store.watch(), 5);
    await store.transaction(async (tx) => {
      await tx.set('a', 2);
      await tx.delete('b');
    });
    await store.undo();
    await store.set('b', 1);
    await before.restore();
    await store.import(exported.stream(), { mode: 'merge' });
    expect((await watching).map(short)).toEqual([
      ['a', 'set', 2],
      ['a', 'set', 1],
      ['b', 'set', 1],
      ['b', 'delete', undefined],
      ['a', 'set', 1],
    ]);
  });

  test('refuses wrong options, a version of the future, and one that is not kept any more', async () => {
    await using store = await newPlace(kind).open();
    const first = async (options: object) => take(store.watch(options), 1);
    await expect(first({ key: 7 })).rejects.toThrow(TypeError);
    await expect(first({ key: 'a', prefix: 'b' })).rejects.toThrow(/both/);
    await expect(first({ keys: 'a' })).rejects.toThrow(/keys/);
    await expect(first({ since: -1 })).rejects.toThrow(RangeError);
    await expect(first({ since: 99 })).rejects.toThrow(HistoryError);
    await store.set('a', 1);
    for (let i = 0; i < 5; i++) await store.set('large', new Uint8Array(600_000).fill(i));
    await expect(first({ since: 0 })).rejects.toMatchObject({ code: 'HISTORY', detail: { since: 0 } });
    expect(await versionOf(store)).toBe(6);
    expect((await take(store.watch({ since: 5 }), 1)).map(({ key }) => key)).toEqual(['large']);
  });

  test('ends when its signal is aborted, when the loop is left, and when the store is closed', async () => {
    const store = await newPlace(kind).open();
    const stop = new AbortController();
    const aborted = take(store.watch({ signal: stop.signal }), 1);
    const closed = take(store.watch(), 1);
    stop.abort('enough');
    await expect(aborted).rejects.toBe('enough');
    await store.close();
    expect(await closed).toEqual([]);
  });

  test('one who reads slowly misses nothing, and holds nobody up', async () => {
    await using store = await newPlace(kind).open();
    const changes = store.watch()[Symbol.asyncIterator]();
    for (let i = 0; i < 3000; i += 100) {
      await store.setMany(Array.from({ length: 100 }, (_, n) => [`key-${i + n}`, i + n]));
      if (i % 1000 === 0) expect((await changes.next()).value.value).toBe(i / 1000);
    }
    for (let i = 3; i < 3000; i++)
      expect((await changes.next()).value).toMatchObject({ key: `key-${i}`, value: i });
    await changes.return?.();
  });

  test('events tell the same, until their listener is removed', async () => {
    await using store = await newPlace(kind).open({ ttl: { sweepInterval: Infinity } });
    const told: string[] = [];
    let arrived = () => {};
    const listen = (event: { type: string; change?: Change }) => {
      told.push(`${event.type} ${event.change?.kind} ${event.change?.key}`);
      arrived();
    };
    const until = (count: number) =>
      new Promise<void>((resolve) => {
        arrived = () => told.length >= count && resolve();
        arrived();
      });
    store.addEventListener('change', listen);
    store.addEventListener('expire', listen);
    // The listening begins with the next turn; what is changed behind it is told.
    await store.flush();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await store.set('a', 1, { ttl: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await store.sweep();
    await until(3);
    expect(told).toEqual(['change set a', 'change expire a', 'expire expire a']);
    store.removeEventListener('change', listen);
    store.removeEventListener('expire', listen);
    await store.set('b', 1);
    await store.flush();
    expect(told).toHaveLength(3);
    expect(() => store.addEventListener('changes' as never, listen)).toThrow(/changes/);
    expect(() => store.addEventListener('change', 7 as never)).toThrow(TypeError);
  });
});

test('a large value that came as a stream is told without it', async () => {
  await using store = await newPlace('memory').open();
  const watching = take(store.watch(), 2);
  const bytes = new Uint8Array(300_000).map((_, i) => (i * i) >> 3);
  await store.setStream('large', new Blob([bytes]).stream());
  await store.setStream('small', new Blob([bytes.subarray(0, 10)]).stream());
  const [large, small] = await watching;
  expect(large).toMatchObject({ key: 'large', kind: 'set' });
  expect('value' in large!).toBe(false);
  expect(small).toMatchObject({ key: 'small', value: bytes.slice(0, 10) });
});
