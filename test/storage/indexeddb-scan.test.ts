import { afterEach, expect, test, vi } from 'vitest';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import type { Reader } from '../../src/engine/reader.js';
import { itemsOf } from '../../src/engine/scans.js';
import { scanAll } from '../engine/bench-store.js';
import { closeStores, openStore, pageBytes, pageKeys, raw, TIME } from './indexeddb-store.js';

afterEach(async () => {
  vi.restoreAllMocks();
  await closeStores();
});

async function openEngine(name?: string): Promise<{ engine: Engine; name: string }> {
  const { log, header, name: found } = await openStore(name);
  const engine = await Engine.open({
    mode: 'disk',
    settings: resolveOptions({}),
    log,
    secret: header.secret,
    now: () => TIME,
    after: () => () => {},
    index: {},
  });
  return { engine, name: found };
}

const ENTRIES = Array.from(
  { length: 2500 },
  (_, i) => [`key ${(i * 7919) % 2500}`, `value ${i} `.repeat(8)] as const,
);

test('a scan over IndexedDB is in order and costs few transactions, and a request a page', async () => {
  const { engine, name } = await openEngine();
  await engine.setMany(ENTRIES.map(([key, value]) => [key, value]));
  await engine.close();
  const { engine: again } = await openEngine(name);
  const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction');
  const get = vi.spyOn(IDBObjectStore.prototype, 'get');
  const found = await scanAll(again, 'entries');
  expect(found).toEqual(ENTRIES.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  expect(transaction.mock.calls.length).toBeLessThan(4);
  expect(get).toHaveBeenCalledTimes((await pageKeys(name)).length);
});

test('a scan that comes upon damage is refused with a typed error, and leaves nothing behind that fails', async () => {
  const { engine, name } = await openEngine();
  await engine.setMany(ENTRIES.map(([key, value]) => [key, value]));
  await engine.close();
  const { engine: again } = await openEngine(name);
  for (const key of (await pageKeys(name)).slice(1)) {
    const page = await pageBytes(name, key);
    page[40]! ^= 1;
    await raw(name, 'readwrite', (store) => store.put(page, key));
  }
  await expect(scanAll(again, 'values')).rejects.toMatchObject({ code: 'CORRUPTION' });
  expect(await scanAll(again, 'keys')).toHaveLength(ENTRIES.length);
});

test('a scan whose item is refused at once still hears of those that are refused later', async () => {
  const refusals = [
    () => new Promise((_, reject) => setTimeout(() => reject(new Error('later')), 1)),
    () => {
      throw new Error('at once');
    },
  ];
  const reader = { item: () => refusals.shift()!() } as unknown as Reader;
  const keys = ['a', 'b'].map((key) => ({ key, location: 0, hasDeadline: false }));
  await expect(itemsOf(reader, 'values', keys)).rejects.toThrow('at once');
  // What nobody had heard of would fail the run here.
  await new Promise((resolve) => setTimeout(resolve, 10));
});
