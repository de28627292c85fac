/**
 * Numbers in buckets: lists linked both ways in two arrays of integers.
 *
 * Each list is a ring through a node of its own, its *head*, so a number is taken
 * out without knowing its bucket. A bit for each bucket says whether it holds any.
 *
 *    node   0 .. count       heads of the buckets
 *    node   count + n        number n
 *
 * 8 bytes a number.
 */
const WORD = 32;

export class Rings {
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  readonly #occupied: Int32Array;

  constructor(
    readonly count: number,
    capacity: number,
  ) {
    this.#occupied = new Int32Array(Math.ceil(count / WORD));
    this.clear(capacity);
  }

  get bytes(): number {
    return 2 * this.#next.byteLength + this.#occupied.byteLength;
  }

  /** Empties all, and makes room for the numbers below `capacity`. */
  clear(capacity: number): void {
    this.#next = new Int32Array(this.count + capacity);
    this.#previous = new Int32Array(this.count + capacity);
    for (let head = 0; head < this.count; head++) this.#next[head] = this.#previous[head] = head;
    this.#occupied.fill(0);
  }

  /** Makes room for the numbers below `capacity`. */
  grow(capacity: number): void {
    const next = new Int32Array(this.count + capacity);
    const previous = new Int32Array(this.count + capacity);
    next.set(this.#next);
    previous.set(this.#previous);
    this.#next = next;
    this.#previous = previous;
  }

  isEmpty(bucket: number): boolean {
    return this.#next[bucket] === bucket;
  }

  /** REQUIRES: `number` is in no bucket. */
  append(bucket: number, number: number): void {
    const node = this.count + number;
    const last = this.#previous[bucket]!;
    this.#next[last] = node;
    this.#previous[node] = last;
    this.#next[node] = bucket;
    this.#previous[bucket] = node;
    this.#mark(bucket);
  }

  /** REQUIRES: `number` is in no bucket. */
  prepend(bucket: number, number: number): void {
    const node = this.count + number;
    const first = this.#next[bucket]!;
    this.#previous[first] = node;
    this.#next[node] = first;
    this.#previous[node] = bucket;
    this.#next[bucket] = node;
    this.#mark(bucket);
  }

  /** REQUIRES: `number` is in a bucket. */
  remove(number: number): void {
    const node = this.count + number;
    const next = this.#next[node]!;
    const previous = this.#previous[node]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    // Alone between itself only a head can be.
    if (next === previous) this.#unmark(next);
  }

  /** The first number of a bucket; -1 when it is empty. */
  first(bucket: number): number {
    return this.#numberAt(bucket);
  }

  /** The number behind `number` in its bucket; -1 when that is the last. */
  after(number: number): number {
    return this.#numberAt(this.count + number);
  }

  /** Puts all of `from` behind what `to` holds. */
  move(from: number, to: number): void {
    if (this.isEmpty(from)) return;
    const first = this.#next[from]!;
    const last = this.#previous[from]!;
    const before = this.#previous[to]!;
    this.#next[before] = first;
    this.#previous[first] = before;
    this.#next[last] = to;
    this.#previous[to] = last;
    this.#next[from] = this.#previous[from] = from;
    this.#unmark(from);
    this.#mark(to);
  }

  /** The first bucket from `start` and before `end` that holds any; -1 when none does. */
  firstOccupied(start: number, end: number): number {
    for (let bucket = start; bucket < end; bucket = (bucket | (WORD - 1)) + 1) {
      const word = this.#occupied[bucket >> 5]! >>> (bucket & (WORD - 1));
      if (word === 0) continue;
      const found = bucket + 31 - Math.clz32(word & -word);
      return found < end ? found : -1;
    }
    return -1;
  }

  #numberAt(node: number): number {
    const next = this.#next[node]!;
    return next < this.count ? -1 : next - this.count;
  }

  #mark(bucket: number): void {
    this.#occupied[bucket >> 5]! |= 1 << (bucket & (WORD - 1));
  }

  /** Clears the bit of `node` if it is a head whose list has become empty. */
  #unmark(node: number): void {
    if (node < this.count && this.#next[node] === node)
      this.#occupied[node >> 5]! &= ~(1 << (node & (WORD - 1)));
  }
}
