/**
 * No room, in three ways: the quota of Chromium, that of Firefox, and a disk that is full,
 * under each engine. `npm run kills` tries strict stores as well.
 */
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { TestBrowser } from './browser.js';
import { DrivenBrowser } from './engines/driven-browser.js';
import { findEngines, firefox } from './engines/engine.js';
import { PowerDisk } from './engines/power-disk.js';
import { type Manners, refusesAndRecovers } from './full.js';
import type { Page } from './keeps-and-shares.js';

const FULL = process.env.ROOTCELLAR_FULL !== undefined;
const DURABILITIES = FULL ? (['relaxed', 'strict'] as const) : (['relaxed'] as const);
const PLACES = ['hybrid', 'disk'] as const;
const DISK_MB = 400;
/** Of a disk, when a store begins to fill it. */
const LEFT_BYTES = 15 * 2 ** 20;
/** What engines do on a full disk that a store cannot make good. */
const MANNERS: Readonly<Record<string, Manners>> = {
  // The connection closes, sometimes while the store is being opened.
  'chromium disk': { shut: true },
  // `getDirectoryHandle` and the like reject with UnknownError.
  'firefox hybrid': { shut: true },
  // A transaction is aborted without a word, also that of opening.
  'webkit disk': { shut: true, refusal: 'IoError' },
};
const engines = await findEngines();

describe('the quota of chromium', () => {
  const browser = new TestBrowser();
  beforeAll(() => browser.start());
  afterAll(() => browser.stop());

  const allow = async (bytes?: number) => {
    const page = browser.context.pages().at(-1)!;
    const session = await browser.context.newCDPSession(page);
    const { origin } = new URL(page.url());
    const quota = bytes === undefined ? {} : { quotaSize: bytes };
    await session.send('Storage.overrideQuotaForOrigin', { origin, ...quota });
  };
  const room = {
    take: () => allow(6 * 2 ** 20),
    give: () => allow().then(() => undefined),
  };
  for (const place of PLACES) {
    for (const durability of DURABILITIES) refusesAndRecovers(browser, place, durability, room);
  }
});

const limited = firefox({ 'dom.quotaManager.temporaryStorage.fixedLimit': 40 * 1024 });
describe.runIf(limited)('the quota of firefox', () => {
  const browser = new DrivenBrowser(limited!);
  beforeAll(() => browser.start());
  afterAll(() => browser.stop());

  // A group of origins may use half of the limit; here another store gives back what it had.
  const take = (page: Page) =>
    page.evaluate(async () => {
      const ballast = await window.rootcellar.open('ballast', { persistence: 'hybrid' });
      for (let i = 0; i < 4; i++) await ballast.set(`${i}`, new Uint8Array(2 ** 20).fill(i));
      await ballast.close();
    });
  const give = (page: Page) =>
    page.evaluate(() => window.rootcellar.destroy('ballast')).then(() => undefined);
  for (const place of PLACES) {
    for (const durability of DURABILITIES) refusesAndRecovers(browser, place, durability, { take, give });
  }
});

const missing = PowerDisk.missing();
if (missing) console.warn(`SKIPPED: no disk is filled, because ${missing}`);

// Browsers behave on a full disk in more ways than one (docs/durability.md): for the long run.
describe.skipIf(missing).each(FULL ? engines : [])('a full disk under $name', (engine) => {
  const disk = new PowerDisk(`full-${engine.name}`);
  const browser = new DrivenBrowser(engine, join(disk.path, 'profile'));
  beforeAll(async () => {
    disk.make(DISK_MB);
    await browser.start();
  });
  afterAll(async () => {
    await browser.stop();
    await disk.remove();
  });

  const ballast = join(disk.path, 'ballast');
  const room = {
    take: async () => {
      const file = openSync(ballast, 'w');
      while (freeBytes(disk.path) > LEFT_BYTES) {
        writeSync(file, Buffer.alloc(2 ** 20, 1));
        fsyncSync(file);
      }
      closeSync(file);
    },
    give: async () => {
      rmSync(ballast);
      if (engine.name !== 'firefox') return undefined;
      // It opens no file any more, until it is started again.
      await browser.restart();
      return (await browser.tab()).page;
    },
  };
  for (const place of PLACES.filter((one) => engine.modes.includes(one))) {
    for (const durability of DURABILITIES) {
      refusesAndRecovers(browser, place, durability, room, MANNERS[`${engine.name} ${place}`]);
    }
  }
});

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
