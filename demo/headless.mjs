/**
 * The main job of the demo in a browser without a window, checked.
 *
 * It does what a person would: loads the data by the button, reloads the page,
 * reloads it once more with the server gone, and looks keys up in between. All
 * figures come from the page's own store, and are checked against the data set.
 */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchProfile } from '../scripts/browser.mjs';
import { readDataSet, records } from './data.mjs';

const SAMPLE = 10_000;
const WAIT_MS_MAX = 120_000;
/** Looked up as a person would, the last one is in the pictures: supported, in part, behind a flag and not. */
const TYPED = ['dialog', 'grid-template-columns', 'GPU'];
const SHOWN = 'api.GPU';

/**
 * Runs the job against the server at `server.url`, which it closes on the way.
 *
 * @param {{ url: string, close(): Promise<void> }} server
 * @param {{ persistence?: string, screenshots: string, print: (line: string) => void }} options
 * @returns {Promise<string[]>} what was wrong; empty when all was right
 */
export async function runHeadless(server, { persistence, screenshots, print }) {
  const wrong = [];
  const expect = (what, found, expected) => {
    if (found !== expected) wrong.push(`${what}: expected ${expected}, found ${found}`);
  };
  const profile = await mkdtemp(join(tmpdir(), 'rootcellar-demo-'));
  const context = await launchProfile(profile, { viewport: { width: 1280, height: 900 } });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on('pageerror', (error) => wrong.push(`the page threw ${error}`));
    const truth = new Map(records(readDataSet()));

    const address = new URL(persistence ? `?persistence=${persistence}` : '', server.url).href;
    await page.goto(address);
    await reach(page, 'empty');
    await page.locator('#load').click();
    print(`Stored:    ${await reach(page, 'full')}`);
    const stored = await figuresOf(page);
    print(inWords(stored));
    expect('keys', stored.keys, truth.size);
    expect(
      'distinct values',
      stored.values,
      new Set([...truth.values()].map((value) => JSON.stringify(value))).size,
    );
    // What is served from here on is what the service worker has kept.
    await page.getByText('Works offline').waitFor();

    if (stored.mode === 'memory') {
      print('Memory only: nothing is kept over a reload, so that is not tried.');
    } else {
      await page.reload();
      print(`Reloaded:  ${await reach(page, 'full')}`);
      const reloaded = await figuresOf(page);
      print(inWords(reloaded));
      compare(reloaded, stored, 'after a reload', expect);

      await server.close();
      await context.setOffline(true);
      await page.reload();
      print(`Offline:   ${await reach(page, 'full')}`);
      compare(await figuresOf(page), stored, 'offline', expect);
    }
    await checkContents(page, truth, print, expect);
    await checkLookups(page, truth, print, expect);
    await use(page, truth, expect);
    await shoot(page, screenshots, print);
  } finally {
    await context.close();
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  return wrong;
}

/**
 * Waits until the page's panel has come to rest; gives the note that it shows.
 *
 * @throws Error with what the panel says, when that is not the state that was expected.
 */
async function reach(page, state) {
  const resting = ['empty', 'part', 'full', 'failed'].map((name) => `#store[data-state=${name}]`);
  await page.locator(resting.join()).waitFor({ timeout: WAIT_MS_MAX });
  const note = await page.locator('#store-note').textContent();
  if ((await page.locator('#store').getAttribute('data-state')) === state) return note;
  throw new Error(`${await page.locator('#store-title').textContent()}. ${note}`);
}

/** What the store says about itself. */
function figuresOf(page) {
  return page.evaluate(async () => {
    const { cellar } = globalThis;
    const [stats, health, values] = await Promise.all([
      cellar.stats(),
      cellar.health(),
      cellar.countUnique(),
    ]);
    return {
      keys: await cellar.count(),
      values,
      before: health.logicalBytes,
      after: health.totalBytes,
      disk: health.storedBytes,
      ratio: health.dedupRatio,
      maplet: stats.maplet.bytes,
      bitsPerKey: stats.maplet.bitsPerKey,
      memory: await cellar.memoryUsage(),
      mode: cellar.mode,
      reason: cellar.capabilities.reason,
    };
  });
}

function inWords(figures) {
  const n = new Intl.NumberFormat('en');
  const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    `           ${n.format(figures.keys)} keys, ${n.format(figures.values)} distinct values: ${figures.ratio.toFixed(1)} keys to a value`,
    `           values of ${mb(figures.before)}, stored as ${mb(figures.after)}; ${mb(figures.disk)} on disk with keys and index`,
    `           index of ${mb(figures.maplet)} (${figures.bitsPerKey.toFixed(1)} bits a key), ${mb(figures.memory)} of memory in all`,
    `           mode ${figures.mode}: ${figures.reason}`,
  ].join('\n');
}

function compare(now, before, when, expect) {
  for (const name of ['keys', 'values', 'before', 'after', 'mode'])
    expect(`${name} ${when}`, now[name], before[name]);
}

/** Every record, in the order of a scan, by one checksum on either side. */
async function checkContents(page, truth, print, expect) {
  const hash = createHash('sha256');
  for (const key of [...truth.keys()].sort()) hash.update(`${key}\n${JSON.stringify(truth.get(key))}\n`);
  const found = await page.evaluate(async () => {
    const start = performance.now();
    let text = '';
    for await (const [key, value] of globalThis.cellar) text += `${key}\n${JSON.stringify(value)}\n`;
    const ms = performance.now() - start;
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
    return {
      ms,
      hex: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
    };
  });
  expect('SHA-256 of all records', found.hex, hash.digest('hex'));
  print(
    `Contents:  all ${truth.size} records compared by SHA-256, read in order in ${(found.ms / 1000).toFixed(1)} s`,
  );
}

/** Keys drawn from the data set, and keys like them that are not in it: every answer is compared. */
async function checkLookups(page, truth, print, expect) {
  const random = sequence(20_261_121);
  const all = [...truth.keys()];
  const present = Array.from({ length: SAMPLE }, () => all[random(all.length)]);
  const absent = Array.from({ length: SAMPLE }, (_, i) => spoil(all[random(all.length)], i));
  const clash = absent.find((key) => truth.has(key));
  if (clash !== undefined) throw new Error(`expected an absent key, made ${clash}`);

  const ask = (keys) =>
    page.evaluate(async (keys) => {
      const { cellar } = globalThis;
      const start = performance.now();
      const values = await cellar.getMany(keys);
      const ms = performance.now() - start;
      // A missing value is told from a stored one of any kind.
      return { ms, answers: values.map((value) => (value === undefined ? null : JSON.stringify(value))) };
    }, keys);
  const found = await ask(present);
  const missing = await ask(absent);
  const right = present.filter((key, i) => found.answers[i] === JSON.stringify(truth.get(key))).length;
  const rightAbsent = missing.answers.filter((answer) => answer === null).length;
  expect('look-ups answered right', right, SAMPLE);
  expect('absent keys answered as absent', rightAbsent, SAMPLE);
  const rate = await page.evaluate(async () => (await globalThis.cellar.stats()).maplet);
  print(
    `Look-ups:  ${right} of ${SAMPLE} sampled keys right in ${found.ms.toFixed(0)} ms, ` +
      `${rightAbsent} of ${SAMPLE} absent keys absent in ${missing.ms.toFixed(0)} ms`,
  );
  print(
    `           false positives of the index: ${(rate.measuredFalsePositiveRate * 100).toFixed(3)} % of ` +
      `${rate.absentLookups} absent keys (promised: ${rate.targetFalsePositiveRate * 100} % at most)`,
  );
}

/** A key that differs from one of the data set in its end, its beginning or its middle. */
function spoil(key, i) {
  if (i % 3 === 0) return `${key}x`;
  if (i % 3 === 1) return `x${key}`;
  return key.replace('/', '/no_');
}

/** Numbers below a bound, the same ones at every run (a linear congruence; Numerical Recipes). */
function sequence(seed) {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** The look-up as a person uses it: by keyboard, to a feature that the page shows. */
async function use(page, truth, expect) {
  for (const text of TYPED) {
    const search = page.locator('#search');
    await search.fill(text);
    await page.locator('#suggestions [role=option]').first().waitFor();
    await search.press('ArrowDown');
    await search.press('Enter');
    await page.locator('.feature h2', { hasText: text }).waitFor();
  }
  expect('the address', decodeURIComponent(new URL(page.url()).hash.slice(1)), SHOWN);
  const cell = page
    .locator('.feature tr')
    .filter({ has: page.getByRole('rowheader', { name: 'Chrome', exact: true }) });
  const [{ version_added: since }] = [truth.get(`${SHOWN}/chrome`)].flat();
  expect(`${SHOWN} in Chrome`, await cell.locator('.short').textContent(), since);
}

/** Light and dark, wide and narrow. */
async function shoot(page, directory, print) {
  await mkdir(directory, { recursive: true });
  await page.locator('#recent li').nth(2).waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  for (const [shape, width, height] of [
    ['wide', 1280, 900],
    ['narrow', 390, 844],
  ]) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const path = join(directory, `${shape}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
      print(`Picture:   ${path}`);
    }
  }
}
