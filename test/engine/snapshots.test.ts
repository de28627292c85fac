/** Snapshots against plain maps of their time, whatever becomes of the store meanwhile. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allOf,
  inOrder,
  isTurn,
  keys,
  Model,
  type Modelled,
  openVersions,
  runTurn,
  runWrite,
  snapshotScan,
  type Turn,
  turn,
  type VersionsStore,
  type Write,
  write,
} from './versions-store.js';

type Step =
  | Write
  | Turn
  | { readonly do: 'take' }
  | { readonly do: 'close'; readonly which: number }
  | { readonly do: 'restore'; readonly which: number };

const which = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: write as fc.Arbitrary<Step> },
  { weight: 7, arbitrary: turn as fc.Arbitrary<Step> },
  { weight: 3, arbitrary: fc.constant({ do: 'take' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), which }) },
);

interface Taken {
  readonly id: string;
  readonly entries: ReadonlyMap<string, Modelled>;
}

async function take(store: VersionsStore, model: Model): Promise<Taken> {
  const { id } = await store.call<{ id: string }>('s', 'snapshot');
  return { id, entries: model.live(store.time.now) };
}

async function compare(store: VersionsStore, { id, entries }: Taken): Promise<void> {
  const order = inOrder(entries);
  const scan = <T>(kind: string, range?: object) => snapshotScan<T>(store, id, kind, range);
  expect(await scan('entries')).toEqual(order.map(([key, { value }]) => [key, value]));
  expect(await scan('values')).toEqual(order.map(([, { value }]) => value));
  expect(await scan('keys', { reverse: true })).toEqual(order.map(([key]) => key).reverse());
  const within = order.map(([key]) => key).filter((key) => key.startsWith('a') && key >= 'ab');
  expect(await scan('keys', { prefix: 'a', start: 'ab', limit: 2 })).toEqual(within.slice(0, 2));
  expect(await store.call('s', 'snapshotCount', id)).toBe(entries.size);
  expect(await store.call('s', 'snapshotCount', id, { prefix: 'a', start: 'ab' })).toBe(within.length);
  for (const key of keys) {
    const there = entries.get(key);
    expect(await store.call('s', 'snapshotGet', id, key, { default: 'none' }), key).toEqual(
      there ? there.value : 'none',
    );
    expect(await store.call('s', 'snapshotHas', id, key), key).toBe(there !== undefined);
    const entry = await store.call<{ value: unknown; expiresAt: number | null } | undefined>(
      's',
      'snapshotGetEntry',
      id,
      key,
    );
    expect(entry && [entry.value, entry.expiresAt ?? Infinity], key).toEqual(
      there && [there.value, there.expiresAt],
    );
  }
}

/** Values here are told apart by their JSON. */
const same = (a: Modelled, b: Modelled) =>
  a.value === b.value ||
  JSON.stringify([a.value]) + typeof a.value === JSON.stringify([b.value]) + typeof b.value;

function differences(a: Taken, b: Taken): object[] {
  const all = new Map([...a.entries, ...b.entries]);
  return inOrder(all).flatMap(([key]): object[] => {
    const [x, y] = [a.entries.get(key), b.entries.get(key)];
    if (!x) return [{ key, kind: 'added', after: y!.value }];
    if (!y) return [{ key, kind: 'removed', before: x.value }];
    return same(x, y) ? [] : [{ key, kind: 'changed', before: x.value, after: y.value }];
  });
}

function diff(store: VersionsStore, a: Taken, b: Taken): Promise<object[]> {
  return allOf(store.call('s', 'snapshotDiff', a.id, b.id), (id) => store.call('s', 'snapshotDiffNext', id));
}

describe('snapshots', () => {
  test.each([
    ['of a store as it opens by default', {}, {}],
    ['with a cache for a few records', { cache: { maxBytes: 3000 } }, {}],
    ['over an index that takes every fourth key for another', {}, { fingerprintBits: 2 }],
    ['without dedup', { dedup: { mode: 'off' as const } }, {}],
  ])(
    '%s stay what they were, differ as their maps do, and come back whole',
    async (_, options, index) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async (steps) => {
          const store = await openVersions(options, index);
          const model = new Model();
          const open: Taken[] = [];
          for (const one of steps) {
            if (one.do === 'take') open.push(await take(store, model));
            else if (one.do === 'close') {
              const [closed] = open.splice(one.which, 1);
              if (closed) await store.call('s', 'snapshotClose', closed.id);
            } else if (one.do === 'restore') {
              const wanted = open[one.which];
              if (!wanted) continue;
              await store.call('s', 'snapshotRestore', wanted.id);
              const { now } = store.time;
              model.entries = new Map([...wanted.entries].filter(([, { expiresAt }]) => expiresAt > now));
            } else if (isTurn(one)) await runTurn(store, model, one);
            else await runWrite(store, model, 's', one);
          }
          open.push(await take(store, model));
          for (const taken of open) await compare(store, taken);
          const [first, last] = [open[0]!, open.at(-1)!];
          expect(await diff(store, first, last)).toEqual(differences(first, last));
          expect(await diff(store, last, first)).toEqual(differences(last, first));
          await store.engine.close();
        }),
        { numRuns: 60 },
      );
    },
    60_000,
  );

  test('of a key whose deadline was swept, moved or taken away since keep its deadline', async () => {
    const store = await openVersions();
    const { call, time, engine } = store;
    const names = ['swept', 'moved', 'kept', 'removed', 'expired'];
    await call(
      's',
      'setMany',
      names.map((name) => [name, name]),
      { ttl: 100 },
    );
    await call('s', 'expire', 'expired', 1);
    for (let i = 0; i < 3; i++) await call('s', 'set', 'filler', String(i).repeat(260 * 1024));
    time.pass(1);
    const { id } = await call<{ id: string }>('s', 'snapshot');
    await call('s', 'expire', 'moved', 1000);
    await call('s', 'persist', 'kept');
    await call('s', 'delete', 'removed');
    await call('s', 'set', 'expired', 'again', { ttl: 500 });
    time.pass(100);
    await engine.sweep();
    expect(await snapshotScan(store, id, 'keys', { end: 'filler' })).toEqual([]);
    const all = ['filler', 'kept', 'moved', 'removed', 'swept'];
    expect(await snapshotScan(store, id, 'keys')).toEqual(all);
    expect(await call('s', 'snapshotCount', id)).toBe(5);
    const entry = await call<{ expiresAt: number }>('s', 'snapshotGetEntry', id, 'moved');
    expect(entry.expiresAt).toBe(time.now - 1);
    await call('s', 'snapshotRestore', id);
    expect(await engine.getMany(names)).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(await engine.count()).toBe(1);
    expect((await engine.health()).expiredObjects).toBe(0);
  });

  test('restore deadlines, dates of creation, and nothing where nothing differs', async () => {
    const { call, time, engine } = await openVersions();
    await call('s', 'set', 'a', 'one', { ttl: 1000 });
    await call('s', 'set', 'b', 'b');
    const { id, version } = await call<{ id: string; version: number }>('s', 'snapshot');
    expect(version).toBe(2);
    expect(await call('s', 'snapshotRestore', id)).toMatchObject({ version: 2 });
    const { createdAt } = await call<{ createdAt: number }>('s', 'getEntry', 'a');
    time.pass(400);
    await call('s', 'persist', 'a');
    await call('s', 'delete', 'b');
    await call('s', 'set', 'c', 'new');
    const { storage } = await engine.stats();
    expect(await call('s', 'snapshotRestore', id, { durability: 'strict' })).toMatchObject({ version: 6 });
    expect((await engine.stats()).storage.flushes).toBe(storage.flushes + 1);
    expect(await engine.ttl('a')).toBe(600);
    expect(await engine.getEntry('a')).toMatchObject({ createdAt, updatedAt: time.now, value: 'one' });
    expect(await engine.getMany(['b', 'c'])).toEqual(['b', undefined]);
    await expect(call('s', 'snapshotRestore', id, { durabilty: 'strict' })).rejects.toThrow(TypeError);
  });

  test('see the writes that were asked for before them and none after', async () => {
    const { engine, call } = await openVersions();
    const first = engine.set('a', 1);
    const taking = call<{ id: string; version: number }>('s', 'snapshot');
    const second = engine.set('a', 2);
    const { id, version } = await taking;
    await Promise.all([first, second]);
    expect(version).toBe(1);
    expect(await call('s', 'snapshotGet', id, 'a')).toBe(1);
    expect(await engine.get('a')).toBe(2);
  });

  test('take no options or keys that reads would not take', async () => {
    const { call } = await openVersions();
    const { id } = await call<{ id: string }>('s', 'snapshot');
    await expect(call('s', 'snapshotGet', id, 7)).rejects.toThrow(TypeError);
    await expect(call('s', 'snapshotHas', id, 7)).rejects.toThrow(TypeError);
    await expect(call('s', 'snapshotGet', id, 'a', { fallback: 1 })).rejects.toThrow(TypeError);
    await expect(call('s', 'snapshotGet', id, 'a', { strict: true })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(call('s', 'snapshotScan', id, 'keys', { from: 'a' })).rejects.toThrow(TypeError);
  });

  test('that were closed, whose session is over, or that another engine gave are refused', async () => {
    const store = await openVersions();
    const { call, engine } = store;
    const taken = await Promise.all(
      ['s', 's', 't'].map((session) => call<{ id: string }>(session, 'snapshot')),
    );
    const [closed, over, other] = taken.map(({ id }) => id) as [string, string, string];
    await call('s', 'snapshotClose', closed);
    await expect(call('s', 'snapshotGet', closed, 'a')).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_OLD' });
    expect(await call('s', 'snapshotHas', over, 'a')).toBe(false);
    engine.versions.release('s');
    await expect(call('s', 'snapshotHas', over, 'a')).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_OLD' });
    expect(await call('t', 'snapshotHas', other, 'a')).toBe(false);
    const next = await openVersions({}, {}, 2);
    await Promise.all([1, 2, 3].map(() => next.call('s', 'snapshot')));
    for (const method of [
      'snapshotHas',
      'snapshotDiff',
      'snapshotRestore',
      'snapshotScan',
      'snapshotCount',
    ]) {
      await expect(next.call('t', method, other), method).rejects.toMatchObject({
        code: 'SNAPSHOT_TOO_OLD',
      });
    }
  });

  test('hold the log that they lie in, and no longer than they are open', async () => {
    const store = await openVersions();
    const { call, engine } = store;
    await call('', 'set', 'a', 'x'.repeat(1000));
    const { id } = await call<{ id: string }>('s', 'snapshot');
    await engine.compact();
    await call('', 'set', 'a', 'y'.repeat(1000));
    await expect(engine.compact()).rejects.toMatchObject({ code: 'LOCKED' });
    expect(await call('s', 'snapshotGet', id, 'a')).toBe('x'.repeat(1000));
    expect(await call('s', 'snapshotCount', id)).toBe(1);
    const { id: later } = await call<{ id: string }>('s', 'snapshot');
    const [found] = await allOf<object>(call('s', 'snapshotDiff', id, later), () => Promise.reject());
    expect(found).toMatchObject({ key: 'a', kind: 'changed' });
    await call('s', 'snapshotClose', id);
    await call('s', 'snapshotClose', id);
    await Promise.resolve();
    await engine.compact();
    expect(await call('s', 'snapshotGet', later, 'a')).toBe('y'.repeat(1000));
  });

  test('of many keys are compared in pieces, and a comparison can be let go', async () => {
    const store = await openVersions();
    const { call, engine } = store;
    const pairs = Array.from({ length: 2500 }, (_, i) => [`k${String(i).padStart(5, '0')}`, i] as const);
    await call('', 'setMany', pairs);
    const empty = await call<{ id: string }>('s', 'snapshot');
    await call('', 'clear');
    const a = { id: (await call<{ id: string }>('s', 'snapshot')).id, entries: new Map() };
    const b = { id: empty.id, entries: new Map(pairs.map(([key, value]) => [key, { value, expiresAt: 0 }])) };
    expect(await diff(store, a, b)).toEqual(pairs.map(([key, after]) => ({ key, kind: 'added', after })));
    const { id } = await call<{ id: string }>('s', 'snapshotDiff', a.id, b.id);
    await call('s', 'snapshotDiffRelease', id);
    await expect(call('s', 'snapshotDiffNext', id)).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_OLD' });
    engine.versions.release('s');
    await engine.compact();
    await call('', 'set', 'x', 1);
    await engine.compact();
  });

  test('of a store that may not grow come back when their keys fit', async () => {
    const { call, engine } = await openVersions({ maplet: { capacity: 3, autoResize: false } });
    await call('s', 'setMany', [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    const { id } = await call<{ id: string }>('s', 'snapshot');
    await call('s', 'clear');
    await call('s', 'setMany', [
      ['d', 1],
      ['e', 2],
      ['f', 3],
    ]);
    await call('s', 'snapshotRestore', id);
    expect(await engine.getMany(['a', 'b', 'c', 'd'])).toEqual([1, 2, 3, undefined]);
    await call('s', 'snapshotRestore', id);
    expect(await engine.count()).toBe(3);
  });
});
