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

const KINDS: readonly Omit<Scenario, 'persistence'>[] = [
  { title: 'strict writes', durability: 'strict', shape: SMALL, inFlight: 8 },
  {
    title: 'compaction',
    durability: 'relaxed',
    shape: { keys: 60, perCall: 3, sizes: [5000, 60_000] },
    inFlight: 4,
    compacting: true,
  },
  {
    title: 'relaxed writes, a store that is new',
    durability: 'relaxed',
    shape: SMALL,
    inFlight: 8,
    fresh: true,
  },
  // Enough keys and bytes that extents are sealed and images written again and again.
  {
    title: 'images',
    durability: 'relaxed',
    shape: { keys: 40_000, perCall: 300, sizes: [5, 50, 300] },
    inFlight: 4,
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
];

/** Each kind in each place a store can live in; neighbours differ in both. */
export function scenarios(places: readonly Scenario['persistence'][]): Scenario[] {
  return places.flatMap((_, turn) =>
    KINDS.map((kind, i) => ({ ...kind, persistence: places[(turn + i) % places.length]! })),
  );
}

/** A store over all its lives. */
export class Subject {
  readonly #lives: Life[] = [];
  #reached: Reached | undefined;
  readonly #name: string;

  /** `n` tells apart the stores of one scenario. */
  constructor(
    readonly scenario: Scenario,
    n = 0,
  ) {
    this.#name = `${scenario.title} ${scenario.persistence} ${n}`;
  }

  /** Makes calls until the browser dies. `seed` is one that no life of this store had. */
  async load(browser: DrivenBrowser, page: Tab, seed: number): Promise<void> {
    const from = (this.#lives.at(-1)?.to ?? -1) + 1;
    this.#lives.push({ seed, from, to: from - 1 });
    this.#reached = { acknowledged: from - 1, durable: from - 1, flushed: from - 1 };
    browser.onReport = (reached) => {
      this.#reached = reached as Reached;
    };
    const { title, fresh, ...load } = this.scenario;
    await page.evaluate(({ load, seed, from }) => window.startLoad(load, seed, from), {
      load: { ...load, name: this.#name },
      seed,
      from,
    });
  }

  /** How far the calls got, as far as the test was told. */
  get reached(): Reached {
    return this.#reached!;
  }

  /** Resolves when the first call of this life was answered. */
  async answersCome(): Promise<void> {
    await vi.waitUntil(() => this.answered > 0 || this.reached.error, { timeout: 30_000, interval: 10 });
  }

  /** The calls of this life that were answered. */
  get answered(): number {
    return this.#reached!.acknowledged - this.#lives.at(-1)!.from + 1;
  }

  /** Opens it again on `page` and compares all of it; what was found is what the next life goes on from. */
  async find(page: Tab): Promise<Found> {
    const { persistence, shape } = this.scenario;
    const found = await page.evaluate(
      async ({ name, persistence, lives, shape }) => {
        const store = await window.rootcellar.open(name, { persistence });
        const found = await window.check(store, lives, shape);
        await store.close();
        return found;
      },
      { name: this.#name, persistence, lives: this.#lives, shape },
    );
    const latest = this.#lives.pop()!;
    this.#lives.push({ ...latest, to: found.last });
    return found;
  }
}
