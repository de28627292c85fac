/**
 * A hierarchical timer wheel: which key hashes are due, without looking at those
 * that are not.
 *
 * Time is cut in nine digits of six bits, of 1 ms to 2^48 ms, which is all the
 * milliseconds that a number can count. A level of 64 buckets stands for each
 * digit. An entry lies on the level of the *highest digit in which its deadline
 * differs from the wheel's time*, in the bucket of its deadline's digit there. So
 * on level 0 a bucket is one millisecond, and on level 3 it is four minutes of the
 * next four hours; no deadline is too far.
 *
 * As time reaches the start of a bucket, its entries go to the *open* list, and
 * from there to the caller when they are due, else to a lower level. Only buckets
 * that hold any are visited: a night passes in one step. An entry moves at most
 * nine times, mostly two or three.
 *
 * Invariants
 *  1. An entry in a bucket has a deadline after the wheel's time, and level and
 *     bucket as said above. They stay right as time passes, until the bucket starts.
 *  2. The wheel's time is never ahead of the latest `now`, and stands still while
 *     the open list holds any.
 *
 * Schedule and cancel are O(1); `advance` is O(entries moved), which has a limit.
 * 29.3 bytes a hash when full, 58.7 just after growing, 41 on average. Node 20, one
 * shared core, a million deadlines over a week: 0.4 µs to schedule with all growth,
 * 0.7 µs to come due minute by minute.
 *
 * [1] Varghese, Lauck: Hashed and hierarchical timing wheels. SOSP 1987, scheme 6.
 * [2] Ahuja et al.: Faster algorithms for the shortest path problem. JACM 1990
 *     (the radix heap: levels by the highest digit that differs).
 */
import { enlarged, HashRows } from '../../base/hash-rows.js';
import { Rings } from '../../base/rings.js';
import { Due } from './due.js';

const DIGIT_BITS = 6;
const SLOTS = 1 << DIGIT_BITS;
const SLOT_MASK = SLOTS - 1;
const LEVELS = 9;
/** Numbers of 54 bits are taken apart in 30 low bits, five digits, and the rest. */
const LOW_LEVELS = 5;
const LOW_RANGE = 2 ** (LOW_LEVELS * DIGIT_BITS);
/** The bucket behind the others: entries that are to be looked at. */
const OPEN = LEVELS * SLOTS;
/** So many entries may be moved to a lower level in one call, and as many for each that may be given. */
const MOVES_MIN = 1000;
const MOVES_PER_DUE = 4;

/** Hashes and their deadlines. A row whose deadline is NaN is none. */
export interface Rows {
  readonly high: Int32Array;
  readonly low: Int32Array;
  readonly deadline: Float64Array;
}

/**
 * Deadlines by 64-bit key hash.
 *
 * Two keys with one hash are one entry, with the deadline set last. Whoever acts
 * on a hash that is due reads the key first: by then it may have another deadline,
 * and its twin may be missing here until it is read.
 *
 * Deadlines and times are whole milliseconds: a fraction counts as the next one
 * in a deadline, and as none in the time.
 */
export class TimerWheel {
  readonly #rows = new HashRows();
  readonly #buckets = new Rings(OPEN + 1, this.#rows.capacity);
  /** By number; NaN where the number is free. */
  #deadline = new Float64Array(this.#rows.capacity);
  /** The latest that was given. */
  #now: number;
  /** The time that levels are relative to, in two parts: high * LOW_RANGE + low. */
  #high = 0;
  #low = 0;

  /** @throws RangeError when `now` is not a finite number. */
  constructor(now: number) {
    this.#now = wholeTime('now', now);
    this.#reach(this.#now);
  }

  /** How many hashes have a deadline, due or not. */
  get size(): number {
    return this.#rows.size;
  }

  /** Memory of the entries in bytes. */
  bytes(): number {
    return this.#rows.bytes + this.#deadline.byteLength + this.#buckets.bytes;
  }

  /**
   * Sets the deadline of a hash, in place of the one it has.
   *
   * @throws RangeError when `deadline` is not a finite number: no deadline is `cancel`.
   */
  schedule(high: number, low: number, deadline: number): void {
    if (!Number.isFinite(deadline))
      throw new RangeError(`deadline: expected a finite number, got ${deadline}`);
    const tick = Math.min(Math.ceil(deadline), Number.MAX_SAFE_INTEGER);
    high |= 0;
    low |= 0;
    let number = this.#rows.find(high, low);
    if (number < 0) {
      if (this.#rows.size === this.#rows.capacity) this.#grow();
      number = this.#rows.add(high, low);
    } else this.#buckets.remove(number);
    this.#deadline[number] = tick;
    this.#buckets.append(this.#bucketOf(tick), number);
  }

  /** Takes the deadline of a hash away; whether it had one. */
  cancel(high: number, low: number): boolean {
    const number = this.#rows.find(high | 0, low | 0);
    if (number < 0) return false;
    this.#remove(number);
    return true;
  }

  deadlineOf(high: number, low: number): number | undefined {
    const number = this.#rows.find(high | 0, low | 0);
    return number < 0 ? undefined : this.#deadline[number]!;
  }

  /**
   * Takes out hashes whose deadline is `now` or before, at most `limit`, in no
   * particular order. The rest stays due; `more` says that there may be some.
   *
   * A `now` before one that was given counts as that one. Looks at
   * no more than `1000 + 5 * limit` entries, however many there are, so the cost of
   * a call is bounded, and it may give fewer than `limit` while there are more.
   *
   * @throws RangeError when `now` is not a finite number, or `limit` is below 1.
   */
  advance(now: number, limit: number): Due {
    if (!(limit >= 1)) throw new RangeError(`limit: expected a number above 0, got ${limit}`);
    this.#now = Math.max(this.#now, wholeTime('now', now));
    const due = new Due();
    const { high, low } = this.#rows;
    const deadline = this.#deadline;
    const buckets = this.#buckets;
    let moves = MOVES_MIN + limit * MOVES_PER_DUE;
    do {
      for (let number = buckets.first(OPEN); number >= 0; number = buckets.first(OPEN)) {
        if (deadline[number]! <= this.#now) {
          if (due.length + 1 > limit) return due.cut();
          due.add(high[number]!, low[number]!);
          this.#remove(number);
        } else {
          if (--moves < 0) return due.cut();
          buckets.remove(number);
          buckets.append(this.#bucketOf(deadline[number]!), number);
        }
      }
    } while (this.#openNext());
    this.#reach(this.#now);
    return due;
  }

  /** How many are due at `now`. O(those, and the entries of at most nine buckets). */
  dueCount(now: number): number {
    const time = Math.max(this.#now, wholeTime('now', now));
    let count = this.#countDue(OPEN, time);
    for (let level = 0; level < LEVELS; level++) {
      const end = (level + 1) * SLOTS;
      for (let bucket = level * SLOTS; (bucket = this.#buckets.firstOccupied(bucket, end)) >= 0; bucket++) {
        if (this.#startOf(bucket) > time) break;
        count += this.#countDue(bucket, time);
      }
    }
    return count;
  }

  /**
   * When `advance` has something to do next: no deadline is before it, and the
   * first may be later. At or before the latest `now` when some may be due already;
   * `Infinity` when there are none.
   */
  next(): number {
    if (!this.#buckets.isEmpty(OPEN)) return this.#high * LOW_RANGE + this.#low;
    const bucket = this.#firstBucket();
    return bucket < 0 ? Infinity : this.#startOf(bucket);
  }

  /** A copy of all that is scheduled, in three passes of memory. */
  rows(): Rows {
    const { high, low, end } = this.#rows;
    return {
      high: high.slice(0, end),
      low: low.slice(0, end),
      deadline: this.#deadline.slice(0, end),
    };
  }

  /** Forgets all deadlines, and gives their memory back. */
  clear(): void {
    this.#rows.clear();
    this.#buckets.clear(this.#rows.capacity);
    this.#deadline = new Float64Array(this.#rows.capacity);
    this.#reach(this.#now);
  }

  /** Moves the first bucket that has started to the open list; whether there was one. */
  #openNext(): boolean {
    const bucket = this.#firstBucket();
    if (bucket < 0) return false;
    const start = this.#startOf(bucket);
    if (start > this.#now) return false;
    this.#reach(start);
    this.#buckets.move(bucket, OPEN);
    return true;
  }

  /** The bucket that starts first; -1 when all are empty. Lower levels are before higher ones. */
  #firstBucket(): number {
    return this.#buckets.firstOccupied(0, OPEN);
  }

  /** REQUIRES: no bucket starts before `time`. */
  #reach(time: number): void {
    this.#high = Math.floor(time / LOW_RANGE);
    this.#low = time % LOW_RANGE;
  }

  /** Where an entry of this deadline lies (invariant 1). */
  #bucketOf(deadline: number): number {
    const high = Math.floor(deadline / LOW_RANGE);
    const low = deadline - high * LOW_RANGE;
    if (high < this.#high || (high === this.#high && low <= this.#low)) return OPEN;
    if (high !== this.#high) {
      const level = highestDigit(high ^ this.#high);
      return (level + LOW_LEVELS) * SLOTS + digit(high, level);
    }
    const level = highestDigit(low ^ this.#low);
    return level * SLOTS + digit(low, level);
  }

  /** The first millisecond of a bucket: the digits of the time above its level, its own, and zeros. */
  #startOf(bucket: number): number {
    const level = bucket >> DIGIT_BITS;
    const slot = bucket & SLOT_MASK;
    return level < LOW_LEVELS
      ? this.#high * LOW_RANGE + withDigit(this.#low, level, slot)
      : withDigit(this.#high, level - LOW_LEVELS, slot) * LOW_RANGE;
  }

  #countDue(bucket: number, time: number): number {
    let count = 0;
    for (let number = this.#buckets.first(bucket); number >= 0; number = this.#buckets.after(number)) {
      if (this.#deadline[number]! <= time) count++;
    }
    return count;
  }

  #remove(number: number): void {
    this.#buckets.remove(number);
    this.#rows.remove(number);
    this.#deadline[number] = NaN;
  }

  #grow(): void {
    this.#rows.grow();
    this.#buckets.grow(this.#rows.capacity);
    this.#deadline = enlarged(this.#deadline, new Float64Array(this.#rows.capacity));
  }
}

/** The place of the highest digit that is not zero. */
function highestDigit(bits: number): number {
  return Math.floor((31 - Math.clz32(bits)) / DIGIT_BITS);
}

function digit(bits: number, level: number): number {
  return (bits >>> (level * DIGIT_BITS)) & SLOT_MASK;
}

/** `bits` with another digit at `level`, and zeros below it. */
function withDigit(bits: number, level: number, slot: number): number {
  const above = (level + 1) * DIGIT_BITS;
  return ((bits >>> above) << above) | (slot << (level * DIGIT_BITS));
}

function wholeTime(name: string, time: number): number {
  if (!Number.isFinite(time)) throw new RangeError(`${name}: expected a finite number, got ${time}`);
  return Math.min(Math.max(0, Math.floor(time)), Number.MAX_SAFE_INTEGER);
}
