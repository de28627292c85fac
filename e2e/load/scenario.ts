/** What a store is doing when its browser dies, and what was seen of it from outside. */
import { vi } from 'vitest';
import type { DrivenBrowser } from '../engines/driven-browser.js';
import type { Tab } from '../engines/tab.js';
import type { Found } from './check.js';
import type { Load, Reached } from './load.js';
import type { Life } from './script.js';

export interface Scenario extends Omit<Load, 'name'> {
  /** In words, for tables. */
  readonly title: string;
  /** Each time a store that was not there before. */
  readonly fresh?: boolean;
}

const SMALL = { keys: 2000, perCall: 3, sizes: [5, 20, 100, 1000, 5000] };
/** From what IndexedDB of Chromium keeps beside its database to more than it writes at once. */
const LARGE = { keys: 12, perCall: 2, sizes: [70_000, 400_000, 3_000_000] };

const KINDS: readonly Omit<Scenario, 'persistence'>[] = [
  { title: 'strict writes', durability: 'strict', shape: SMALL, inFlight: 8 },
  {
    title: 'compaction',
    durability: 'relaxed',
    shape: { keys: 60, perCall: 3, sizes: [5000, 60_000] },
    inFlight: 4,
    compacting: true,
    flushEveryMs: 200,
  },
  {
    title: 'relaxed writes, a store that is new',
    durability: 'relaxed',
    shape: SMALL,
    inFlight: 8,
    flushEveryMs: 200,
    fresh: true,
  },
  // Enough keys and bytes that extents are sealed and images written again and again.
  {
    title: 'images',
    durability: 'relaxed',
    shape: { keys: 40_000, perCall: 300, sizes: [5, 50, 300] },
    inFlight: 4,
    flushEveryMs: 200,
  },
  {
    title: 'strict writes, a store that is new',
    durability: 'strict',
    shape: SMALL,
    inFlight: 8,
    fresh: true,
  },
  { title: 'relaxed writes', durability: 'relaxed', shape: SMALL, inFlight: 8, flushEveryMs: 50 },
  { title: 'closing and opening', durability: 'relaxed', shape: SMALL, inFlight: 8, callsPerOpening: 400 },
  { title: 'strict writes of large values', durability: 'strict', shape: LARGE, inFlight: 2 },
  {
    title: 'strict writes of large values, a store that is new',
    durability: 'strict',
    shape: LARGE,
    inFlight: 2,
    fresh: true,
  },
];

/** Each kind in each place a store can live in; neighbours differ in both. */
export function scenarios(places: readonly Scenario['persistence'][]): Scenario[] {
  return places.flatMap((_, turn) =>
    KINDS.map((kind, i) => ({ ...kind, persistence: places[(turn + i) % places.length]! })),
  );
}

/** A store over all its lives. */
export class Subject {
  readonly #lives: Life[];
  readonly #name: string;
  /** What was reported of this life, and when. */
  readonly #reports: { readonly at: number; readonly reached: Reached }[] = [];

  /** `n` tells apart the stores of one scenario. */
  constructor(
    readonly scenario: Scenario,
    readonly n = 0,
    lives: readonly Life[] = [],
  ) {
    this.#name = `${scenario.title} ${scenario.persistence} ${n}`;
    this.#lives = [...lives];
  }

  /** The same store, once more as it is now. */
  copy(): Subject {
    return new Subject(this.scenario, this.n, this.#lives);
  }

  /** Makes the store with so many calls in it, in a life of its own, and closes it. */
  async make(page: Tab, calls: number): Promise<void> {
    const life = { seed: 0, from: 0, to: calls - 1 };
    await page.evaluate(({ load, life }) => window.makeStore(load, life), { load: this.#load, life });
    this.#lives.push(life);
  }

  /** Makes calls until the browser dies. `seed` is one that no life of this store had. */
  async load(browser: DrivenBrowser, page: Tab, seed: number): Promise<void> {
    const from = (this.#lives.at(-1)?.to ?? -1) + 1;
    this.#lives.push({ seed, from, to: from - 1 });
    const none = { acknowledged: from - 1, durable: from - 1, flushed: from - 1 };
    this.#reports.splice(0, Infinity, { at: performance.now(), reached: none });
    browser.onReport = (reached) => {
      this.#reports.push({ at: performance.now(), reached: reached as Reached });
    };
    await page.evaluate(({ load, seed, from }) => window.startLoad(load, seed, from), {
      load: this.#load,
      seed,
      from,
    });
  }

  get #load(): Load {
    const { title, fresh, ...load } = this.scenario;
    return { ...load, name: this.#name };
  }

  /** How far the calls got, as far as the test was told. */
  get reached(): Reached {
    return this.#reports.at(-1)!.reached;
  }

  /** When the test was told that call `n` was answered. REQUIRES: it was told. */
  answeredAt(n: number): number {
    return this.#reports.find(({ reached }) => reached.acknowledged >= n)!.at;
  }

  /** Resolves when the first call of this life was answered. */
  async answersCome(): Promise<void> {
    const come = () => this.answered > 0 || this.reached.error;
    await vi.waitUntil(come, { timeout: 30_000, interval: 10 });
  }

  /** The calls of this life that were answered. */
  get answered(): number {
    return this.ofThisLife(this.reached.acknowledged);
  }

  /** How many calls of this life there are up to number `n`. */
  ofThisLife(n: number): number {
    return Math.max(0, n - this.#lives.at(-1)!.from + 1);
  }

  /** Opens it again on `page` and compares all of it; what was found is what the next life goes on from. */
  async find(page: Tab): Promise<Found> {
    const { persistence, shape } = this.scenario;
    const found = await page.evaluate(
      async ({ name, persistence, lives, shape }) => {
        try {
          const store = await window.rootcellar.open(name, { persistence });
          const found = await window.check(store, lives, shape);
          await store.close();
          return found;
        } catch (error) {
          // Nothing is there for who cannot open it.
          return { last: -1, wrong: [String(error)], torn: 0 };
        }
      },
      { name: this.#name, persistence, lives: this.#lives, shape },
    );
    const latest = this.#lives.pop()!;
    this.#lives.push({ ...latest, to: found.last });
    return found;
  }
}
