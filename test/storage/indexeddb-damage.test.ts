import { afterEach, describe, expect, test } from 'vitest';
import { CorruptionError, DataLossError } from '../../src/base/errors.js';
import {
  append,
  closeStores,
  openStore,
  pageBytes,
  pageKeys,
  raw,
  replay,
  SMALL,
} from './indexeddb-store.js';

afterEach(closeStores);

describe('what was stored and is no longer right', () => {
  test('is told at whatever bit of a page it is, by replay and by location', async () => {
    const store = await openStore();
    await replay(store);
    const seen = await append(store, SMALL);
    const good = await pageBytes(store.name, 1);
    for (let bit = 0; bit < good.length * 8; bit++) {
      const damaged = Uint8Array.from(good);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await raw(store.name, 'readwrite', (log) => log.put(damaged, 1));
      const again = await openStore(store.name);
      await expect(replay(again), `replay, bit ${bit}`).rejects.toBeInstanceOf(CorruptionError);
      for (const { location } of seen) {
        await expect((async () => again.log.read(location))(), `bit ${bit}`).rejects.toMatchObject({
          code: 'CORRUPTION',
          detail: { page: 1, offset: expect.any(Number) },
        });
      }
      again.close();
    }
  });

  test('is told when a page is cut at any byte, longer, empty or no bytes at all', async () => {
    const store = await openStore();
    await replay(store);
    await append(store, SMALL);
    await append(store, SMALL);
    await store.log.flush();
    const good = await pageBytes(store.name, 1);
    const cut = Array.from({ length: good.length }, (_, length) => good.slice(0, length));
    const longer = new Uint8Array(good.length + 8);
    longer.set(good);
    for (const wrong of [...cut, longer, 'text', null]) {
      await raw(store.name, 'readwrite', (log) => log.put(wrong, 1));
      // Cut between two entries, what is left is right: then the entries behind it are lost.
      await expect(replay(await openStore(store.name)), `${wrong}`).rejects.toMatchObject({
        code: expect.stringMatching(/^(CORRUPTION|DATA_LOSS)$/),
      });
    }
  });

  test.each([0, 1, 2, 3, 4])('is told with its range when page %i of five is gone', async (gone) => {
    const store = await openStore();
    await replay(store);
    await append(store, [1, 30_000, 30_000]);
    await append(store, [1, 30_000, 30_000]);
    await store.log.flush();
    const keys = await pageKeys(store.name);
    expect(keys).toEqual([1, 3, 5, 7]);
    await append(store, [1]);
    await store.log.flush();
    const all = [...keys, 9, 11];
    await raw(store.name, 'readwrite', (log) => log.delete(all[gone]!));
    const again = await openStore(store.name);
    await expect(replay(again)).rejects.toMatchObject({
      code: 'DATA_LOSS',
      detail: { start: all[gone], end: all[gone + 1] },
    });
  });

  test('is told when a batch has lost its end that was flushed', async () => {
    const store = await openStore();
    await replay(store);
    await append(store, [1, 30_000, 30_000]);
    await store.log.flush();
    await raw(store.name, 'readwrite', (log) => log.delete(3));
    await expect(replay(await openStore(store.name))).rejects.toBeInstanceOf(DataLossError);
  });

  test('is told when pages go while the log is open, or were never there', async () => {
    const store = await openStore();
    await replay(store);
    await append(store, SMALL);
    expect(() => store.log.read(0)).toThrow(CorruptionError);
    await expect(store.log.read(4)).rejects.toBeInstanceOf(CorruptionError);
    const again = await openStore(store.name);
    await raw(store.name, 'readwrite', (log) => log.clear());
    await expect(again.log.read(1)).rejects.toBeInstanceOf(CorruptionError);
    await expect(replay(again)).rejects.toBeInstanceOf(DataLossError);
  });
});
