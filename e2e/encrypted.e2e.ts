/** Encryption and compression in each engine: its own crypto and streams, its own tabs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DrivenBrowser } from './engines/driven-browser.js';
import { findEngines } from './engines/engine.js';

const TEXT = 'MARKED words that repeat ';

describe.each(await findEngines())('in $name', (engine) => {
  const browser = new DrivenBrowser(engine);
  beforeAll(() => browser.start());
  afterAll(() => browser.stop());

  const modes = engine.modes.filter((mode) => mode === 'hybrid' || mode === 'disk');

  test.each(modes)(
    'a store in %s with a key keeps what was written from who has another',
    async (persistence) => {
      const { page, errors } = await browser.tab();
      const name = `secret ${persistence}`;
      const written = await page.evaluate(
        async ([name, persistence, text]) => {
          const raw = new Uint8Array(32).fill(1);
          const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
          const store = await window.rootcellar.open(name, {
            persistence,
            encryption: { key },
            compression: 'gzip',
          });
          await store.set('MARKED key', text.repeat(2000));
          await store.setMany(Array.from({ length: 500 }, (_, i) => [`MARKED ${i}`, `${text}${i}`] as const));
          await store.compact();
          await store.set('MARKED late', new Set([text]));
          const { storage } = await store.stats();
          await store.close();
          return storage.bytes;
        },
        [name, persistence, TEXT] as const,
      );
      expect(written).toBeLessThan(110_000);
      await browser.show(page);
      const found = await page.evaluate(
        async ([name, persistence]) => {
          const keyOf = (byte: number, as: string, usages: KeyUsage[]) =>
            crypto.subtle.importKey('raw', new Uint8Array(32).fill(byte), as, false, usages);
          const key = await keyOf(1, 'AES-GCM', ['encrypt', 'decrypt']);
          const open = (key?: CryptoKey) =>
            window.rootcellar.open(name, { persistence, ...(key && { encryption: { key } }) });
          const outcomes = [
            await window.outcome(open(await keyOf(2, 'AES-GCM', ['encrypt', 'decrypt']))),
            await window.outcome(open(await keyOf(1, 'AES-KW', ['wrapKey', 'unwrapKey']))),
            await window.outcome(open()),
          ];
          let visible = 0;
          let bytes = 0;
          if (persistence === 'hybrid') {
            const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('rootcellar');
            for await (const folder of (
              root as unknown as { values(): AsyncIterable<FileSystemDirectoryHandle> }
            ).values()) {
              for await (const file of (
                folder as unknown as { values(): AsyncIterable<FileSystemFileHandle> }
              ).values()) {
                const text = await (await file.getFile()).text();
                bytes += text.length;
                if (text.includes('MARKED')) visible += 1;
              }
            }
          }
          const store = await open(key);
          window.store = store;
          const text = await store.get<string>('MARKED key');
          const late = await store.get<Set<string>>('MARKED late');
          return {
            outcomes,
            visible,
            bytes,
            length: text?.length,
            late: late && [...late],
            count: await store.count(),
          };
        },
        [name, persistence] as const,
      );
      expect(found.outcomes).toMatchObject(Array.from({ length: 3 }, () => ({ name: 'KeyError' })));
      expect(found).toMatchObject({ visible: 0, length: TEXT.length * 2000, late: [TEXT], count: 502 });
      if (persistence === 'hybrid') expect(found.bytes).toBeGreaterThan(20_000);

      const second = await browser.tab();
      const follower = await second.page.evaluate(
        async ([name, persistence]) => {
          const keyOf = (byte: number) =>
            crypto.subtle.importKey('raw', new Uint8Array(32).fill(byte), 'AES-GCM', false, [
              'encrypt',
              'decrypt',
            ]);
          const open = (key?: CryptoKey) =>
            window.rootcellar.open(name, { persistence, ...(key && { encryption: { key } }) });
          const outcomes = [await window.outcome(open(await keyOf(2))), await window.outcome(open())];
          window.store = await open(await keyOf(1));
          await window.store.set('from', 'second');
          return { outcomes, role: (await window.store.stats()).leader.role };
        },
        [name, persistence] as const,
      );
      expect(follower.outcomes).toMatchObject([{ name: 'KeyError' }, { name: 'KeyError' }]);
      expect(follower.role).toBe('follower');
      expect(await page.evaluate(() => window.store.get('from'))).toBe('second');
      await page.close();
      const role = () => second.page.evaluate(async () => (await window.store.stats()).leader.role);
      await expect.poll(role, { timeout: 10_000 }).toBe('leader');
      expect(await second.page.evaluate(() => window.store.get('from'))).toBe('second');
      await second.page.evaluate(() => window.store.close());
      expect([...errors, ...second.errors]).toEqual([]);
      await second.page.close();
    },
  );
});
