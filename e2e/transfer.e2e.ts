/** Export and import in a real Chromium: between OPFS and IndexedDB, and from a tab that follows. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from './browser.js';

const browser = new TestBrowser();

beforeAll(() => browser.start({ 'content-security-policy': `default-src 'self'` }));
afterAll(() => browser.stop());

test('a store goes from OPFS to IndexedDB and back, through a tab that does not lead', async () => {
  const [a, b] = [await browser.tab(), await browser.tab()];
  await a.page.evaluate(async () => {
    const store = await window.rootcellar.open('source', { persistence: 'hybrid' });
    window.store = store;
    await store.setMany(
      Array.from({ length: 5000 }, (_, i) => [`key ${i}`, { i: i % 100, text: 'x'.repeat(50) }]),
    );
    await store.set('bytes', new Uint8Array(2_000_000).fill(7), { ttl: '1h' });
    await store.set('file', new File(['abc'], 'a.txt', { type: 'text/plain' }));
  });
  const found = await b.page.evaluate(async () => {
    const { open } = window.rootcellar;
    const source = await open('source', { persistence: 'hybrid' });
    const { role } = (await source.stats()).leader;
    const disk = await open('copy', { persistence: 'disk' });
    const result = await disk.import(source.export(), { mode: 'merge' });
    await source.clear();
    await source.import(disk.export(), { mode: 'replace' });
    const bytes = await source.get<Uint8Array>('bytes');
    const file = await disk.get<File>('file');
    const figures = await Promise.all(
      [source, disk].map(async (store) => {
        const { totalKeys, totalObjects, totalBytes } = await store.health();
        return [totalKeys, totalObjects, totalBytes];
      }),
    );
    const damaged = new Uint8Array(await new Response(disk.export()).arrayBuffer());
    damaged[1_000_000]! ^= 1;
    const refused = await window.outcome(source.import(new Blob([damaged]).stream(), { mode: 'replace' }));
    const count = await source.count();
    await disk.destroy();
    return {
      role,
      result,
      bytes: [bytes!.length, bytes![1_999_999]],
      file: [file!.name, await file!.text()],
      figures,
      refused,
      count,
    };
  });
  expect(found).toMatchObject({
    role: 'follower',
    result: { keys: 5002 },
    bytes: [2_000_000, 7],
    file: ['a.txt', 'abc'],
    refused: { name: 'CorruptionError', code: 'CORRUPTION', isStoreError: true },
    count: 5002,
  });
  expect(found.figures[0]).toEqual(found.figures[1]);
  expect(found.figures[0]!.slice(0, 2)).toEqual([5002, 102]);
  expect(await a.page.evaluate(async () => (await window.store.get<{ i: number }>('key 123'))?.i)).toBe(23);
  await a.page.evaluate(() => window.store.destroy());
  expect([...a.errors, ...b.errors]).toEqual([]);
  await a.page.close();
  await b.page.close();
});
