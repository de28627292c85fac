/**
 * What a power cut may leave of a log over IndexedDB: pages of relaxed transactions may be
 * gone while later ones are there. And what is written once more so that it lasts.
 */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CorruptionError, DataLossError } from '../../src/base/errors.js';
import { openIndexedDb } from '../../src/storage/indexeddb.js';
import { append, closeStores, expectAll, openStore, pageKeys, raw, replay, TIME } from './indexeddb-store.js';

afterEach(async () => {
  vi.restoreAllMocks();
  await closeStores();
});

/** Three batches of two pages each, the first flushed. */
async function threeBatches() {
  const store = await openStore();
  await replay(store);
  const first = await append(store, [1, 40_000]);
  await store.log.flush();
  const second = await append(store, [2, 40_000]);
  const third = await append(store, [3, 40_000]);
  expect(await pageKeys(store.name)).toEqual([1, 2, 4, 5, 7, 8]);
  return { store, first, second, third };
}

describe('behind what was flushed', () => {
  test.each([4, 5])('a gap at page %i ends the log, and what follows it is dropped', async (gone) => {
    const { store, first } = await threeBatches();
    await raw(store.name, 'readwrite', (log) => log.delete(gone));
    const again = await openStore(store.name);
    expect(await replay(again)).toEqual([first]);
    expect(await pageKeys(store.name)).toEqual([1, 2]);
    const other = await append(again, [7]);
    await expectAll(again, [...first, ...other]);
    expect(await replay(await openStore(store.name))).toEqual([first, other]);
  });

  test('a last batch without its end is dropped, and the bytes of it are told', async () => {
    const { store, first, second } = await threeBatches();
    await raw(store.name, 'readwrite', (log) => log.delete(8));
    const again = await openStore(store.name);
    const batches = vi.fn();
    const { entries, tornBytes } = await again.log.replay(() => {}, batches);
    expect([entries, batches.mock.calls.length]).toEqual([first.length + second.length, 2]);
    expect(tornBytes).toBeGreaterThan(0);
    expect(again.log.batches).toBe(2);
    const whole = await openStore(store.name);
    await replay(whole);
    expect(whole.log.position).toEqual(again.log.position);
  });

  test('a gap is damage where nothing may be dropped, and all stays', async () => {
    const { store } = await threeBatches();
    await raw(store.name, 'readwrite', (log) => log.delete(4));
    const absolute = await openIndexedDb(store.name, {
      surroundings: { now: () => TIME, elapsed: () => 0, random: (length) => new Uint8Array(length) },
      absolute: true,
      settings: {},
    });
    await expect(replay(absolute)).rejects.toBeInstanceOf(CorruptionError);
    await absolute.close();
    expect(await pageKeys(store.name)).toEqual([1, 2, 5, 7, 8]);
  });

  test('a log that is read from a place in it ends there when all behind it is gone', async () => {
    const { store, first } = await threeBatches();
    const whole = await openStore(store.name);
    let position = whole.log.position;
    await whole.log.replay(
      () => {},
      () => {
        if (whole.log.batches === 1) position = whole.log.position;
      },
    );
    await raw(store.name, 'readwrite', (log) => log.delete(4));
    const again = await openStore(store.name);
    const { entries } = await again.log.replay(
      () => {},
      () => {},
      position,
    );
    expect(entries).toBe(0);
    expect(again.log.position).toEqual(position);
    const other = await append(again, [7]);
    expect(await replay(await openStore(store.name))).toEqual([first, other]);
  });
});

describe('what was flushed', () => {
  test('is missed at a gap when only a later batch knows of the flush', async () => {
    const { store } = await threeBatches();
    await store.log.flush();
    await append(store, [4]);
    const db = await new Promise<IDBDatabase>((resolve) => {
      const asked = indexedDB.open(`rootcellar:${store.name}`);
      asked.onsuccess = () => resolve(asked.result);
    });
    db.transaction('meta', 'readwrite').objectStore('meta').delete('flushed');
    db.close();
    await raw(store.name, 'readwrite', (log) => log.delete(5));
    await expect(replay(await openStore(store.name))).rejects.toBeInstanceOf(DataLossError);
    expect(await pageKeys(store.name)).toEqual([1, 2, 4, 7, 8, 10]);
  });
});

describe('so that it lasts', () => {
  /** Keys of pages that are put again, and whether all transactions that write were strict since. */
  function watch() {
    const put = vi.spyOn(IDBObjectStore.prototype, 'put');
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    return () => ({
      again: put.mock.calls.map(([, key]) => key).filter((key) => typeof key === 'number'),
      strict: transaction.mock.calls
        .filter(([, mode]) => mode === 'readwrite')
        .every(([, , options]) => options?.durability === 'strict'),
    });
  }

  test('a flush writes again what came since the one before, and only once', async () => {
    const { store } = await threeBatches();
    const seen = watch();
    await store.log.flush();
    expect(seen()).toEqual({ again: [4, 5, 7, 8], strict: true });
    await store.log.flush();
    expect(seen().again).toHaveLength(4);
  });

  test('a strict batch has what came before it written again, and not itself', async () => {
    const { store } = await threeBatches();
    const seen = watch();
    await append(store, [4], true);
    expect(seen()).toEqual({ again: [4, 5, 7, 8], strict: true });
    await append(store, [5], true);
    expect(seen().again).toHaveLength(4);
  });

  test('a strict batch of more than is written in one go is written again, in pieces', async () => {
    const store = await openStore();
    await replay(store);
    const transactions = watch();
    const seen = await append(store, Array(40).fill(30_000), true);
    const { again, strict } = transactions();
    expect(again).toEqual(await pageKeys(store.name));
    expect(again.length).toBeGreaterThan(16);
    expect(strict).toBe(true);
    await expectAll(store, seen);
    expect(await replay(await openStore(store.name))).toEqual([seen]);
  });

  test('a strict batch of few long values is not', async () => {
    const store = await openStore();
    await replay(store);
    const seen = watch();
    await append(store, [2_000_000, 1_000_000], true);
    expect(seen().again).toEqual([]);
  });
});
