/**
 * What a store has to do when there is no room: refuse and change nothing, answer reads,
 * be the same when it is opened again, and write when there is room.
 */
import { expect, test } from 'vitest';
import type { Browser, Page } from './keeps-and-shares.js';
import type { Life } from './load/script.js';

/** Values that are mostly different, so that the room is used up soon. */
const SHAPE = { keys: 100_000, perCall: 5, sizes: [300, 5000, 20_000, 60_000] };
/** Calls made when there is room again. */
const MORE = 20;
const PATIENCE_MS = 180_000;

export interface Room<P> {
  /** Called before the store is filled. */
  take(page: P): Promise<void>;
  /** There is room again; the page to go on with, where it is another. */
  give(page: P): Promise<P | undefined>;
}

export interface Manners {
  /** What the call that does not fit is refused with: not every engine says why it failed. */
  readonly refusal?: 'QuotaError' | 'IoError';
  /** Nothing may be reached while there is no room: the browser's own files need some. What is said then is typed. */
  readonly shut?: boolean;
}

export function refusesAndRecovers<P extends Page>(
  browser: Browser<P>,
  persistence: 'hybrid' | 'disk',
  durability: 'strict' | 'relaxed',
  room: Room<P>,
  { refusal = 'QuotaError', shut = false }: Manners = {},
): void {
  const title = `a ${durability} store in ${persistence} refuses what does not fit, loses nothing, and writes again`;
  test(title, { timeout: PATIENCE_MS }, async () => {
    let { page } = await browser.tab();
    const named = { name: `full ${persistence} ${durability}`, persistence, durability };
    const open = () =>
      page.evaluate(async ({ name, ...options }) => {
        const opening = window.rootcellar.open(name, options).then((store) => {
          window.store = store;
          return 'open';
        });
        return window.outcome(opening);
      }, named);
    const lives: Life[] = [];
    /** An engine may take the connection to IndexedDB away where there is no room: then the store is opened again. */
    const alive = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        if (persistence !== 'disk' || !/IoError|IndexedDB/.test(String(error))) throw error;
        await browser.show(page);
        expect(await open()).toBe('open');
        return work();
      }
    };
    const check = () =>
      alive(() =>
        page.evaluate(({ lives, shape }) => window.check(window.store, lives, shape), {
          lives,
          shape: SHAPE,
        }),
      );

    await room.take(page);
    expect(await open()).toBe('open');
    const { acknowledged, refused } = await page.evaluate(
      (shape) => window.fill(window.store, 1, 0, shape),
      SHAPE,
    );
    expect(refused, JSON.stringify(refused)).toMatchObject({ name: refusal });
    expect(acknowledged).toBeGreaterThan(10);
    lives.push({ seed: 1, from: 0, to: acknowledged });
    const whole = { last: acknowledged, wrong: [] };
    if (!shut) expect(await check(), 'while there is no room').toMatchObject(whole);

    await browser.show(page);
    const again = await open();
    if (shut && again !== 'open') expect(again).toMatchObject({ isStoreError: true });
    else {
      expect(again).toBe('open');
      if (!shut) expect(await check(), 'opened again while there is no room').toMatchObject(whole);
    }

    const other = await room.give(page);
    if (other) page = other;
    if (again !== 'open' || other) expect(await open()).toBe('open');
    expect(await check(), 'when there is room').toMatchObject(whole);
    const more = { seed: 2, from: acknowledged + 1, to: acknowledged + MORE };
    await alive(() =>
      page.evaluate(
        ({ more: { seed, from, to }, shape }) => window.write(window.store, seed, from, to, shape),
        {
          more,
          shape: SHAPE,
        },
      ),
    );
    lives.push(more);
    await page.evaluate(() => window.store.close());
    await browser.show(page);
    expect(await open()).toBe('open');
    expect(await check(), 'written again').toMatchObject({ last: more.to, wrong: [] });
    await page.evaluate(() => window.store.destroy());
    await page.close();
  });
}
