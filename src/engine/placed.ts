/**
 * The keys that recovery placed since the last seal, should that be the last one of the
 * log: their extent is not sealed then, and they belong in the buffer. Keys are kept as
 * bytes, since most of them are never asked for. Holds one extent's keys at most.
 */
import { getUnits } from '../base/bytes.js';
import type { EntryView } from '../storage/log/index.js';
import type { PlacedChange } from './change.js';
import type { Slot } from './state.js';

const FIRST_BYTES = 64 * 1024;

export class PlacedKeys {
  #changes: PlacedChange[] = [];
  #createdAt: number[] = [];
  /** Where the bytes of each key end, twice, and whether they are two a code unit. */
  #ends: number[] = [];
  #bytes = new Uint8Array(FIRST_BYTES);
  #end = 0;

  add(entry: EntryView, change: PlacedChange): void {
    const end = this.#end + entry.keyBytes;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#end));
      this.#bytes = grown;
    }
    entry.copyKey(this.#bytes, this.#end);
    this.#changes.push(change);
    this.#createdAt.push(entry.createdAt);
    this.#ends.push(end * 2 + Number(entry.isWide));
    this.#end = end;
  }

  clear(): void {
    this.#changes = [];
    this.#createdAt = [];
    this.#ends = [];
    this.#end = 0;
  }

  /** Each key, and what the buffer has to know of it. */
  *slots(): Generator<
    [key: string, slot: Omit<Slot, 'settled' | 'content'> & Pick<PlacedChange, 'content'>]
  > {
    let start = 0;
    for (let i = 0; i < this.#changes.length; i++) {
      const { location, content, expiresAt, version } = this.#changes[i]!;
      const end = Math.floor(this.#ends[i]! / 2);
      const key = getUnits(this.#bytes, start, end, this.#ends[i]! % 2 === 1);
      yield [key, { location, content, expiresAt, version, createdAt: this.#createdAt[i]! }];
      start = end;
    }
  }
}
