/**
 * A window of keys that came or were used lately, and a main region for those that are
 * used often. Who is worth least goes.
 *
 *    new -> window --too full: its oldest is worth more than the victim--> main
 *             |                                                             |
 *             +--- victim: worth least of 16 taken at random of both -------+
 *
 * The worth of a key is
 *
 *    (uses lately + R * H / (H + age)) * cost / sqrt(size)
 *
 * with age and H in uses of all keys, so that of two that are used as often the one that
 * was used later stays, and of two that are used alike the one that takes less. A sample
 * of 16 finds one of the worst tenth in 4 of 5 cases, and costs the same however many
 * keys there are; the regions are plain columns.
 *
 * How large the window is and how much recent use counts is the *leaning*: what is best
 * differs from use to use (`tinylfu.ts` chooses).
 *
 * Invariants beside those of `residents.ts`
 *  1. `level` of a row is its region, which is its ring.
 *  2. `weight` and `youngWeight` count rows that are in a ring, by bytes or each as one.
 */
import { enlarged } from '../../base/hash-rows.js';
import { COST_ONE, COST_STEPS, Residents } from './residents.js';
import type { Sketch } from './sketch.js';

const WINDOW = 0;
const MAIN = 1;
const SAMPLE = 16;
/** Rows that are looked at for a sample: some are free, or set aside. */
const TRIES = 64;

export interface Leaning {
  /** Share of the window. 1: the order of use alone counts, as in `lru`. */
  readonly young: number;
  /** What having been used just now counts, in uses. */
  readonly recency: number;
  /** Age at which that is half, by the number of keys. */
  readonly halfLife: number;
}

export class Scored extends Residents {
  /** Weight at which victims were last asked for: below it there is room. */
  protected fullAt = Infinity;
  protected weight = 0;
  #youngWeight = 0;
  #costs = new Uint8Array(this.hashes.capacity).fill(COST_ONE);
  #random = 0x2545f491;

  constructor(
    readonly bySize: boolean,
    protected readonly sketch: Sketch,
    protected leaning: Leaning,
  ) {
    super(2);
  }

  override get bytes(): number {
    return super.bytes + this.hashes.capacity;
  }

  override clear(): void {
    super.clear();
    this.#costs = new Uint8Array(this.hashes.capacity).fill(COST_ONE);
    this.weight = this.#youngWeight = 0;
    this.fullAt = Infinity;
  }

  protected enter(row: number): void {
    this.rings.append(WINDOW, row);
    this.#give(row);
    // While there is room nobody has to compete for main.
    if (this.weight < this.fullAt * ROOM) this.#fillMain(row);
  }

  protected touch(row: number): void {
    const { young } = this.leaning;
    if (this.level[row] === MAIN && young < 1) return;
    this.rings.remove(row);
    if (this.level[row] === MAIN) {
      this.level[row] = WINDOW;
      this.#youngWeight += this.#weightOf(row);
    }
    this.rings.append(WINDOW, row);
  }

  protected next(): number {
    if (this.weight < this.fullAt) this.fullAt = Math.max(this.weight, this.fullAt * ROOM);
    if (this.fullAt === Infinity) this.fullAt = this.weight;
    const oldest = this.rings.first(WINDOW);
    const victim = this.leaning.young === 1 ? this.#leastRecent(oldest) : this.#leastWorth(oldest);
    this.#take(victim);
    return victim;
  }

  protected back(row: number): void {
    this.rings.prepend(this.level[row]!, row);
    this.#give(row);
  }

  protected override leave(row: number, evicted: boolean): void {
    if (!evicted) this.#take(row);
  }

  protected override resize(row: number, size: number, cost?: number): void {
    const aside = this.isAside(row);
    if (!aside) this.#take(row);
    this.sizes[row] = size;
    if (cost !== undefined) this.setCost(row, cost);
    if (!aside) this.#give(row);
  }

  protected override setCost(row: number, cost: number): void {
    const steps = COST_ONE + Math.round(COST_STEPS * Math.log2(cost));
    this.#costs[row] = Math.min(255, Math.max(1, steps));
  }

  protected override grow(capacity: number): void {
    this.#costs = enlarged(this.#costs, new Uint8Array(capacity).fill(COST_ONE));
  }

  /** How often it was used lately goes into what is kept, its region does not. */
  override rows() {
    const rows = super.rows();
    const { high, low, size, level } = rows;
    for (let i = 0; i < level.length; i++) {
      level[i] = size[i] === 0 ? 0 : this.sketch.frequency(high[i]!, low[i]!);
    }
    return { ...rows, cost: this.#costs.slice(0, level.length) };
  }

  protected override enterAgain(row: number, uses: number): void {
    const { high, low } = this.hashes;
    for (let i = 0; i < uses; i++) this.sketch.use(high[row]!, low[row]!);
    this.enter(row);
  }

  /** The oldest of the window leaves it: it goes, or the victim does, or there is no need yet. */
  #leastWorth(oldest: number): number {
    const worst = this.#worstOfSample();
    if (oldest < 0 || this.#youngWeight <= this.leaning.young * this.weight) return worst;
    if (worst === oldest || this.#merit(oldest) <= this.#merit(worst)) return oldest;
    this.#toMain(oldest);
    return worst;
  }

  /** Of the window the oldest, unless one of main is older. */
  #leastRecent(oldest: number): number {
    if (this.#youngWeight === this.weight) return oldest;
    const { used } = this;
    let least = oldest < 0 ? this.rings.first(MAIN) : oldest;
    for (let tries = 0; tries < SAMPLE; tries++) {
      const row = this.#randomRow();
      if (this.#isIn(row) && used[row]! < used[least]!) least = row;
    }
    return least;
  }

  #worstOfSample(): number {
    let worst = -1;
    let least = Infinity;
    for (let tries = 0, found = 0; tries < TRIES && found < SAMPLE; tries++) {
      const row = this.#randomRow();
      if (!this.#isIn(row)) continue;
      found += 1;
      const worth = this.#worth(row);
      if (worth >= least) continue;
      least = worth;
      worst = row;
    }
    if (worst >= 0) return worst;
    const oldest = this.rings.first(WINDOW);
    return oldest < 0 ? this.rings.first(MAIN) : oldest;
  }

  #worth(row: number): number {
    const { recency, halfLife } = this.leaning;
    const half = halfLife * this.hashes.size;
    const age = this.clock - this.used[row]!;
    return this.#priced(row, this.#frequency(row) + (recency * half) / (half + age));
  }

  /** What decides who comes into main: use alone, so that who was used once, just now, does not. */
  #merit(row: number): number {
    return this.#priced(row, this.#frequency(row));
  }

  #priced(row: number, worth: number): number {
    const cost = this.#costs[row]!;
    const priced = cost === COST_ONE ? worth : worth * 2 ** ((cost - COST_ONE) / COST_STEPS);
    return this.bySize ? priced / Math.sqrt(this.sizes[row]!) : priced;
  }

  #frequency(row: number): number {
    return this.sketch.frequency(this.hashes.high[row]!, this.hashes.low[row]!);
  }

  #isIn(row: number): boolean {
    return this.sizes[row] !== 0 && !this.isAside(row);
  }

  /** xorshift32: who is sampled has to differ, not to be unknown. */
  #randomRow(): number {
    let bits = this.#random;
    bits ^= bits << 13;
    bits ^= bits >>> 17;
    bits ^= bits << 5;
    this.#random = bits;
    return Math.floor(((bits >>> 0) / 2 ** 32) * this.hashes.end);
  }

  #fillMain(newest: number): void {
    for (;;) {
      const oldest = this.rings.first(WINDOW);
      if (oldest === newest || this.#youngWeight <= this.leaning.young * this.weight) return;
      this.#toMain(oldest);
    }
  }

  #toMain(row: number): void {
    this.rings.remove(row);
    this.rings.append(MAIN, row);
    this.level[row] = MAIN;
    this.#youngWeight -= this.#weightOf(row);
  }

  #give(row: number): void {
    const weight = this.#weightOf(row);
    this.weight += weight;
    if (this.level[row] === WINDOW) this.#youngWeight += weight;
  }

  #take(row: number): void {
    const weight = this.#weightOf(row);
    this.weight -= weight;
    if (this.level[row] === WINDOW) this.#youngWeight -= weight;
  }

  #weightOf(row: number): number {
    return this.bySize ? this.sizes[row]! : 1;
  }
}

/** Share of the weight at which victims were asked for, below which there is room again. */
const ROOM = 0.9;
