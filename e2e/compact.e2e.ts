/** Compaction in a real Chromium: over OPFS and IndexedDB, under writes, and cut off by a kill. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser } from './browser.js';

const browser = new TestBrowser();

beforeAll(() => browser.start());
afterAll(() => browser.stop());

describe.each(['hybrid', 'disk'] as const)('compaction with persistence %s', (persistence) => {
  test('keeps the log small while one key after the other is overwritten, and every answer right', async () => {
    const { page, errors } = await browser.tab();
    const seen = await page.evaluate(async (persistence) => {
      const store = await window.rootcellar.open(`compact ${persistence}`, { persistence });
      const value = (key: number, round: number) => `${key}:${round}:`.padEnd(500, 'x');
      let largest = 0;
      for (let round = 0; round < 30; round++) {
        await store.setMany(
          Array.from({ length: 1000 }, (_, key) => [`key-${key}`, value(key, round)] as const),
        );
        if (round === 3) await store.deleteMany(Array.from({ length: 100 }, (_, key) => `key-${key}`));
        await new Promise((resolve) => setTimeout(resolve, 120));
        largest = Math.max(largest, (await store.health()).storedBytes);
      }
      const { before, after } = await store.compact();
      const values = await store.getMany<string>(Array.from({ length: 1000 }, (_, key) => `key-${key}`));
      const wrong = values.filter((got, key) => got !== value(key, 29)).length;
      await store.close();
      return { before, after, largest, wrong };
    }, persistence);
    const live = 1000 * 550;
    expect(seen.wrong).toBe(0);
    expect(seen.after).toBeLessThan(1.2 * live);
    expect(seen.before).toBeGreaterThanOrEqual(seen.after);
    // 16 MB were written, 4 MB a second, and writing goes on while the log is rewritten.
    expect(seen.largest).toBeLessThan(12 * live);
    await browser.show(page);
    const again = await page.evaluate(async (persistence) => {
      const store = await window.rootcellar.open(`compact ${persistence}`, { persistence });
      const found = [await store.count(), await store.get<string>('key-999')] as const;
      await store.destroy();
      return found;
    }, persistence);
    expect(again[0]).toBe(1000);
    expect(again[1]).toMatch(/^999:29:x/);
    expect(errors).toEqual([]);
  });
});
