/**
 * The policy that a store has by default: it tries out on a sample which way of choosing
 * victims hits best, and takes that one.
 *
 *    every use -> sketch of frequencies
 *              \-> a sample of the keys -> three small caches, one for each leaning
 *                                          that of the most hits -> the leaning of all
 *
 * What is best differs: where what is new is asked for most, any filter that a new key
 * must pass loses to plain LRU by twenty points and more; under scans and loops LRU loses
 * as much. The small caches see the very same requests, so a difference of a few hits
 * between them says more than one before and after a change would.
 *
 * The sample holds some `SAMPLE_KEYS` keys at most: a share of them by hash, and a cache
 * of that share of the size. It costs up to 70 KB and, in small stores, as much time as
 * three more policies.
 *
 * Naming a victim costs O(1): 16 looks. 31.3 bytes a key when full and 8 to 16 for the
 * sketch, twice that just after growing.
 *
 * [1] Einziger, Eytan, Friedman, Manes: Adaptive Software Cache Management. Middleware 2018.
 * [2] Waldspurger, Saemundsson, Ahmad, Park: Cache Modeling and Optimization using
 *     Miniature Simulations. USENIX ATC 2017.
 */
import type { Budget } from './policy.js';
import { type Leaning, Scored } from './scored.js';
import { Sketch } from './sketch.js';

const LEANINGS: readonly Leaning[] = [
  // Almost all for keys that are used often.
  { young: 0.01, recency: 3, halfLife: 10 },
  { young: 0.3, recency: 10, halfLife: 1 },
  // Order of use alone.
  { young: 1, recency: 0, halfLife: 1 },
];
const FIRST = 1;
const SAMPLE_KEYS = 512;
/** Requests of the sample between two choices, by the number of its keys. */
const CHOICE_AFTER = 4;
/** Another leaning must hit so much better. */
const BETTER = 1.01;
/** What was before a choice counts half. */
const DECAY = 0.5;
const SPREAD = 0x9e3779b1;

export class TinyLfu extends Scored {
  #trials: readonly Trial[] = [];
  /** Share of the keys in the sample; it only falls. */
  #rate = 1;
  #requests = 0;
  #chosen = FIRST;

  constructor({ maxBytes }: Budget) {
    super(maxBytes !== Infinity, new Sketch(), LEANINGS[FIRST]!);
  }

  override get bytes(): number {
    return this.#trials.reduce((sum, { bytes }) => sum + bytes, super.bytes + this.sketch.bytes);
  }

  override clear(): void {
    super.clear();
    this.sketch.clear();
    this.#trials = [];
    this.#rate = 1;
    this.#choose(FIRST);
  }

  protected override enter(row: number): void {
    this.#note(row);
    super.enter(row);
  }

  protected override touch(row: number): void {
    this.#note(row);
    super.touch(row);
  }

  protected override grow(capacity: number): void {
    super.grow(capacity);
    this.sketch.grow(capacity);
  }

  #note(row: number): void {
    const high = this.hashes.high[row]!;
    const low = this.hashes.low[row]!;
    this.sketch.use(high, low);
    // Before there is a victim to choose there is nothing to try.
    if (this.fullAt === Infinity) return;
    const rate = 2 ** -Math.ceil(Math.log2(Math.max(1, this.size / SAMPLE_KEYS)));
    if (this.#trials.length === 0 || rate < this.#rate) this.#begin(rate);
    if (Math.imul(high ^ low, SPREAD) >>> 0 >= this.#rate * 2 ** 32) return;
    const limit = this.#rate * this.fullAt;
    for (const trial of this.#trials) trial.request(high, low, this.sizes[row]!, limit);
    if (++this.#requests >= CHOICE_AFTER * this.#rate * this.size) this.#chooseBest();
  }

  #begin(rate: number): void {
    this.#rate = rate;
    this.#requests = 0;
    this.#trials = LEANINGS.map((leaning) => new Trial(this.bySize, this.sketch, leaning));
  }

  #chooseBest(): void {
    let best = this.#chosen;
    let most = this.#trials[best]!.hits * BETTER;
    for (const [i, { hits }] of this.#trials.entries()) {
      if (i === this.#chosen || hits <= most) continue;
      best = i;
      most = hits;
    }
    for (const trial of this.#trials) trial.hits *= DECAY;
    this.#requests = 0;
    this.#choose(best);
  }

  #choose(which: number): void {
    this.#chosen = which;
    this.leaning = LEANINGS[which]!;
  }
}

/** A small cache that is only played. */
class Trial extends Scored {
  hits = 0;

  request(high: number, low: number, size: number, limit: number): void {
    if (this.access(high, low)) {
      this.hits += 1;
      return;
    }
    const weight = this.bySize ? size : 1;
    if (weight > limit) return;
    while (this.weight + weight > limit) {
      const [victim] = this.victims(1);
      this.remove(victim![0], victim![1]);
    }
    this.add(high, low, size, 1);
  }
}
