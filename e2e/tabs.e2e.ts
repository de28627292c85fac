/**
 * Four tabs with one store, whose leader is killed, crashed, frozen, kept busy, sent elsewhere
 * or closed every half second. What they saw must be linearizable for each key, and no
 * addition may be lost or made twice. The longer run is `npm run tabs`. The table is in docs/tabs.md.
 */
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser } from './browser.js';
import { judge } from './histories/judge.js';
import type { Note } from './histories/play.js';

const FULL = process.env['ROOTCELLAR_FULL'] !== undefined;
const HISTORIES = FULL ? 10 : 1;
const TABS = 4;
const CALLS = 500;
const IN_FLIGHT = 2;
const EVERY_MS = 500;
/** Longer than a leader may be silent before its lock is taken. */
const BLOCKED_MS = 8000;

const browser = new TestBrowser();

beforeAll(() => browser.start());
afterAll(() => browser.stop());

interface Playing {
  readonly tab: number;
  readonly page: Page;
  over: boolean;
}

const DISTURBANCES = ['close', 'crash', 'freeze', 'block', 'away'] as const;
type Disturbance = (typeof DISTURBANCES)[number];

class History {
  readonly notes: Note[] = [];
  readonly disturbances: Disturbance[] = [];
  /** From the death of a leader to the first write that was begun after it and answered. */
  readonly failovers: number[] = [];
  #playing: Playing[] = [];
  #opened = 0;
  #made = 0;

  constructor(
    readonly name: string,
    readonly persistence: 'hybrid' | 'disk',
  ) {}

  async run(): Promise<void> {
    await this.#openMissing();
    for (let turn = 0; this.#made < TABS * CALLS && turn < 100; turn++) {
      await pause(EVERY_MS);
      await this.#disturb(DISTURBANCES[turn % DISTURBANCES.length]!);
      await this.#openMissing();
    }
  }

  /** What the counters hold at the end, as a tab of its own finds it. */
  async counters(): Promise<Record<string, number>> {
    const { page } = await browser.tab();
    const found = await page.evaluate(
      async ([name, persistence]) => {
        const store = await window.rootcellar.open(name!, { persistence: persistence as 'disk' });
        return Object.fromEntries(await store.entries<number>({ prefix: 'counter' }));
      },
      [this.name, this.persistence] as const,
    );
    await page.close();
    return found;
  }

  async closeAll(): Promise<void> {
    for (const { page } of this.#playing) await page.close().catch(() => {});
  }

  async #openMissing(): Promise<void> {
    const playing = this.#playing.filter(({ over }) => !over).length;
    const missing = Array.from({ length: TABS - playing }, () => this.#open());
    await Promise.all(missing);
  }

  async #open(): Promise<void> {
    const page = await browser.context.newPage();
    await page.exposeFunction('note', (note: Note) => {
      this.notes.push(note);
      this.#made += Number(!note.answered);
    });
    await browser.show(page);
    const playing: Playing = { tab: this.#opened++, page, over: false };
    this.#playing.push(playing);
    const play = {
      name: this.name,
      persistence: this.persistence,
      tab: playing.tab,
      calls: CALLS,
      inFlight: IN_FLIGHT,
    };
    page
      .evaluate((asked) => window.play(asked), play)
      .then(
        () => {
          playing.over = true;
        },
        () => {},
      );
  }

  async #disturb(how: Disturbance): Promise<void> {
    const leader = await this.#leader();
    if (!leader) return;
    this.disturbances.push(how);
    const { page } = leader;
    const gone = () => {
      this.#playing = this.#playing.filter((other) => other !== leader);
      return Date.now();
    };
    if (how === 'close') {
      await page.close();
      this.#watchFailover(gone());
    } else if (how === 'crash') {
      const session = await browser.context.newCDPSession(page);
      session.send('Page.crash').catch(() => {});
      await page.waitForEvent('crash', { timeout: 5000 }).catch(() => {});
      this.#watchFailover(gone());
      await page.close().catch(() => {});
    } else if (how === 'freeze') {
      const session = await browser.context.newCDPSession(page);
      await session.send('Page.setWebLifecycleState', { state: 'frozen' });
      await pause(EVERY_MS);
      await session.send('Page.setWebLifecycleState', { state: 'active' });
    } else if (how === 'block') {
      const [worker] = page.workers();
      await worker!.evaluate((ms) => {
        for (const until = Date.now() + ms; Date.now() < until; );
      }, BLOCKED_MS);
    } else if (how === 'away') {
      await page.goto('about:blank');
      this.#watchFailover(gone());
      await page.close();
    }
  }

  #watchFailover(died: number): void {
    const from = this.notes.length;
    const timer = setInterval(() => {
      const begun = new Set<string>();
      for (const note of this.notes.slice(from)) {
        const name = `${note.tab}.${note.call}`;
        if (!note.answered && note.at >= died) begun.add(name);
        if (!note.answered || note.error || note.kind === 'read' || !begun.has(name)) continue;
        this.failovers.push(note.at - died);
        clearInterval(timer);
        return;
      }
    }, 20);
    setTimeout(() => clearInterval(timer), 20_000).unref();
  }

  async #leader(): Promise<Playing | undefined> {
    for (const playing of this.#playing) {
      const leads = await Promise.race([
        playing.page.evaluate(() => window.leads()).catch(() => false),
        pause(2000).then(() => false),
      ]);
      if (leads) return playing;
    }
    return undefined;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe.each(['hybrid', 'disk'] as const)('tabs that share a store in %s', (persistence) => {
  test(
    `see one history, whatever becomes of the leader, ${HISTORIES} times`,
    async () => {
      const failovers: number[] = [];
      const disturbed: Record<string, number> = {};
      let calls = 0;
      for (let i = 0; i < HISTORIES; i++) {
        const history = new History(`history-${persistence}-${i}`, persistence);
        await history.run();
        await pause(3000);
        const verdict = judge(history.notes, await history.counters());
        await history.closeAll();
        expect(verdict.violations).toEqual([]);
        expect(verdict.answered).toBeGreaterThan((TABS * CALLS) / 2);
        failovers.push(...history.failovers);
        calls += verdict.calls;
        for (const how of history.disturbances) disturbed[how] = (disturbed[how] ?? 0) + 1;
      }
      failovers.sort((a, b) => a - b);
      const ms = (at: number) => `${failovers[Math.floor(at * (failovers.length - 1))]?.toFixed(0)} ms`;
      console.log(
        `${persistence}: ${HISTORIES} histories, ${calls} calls, ${JSON.stringify(disturbed)}; ` +
          `failover of ${failovers.length}: median ${ms(0.5)}, worst ${ms(1)}`,
      );
    },
    120_000 * HISTORIES + 60_000,
  );
});
