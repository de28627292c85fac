/**
 * What each place a store can live in has to do in each browser: keep what was written
 * over a reload, and be shared by two tabs.
 */
import { describe, expect, test } from 'vitest';

/** A page in a browser, whoever drives it. */
export interface Page {
  evaluate<T>(work: () => T | Promise<T>): Promise<T>;
  evaluate<T, A>(work: (arg: A) => T | Promise<T>, arg: A): Promise<T>;
  close(): Promise<void>;
}

export interface Browser<P extends Page> {
  tab(): Promise<{ page: P; errors: string[] }>;
  show(page: P): Promise<void>;
}

export function keepsAndShares<P extends Page>(
  browser: Browser<P>,
  modes: readonly ('memory' | 'disk' | 'aof' | 'hybrid' | 'auto')[],
  best = 'hybrid',
): void {
  describe.each(modes)('a store with persistence %s', (persistence) => {
    const name = `store ${persistence}`;

    test('keeps what was written, also after a reload', async () => {
      const { page, errors } = await browser.tab();
      const first = await page.evaluate(
        async ([name, persistence]) => {
          const store = await window.rootcellar.open(name, { persistence });
          const commit = await store.set('user', { name: 'Ada', tags: new Set(['x']), at: new Date(7) });
          await store.set('text', 'ü 漢 \ud800');
          await store.set('file', {
            inside: new File(['abc'], 'a.txt', { type: 'text/plain', lastModified: 7 }),
          });
          await store.set('bytes', new Uint8Array(300_000).fill(7), { ttl: '1h' });
          await store.setMany(
            Array.from({ length: 2500 }, (_, i) => [`many:${i}`, `value ${i % 10}`] as const),
          );
          const user = await store.get<{ name: string; tags: Set<string>; at: Date }>('user');
          const { mode, capabilities } = store;
          return {
            mode,
            host: capabilities.host,
            reason: capabilities.reason,
            durability: commit.durability,
            user: [user!.name, [...user!.tags], user!.at.getTime()],
            count: await store.count(),
            unique: await store.countUnique(),
          };
        },
        [name, persistence] as const,
      );
      const mode = persistence === 'auto' ? best : persistence;
      expect(first).toMatchObject({ mode, host: 'worker', user: ['Ada', ['x'], 7], count: 2504, unique: 14 });
      expect(first.durability).toBe(mode === 'memory' ? 'memory' : 'os');
      await browser.show(page);
      const second = await page.evaluate(
        async ([name, persistence]) => {
          const store = await window.rootcellar.open(name, { persistence });
          const text = await store.get('text');
          const bytes = await store.get<Uint8Array>('bytes');
          const prefixed = await store.keys({ prefix: 'many:2', limit: 3, reverse: true });
          const left = await store.ttl('bytes');
          const inside = (await store.get<{ inside: File }>('file'))?.inside;
          const file = inside && [
            inside instanceof File,
            inside.name,
            inside.type,
            inside.lastModified,
            await inside.text(),
          ];
          const count = await store.count();
          await store.destroy();
          return { text, bytes: bytes && [bytes.length, bytes[299_999]], prefixed, left, count, file };
        },
        [name, persistence] as const,
      );
      if (mode === 'memory') expect(second).toMatchObject({ text: undefined, count: 0 });
      else {
        expect(second).toMatchObject({ text: 'ü 漢 \ud800', bytes: [300_000, 7], count: 2504 });
        expect(second.prefixed).toEqual(['many:299', 'many:298', 'many:297']);
        expect(second.left).toBeGreaterThan(3_590_000);
        expect(second.file).toEqual([true, 'a.txt', 'text/plain', 7, 'abc']);
      }
      expect(errors).toEqual([]);
      await page.close();
    });

    test('is shared by two tabs, and led by the second when the first is closed', async () => {
      const [a, b] = [await browser.tab(), await browser.tab()];
      const open = ([name, persistence]: readonly [string, 'auto']) =>
        window.rootcellar.open(name, { persistence }).then((store) => {
          window.store = store;
          return store.mode;
        });
      const args = [name, persistence as 'auto'] as const;
      const mode = await a.page.evaluate(open, args);
      expect(await b.page.evaluate(open, args)).toBe(mode);
      await a.page.evaluate(() => window.store.set('from', 'a'));
      expect(await b.page.evaluate(() => window.store.get('from'))).toBe('a');
      await b.page.evaluate(() =>
        window.store.setMany([
          ['from', 'b'],
          ['more', new Uint8Array(100_000)],
        ]),
      );
      expect(await a.page.evaluate(() => window.store.get('from'))).toBe('b');
      const roles = [a, b].map(({ page }) =>
        page.evaluate(async () => (await window.store.stats()).leader.role),
      );
      expect(await Promise.all(roles)).toEqual(['leader', 'follower']);
      await a.page.close();
      const from = () => b.page.evaluate(() => window.store.get('from'));
      const role = () => b.page.evaluate(async () => (await window.store.stats()).leader.role);
      // A worker may outlive its tab for a moment (WebKit), and then it still answers.
      expect(mode === 'memory' ? [undefined, 'b'] : ['b']).toContain(await from());
      await expect.poll(role, { timeout: 10_000 }).toBe('leader');
      expect(await from()).toBe(mode === 'memory' ? undefined : 'b');
      await b.page.evaluate(() => window.store.destroy());
      expect(b.errors).toEqual([]);
      await b.page.close();
    });
  });
}
