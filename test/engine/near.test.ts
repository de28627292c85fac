import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../src/base/sha256.js';
import type { OpenOptions } from '../../src/contract/options.js';
import { mixed, prose } from '../structures/dedup/bytes.js';
import { scanAll } from './bench-store.js';
import { type DedupStore, openDedup, reopenDedup } from './dedup-store.js';

const NEAR: OpenOptions = { dedup: { mode: 'near' } };
const TEXT = prose(1, 400);

function version(n: number): string {
  const at = (n * 173) % TEXT.length;
  return `${TEXT.slice(0, at)} version ${n} ${TEXT.slice(at)}`;
}

async function expectEqual({ engine }: DedupStore, model: ReadonlyMap<string, unknown>): Promise<void> {
  const entries = await scanAll<[string, unknown]>(engine, 'entries');
  expect(entries).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
  // Values that only others differ from are there too, and count.
  const contents = new Set([...model.values()].map((value) => JSON.stringify(value)));
  expect(await engine.countUnique()).toBeGreaterThanOrEqual(contents.size);
  const { totalKeys, logicalBytes } = await engine.health();
  expect(totalKeys).toBe(model.size);
  let sum = 0;
  for (const key of model.keys()) sum += ((await engine.getEntry(key)) as { size: number }).size;
  expect(logicalBytes).toBe(sum);
}

describe('values that resemble each other', () => {
  test('take little more than one, and each is what was set', async () => {
    const store = await openDedup(NEAR);
    const model = new Map<string, unknown>();
    for (let n = 0; n < 20; n++) {
      model.set(`v${n}`, version(n));
      await store.engine.set(`v${n}`, version(n));
    }
    await expectEqual(store, model);
    const { totalBytes, logicalBytes } = await store.engine.health();
    expect(totalBytes).toBeLessThan(logicalBytes / 8);
    const reopened = await reopenDedup(store, NEAR);
    await expectEqual(reopened, model);
    expect((await reopened.engine.health()).totalBytes).toBe(totalBytes);
  });

  test('are found after opening and after a compaction too', async () => {
    const store = await openDedup(NEAR);
    await store.engine.set('a', version(1));
    const reopened = await reopenDedup(store, NEAR);
    await reopened.engine.set('b', version(2));
    expect((await reopened.engine.health()).totalBytes).toBeLessThan(TEXT.length + 300);
    await reopened.engine.compact();
    await reopened.engine.set('c', version(3));
    expect((await reopened.engine.health()).totalBytes).toBeLessThan(TEXT.length + 500);
    expect(await reopened.engine.get('c')).toBe(version(3));
  });

  test('are written while a compaction runs as they are at other times, also where the base has no key', async () => {
    const store = await openDedup(NEAR);
    const { engine } = store;
    await engine.set('a', version(1));
    await engine.set('b', version(2));
    await engine.delete('a');
    const compacted = engine.compact();
    for (let n = 3; n < 12; n++) await engine.set(`v${n}`, version(n));
    await compacted;
    for (const opened of [store, await reopenDedup(store, NEAR)]) {
      for (let n = 3; n < 12; n++) expect(await opened.engine.get(`v${n}`)).toBe(version(n));
      expect(await opened.engine.get('b')).toBe(version(2));
      expect((await opened.engine.health()).totalBytes).toBeLessThan(TEXT.length + 10 * 200);
    }
  });

  test('are read from two places at most, however many there are', async () => {
    const options = { ...NEAR, cache: { maxBytes: 0 } };
    const before = await openDedup(options);
    for (let n = 0; n < 8; n++) await before.engine.set(`v${n}`, version(n));
    const store = await reopenDedup(before, options);
    for (let n = 8; n < 15; n++) await store.engine.set(`v${n}`, version(n));
    const log = store.disk.logs[0];
    const read = log.read.bind(log);
    let reads = 0;
    log.read = (...given) => {
      reads += 1;
      return read(...given);
    };
    const readsOf = async (key: string) => {
      reads = 0;
      await store.engine.get(key);
      return reads;
    };
    const second = await readsOf('v1');
    expect(second).toBeGreaterThan(await readsOf('v0'));
    for (let n = 2; n < 15; n++) expect(await readsOf(`v${n}`)).toBeLessThanOrEqual(second);
  });

  test('stay whole when the first of them goes, and let go of it when the last of them does', async () => {
    const store = await openDedup(NEAR);
    const { engine } = store;
    await engine.set('a', version(1));
    await engine.set('b', version(2));
    await engine.set('c', version(3));
    await engine.delete('a');
    const model = new Map<string, unknown>([
      ['b', version(2)],
      ['c', version(3)],
    ]);
    expect([await engine.get('b'), await engine.get('c')]).toEqual([version(2), version(3)]);
    await engine.compact();
    const reopened = await reopenDedup(store, NEAR);
    expect([...(await scanAll(reopened.engine, 'entries'))]).toEqual([...model]);
    for (const { engine } of [store, reopened]) {
      await engine.deleteMany(['b', 'c']);
      expect(await engine.health()).toMatchObject({ totalBytes: 0, totalObjects: 0 });
    }
  });

  test('set once more write no value bytes, under the same key or another', async () => {
    const { engine } = await openDedup(NEAR);
    await engine.set('a', version(1));
    await engine.set('b', version(2));
    const before = (await engine.health()).storedBytes;
    await engine.set('b', version(2));
    await engine.set('c', version(2));
    expect((await engine.health()).storedBytes - before).toBeLessThan(250);
    expect(await engine.countUnique()).toBe(2);
  });

  test('are chunked where that is as good, and not compared where they have nothing in common', async () => {
    const { engine } = await openDedup({ dedup: { mode: 'near', chunkBytes: 1024 } });
    await engine.set('a', mixed(1, 40_000));
    await engine.set('b', mixed(2, 40_000));
    await engine.set('short', 'abc');
    for (const key of ['a', 'b']) {
      expect(await engine.get(key)).toEqual(mixed(key === 'a' ? 1 : 2, 40_000));
    }
    const edited = mixed(1, 40_000);
    edited[20_000]! ^= 1;
    const { totalBytes } = await engine.health();
    await engine.set('c', edited);
    expect((await engine.health()).totalBytes - totalBytes).toBeLessThan(100);
    expect(await engine.get('c')).toEqual(edited);
  });

  test('are in snapshots, come back by undo, and leave with an export as they were', async () => {
    const { engine } = await openDedup(NEAR);
    const by = <T>(call: () => T) => engine.versions.by('me', undefined, call);
    await by(() => engine.set('a', version(1)));
    await by(() => engine.set('b', version(2)));
    const { id } = await engine.versions.snapshots.take('me');
    await by(() => engine.set('b', version(3)));
    expect(await engine.versions.snapshots.get(id, 'b')).toBe(version(2));
    expect(await engine.versions.undo.undo('me')).toBe(true);
    expect(await engine.get('b')).toBe(version(2));
    const pieces: Uint8Array[] = [];
    const exported = await engine.transfers.beginExport();
    for (let isLast = false; !isLast; ) {
      const piece = await engine.transfers.exportNext(exported);
      pieces.push(piece[0]);
      isLast = piece[1];
    }
    const other = (await openDedup({})).engine;
    const imported = await other.transfers.beginImport({ mode: 'merge' });
    for (const piece of pieces) other.transfers.importWrite(imported, piece);
    await other.transfers.importEnd(imported);
    expect(await other.get('b')).toBe(version(2));
  });
});

describe('texts with one normal form', () => {
  const LONG = `The quick brown fox jumps over the lazy dog and comes back for more, as foxes do. ${prose(3, 60)}. The End`;

  test('are each what was set, and take little more than one', async () => {
    for (const normalization of ['ascii', 'unicode', 'full'] as const) {
      const options: OpenOptions = { dedup: { normalization } };
      const store = await openDedup(options);
      const texts = [LONG, LONG.toLowerCase(), ` ${LONG}\n`, LONG.replace(' ', ' \t ')];
      for (const [i, text] of texts.entries()) await store.engine.set(`t${i}`, text);
      for (const opened of [store, await reopenDedup(store, options)]) {
        for (const [i, text] of texts.entries()) expect(await opened.engine.get(`t${i}`)).toBe(text);
        const { totalBytes, totalObjects, logicalBytes } = await opened.engine.health();
        expect(totalObjects).toBe(4);
        expect(totalBytes).toBeLessThan(logicalBytes * 0.75);
      }
    }
  });

  test('are the first of them under all keys with canonical, which getEntry says', async () => {
    const options: OpenOptions = { dedup: { normalization: 'ascii', canonical: true } };
    const store = await openDedup(options);
    await store.engine.set('a', '  Hello World ');
    await store.engine.set('b', 'hello   world');
    await store.engine.set('long-1', LONG);
    await store.engine.set('long-2', LONG.toLowerCase());
    await store.engine.set('mine', LONG.toUpperCase(), { canonical: false });
    await store.engine.set('again', LONG);
    const check = async ({ engine }: DedupStore) => {
      expect(await engine.get('b')).toBe('  Hello World ');
      expect(await engine.get('long-2')).toBe(LONG);
      expect(await engine.get('mine')).toBe(LONG.toUpperCase());
      for (const [key, exact] of Object.entries({
        a: true,
        b: false,
        'long-1': true,
        'long-2': false,
        mine: true,
        again: true,
      })) {
        expect((await engine.getEntry(key)) as { exact: boolean }, key).toMatchObject({ exact });
      }
      expect(await engine.countUnique()).toBe(3);
    };
    await check(store);
    await check(await reopenDedup(store, options));
    await store.engine.deleteMany(['a', 'long-1', 'again']);
    await store.engine.compact();
    expect(await store.engine.get('b')).toBe('  Hello World ');
    // The same value under another deadline is still not what was set.
    await store.engine.expire('b', 5000);
    expect(await store.engine.getEntry('b')).toMatchObject({ exact: false, value: '  Hello World ' });
    const reopened = await reopenDedup(store, options);
    expect(await reopened.engine.getEntry('b')).toMatchObject({ exact: false });
    await store.engine.deleteMany(['b', 'long-2', 'mine']);
    expect(await store.engine.health()).toMatchObject({ totalBytes: 0, totalObjects: 0 });
  });

  test('are compared only up to the size that the options say, and only texts are', async () => {
    const { engine } = await openDedup({ dedup: { normalization: 'ascii', normalizationMaxBytes: 100 } });
    await engine.set('a', LONG);
    await engine.set('b', LONG.toLowerCase());
    expect((await engine.health()).totalBytes).toBe(2 * LONG.length);
    expect(await engine.wouldDedupe(LONG.toUpperCase())).toMatchObject({ duplicate: false });
    await engine.set('c', 'Hello');
    expect(await engine.wouldDedupe('hELLO')).toMatchObject({ duplicate: true });
    expect(await engine.wouldDedupe(new TextEncoder().encode('hELLO'))).toMatchObject({ duplicate: false });
  });
});

describe('wouldDedupe', () => {
  const id = async (text: string) => sha256Hex(new TextEncoder().encode(text));

  test('knows what is stored, stores nothing, and names it', async () => {
    const { engine } = await openDedup({ dedup: { mode: 'near', normalization: 'ascii' } });
    await engine.set('a', TEXT);
    const before = await engine.health();
    expect(await engine.wouldDedupe(TEXT)).toEqual({ duplicate: true, objectId: await id(TEXT) });
    const upper = await engine.wouldDedupe(TEXT.toUpperCase());
    expect(upper).toMatchObject({ duplicate: true, objectId: await id(TEXT) });
    const near = await engine.wouldDedupe(version(7));
    expect(near).toMatchObject({ duplicate: false, objectId: await id(TEXT) });
    expect(near.similarity).toBeGreaterThan(0.7);
    const other = prose(99, 5).repeat(3).replaceAll(' ', '_');
    expect(await engine.wouldDedupe(`${other}?`)).toMatchObject({ duplicate: false });
    expect(await engine.health()).toEqual(before);
    await engine.delete('a');
    expect(await engine.wouldDedupe(TEXT)).toEqual({ duplicate: false, objectId: await id(TEXT) });
  });

  test('of a store that keeps each value is never true', async () => {
    const { engine } = await openDedup({ dedup: { mode: 'off' } });
    await engine.set('a', TEXT);
    expect(await engine.wouldDedupe(TEXT)).toEqual({ duplicate: false, objectId: await id(TEXT) });
    await expect(engine.wouldDedupe(() => {})).rejects.toMatchObject({ code: 'SERIALIZATION' });
  });
});

const ALL: OpenOptions = { dedup: { mode: 'near', chunkBytes: 1024, normalization: 'unicode' } };
const text = fc.oneof(
  fc.integer({ min: 0, max: 9 }).map(version),
  fc.integer({ min: 0, max: 9 }).map((n) => version(n).toUpperCase()),
  fc.constantFrom<unknown>('short', 'SHORT ', null, 'a'.repeat(900)),
);
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');

test('a store with all of it is what a Map is, whatever is done', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant('set' as const), key, text) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('delete' as const), key, fc.constant(undefined)) },
    {
      weight: 3,
      arbitrary: fc.tuple(
        fc.constantFrom('compact' as const, 'kill' as const, 'close' as const, 'both' as const),
        key,
        text,
      ),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      let store = await openDedup(ALL);
      const model = new Map<string, unknown>();
      for (const [what, key, value] of steps) {
        if (what === 'set') {
          model.set(key, value);
          await store.engine.set(key, value);
        } else if (what === 'delete') {
          expect(await store.engine.delete(key)).toBe(model.delete(key));
        } else if (what === 'both') {
          model.set(key, value);
          await Promise.all([store.engine.compact(), store.engine.set(key, value)]);
        } else if (what === 'compact') await store.engine.compact();
        else {
          if (what === 'close') await store.engine.close();
          store = await reopenDedup(store, ALL);
        }
      }
      await expectEqual(store, model);
      const before = (await store.engine.health()).totalBytes;
      const reopened = await reopenDedup(store, ALL);
      await expectEqual(reopened, model);
      expect((await reopened.engine.health()).totalBytes).toBe(before);
      await store.engine.deleteMany([...model.keys()]);
      expect(await store.engine.health()).toMatchObject({ totalBytes: 0, totalObjects: 0 });
    }),
    { numRuns: 30 },
  );
}, 120_000);
