/**
 * S3-FIFO: a small queue that new keys have to survive, a main queue for those that did,
 * and a *ghost* that remembers who was turned out of the small one.
 *
 *    new -> small (a tenth) --used twice--> main --used--> main again, one use less
 *             |                               |
 *             v                               v
 *           ghost --comes again--> main      gone
 *
 * The ghost holds as many fingerprints as there are keys in main, in the place that their
 * hash names, with the count of keys that had gone when they were put there: so the
 * oldest run out by themselves, and two hashes of one place keep the later.
 *
 * A use is counted up to 3. Naming a victim is O(1) on average: each step takes a use away.
 *
 * [1] Yang et al.: FIFO Queues are All You Need for Cache Eviction. SOSP 2023.
 */
import { enlarged } from '../../base/hash-rows.js';
import type { Budget } from './policy.js';
import { Residents } from './residents.js';

const SMALL = 0;
const MAIN = 1;
const SMALL_SHARE = 0.1;
/** Fingerprints in the ghost, of the keys that are in. */
const GHOST_SHARE = 0.9;
const USES_MAX = 3;
/** Uses that bring a key from small to main. */
const USES_FOR_MAIN = 2;
/** Bit of `level`: the row is in main. */
const IN_MAIN = 4;

export class S3Fifo extends Residents {
  #ghost = new Ghost(this.hashes.capacity);
  readonly #bySize: boolean;
  #smallWeight = 0;
  #weight = 0;
  #evicted = false;

  constructor({ maxBytes }: Budget) {
    super(2);
    this.#bySize = maxBytes !== Infinity;
  }

  override get bytes(): number {
    return super.bytes + this.#ghost.bytes;
  }

  protected enter(row: number): void {
    const last = GHOST_SHARE * this.hashes.size;
    const known = this.#ghost.take(this.hashes.high[row]!, this.hashes.low[row]!, last);
    const filling = !this.#evicted && this.#smallWeight >= SMALL_SHARE * this.#weight;
    this.#put(row, known || filling ? IN_MAIN : 0);
  }

  protected override enterAgain(row: number, level: number): void {
    this.#put(row, level);
  }

  protected touch(row: number): void {
    if ((this.level[row]! & 3) < USES_MAX) this.level[row]! += 1;
  }

  protected next(): number {
    this.#evicted = true;
    for (;;) {
      const small = this.rings.first(SMALL);
      const main = this.rings.first(MAIN);
      if (main < 0 || (small >= 0 && this.#smallWeight >= SMALL_SHARE * this.#weight)) {
        if (this.level[small]! < USES_FOR_MAIN) return small;
        this.#take(small);
        this.rings.remove(small);
        this.#put(small, IN_MAIN);
      } else {
        if (this.level[main] === IN_MAIN) return main;
        this.level[main]! -= 1;
        this.rings.remove(main);
        this.rings.append(MAIN, main);
      }
    }
  }

  protected back(row: number): void {
    this.rings.prepend(this.level[row]! & IN_MAIN ? MAIN : SMALL, row);
  }

  protected override leave(row: number, evicted: boolean): void {
    if (evicted && !(this.level[row]! & IN_MAIN)) {
      this.#ghost.put(this.hashes.high[row]!, this.hashes.low[row]!);
    }
    this.#take(row);
  }

  protected override resize(row: number, size: number): void {
    this.#take(row);
    this.sizes[row] = size;
    this.#give(row);
  }

  protected override grow(capacity: number): void {
    this.#ghost = this.#ghost.grown(capacity);
  }

  override clear(): void {
    super.clear();
    this.#ghost = new Ghost(this.hashes.capacity);
    this.#smallWeight = this.#weight = 0;
    this.#evicted = false;
  }

  #put(row: number, level: number): void {
    this.level[row] = level;
    this.rings.append(level & IN_MAIN ? MAIN : SMALL, row);
    this.#give(row);
  }

  #give(row: number): void {
    const weight = this.#bySize ? this.sizes[row]! : 1;
    this.#weight += weight;
    if (!(this.level[row]! & IN_MAIN)) this.#smallWeight += weight;
  }

  #take(row: number): void {
    const weight = this.#bySize ? this.sizes[row]! : 1;
    this.#weight -= weight;
    if (!(this.level[row]! & IN_MAIN)) this.#smallWeight -= weight;
  }
}

/** Fingerprints of keys that went. 8 bytes a place. */
class Ghost {
  readonly #mask: number;
  #gone = 0;

  constructor(
    places: number,
    private readonly prints = new Int32Array(2 ** Math.ceil(Math.log2(places))),
    private readonly times = new Uint32Array(prints.length),
  ) {
    this.#mask = prints.length - 1;
  }

  get bytes(): number {
    return 8 * this.prints.length;
  }

  put(high: number, low: number): void {
    const place = low & this.#mask;
    this.prints[place] = high;
    this.times[place] = ++this.#gone;
  }

  /** Whether it is among the `last` that went; it is forgotten then. */
  take(high: number, low: number, last: number): boolean {
    const place = low & this.#mask;
    const time = this.times[place]!;
    if (time === 0 || this.prints[place] !== high || this.#gone - time >= last) return false;
    this.times[place] = 0;
    return true;
  }

  grown(places: number): Ghost {
    const grown = new Ghost(places);
    if (grown.prints.length === this.prints.length) return this;
    // A place of the larger table is either the same or the same and half of it.
    enlarged(this.prints, grown.prints).set(this.prints, this.prints.length);
    enlarged(this.times, grown.times).set(this.times, this.times.length);
    grown.#gone = this.#gone;
    return grown;
  }
}
