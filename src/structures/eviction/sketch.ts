/**
 * How often keys were used lately, about: a count-min sketch of counters of four bits.
 *
 * A hash names four counters; its frequency is the least of them, and only those that
 * are that low count a use, so it is never too low but for halving, and is too high only
 * where all four are shared. After ten uses for each key that there is room for, all
 * counters are halved: what was is forgotten. A counter stops at 15.
 *
 * Two words, 8 bytes, a key. A use is O(1) but for halving, which is one pass.
 *
 * [1] Cormode, Muthukrishnan: An Improved Data Stream Summary. Journal of Algorithms, 2005.
 * [2] Estan, Varghese: New Directions in Traffic Measurement. SIGCOMM 2002 (conservative update).
 * [3] Einziger, Friedman, Manes: TinyLFU. ACM Transactions on Storage, 2017.
 */
const COUNTER_MAX = 15;
const USES_BEFORE_HALVING = 10;
const WORDS_PER_KEY = 2;
const FIRST_WORDS = 128;
/** All bits of a word but the highest of each counter. */
const LOWER_BITS = 0x7777_7777;
/** An odd word for each of the four counters of a hash. */
const SEEDS = Int32Array.of(0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f);
const MIX = 0x85ebca6b;

export class Sketch {
  #words = new Int32Array(FIRST_WORDS);
  #uses = 0;

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** 0 to 15. */
  frequency(high: number, low: number): number {
    const words = this.#words;
    const mask = words.length - 1;
    let least = COUNTER_MAX;
    for (let i = 0; i < SEEDS.length; i++) {
      const place = placeOf(high, low, SEEDS[i]!);
      const count = (words[(place >>> 3) & mask]! >>> ((place & 7) << 2)) & COUNTER_MAX;
      if (count < least) least = count;
    }
    return least;
  }

  use(high: number, low: number): void {
    const least = this.frequency(high, low);
    if (least === COUNTER_MAX) return;
    const words = this.#words;
    const mask = words.length - 1;
    for (let i = 0; i < SEEDS.length; i++) {
      const place = placeOf(high, low, SEEDS[i]!);
      const shift = (place & 7) << 2;
      const word = (place >>> 3) & mask;
      if (((words[word]! >>> shift) & COUNTER_MAX) === least) words[word]! += 1 << shift;
    }
    this.#uses += 1;
    if (this.#uses >= (USES_BEFORE_HALVING * words.length) / WORDS_PER_KEY) this.#halve();
  }

  /** Room for so many keys. Frequencies stay: a counter becomes two. */
  grow(keys: number): void {
    while (this.#words.length < keys * WORDS_PER_KEY) {
      const { length } = this.#words;
      const grown = new Int32Array(2 * length);
      grown.set(this.#words);
      grown.set(this.#words, length);
      this.#words = grown;
    }
  }

  clear(): void {
    this.#words = new Int32Array(FIRST_WORDS);
    this.#uses = 0;
  }

  #halve(): void {
    const words = this.#words;
    for (let i = 0; i < words.length; i++) words[i] = (words[i]! >>> 1) & LOWER_BITS;
    this.#uses >>>= 1;
  }
}

/** Counter in the low three bits, word in those above. */
function placeOf(high: number, low: number, seed: number): number {
  let bits = Math.imul(high ^ (low >>> 15), seed) ^ low;
  bits = Math.imul(bits ^ (bits >>> 15), MIX);
  return bits ^ (bits >>> 13);
}
