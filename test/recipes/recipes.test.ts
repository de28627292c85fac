/** The recipes of docs/recipes.md do what they say, and are shown there as they are run here. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { open, type Store } from '../../src/index.js';
import { countVisit, placeOrder } from './counter.js';
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

test.each(['counter', 'rate-limiter', 'session'])('%s is shown as it is run', (name) => {
  const shown = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
  const run = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
  expect(shown).toContain(`\`\`\`ts\n${run}\`\`\``);
});
