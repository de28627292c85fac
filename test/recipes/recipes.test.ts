/** The recipes of docs/recipes.md do what they say, and are shown there as they are run here. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { open, type Store } from '../../src/index.js';
import { fetched, fetchedOrLast, forget } from './cache-aside.js';
import { countVisit, placeOrder } from './counter.js';
import { keyFrom, moveTo, unlock } from './encrypted-store.js';
import { mayPass } from './rate-limiter.js';
import { changeSession, startSession, useSession } from './session.js';

const MINUTE = 60_000;
let store: Store;

beforeEach(async () => {
  // Only the clock stands still: messages still need the platform's timers.
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_040_000 });
  store = await open('recipes', { persistence: 'memory' });
});
afterEach(async () => {
  await store.close();
  vi.useRealTimers();
});
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('a rate limiter', () => {
  test('lets no more than the limit pass in a window, each by itself, and as many in the next', async () => {
    const ask = (who: string) => mayPass(store, who, 3, MINUTE);
    expect(await Promise.all([ask('ada'), ask('ada'), ask('ada'), ask('ada')])).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(await ask('bob')).toBe(true);
    pass(MINUTE - 1);
    expect(await ask('ada')).toBe(false);
    pass(1);
    expect(await ask('ada')).toBe(true);
  });

  test('leaves nothing behind', async () => {
    await mayPass(store, 'ada', 3, MINUTE);
    pass(2 * MINUTE);
    expect(await store.sweep()).toMatchObject({ expired: 1 });
    expect(await store.count()).toBe(0);
  });
});

describe('a counter', () => {
  test('counts each visit once, however many come at once', async () => {
    const visits = await Promise.all(Array.from({ length: 10 }, () => countVisit(store, '/')));
    expect(visits).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await countVisit(store, '/about')).toBe(1);
  });

  test('counts an order that is placed twice once', async () => {
    await store.set('cart', ['tea']);
    await placeOrder(store, '7', { total: 12 });
    await expect(placeOrder(store, '7', { total: 99 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await placeOrder(store, '8', { total: 5 });
    expect(await store.getMany(['orders', 'largest order', 'cart'])).toEqual([2, 12, undefined]);
  });
});

describe('a session', () => {
  test('lives as long as it is used, and no longer', async () => {
    await startSession(store, 's', { user: 'ada' });
    for (let i = 0; i < 4; i++) {
      pass(29 * MINUTE);
      expect(await useSession(store, 's')).toEqual({ user: 'ada' });
    }
    pass(30 * MINUTE);
    expect(await useSession(store, 's')).toBeUndefined();
    expect(await store.has('session:s')).toBe(false);
  });

  test('is changed without living longer, and not at all when it is over', async () => {
    await startSession(store, 's', { visits: 1 });
    pass(20 * MINUTE);
    const more = (session: { visits: number }) => ({ visits: session.visits + 1 });
    expect(await changeSession(store, 's', more)).toEqual({ visits: 2 });
    expect(await store.ttl('session:s')).toBe(10 * MINUTE);
    pass(10 * MINUTE);
    await expect(changeSession(store, 's', more)).rejects.toThrow('the session is over');
    expect(await store.has('session:s')).toBe(false);
  });
});

describe('a cache aside', () => {
  const URL_A = 'https://example.org/a';
  let fetches = 0;
  let answer: () => Response;

  beforeEach(() => {
    fetches = 0;
    answer = () => Response.json({ at: fetches });
    vi.stubGlobal('fetch', async () => {
      fetches += 1;
      return answer();
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  test('fetches once for all who ask at once, and again when five minutes are over', async () => {
    const asked = [1, 2, 3].map(() => fetched(store, URL_A));
    expect(await Promise.all(asked)).toEqual([{ at: 1 }, { at: 1 }, { at: 1 }]);
    pass(5 * MINUTE - 1);
    expect(await fetched(store, URL_A)).toEqual({ at: 1 });
    pass(1);
    expect(await fetched(store, URL_A)).toEqual({ at: 2 });
    expect(fetches).toBe(2);
    expect(await store.countUnique()).toBe(1);
  });

  test('gives the last answer with its age where fetching fails, and the error where there is none', async () => {
    expect(await fetchedOrLast(store, URL_A)).toEqual({ answer: { at: 1 }, age: 0 });
    answer = () => new Response('', { status: 503 });
    pass(10 * MINUTE);
    expect(await fetchedOrLast(store, URL_A)).toEqual({ answer: { at: 1 }, age: 10 * MINUTE });
    await expect(fetched(store, URL_A)).rejects.toThrow(`${URL_A}: 503`);
    await expect(fetchedOrLast(store, 'https://example.org/b')).rejects.toThrow('503');
    pass(30 * 24 * 60 * MINUTE);
    await expect(fetchedOrLast(store, URL_A)).rejects.toThrow('503');
  });

  test('forgets what has changed at the source', async () => {
    await fetched(store, URL_A);
    expect(await forget(store, URL_A)).toBe(true);
    expect(await fetched(store, URL_A)).toEqual({ at: 2 });
  });
});

describe('an encrypted store', () => {
  test('opens with its pass phrase alone, and moves to another', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rootcellar-recipe-'));
    const salt = new Uint8Array(16).fill(7);
    try {
      const key = await keyFrom('correct horse ﬁ', salt);
      const first = (await unlock('secret', key, { directory }))!;
      await first.set('a', 1);
      await first.close();
      expect(await unlock('secret', await keyFrom('wrong horse', salt), { directory })).toBeUndefined();
      await expect(unlock('secret', key, { directory, persistence: 'disk' })).rejects.toThrow();
      // The same text, written with other characters.
      const again = (await unlock('secret', await keyFrom('correct horse fi', salt), { directory }))!;
      const next = (await unlock('secret-2', await keyFrom('new horse', salt), { directory }))!;
      await moveTo(next, again);
      expect(again.closed).toBe(true);
      await next.close();
      expect(await unlock('secret-2', key, { directory })).toBeUndefined();
      const last = (await unlock('secret-2', await keyFrom('new horse', salt), { directory }))!;
      expect(await last.get('a')).toBe(1);
      await last.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

test.each(['counter', 'rate-limiter', 'session', 'cache-aside', 'encrypted-store'])(
  '%s is shown as it is run',
  (name) => {
    const shown = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
    const run = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
    expect(shown).toContain(`\`\`\`ts\n${run}\`\`\``);
  },
);
