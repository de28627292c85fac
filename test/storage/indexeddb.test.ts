import { deleteDB } from 'idb';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DataLossError, IoError, QuotaError } from '../../src/base/errors.js';
import { destroyInIndexedDb } from '../../src/storage/indexeddb-names.js';
import { PAGE_BYTES } from '../../src/storage/indexeddb-pages.js';
import { entry, Type } from '../../src/storage/log/index.js';
import {
  append,
  closeStores,
  expectAll,
  HUNDREDS,
  openStore,
  pageBytes,
  pageKeys,
  replay,
  type Seen,
  SMALL,
  TIME,
} from './indexeddb-store.js';

const bytesOf = (value: string) => new TextEncoder().encode(value);

afterEach(async () => {
  vi.restoreAllMocks();
  await closeStores();
});

describe('a log in IndexedDB', () => {
  test('gives back what was appended, by location and by replay, also when it is opened anew', async () => {
    const store = await openStore();
    expect(await replay(store)).toEqual([]);
    const shapes = [[1], HUNDREDS, [0, PAGE_BYTES, 1], [100_000], [5, 300_000, 7, 40_000], [0]];
    const batches: Seen[][] = [];
    for (const sizes of shapes) batches.push(await append(store, sizes, sizes.length > 1));
    await expectAll(store, batches.flat());
    expect(store.log).toMatchObject({ batches: 6, flushes: 3, extents: 1 });

    const again = await openStore(store.name);
    expect(await replay(again)).toEqual(batches);
    await expectAll(again, batches.flat().reverse());
    expect(again.log).toMatchObject({ batches: 6, extents: 1, bytes: store.log.bytes });
  });

  test('numbers entries on without a gap but for each COMMIT, over pages, batches and openings', async () => {
    const store = await openStore();
    await replay(store);
    const first = await append(store, HUNDREDS);
    expect(first.map(({ location }) => location)).toEqual(HUNDREDS.map((_, i) => i + 1));
    const again = await openStore(store.name);
    await replay(again);
    const [next] = await append(again, [1]);
    expect(next!.location).toBe(HUNDREDS.length + 2);
    const keys = await pageKeys(store.name);
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) {
      const page = await pageBytes(store.name, key);
      expect(page.length).toBeLessThanOrEqual(PAGE_BYTES);
      expect(page.buffer.byteLength, 'bytes stored with it').toBe(page.length);
    }
  });

  test('gives a longer entry a page to itself, but for the COMMIT behind it', async () => {
    const store = await openStore();
    await replay(store);
    await append(store, [10, PAGE_BYTES, 10, 10, PAGE_BYTES * 3]);
    expect(await pageKeys(store.name)).toEqual([1, 2, 3, 5]);
    expect(await replay(await openStore(store.name))).toHaveLength(1);
  });

  test('lies there as the format says', async () => {
    const store = await openStore();
    await replay(store);
    const batch = store.log.begin();
    batch.add(
      entry({ type: Type.Put, sequence: 1, time: TIME, key: 'a', value: bytesOf('hi'), brings: true }),
    );
    await store.log.append(batch, false);
    expect(await pageKeys(store.name)).toEqual([1]);
    const hex = Buffer.from(await pageBytes(store.name, 1)).toString('hex');
    expect(hex.replace(/^(.{8}).{8}(.{48}.{8}).{8}/, '$1CRC     $2CRC     ')).toBe(
      '1b000000CRC     0100401001000000000' +
        '00068e5cf8b0161686900000000002400000' +
        '0CRC     00000060010000000000' +
        '0068e5cf8b01480000000100000001000000' +
        '00000000',
    );
  });

  test('keeps its header, and refuses a log without one', async () => {
    const store = await openStore();
    expect(store.created).toBe(true);
    await replay(store);
    await append(store, SMALL);
    await store.writeHeader({ ...store.header, epoch: 5 });
    const again = await openStore(store.name);
    expect(again.created).toBe(false);
    expect(again.header).toMatchObject({ epoch: 5, settings: { some: 'setting' }, createdAt: TIME });
    const db = await new Promise<IDBDatabase>((resolve) => {
      const asked = indexedDB.open(`rootcellar:${store.name}`);
      asked.onsuccess = () => resolve(asked.result);
    });
    db.transaction('meta', 'readwrite').objectStore('meta').delete('header');
    db.close();
    await expect(openStore(store.name)).rejects.toBeInstanceOf(DataLossError);
  });
});

describe('an append', () => {
  test('asks for the durability that is wanted', async () => {
    const store = await openStore();
    await replay(store);
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await append(store, SMALL);
    await append(store, SMALL, true);
    await store.log.flush();
    expect(transaction.mock.calls.map(([, mode, options]) => [mode, options])).toEqual([
      ['readwrite', { durability: 'relaxed' }],
      // What was written relaxed, once more: a strict batch makes all before it last.
      ['readwrite', { durability: 'strict' }],
      ['readwrite', { durability: 'strict' }],
      ['readwrite', { durability: 'strict' }],
    ]);
  });

  test('that seals starts an extent, and it is the same when it is opened anew', async () => {
    const store = await openStore();
    await replay(store);
    await append(store, [200_000]);
    expect(store.log.full).toBe(false);
    await append(store, [200_000]);
    expect(store.log.full).toBe(true);
    const batch = store.log.begin(true);
    batch.add(entry({ type: Type.Seal, sequence: 1, time: TIME }));
    batch.add(entry({ type: Type.Keys, sequence: 1, time: TIME, value: new Uint8Array(100_000) }));
    await store.log.append(batch, false);
    for (const added of [50_000, 200_000]) {
      const again = await openStore(store.name);
      await replay(again);
      const { extents, full, bytes } = store.log;
      expect([extents, full]).toEqual([2, false]);
      expect(again.log).toMatchObject({ extents, full, bytes });
      await append(store, [added]);
    }
    expect(store.log.full).toBe(true);
  });
});

describe('an append that fails', () => {
  const quota = () => new DOMException('no space', 'QuotaExceededError');

  /** Makes the `n`th `add` from now on go wrong. */
  function failAdd(n: number, fail: (store: IDBObjectStore) => IDBRequest<IDBValidKey>): void {
    const { add } = IDBObjectStore.prototype;
    let calls = 0;
    vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(function (this: IDBObjectStore, ...args) {
      return ++calls === n ? fail(this) : add.apply(this, args);
    });
  }

  const throws = () => {
    throw quota();
  };
  const takesKey = (store: IDBObjectStore) => store.add(0, 1);
  const aborts = (store: IDBObjectStore) => {
    const request = store.put(new Uint8Array(1), 99);
    store.transaction.abort();
    return request;
  };
  const hasNoRoomAtLast = (store: IDBObjectStore) => {
    Object.defineProperty(store.transaction, 'error', { get: quota, set: () => {} });
    return aborts(store);
  };

  test.each([
    ['whose last page is refused at once', 3, throws, QuotaError, 'QuotaExceededError'],
    ['whose first page is refused at once', 1, throws, QuotaError, 'QuotaExceededError'],
    ['whose page has a key that is taken', 2, takesKey, IoError, 'ConstraintError'],
    ['that is aborted', 3, aborts, IoError, 'AbortError'],
    ['that finds no room at its end', 3, hasNoRoomAtLast, QuotaError, 'QuotaExceededError'],
  ] as const)('%s leaves everything as it was, and the log works on', async (_, n, fail, type, cause) => {
    const store = await openStore();
    await replay(store);
    const before = await append(store, SMALL);
    const figures = () => {
      const { bytes, extents, batches, flushes, full } = store.log;
      return { bytes, extents, batches, flushes, full };
    };
    const was = figures();
    failAdd(n, fail);
    const sizes = [30_000, 30_000, 30_000];
    const error = await append(store, sizes, true).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(type);
    expect(error.cause).toMatchObject({ name: cause });
    vi.restoreAllMocks();
    expect(figures()).toEqual(was);
    expect(await pageKeys(store.name)).toEqual([1]);
    const after = await append(store, sizes);
    expect(after[0]!.location).toBe(4);
    await expectAll(store, [...before, ...after]);
    expect(await replay(await openStore(store.name))).toEqual([before, after]);
  });

  test('after the database was deleted elsewhere is an IoError, and so is every other call', async () => {
    const store = await openStore();
    await replay(store);
    const seen = await append(store, SMALL);
    await expectAll(store, seen);
    await deleteDB(`rootcellar:${store.name}`);
    expect(() => store.log.read(1)).toThrow(IoError);
    await expect(store.log.flush()).rejects.toBeInstanceOf(IoError);
    await expect(append(store, [1])).rejects.toBeInstanceOf(IoError);
  });
});

describe('reads', () => {
  test('of one page share one request, and of one microtask one transaction', async () => {
    const store = await openStore();
    await replay(store);
    const seen = await append(store, HUNDREDS);
    const pages = (await pageKeys(store.name)).length;
    const again = await openStore(store.name);
    const get = vi.spyOn(IDBObjectStore.prototype, 'get');
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
    await expectAll(again, seen);
    expect(get).toHaveBeenCalledTimes(pages);
    expect(transaction).toHaveBeenCalledTimes(1);
    await expectAll(again, seen);
    expect(get).toHaveBeenCalledTimes(pages);
    expect(again.log.read(1)).not.toBeInstanceOf(Promise);
  });

  test('that come a task apart do not share a transaction that is over', async () => {
    const store = await openStore();
    await replay(store);
    const seen = await append(store, [30_000, 30_000]);
    const again = await openStore(store.name);
    for (const one of seen) {
      await expectAll(again, [one]);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });

  test('keep few pages: what was read long ago is asked for again', async () => {
    const store = await openStore();
    await replay(store);
    const sizes = new Array<number>(100).fill(30_000);
    const seen = await append(store, sizes);
    await expectAll(store, seen);
    const get = vi.spyOn(IDBObjectStore.prototype, 'get');
    await expectAll(store, seen);
    expect(get.mock.calls.length).toBeGreaterThan(60);
    await expectAll(store, seen.slice(-30));
    const calls = get.mock.calls.length;
    await expectAll(store, seen.slice(-30));
    expect(get).toHaveBeenCalledTimes(calls);
  });

  test('give an entry bytes of its own, not the page', async () => {
    const store = await openStore();
    await replay(store);
    const [one] = await append(store, HUNDREDS.slice(5));
    const found = await store.log.read(one!.location);
    expect(found.value.buffer.byteLength).toBe(found.bytes);
  });
});

test('destroying a store leaves nothing', async () => {
  const store = await openStore();
  await replay(store);
  await append(store, SMALL);
  store.close();
  await destroyInIndexedDb(store.name);
  expect((await openStore(store.name)).created).toBe(true);
});
