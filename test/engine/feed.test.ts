/** The change feed against the store it is of: who applies what he is told has what it has. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/contract/store.js';
import { Feed } from '../../src/engine/feed.js';
import type { FeedPlace } from '../../src/engine/index.js';
import { scanAll } from './bench-store.js';
import {
  isTurn,
  Model,
  openVersions,
  runTurn,
  runWrite,
  type Turn,
  turn,
  type VersionsStore,
  type Write,
  write,
} from './versions-store.js';

type Piece = FeedPlace & { readonly changes: readonly Change[] };

const begin = ({ call }: VersionsStore, options?: object) =>
  call<FeedPlace>('watcher', 'watchBegin', options);
const next = ({ call }: VersionsStore, place: FeedPlace, options?: object, session = 'watcher') =>
  call<Piece>(session, 'watchNext', place, options);

/** All that is to be told behind `place`, by as many calls as it takes. */
async function drain(
  store: VersionsStore,
  place: FeedPlace,
  options?: object,
): Promise<[Change[], FeedPlace]> {
  const changes: Change[] = [];
  let at = place;
  const { version } = await store.engine.stats();
  while (at.version < version) {
    const { changes: more, ...behind } = await next(store, at, options);
    expect(behind.version).toBeGreaterThan(at.version);
    for (const change of more) {
      expect(change.version).toBeGreaterThan(at.version);
      expect(change.version).toBeLessThanOrEqual(behind.version);
    }
    changes.push(...more);
    at = behind;
  }
  return [changes, at];
}

function applyTo(entries: Map<string, unknown>, { key, kind, value }: Change): void {
  if (kind === 'set') entries.set(key, value);
  else expect(entries.delete(key), `${kind} of ${key}, which was there`).toBe(true);
}

type Step = Write | Turn | { readonly do: 'look' };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: write as fc.Arbitrary<Step> },
  { weight: 3, arbitrary: turn as fc.Arbitrary<Step> },
  { weight: 3, arbitrary: fc.constant({ do: 'look' as const }) },
);

/** A clock that stands still. */
const ENVIRONMENT = { epoch: 1, after: () => () => {} };

describe('the change feed', () => {
  test.each([
    ['of a store as it opens by default', {}],
    [
      'of compressed values that are cut',
      { compression: 'gzip', dedup: { mode: 'chunked', chunkBytes: 512 } },
    ],
    ['without dedup or undo', { dedup: { mode: 'off' }, undo: { depth: 0 } }],
  ] as const)(
    '%s makes a map of all, and of a prefix, what the store is',
    async (_, options) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
          const store = await openVersions(options);
          const model = new Model();
          const all = new Map<string, unknown>();
          const some = new Map<string, unknown>();
          let places = [await begin(store), await begin(store, { prefix: 'a' })];
          const look = async () => {
            const [changes, at] = await drain(store, places[0]!);
            const [ofPrefix, atOther] = await drain(store, places[1]!, { prefix: 'a' });
            places = [at, atOther];
            for (const change of changes) applyTo(all, change);
            for (const change of ofPrefix) applyTo(some, change);
            expect(ofPrefix).toEqual(changes.filter(({ key }) => key.startsWith('a')));
          };
          let written = 0;
          for (const one of steps) {
            if (one.do === 'look') await look();
            else if (isTurn(one)) await runTurn(store, model, one);
            else await runWrite(store, model, 's', one as Write);
            // The history is bounded: 2 MiB of fillers would be too much.
            if (one.do === 'fill' && ++written % 5 === 0) await look();
          }
          await store.engine.sweep();
          await look();
          const entries = new Map(await scanAll<[string, unknown]>(store.engine, 'entries'));
          expect(all).toEqual(entries);
          expect(some).toEqual(new Map([...entries].filter(([key]) => key.startsWith('a'))));
        }),
        { numRuns: 60 },
      );
    },
    120_000,
  );

  test('waits for the next change, and answers without one when it has waited long', async () => {
    const store = await openVersions();
    const place = await begin(store);
    const waiting = next(store, place);
    const filtered = next(store, place, { key: 'other' });
    await store.engine.set('a', 1);
    expect(await waiting).toMatchObject({ version: 1, changes: [{ key: 'a', kind: 'set', value: 1 }] });
    // Of no interest, but what came is known: nobody looks at it again.
    expect(await filtered).toMatchObject({ version: 1, changes: [] });
    const idle = next(store, await begin(store));
    store.time.pass(4999);
    store.time.pass(1);
    expect(await idle).toMatchObject({ version: 1, changes: [] });
  });

  test('says whose change it was', async () => {
    const store = await openVersions({ ttl: { sweepInterval: Infinity } });
    const place = await begin(store);
    await store.call('one', 'set', 'a', 1, { ttl: 1 });
    await store.call('two', 'merge', 'b', 1, 'counter');
    await store.call('one', 'undo');
    await store.call('two', 'set', 'a', 1, { ttl: 1 });
    store.time.pass(5);
    await store.engine.sweep();
    const told = async (session: string) =>
      (await next(store, place, undefined, session)).changes.map(({ key, kind, local }) => [
        key,
        kind,
        local,
      ]);
    expect(await told('one')).toEqual([
      ['a', 'set', true],
      ['b', 'set', false],
      ['a', 'delete', true],
      ['a', 'set', false],
      ['a', 'expire', false],
    ]);
    expect((await told('two')).map(([, , local]) => local)).toEqual([false, true, false, true, false]);
  });

  test('answers in pieces of whole versions', async () => {
    const store = await openVersions();
    const place = await begin(store);
    for (let i = 0; i < 3; i++) {
      await store.engine.setMany(Array.from({ length: 700 }, (_, n) => [`${i}:${n}`, n]));
    }
    const first = await next(store, place);
    expect([first.version, first.changes.length]).toEqual([2, 1400]);
    const second = await next(store, first);
    expect([second.version, second.changes.length]).toEqual([3, 700]);
  });

  test('keeps so many changes, so many bytes, and the last version whatever it has', async () => {
    const store = await openVersions();
    const kept = async (since: number) => {
      const place = { ...(await begin(store)), version: since };
      return next(store, place).then(
        () => true,
        (error) => {
          expect(error.code).toBe('HISTORY');
          return false;
        },
      );
    };
    for (let i = 0; i < 4; i++) {
      await store.engine.setMany(Array.from({ length: 3000 }, (_, n) => [`key-${n}`, i]));
    }
    expect(await Promise.all([0, 1, 3].map(kept))).toEqual([false, true, true]);
    await store.engine.setMany(Array.from({ length: 12_000 }, (_, n) => [`key-${n}`, n]));
    expect(await Promise.all([3, 4].map(kept))).toEqual([false, true]);
    for (let i = 0; i < 3; i++) await store.engine.set('large', new Uint8Array(900_000).fill(i));
    expect(await Promise.all([5, 6, 7].map(kept))).toEqual([false, true, true]);
    await store.engine.set('larger', new Uint8Array(5_000_000));
    expect(await Promise.all([7, 8].map(kept))).toEqual([false, true]);
  });

  test('of a clear that nobody watched has no history, and of one that is watched every key', async () => {
    const store = await openVersions();
    await store.engine.set('a', 1);
    await store.engine.clear();
    const place = { ...(await begin(store)), version: 1 };
    await expect(next(store, place)).rejects.toMatchObject({
      code: 'HISTORY',
      detail: { since: 1, oldest: 2 },
    });
    await store.engine.set('b', 1);
    const watched = await begin(store);
    expect(await store.engine.clear()).toBe(1);
    expect((await next(store, watched)).changes).toMatchObject([{ key: 'b', kind: 'delete' }]);
    // A minute later nobody does any more.
    await store.engine.set('c', 1);
    const late = await begin(store);
    store.time.pass(60_001);
    await store.engine.clear();
    await expect(next(store, late)).rejects.toMatchObject({ code: 'HISTORY' });
  });

  test('of a store that was opened again goes on where nothing is missing', async () => {
    const first = await openVersions();
    await first.engine.set('a', 1);
    const known = await begin(first);
    await first.engine.set('b', 1);
    const missing = { ...known };
    const [, all] = await drain(first, known);
    await first.engine.close();
    const again = await openVersions({}, {}, 2, first.disk, first.time);
    await again.engine.set('c', 1);
    const piece = await next(again, all);
    expect(piece.changes).toMatchObject([{ key: 'c', version: 3 }]);
    expect(piece.term).not.toBe(all.term);
    await expect(next(again, missing)).rejects.toMatchObject({ code: 'HISTORY' });
    await expect(next(again, { ...all, version: 9 })).rejects.toMatchObject({ code: 'HISTORY' });
  });

  test('of a store in memory never goes on at another leader, whatever version that is at', async () => {
    const environment = { ...ENVIRONMENT, mode: 'memory' };
    const leaders = [1, 2].map((now) => {
      const given = { ...environment, now: () => now };
      const feed = new Feed({ state: { version: 5 }, environment: given, now: given.now } as never);
      feed.start();
      return feed;
    });
    const place = leaders[0]!.begin(undefined);
    expect(place.version).toBe(5);
    await expect(leaders[1]!.next(place, undefined, 's')).rejects.toMatchObject({ code: 'HISTORY' });
    const own = leaders[1]!.next(leaders[1]!.begin(undefined), undefined, 's');
    leaders[1]!.close();
    expect(await own).toMatchObject({ version: 5, changes: [], mode: 'memory' });
  });

  test('says that a write was refused for want of room', async () => {
    const store = await openVersions();
    const waiting = next(store, await begin(store));
    const [log] = store.disk.logs;
    const writing = log.write.bind(log);
    log.write = () => {
      throw Object.assign(new Error('no room'), { name: 'QuotaExceededError' });
    };
    await expect(store.engine.set('a', 1)).rejects.toMatchObject({ code: 'QUOTA' });
    expect(await waiting).toMatchObject({ version: 0, changes: [], refused: 1 });
    log.write = writing;
    const more = next(store, await waiting);
    await store.engine.set('a', 1);
    expect(await more).toMatchObject({ version: 1, changes: [{ key: 'a' }], refused: 1 });
  });
});
