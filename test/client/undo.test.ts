/** `undo` and `redo`: against a model of what each client's commits have changed, and at their edges. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  isTurn,
  Model,
  type Modelled,
  openVersions,
  runTurn,
  runWrite,
  type Turn,
  turn,
  type VersionsStore,
  type Write,
  write,
} from '../engine/versions-store.js';
import { openPage, type Page } from './pages.js';

type Step =
  | { readonly by: string; readonly do: 'write'; readonly write: Write }
  | { readonly by: string; readonly do: 'undo' }
  | { readonly by: string; readonly do: 'redo' }
  | Turn;

const by = fc.constantFrom('s', 's', 't');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ by, do: fc.constant('write' as const), write }) },
  { weight: 4, arbitrary: fc.record({ by, do: fc.constant('undo' as const) }) },
  { weight: 2, arbitrary: fc.record({ by, do: fc.constant('redo' as const) }) },
  { weight: 5, arbitrary: turn as fc.Arbitrary<Step> },
);

type Images = ReadonlyMap<string, Modelled | undefined>;

class History {
  readonly undo: Images[] = [];
  readonly redo: Images[] = [];
}

async function versionOf({ call }: VersionsStore): Promise<number> {
  const { id, version } = await call<{ id: string; version: number }>('', 'snapshot');
  await call('', 'snapshotClose', id);
  return version;
}

/** What the keys of `noted` are now; they become what they were. */
function takeBack(model: Model, images: Images, now: number): Images {
  const live = model.live(now);
  const counterpart = new Map<string, Modelled | undefined>();
  for (const [key, image] of images) {
    const there = live.get(key);
    const alive = image && image.expiresAt > now ? image : undefined;
    counterpart.set(key, model.entries.get(key));
    if (alive) model.put(key, alive.value, alive.expiresAt);
    else if (there) model.remove(key);
  }
  return counterpart;
}

async function contentOf({ engine, call, time }: VersionsStore): Promise<Map<string, Modelled>> {
  const { items } = await call<{ items: [string, unknown][] }>('', 'scan', 'entries');
  const content = new Map<string, Modelled>();
  for (const [key, value] of items) {
    const left = (await engine.ttl(key)) as number | null;
    content.set(key, { value, expiresAt: left === null ? Infinity : time.now + left });
  }
  return content;
}

describe('undo and redo', () => {
  test.each([
    ['of a store as it opens by default', {}, {}],
    ['over an index that takes every fourth key for another', {}, { fingerprintBits: 2 }],
    [
      'without dedup and with a cache for a few records',
      { dedup: { mode: 'off' as const }, cache: { maxBytes: 3000 } },
      {},
    ],
  ])(
    '%s give back what the keys of their commits were, whoever wrote meanwhile',
    async (_, options, index) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
          const store = await openVersions(options, index);
          const model = new Model();
          const histories: Record<string, History> = { s: new History(), t: new History() };
          for (const one of steps) {
            if (isTurn(one)) {
              await runTurn(store, model, one);
              continue;
            }
            const history = histories[one.by]!;
            if (one.do === 'write') {
              const before = model.entries;
              const version = await versionOf(store);
              await runWrite(store, model, one.by, one.write);
              if ((await versionOf(store)) === version) continue;
              const images = new Map<string, Modelled | undefined>();
              for (const key of new Set([...before.keys(), ...model.entries.keys()])) {
                if (before.get(key) !== model.entries.get(key)) images.set(key, before.get(key));
              }
              const clear = one.write.do === 'clear' && one.write.prefix === undefined;
              for (const [key, image] of images) {
                // What had expired was not the store's any more.
                if (clear && image!.expiresAt <= store.time.now) images.delete(key);
              }
              history.undo.push(images);
              history.redo.length = 0;
            } else {
              const [from, to] =
                one.do === 'undo' ? [history.undo, history.redo] : [history.redo, history.undo];
              const noted = from.pop();
              expect(await store.call(one.by, one.do)).toBe(noted !== undefined);
              if (noted) to.push(takeBack(model, noted, store.time.now));
            }
            expect(await contentOf(store)).toEqual(
              new Map([...model.live(store.time.now)].sort(([a], [b]) => (a < b ? -1 : 1))),
            );
          }
          await store.engine.close();
        }),
        { numRuns: 80 },
      );
    },
    60_000,
  );

  let versions: VersionsStore;
  let page: Page;
  beforeEach(async () => {
    versions = await openVersions();
    page = openPage(() => versions.engine, 'a');
  });

  test('go through all the last commits and back, each as a new commit', async () => {
    const { store } = page;
    for (let i = 1; i <= 5; i++) await store.set('n', i);
    const back: unknown[] = [];
    while (await store.undo()) back.push(await store.get('n'));
    expect(back).toEqual([4, 3, 2, 1, undefined]);
    const again: unknown[] = [];
    while (await store.redo()) again.push(await store.get('n'));
    expect(again).toEqual([1, 2, 3, 4, 5]);
    expect((await store.set('n', 6)).version).toBe(16);
    expect(await store.redo()).toBe(false);
    expect(await store.undo()).toBe(true);
    expect(await store.get('n')).toBe(5);
  });

  test('are of this store object alone, and write over what others wrote since', async () => {
    const other = openPage(() => versions.engine, 'b');
    await page.store.set('k', 'mine');
    expect(await other.store.undo()).toBe(false);
    await other.store.set('k', 'theirs');
    expect(await page.store.undo()).toBe(true);
    expect(await page.store.has('k')).toBe(false);
    expect(await page.store.redo()).toBe(true);
    expect(await page.store.get('k')).toBe('theirs');
    expect(await other.store.undo()).toBe(true);
    expect(await page.store.get('k')).toBe('mine');
  });

  test('take back each kind of commit whole', async () => {
    const { store } = page;
    await store.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    await store.expire('a', 1000);
    const before = await store.snapshot();
    const commits: (() => Promise<unknown>)[] = [
      () =>
        store.batch([
          { type: 'delete', key: 'a' },
          { type: 'set', key: 'd', value: 4 },
        ]),
      () => store.merge('b', 5, 'counter'),
      () => store.update('c', () => 'updated'),
      () => store.deleteMany(['a', 'b']),
      () => store.clear(),
      () => store.clear({ prefix: 'b' }),
      () => store.expireMany(['b', 'c'], 50),
      () => store.persist('a', { strict: true }),
      () => store.transaction(async (tx) => [await tx.delete('a'), await tx.set('e', 1)]),
    ];
    for (const commit of commits) {
      await commit();
      const changed = await store.entries();
      const left = await store.ttl('a');
      expect(await store.undo(), String(commit)).toBe(true);
      const now = await store.snapshot();
      for await (const difference of before.diff(now)) expect(difference, String(commit)).toBe(undefined);
      expect(await store.ttl('a')).toBe(1000);
      expect(await store.redo()).toBe(true);
      expect(await store.entries()).toEqual(changed);
      expect(await store.ttl('a')).toBe(left);
      await store.undo();
    }
    await store.set('x', 1);
    await before.restore();
    expect(await store.has('x')).toBe(false);
    await store.undo();
    expect(await store.get('x')).toBe(1);
  });

  test('keep deadlines and dates of creation, and bring back nothing whose deadline has passed', async () => {
    const { store } = page;
    await store.set('k', 1, { ttl: 100 });
    const { createdAt } = (await store.getEntry('k'))!;
    versions.time.pass(40);
    await store.set('k', 2);
    await store.undo();
    expect(await store.ttl('k')).toBe(60);
    expect(await store.getEntry('k')).toMatchObject({ createdAt, value: 1 });
    await store.redo();
    versions.time.pass(60);
    expect(await store.undo()).toBe(true);
    expect(await store.has('k')).toBe(false);
    expect((await store.health()).expiredObjects).toBe(0);
  });

  test('leave expiry alone: what a sweep removed is no commit', async () => {
    const { store } = page;
    await store.set('kept', 1);
    await store.set('k', 1, { ttl: 10 });
    versions.time.pass(10);
    await store.sweep();
    await store.undo();
    await store.undo();
    expect(await store.has('kept')).toBe(false);
    expect(await store.undo()).toBe(false);
  });

  test('reach as far back as `undo.depth` says', async () => {
    for (const [depth, reached] of [
      [3, 3],
      [0, 0],
      [Infinity, 7],
    ] as const) {
      versions = await openVersions({ undo: { depth } });
      for (let i = 0; i < 7; i++) await page.store.set('n', i);
      let undone = 0;
      while (await page.store.undo()) undone += 1;
      expect(undone).toBe(reached);
    }
    await expect(openVersions({ undo: { depth: -1 } })).rejects.toThrow(RangeError);
    await expect(openVersions({ undo: { depth: '3' as never } })).rejects.toThrow(TypeError);
  });

  test('forget old commits of very many keys, but never the last', async () => {
    const { store } = page;
    const many = (n: number, value: number) => Array.from({ length: n }, (_, i) => [`${i}`, value] as const);
    await store.set('first', 1);
    await store.setMany(many(20_000, 1));
    expect(await store.undo()).toBe(true);
    expect(await store.count()).toBe(1);
    await store.redo();
    await store.set('last', 1);
    expect(await store.undo()).toBe(true);
    expect(await store.undo()).toBe(false);
    expect(await store.count()).toBe(20_001);
  });

  test('that fail change nothing and can be made again', async () => {
    versions = await openVersions({ maplet: { capacity: 2, autoResize: false } });
    const { store } = page;
    await store.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    await store.deleteMany(['a', 'b']);
    const other = openPage(() => versions.engine, 'b').store;
    await other.set('c', 3);
    await expect(store.undo()).rejects.toMatchObject({ code: 'CAPACITY' });
    expect(await store.redo()).toBe(false);
    await other.delete('c');
    expect(await store.undo()).toBe(true);
    expect(await store.getMany(['a', 'b'])).toEqual([1, 2]);
  });

  test('of one turn take place one after the other', async () => {
    const { store } = page;
    for (let i = 1; i <= 3; i++) await store.set('n', i);
    const done = await Promise.all([
      store.undo(),
      store.undo(),
      store.get('n'),
      store.redo(),
      store.get('n'),
    ]);
    expect(done).toEqual([true, true, 1, true, 2]);
    await Promise.all([store.undo(), store.set('m', 1)]);
    expect(await store.redo()).toBe(false);
  });

  test('go on over compactions, and do not hold their logs', async () => {
    const { store } = page;
    await store.set('k', 'long enough to be referred to by others');
    await store.set('twin', 'long enough to be referred to by others');
    await store.set('k', 2);
    await store.delete('twin');
    await store.clear();
    for (let i = 0; i < 3; i++) {
      await store.compact();
      await store.set('x', i);
    }
    for (let i = 0; i < 4; i++) expect(await store.undo()).toBe(true);
    expect(await store.entries()).toEqual([['k', 2]]);
    await store.undo();
    await store.undo();
    expect(await store.values()).toEqual(Array(2).fill('long enough to be referred to by others'));
    await store.compact();
    for (let i = 0; i < 6; i++) expect(await store.redo()).toBe(true);
    expect(await store.entries()).toEqual([['x', 2]]);
  });

  test('forget after a compaction what would take too much memory, and what came before it', async () => {
    const { store } = page;
    await store.set('small', 1);
    await store.set('large', new Uint8Array(5 * 2 ** 20));
    await store.delete('large');
    await store.set('small', 2);
    await store.compact();
    await store.set('small', 3);
    await store.compact();
    expect(await store.undo()).toBe(true);
    expect(await store.undo()).toBe(true);
    expect(await store.get('small')).toBe(1);
    expect(await store.undo()).toBe(false);
  });

  test('end with the session', async () => {
    const { store } = page;
    await store.set('a', 1);
    versions.engine.versions.release('a');
    expect(await store.undo()).toBe(false);
    expect(await store.get('a')).toBe(1);
  });

  test('take the options of a write and no others', async () => {
    await expect(page.store.undo({ durabilty: 'strict' } as never)).rejects.toThrow(TypeError);
    await page.store.set('a', 1);
    const { flushes } = (await page.store.stats()).storage;
    await page.store.undo({ durability: 'strict' });
    await page.store.redo({ durability: 'strict' });
    expect((await page.store.stats()).storage.flushes).toBe(flushes + 2);
  });
});
