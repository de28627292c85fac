/**
 * A number for each 64-bit hash of a key, small and dense, for who keeps a column of
 * something for each key in an array of its own.
 *
 * A number stays the same for as long as its hash is in, and is used again
 * afterwards. A table of open addressing with linear probing finds the number of a
 * hash; a removal moves later ones back, so that there are no tombstones.
 *
 * Invariants
 *  1. The table is at most three quarters full, so every probe ends.
 *  2. No empty slot lies between the home of a hash and the slot that holds it.
 *
 * A row takes 8 bytes and a slot 4: 13.3 bytes when full, twice that just after
 * growing.
 */
const FIRST_SLOTS = 64;
const EMPTY = -1;
/** Odd words that spread both halves of a hash over the table: callers may bring poor hashes. */
const SPREAD_HIGH = 0x85ebca6b;
const SPREAD = 0x9e3779b1;

export class HashRows {
  /** By number. What stands under a number that is free means nothing. */
  high = new Int32Array(0);
  low = new Int32Array(0);
  #slots = new Int32Array(0);
  #shift = 0;
  #size = 0;
  #fresh = 0;
  /** Numbers to be used again: the first of a list that goes on in `low`. */
  #free = EMPTY;

  constructor() {
    this.clear();
  }

  get size(): number {
    return this.#size;
  }

  /** How many there can be before it grows. */
  get capacity(): number {
    return this.high.length;
  }

  get bytes(): number {
    return this.capacity * 8 + this.#slots.byteLength;
  }

  /** Numbers from here on were never given. */
  get end(): number {
    return this.#fresh;
  }

  /** The number of a hash; -1 when it is not in. */
  find(high: number, low: number): number {
    return this.#slots[this.#slotOf(high, low)]!;
  }

  /**
   * A number for a hash.
   *
   * REQUIRES: the hash is not in, and `size` is below `capacity`.
   */
  add(high: number, low: number): number {
    const number = this.#free === EMPTY ? this.#fresh++ : this.#free;
    if (number === this.#free) this.#free = this.low[number]!;
    this.high[number] = high;
    this.low[number] = low;
    this.#slots[this.#slotOf(high, low)] = number;
    this.#size++;
    return number;
  }

  remove(number: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = this.#slotOf(this.high[number]!, this.low[number]!);
    for (let slot = (hole + 1) & mask; slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      const other = slots[slot]!;
      const home = this.#home(this.high[other]!, this.low[other]!);
      // It may move back only as far as its home (invariant 2).
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = other;
        hole = slot;
      }
    }
    slots[hole] = EMPTY;
    this.low[number] = this.#free;
    this.#free = number;
    this.#size--;
  }

  /** Twice the capacity. Numbers stay. */
  grow(): void {
    const numbers = this.#slots.filter((number) => number !== EMPTY);
    this.#resize(2 * this.#slots.length);
    for (const number of numbers) {
      this.#slots[this.#slotOf(this.high[number]!, this.low[number]!)] = number;
    }
  }

  clear(): void {
    this.high = this.low = new Int32Array(0);
    this.#size = 0;
    this.#fresh = 0;
    this.#free = EMPTY;
    this.#resize(FIRST_SLOTS);
  }

  #resize(slots: number): void {
    const capacity = (slots / 4) * 3;
    this.#slots = new Int32Array(slots).fill(EMPTY);
    this.#shift = Math.clz32(slots - 1);
    this.high = enlarged(this.high, new Int32Array(capacity));
    this.low = enlarged(this.low, new Int32Array(capacity));
  }

  /** The slot that holds the hash, or the empty one where it would go. */
  #slotOf(high: number, low: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = this.#home(high, low);
    for (let number = slots[slot]!; number !== EMPTY; number = slots[slot]!) {
      if (this.low[number] === low && this.high[number] === high) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #home(high: number, low: number): number {
    return Math.imul(low ^ Math.imul(high, SPREAD_HIGH), SPREAD) >>> this.#shift;
  }
}

/** `to` with what `from` holds: a column that was made larger. */
export function enlarged<T extends Column>(from: T, to: T): T {
  to.set(from);
  return to;
}

type Column = Int32Array | Uint32Array | Uint8Array | Float64Array;
