/** How the page finds a worker, and what it says when there is none or it dies. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser } from './browser.js';

describe('a worker that dies', () => {
  const browser = new TestBrowser();
  beforeAll(() =>
    browser.start({ 'content-security-policy': `default-src 'self'; worker-src 'self' blob:` }),
  );
  afterAll(() => browser.stop());

  test('rejects every pending call and every later one, and hangs none', async () => {
    const { page } = await browser.tab();
    const found = await page.evaluate(async () => {
      const worker = new Worker('./given.js', { type: 'module' });
      const store = await window.rootcellar.open('dies', { worker });
      await store.set('kept', 'yes');
      const pending = [store.get('kept'), store.setMany([['a', 1]]), store.keys(), store.flush()].map(
        window.outcome,
      );
      worker.terminate();
      const before = await Promise.all(pending);
      const after = await window.outcome(store.get('kept'));
      const again = await window.rootcellar.open('dies');
      const kept = await again.get('kept');
      await again.destroy();
      return { before, after, kept };
    });
    for (const outcome of [...found.before, found.after]) {
      expect(outcome).toMatchObject({ name: 'WorkerError', code: 'WORKER', isStoreError: true });
    }
    expect(found.kept).toBe('yes');
    await page.close();
  });

  test('leaves nothing to close: close resolves, also twice', async () => {
    const { page } = await browser.tab();
    const closed = await page.evaluate(async () => {
      const worker = new Worker('./given.js', { type: 'module' });
      const store = await window.rootcellar.open('closes', { worker });
      worker.terminate();
      await window.outcome(store.get('a'));
      return [store.closed, await store.close(), await store.close()];
    });
    expect(closed).toEqual([true, undefined, undefined]);
    await page.evaluate(() => window.rootcellar.destroy('closes'));
    await page.close();
  });

  test('that was given serves several stores, and outlives each', async () => {
    const { page } = await browser.tab();
    const value = await page.evaluate(async () => {
      const worker = new Worker('./given.js', { type: 'module' });
      const [a, b] = [
        await window.rootcellar.open('one', { worker }),
        await window.rootcellar.open('two', { worker }),
      ];
      await Promise.all([a.set('key', 'a'), b.set('key', 'b')]);
      await a.destroy();
      const kept = await b.get('key');
      await b.destroy();
      worker.terminate();
      return kept;
    });
    expect(value).toBe('b');
    await page.close();
  });

  test('that cannot be loaded is an error when it was given', async () => {
    const { page } = await browser.tab();
    const outcome = await page.evaluate(() =>
      window.outcome(window.rootcellar.open('nowhere', { worker: './no-such-file.js' })),
    );
    expect(outcome).toMatchObject({ name: 'WorkerError', code: 'WORKER' });
    await page.close();
  });

  test('is replaced by a blob where its script cannot be loaded', async () => {
    const { page } = await browser.tab();
    await page.route(/worker-.*\.js$/, (route) =>
      route.request().url().includes('source') ? route.continue() : route.abort(),
    );
    const found = await page.evaluate(async () => {
      const store = await window.rootcellar.open('blob');
      await store.set('key', { from: 'blob' });
      const result = { host: store.capabilities.host, mode: store.mode, value: await store.get('key') };
      await store.destroy();
      return result;
    });
    expect(found).toEqual({ host: 'blob-worker', mode: 'hybrid', value: { from: 'blob' } });
    await page.close();
  });
});

describe('a policy that allows no worker', () => {
  const browser = new TestBrowser();
  beforeAll(() => browser.start({ 'content-security-policy': `default-src 'self'; worker-src 'none'` }));
  afterAll(() => browser.stop());

  test('leaves the same thread, and IndexedDB', async () => {
    const { page } = await browser.tab();
    const found = await page.evaluate(async () => {
      const store = await window.rootcellar.open('inline');
      await store.set('key', new Map([[1, 'one']]));
      const value = await store.get<Map<number, string>>('key');
      const result = { host: store.capabilities.host, mode: store.mode, value: [...value!] };
      await store.destroy();
      return result;
    });
    expect(found).toEqual({ host: 'same-thread', mode: 'disk', value: [[1, 'one']] });
    await page.close();
  });
});
