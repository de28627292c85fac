/**
 * The policies that are one queue: who came first, or was used last, or least often.
 *
 *    fifo    the key that came first goes first, used or not
 *    lru     the key that was used longest ago goes first
 *    lfu     the key that was used least often goes first, of those the one that was used
 *            longest ago; more than 255 uses count as 255
 *    sieve   a hand goes through the queue from the oldest key on: it passes who was used
 *            since it came by, and takes the first who was not [1]
 *
 * [1] Zhang et al.: SIEVE is Simpler than LRU. NSDI 2024. A step of the hand is O(1), and
 *     there is at most one for each use, so naming a victim is O(1) on average.
 */
import { Residents } from './residents.js';

const QUEUE = 0;

export class Fifo extends Residents {
  constructor() {
    super(1);
  }

  protected enter(row: number): void {
    this.rings.append(QUEUE, row);
  }

  protected touch(_row: number): void {}

  protected next(): number {
    return this.rings.first(QUEUE);
  }

  protected back(row: number): void {
    this.rings.prepend(QUEUE, row);
  }
}

export class Lru extends Fifo {
  protected override touch(row: number): void {
    this.rings.remove(row);
    this.rings.append(QUEUE, row);
  }
}

const USES_MAX = 255;

export class Lfu extends Residents {
  constructor() {
    super(USES_MAX + 1);
  }

  protected enter(row: number): void {
    this.rings.append(this.level[row]!, row);
  }

  protected touch(row: number): void {
    this.rings.remove(row);
    this.level[row] = Math.min(USES_MAX, this.level[row]! + 1);
    this.rings.append(this.level[row]!, row);
  }

  protected next(): number {
    return this.rings.first(this.rings.firstOccupied(0, this.rings.count));
  }

  protected back(row: number): void {
    this.rings.prepend(this.level[row]!, row);
  }
}

const NONE = -1;

export class Sieve extends Residents {
  #hand = NONE;

  constructor() {
    super(1);
  }

  protected enter(row: number): void {
    this.rings.append(QUEUE, row);
  }

  protected touch(row: number): void {
    this.level[row] = 1;
  }

  protected next(): number {
    let row = this.#hand < 0 ? this.rings.first(QUEUE) : this.#hand;
    while (this.level[row] !== 0) {
      this.level[row] = 0;
      const after = this.rings.after(row);
      row = after < 0 ? this.rings.first(QUEUE) : after;
    }
    this.#hand = this.rings.after(row);
    return row;
  }

  protected back(row: number): void {
    this.rings.prepend(QUEUE, row);
  }

  protected override leave(row: number, evicted: boolean): void {
    if (!evicted && row === this.#hand) this.#hand = this.rings.after(row);
  }

  override clear(): void {
    super.clear();
    this.#hand = NONE;
  }
}
