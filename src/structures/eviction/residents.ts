/**
 * What every policy of this folder keeps of a key, in columns by the row of its hash, and
 * the rings in which rows are in order.
 *
 *    row   hash 8, slot of the table 5.3, size 4, last use 4, place in a ring 8, level 1
 *
 * Invariants
 *  1. A row is in one ring while its hash is in, or it is set aside.
 *  2. A row whose size is 0 is free: a value of no bytes counts as one byte.
 *  3. Of two rows the one with the larger `used` was used later.
 *
 * 30.3 bytes a key when full, twice that just after growing. All is O(1) but growing, and
 * what a policy says of itself.
 */
import { enlarged, HashRows } from '../../base/hash-rows.js';
import { Rings } from '../../base/rings.js';
import type { Hash, Policy, PolicyMemory, PolicyRows } from './policy.js';

/** Sizes and the clock end here. */
const U32_MAX = 0xffff_ffff;

/** Costs are kept in a byte, as eighths of powers of two: from 1/65536 to 65536, to 9 %. */
export const COST_STEPS = 8;
export const COST_ONE = 128;

export abstract class Residents implements Policy, PolicyMemory {
  protected readonly hashes = new HashRows();
  protected readonly rings: Rings;
  protected sizes: Uint32Array;
  protected used: Uint32Array;
  /** What a policy makes of the use of a row. 0 for one that is new. */
  protected level: Uint8Array;
  readonly #aside = new Set<number>();
  #clock = 0;

  constructor(rings: number) {
    const { capacity } = this.hashes;
    this.rings = new Rings(rings, capacity);
    this.sizes = new Uint32Array(capacity);
    this.used = new Uint32Array(capacity);
    this.level = new Uint8Array(capacity);
  }

  /** Gives a new row its place. */
  protected abstract enter(row: number): void;
  /** A row that is in its place was used, and may take another. */
  protected abstract touch(row: number): void;
  /** The row that should go first, if any is in a ring: it will be taken out of it. */
  protected abstract next(): number;
  /** A row that was set aside takes its place again, as the first to go. */
  protected abstract back(row: number): void;
  /** A row goes for good; `evicted`: because it was named. It is in its ring unless it was. */
  protected leave(_row: number, _evicted: boolean): void {}

  get size(): number {
    return this.hashes.size;
  }

  get bytes(): number {
    return this.hashes.bytes + this.rings.bytes + 9 * this.hashes.capacity;
  }

  get memory(): PolicyMemory {
    return this;
  }

  get clock(): number {
    return this.#clock;
  }

  add(high: number, low: number, size: number, cost?: number): void {
    const known = this.hashes.find(high | 0, low | 0);
    if (known >= 0) {
      this.#use(known);
      this.resize(known, toU32(size), cost);
    } else this.enter(this.#admit(high | 0, low | 0, size, cost ?? 1));
  }

  has(high: number, low: number): boolean {
    return this.hashes.find(high | 0, low | 0) >= 0;
  }

  access(high: number, low: number): boolean {
    const row = this.hashes.find(high | 0, low | 0);
    if (row < 0) return false;
    this.#use(row);
    return true;
  }

  remove(high: number, low: number): boolean {
    const row = this.hashes.find(high | 0, low | 0);
    if (row < 0) return false;
    const evicted = this.#aside.delete(row);
    this.leave(row, evicted);
    if (!evicted) this.rings.remove(row);
    this.sizes[row] = 0;
    this.hashes.remove(row);
    return true;
  }

  victims(limit: number): Hash[] {
    const named: Hash[] = [];
    while (named.length < limit && this.#aside.size < this.hashes.size) {
      const row = this.next();
      this.rings.remove(row);
      this.#aside.add(row);
      named.push([this.hashes.high[row]!, this.hashes.low[row]!]);
    }
    return named;
  }

  withdraw(): void {
    for (const row of [...this.#aside].reverse()) this.back(row);
    this.#aside.clear();
  }

  clear(): void {
    this.hashes.clear();
    const { capacity } = this.hashes;
    this.rings.clear(capacity);
    this.sizes = new Uint32Array(capacity);
    this.used = new Uint32Array(capacity);
    this.level = new Uint8Array(capacity);
    this.#aside.clear();
  }

  usedAt(high: number, low: number): number | undefined {
    const row = this.hashes.find(high | 0, low | 0);
    return row < 0 ? undefined : this.used[row];
  }

  rows(): PolicyRows {
    const { high, low, end } = this.hashes;
    return {
      high: high.slice(0, end),
      low: low.slice(0, end),
      size: this.sizes.slice(0, end),
      used: this.used.slice(0, end),
      level: this.level.slice(0, end),
      cost: new Uint8Array(end).fill(COST_ONE),
    };
  }

  restore({ high, low, size, used, level, cost }: PolicyRows): void {
    const order = Uint32Array.from(used.keys()).sort((a, b) => used[a]! - used[b]!);
    for (const i of order) {
      if (size[i] === 0) continue;
      const row = this.#admit(high[i]!, low[i]!, size[i]!, 2 ** ((cost[i]! - COST_ONE) / COST_STEPS));
      this.used[row] = used[i]!;
      this.#clock = used[i]!;
      this.enterAgain(row, level[i]!);
    }
  }

  /** Gives a row of before a restart its place. */
  protected enterAgain(row: number, level: number): void {
    this.level[row] = level;
    this.enter(row);
  }

  /** A row that is in has another size. */
  protected resize(row: number, size: number, _cost?: number): void {
    this.sizes[row] = size;
  }

  /** Makes room for so many rows in the columns of a policy. */
  protected grow(_capacity: number): void {}

  /** What a new row costs. */
  protected setCost(_row: number, _cost: number): void {}

  protected isAside(row: number): boolean {
    return this.#aside.has(row);
  }

  #admit(high: number, low: number, size: number, cost: number): number {
    if (this.hashes.size === this.hashes.capacity) this.#enlarge();
    const row = this.hashes.add(high, low);
    this.sizes[row] = toU32(size);
    this.level[row] = 0;
    this.setCost(row, cost);
    this.used[row] = this.#tick();
    return row;
  }

  #use(row: number): void {
    this.used[row] = this.#tick();
    // One that was named keeps what it is until that is decided.
    if (!this.#aside.has(row)) this.touch(row);
  }

  #tick(): number {
    // After four thousand million uses the order of the old ones becomes coarser.
    if (this.#clock === U32_MAX) {
      for (let row = 0; row < this.hashes.end; row++) this.used[row]! >>>= 1;
      this.#clock >>>= 1;
    }
    return ++this.#clock;
  }

  #enlarge(): void {
    this.hashes.grow();
    const { capacity } = this.hashes;
    this.rings.grow(capacity);
    this.sizes = enlarged(this.sizes, new Uint32Array(capacity));
    this.used = enlarged(this.used, new Uint32Array(capacity));
    this.level = enlarged(this.level, new Uint8Array(capacity));
    this.grow(capacity);
  }
}

function toU32(size: number): number {
  return Math.min(U32_MAX, Math.max(1, Math.ceil(size)));
}
