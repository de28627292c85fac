/**
 * Browsers of each engine killed under load: `kill -9` of all their processes, at any
 * moment. What was answered before has to be there, as one whole version of the store.
 *
 * `npm run kills` makes more of them than every run of the tests, and prints the table.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DrivenBrowser } from './engines/driven-browser.js';
import { findEngines } from './engines/engine.js';
import { Subject, scenarios } from './load/scenario.js';
import { printTable, type Row } from './load/table.js';

const FULL = process.env.ROOTCELLAR_FULL !== undefined;
const KILLS = FULL ? { chromium: 36, firefox: 18, webkit: 18 } : { chromium: 7, firefox: 3, webkit: 2 };
/** The longest that a load goes on. */
const LOAD_MS = 1500;

describe.each(await findEngines())('kills of $name', (engine) => {
  const browser = new DrivenBrowser(engine);
  const rows: Row[] = [];
  beforeAll(() => browser.start());
  afterAll(async () => {
    await browser.stop();
    printTable(`${rows.length} kills of ${engine.name}`, rows);
  });

  const all = scenarios((['hybrid', 'disk'] as const).filter((place) => engine.modes.includes(place)));
  const old = new Map(all.map((scenario) => [scenario, new Subject(scenario)]));
  const kills = Array.from({ length: KILLS[engine.name] }, (_, i) => {
    const scenario = all[i % all.length]!;
    return { n: i + 1, title: scenario.title, persistence: scenario.persistence, scenario };
  });

  test.each(kills)('lose nothing and tear nothing ($n: $title, $persistence)', async ({ n, scenario }) => {
    const subject = scenario.fresh ? new Subject(scenario, n) : old.get(scenario)!;
    const { page } = await browser.tab();
    await subject.load(browser, page, n);
    // A new store is also killed while it is being made.
    if (!scenario.fresh) await subject.answersCome();
    await delay(Math.random() * LOAD_MS);
    const { acknowledged, error } = subject.reached;
    const { answered } = subject;
    expect(error).toBeUndefined();
    await browser.restart();
    const { page: again } = await browser.tab();
    const { last, wrong, torn } = await subject.find(again);
    rows.push({
      scenario: scenario.title,
      in: scenario.persistence,
      kills: 1,
      answered,
      lost: Math.max(0, acknowledged - last),
      'not answered, found': Math.max(0, last - acknowledged),
      'torn bytes': torn,
      wrong: wrong.length,
    });
    expect(wrong).toEqual([]);
    expect(last).toBeGreaterThanOrEqual(acknowledged);
  });
});
