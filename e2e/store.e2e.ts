/** A store in a real Chromium, in every mode, under the policy `default-src 'self'`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser } from './browser.js';
import { keepsAndShares } from './keeps-and-shares.js';

const browser = new TestBrowser();

beforeAll(() => browser.start({ 'content-security-policy': `default-src 'self'` }));
afterAll(() => browser.stop());

keepsAndShares(browser, ['memory', 'disk', 'aof', 'hybrid', 'auto']);

describe('without opening a store', () => {
  test('a page can ask what there is, list stores and destroy one that nobody has open', async () => {
    const { page } = await browser.tab();
    const found = await page.evaluate(async () => {
      const { open, probe, list, destroy } = window.rootcellar;
      const capabilities = await probe();
      const store = await open('listed/ü', { persistence: 'hybrid' });
      const other = await open('in-indexeddb', { persistence: 'disk' });
      await other.close();
      const refused = await window.outcome(destroy('listed/ü'));
      const names = await list();
      await store.close();
      await destroy('listed/ü');
      await destroy('in-indexeddb');
      return { capabilities, refused, names, after: await list() };
    });
    expect(found.capabilities).toMatchObject({
      mode: 'hybrid',
      opfs: true,
      syncAccess: true,
      indexedDB: true,
      host: 'worker',
    });
    expect(found.refused).toMatchObject({ name: 'LockedError', code: 'LOCKED' });
    expect(found.names).toEqual(['in-indexeddb', 'listed/ü']);
    expect(found.after).toEqual([]);
    await page.close();
  });

  test('auto opens a store where it lives', async () => {
    const { page } = await browser.tab();
    const modes = await page.evaluate(async () => {
      const { open } = window.rootcellar;
      const first = await open('lives', { persistence: 'disk' });
      await first.set('key', 'value');
      await first.close();
      const again = await open('lives');
      const found = [again.mode, again.capabilities.reason, await again.get('key')];
      await again.destroy();
      return found;
    });
    expect(modes).toEqual(['disk', 'the store lives in IndexedDB already', 'value']);
    await page.close();
  });

  test('a second tab that asks for something else is refused, and the first goes on', async () => {
    const { page } = await browser.tab();
    const found = await page.evaluate(async () => {
      const { open } = window.rootcellar;
      const store = await open('shared', { dedup: { mode: 'off' } });
      const outcomes = [
        await window.outcome(open('shared', { dedup: { mode: 'exact' } })),
        await window.outcome(open('shared', { compression: 'gzip', reconfigure: true })),
        await window.outcome(open('shared', { persistence: 'disk' })),
      ];
      const second = await open('shared');
      await second.set('key', 1);
      const value = await store.get('key');
      const gone = window.outcome(second.destroy());
      await gone;
      return {
        outcomes,
        value,
        after: await window.outcome(store.get('key')),
        closed: [store.closed, second.closed],
        names: await window.rootcellar.list(),
      };
    });
    expect(found.outcomes).toMatchObject([
      { name: 'TypeError', message: expect.stringContaining('dedup.mode: the store has "off", got "exact"') },
      {
        name: 'LockedError',
        message: expect.stringContaining('compression: the store is open in another tab'),
      },
      { name: 'TypeError', message: expect.stringContaining("open as 'hybrid'") },
    ]);
    expect(found.value).toBe(1);
    expect(found.after).toMatchObject({ name: 'ClosedError' });
    expect(found.closed).toEqual([true, true]);
    expect(found.names).toEqual([]);
    await page.close();
  });
});

describe('the files of a store', () => {
  test('survive the browser being closed and started again', async () => {
    const { page } = await browser.tab();
    await page.evaluate(async () => {
      const store = await window.rootcellar.open('restart');
      await store.setMany(
        Array.from({ length: 5000 }, (_, i) => [`key ${i}`, { i, text: 'x'.repeat(i % 200) }] as const),
      );
    });
    await browser.restart();
    const { page: again } = await browser.tab();
    const found = await again.evaluate(async () => {
      const store = await window.rootcellar.open('restart');
      const values = await store.getMany<{ i: number }>(['key 0', 'key 4999', 'absent']);
      const stats = await store.stats();
      const names = await window.rootcellar.list();
      await store.destroy();
      return {
        values,
        count: stats.totalKeys,
        torn: stats.storage.tornBytes,
        names,
        after: await window.rootcellar.list(),
      };
    });
    expect(found.values).toEqual([{ i: 0, text: '' }, { i: 4999, text: 'x'.repeat(199) }, undefined]);
    expect(found).toMatchObject({ count: 5000, torn: 0, names: ['restart'], after: [] });
    await again.close();
  });

  test.each(['hybrid', 'disk'] as const)(
    'hold what was acknowledged when the browser is killed, in %s',
    async (persistence) => {
      const { page } = await browser.tab();
      await page.evaluate(async (persistence) => {
        const store = await window.rootcellar.open('killed', { persistence });
        for (let i = 0; i < 200; i++) await store.set(`key ${i}`, 'x'.repeat(i));
        // One more is under way when the end comes.
        void store.setMany(Array.from({ length: 5000 }, (_, i) => [`more ${i}`, i] as const)).catch(() => {});
      }, persistence);
      await browser.kill();
      const { page: again } = await browser.tab();
      const lengths = await again.evaluate(async (persistence) => {
        const store = await window.rootcellar.open('killed', { persistence });
        const values = await store.getMany<string>(Array.from({ length: 200 }, (_, i) => `key ${i}`));
        const more = await store.count({ prefix: 'more' });
        await store.destroy();
        return { kept: values.filter((value, i) => value?.length === i).length, more };
      }, persistence);
      expect(lengths.kept).toBe(200);
      expect([0, 5000]).toContain(lengths.more);
      await again.close();
    },
  );

  test('of a newer format are refused, and left as they are', async () => {
    const { page } = await browser.tab();
    const found = await page.evaluate(async () => {
      const store = await window.rootcellar.open('newer');
      await store.set('key', 'value');
      await store.close();
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('rootcellar');
      const folder = await root.getDirectoryHandle('newer');
      const read = async (file: string) =>
        new Uint8Array(await (await (await folder.getFileHandle(file)).getFile()).arrayBuffer());
      const write = async (file: string, bytes: Uint8Array<ArrayBuffer>) => {
        const writable = await (await folder.getFileHandle(file)).createWritable();
        await writable.write(bytes);
        await writable.close();
      };
      const [a, b] = [await read('header-a'), await read('header-b')];
      for (const [file, bytes] of [
        ['header-a', a],
        ['header-b', b],
      ] as const) {
        const newer = bytes.slice();
        newer[8] = 99;
        await write(file, newer);
      }
      const refused = await window.outcome(window.rootcellar.open('newer'));
      await write('header-a', a);
      await write('header-b', b);
      const again = await window.rootcellar.open('newer');
      const value = await again.get('key');
      await again.destroy();
      return { refused, value };
    });
    expect(found.refused).toMatchObject({ name: 'FormatError', code: 'FORMAT', isStoreError: true });
    expect(found.value).toBe('value');
    await page.close();
  });
});
