/**
 * Quotient table: fingerprints with a small value each, at 2.1 bits over what
 * fingerprint and value need.
 *
 * A fingerprint F is the first `bits` bits of a key's hash. It is cut by
 * division: its *home* is floor(F / step), and F mod step is the *remainder* that
 * is stored. The entries of one home are neighbours, a *run*, in no order; runs
 * lie in the order of their homes, at their home or right of it. A step below 1,
 * a power of two, leaves homes between the fingerprints free for what counts take.
 * Two bits a slot say which run is whose:
 *
 *    occupied  home i has a run, wherever that may be
 *    ends      the entry in slot i is the last of its run
 *
 * The n-th occupied home owns the run that ends at the n-th end. So that nobody
 * counts from the start, each block of 64 slots keeps its *spill*: how many of
 * its slots, from its first on, belong to homes before it. 255 means 255 or more,
 * to be worked out from the block before.
 *
 * One fingerprint may have been put in several times. The first slot of its
 * *group* holds the value; a group of one slot counts 1, and every further slot
 * with the same remainder is a digit of count - 2, lowest first, in base
 * 2^valueBits. So what was put in once costs one slot.
 *
 * Invariants
 *  1. There are as many ends as occupied homes.
 *  2. A run starts at its home or right behind the run before.
 *  3. The slots of a group are neighbours. Its highest digit is not 0, unless it
 *     is the only one.
 *
 * Cost: remainderBits + valueBits + 2.125 bits a slot. A lookup ranks and
 * selects in a block; a change moves the bits up to the next free slot.
 *
 * [1] Pandey, Bender, Johnson, Patro: A General-Purpose Counting Filter: Making
 *     Every Bit Count. SIGMOD 2017.
 */
import {
  clearBit,
  lowestBit,
  moveDown,
  moveUp,
  nextBit,
  popcount,
  readField,
  setBit,
  testBit,
  wordsFor,
  writeField,
} from './bits.js';

const FAR = 255;
const BLOCK = 64;

export interface TableGeometry {
  /** Bits of a fingerprint. */
  readonly bits: number;
  /** A whole number, or 1/2, 1/4 and so on. */
  readonly step: number;
  readonly valueBits: number;
}

/** Called with fingerprint, value, count and slot of a group. */
export type GroupVisitor = (fingerprint: number, value: number, count: number, slot: number) => void;

export class QuotientTable implements TableGeometry {
  readonly bits: number;
  readonly step: number;
  readonly valueBits: number;
  readonly remainderBits: number;
  /** Slots that are somebody's home. */
  readonly homes: number;
  /** Slots there are: more than homes, for what is displaced at the end. A multiple of 64. */
  slots: number;
  /** Slots taken. */
  used = 0;
  /** Groups: fingerprints held. */
  entries = 0;
  occupied: Uint32Array;
  ends: Uint32Array;
  spills: Uint8Array;
  remainders: Uint32Array;
  values: Uint32Array;

  constructor(geometry: TableGeometry, slots = 0) {
    const { bits, step, valueBits } = geometry;
    this.bits = bits;
    this.step = step;
    this.valueBits = valueBits;
    this.remainderBits = step <= 1 ? 0 : 32 - Math.clz32(step - 1);
    this.homes = Math.ceil(2 ** bits / step);
    this.slots = Math.max(slots, Math.ceil((this.homes + 32) / BLOCK) * BLOCK);
    this.occupied = new Uint32Array(this.slots >>> 5);
    this.ends = new Uint32Array(this.slots >>> 5);
    this.spills = new Uint8Array(this.slots >>> 6);
    this.remainders = new Uint32Array(wordsFor(this.slots * this.remainderBits));
    this.values = new Uint32Array(wordsFor(this.slots * valueBits));
  }

  get geometry(): TableGeometry {
    return { bits: this.bits, step: this.step, valueBits: this.valueBits };
  }

  /** All that is stored, in the order of the format. */
  get planes(): readonly (Uint32Array | Uint8Array)[] {
    return [this.occupied, this.ends, this.spills, this.remainders, this.values];
  }

  get bytes(): number {
    return this.planes.reduce((sum, plane) => sum + plane.byteLength, 0);
  }

  clone(): QuotientTable {
    const copy = new QuotientTable(this, this.slots);
    for (const [at, plane] of this.planes.entries()) copy.planes[at]!.set(plane);
    copy.used = this.used;
    copy.entries = this.entries;
    return copy;
  }

  /** The first slot of the group of `fingerprint`, or -1. */
  find(fingerprint: number): number {
    const home = Math.floor(fingerprint / this.step);
    if (!testBit(this.occupied, home)) return -1;
    const { remainders, remainderBits: width, ends } = this;
    const remainder = fingerprint - home * this.step;
    const end = this.runEnd(home);
    let found = -1;
    for (let slot = end; ; slot--) {
      if (readField(remainders, slot * width, width) === remainder) found = slot;
      if (slot === home || testBit(ends, slot - 1)) return found;
    }
  }

  valueAt(slot: number): number {
    return readField(this.values, slot * this.valueBits, this.valueBits);
  }

  setValueAt(slot: number, value: number): void {
    writeField(this.values, slot * this.valueBits, this.valueBits, value);
  }

  /** How often what starts at `slot` was put in. */
  countAt(slot: number): number {
    const last = this.groupEnd(slot);
    if (last === slot) return 1;
    let count = 0;
    for (let digit = last; digit > slot; digit--) count = count * 2 ** this.valueBits + this.valueAt(digit);
    return count + 2;
  }

  /** Puts in a fingerprint. REQUIRES: it is not there yet. */
  insert(fingerprint: number, value: number): void {
    const home = Math.floor(fingerprint / this.step);
    const end = this.runEnd(home);
    const fresh = !testBit(this.occupied, home);
    const slot = Math.max(home, end + 1);
    this.openSlot(home, slot);
    if (!fresh) clearBit(this.ends, slot - 1);
    setBit(this.occupied, home);
    setBit(this.ends, slot);
    this.writeSlot(slot, fingerprint - home * this.step, value);
    this.entries++;
  }

  /** Counts what starts at `slot` once more. */
  increment(slot: number, home: number): void {
    const base = 2 ** this.valueBits;
    const last = this.groupEnd(slot);
    for (let digit = slot + 1; digit <= last; digit++) {
      const value = this.valueAt(digit) + 1;
      this.setValueAt(digit, value % base);
      if (value < base) return;
    }
    this.insertDigit(home, last, last === slot ? 0 : 1);
  }

  /** Counts what starts at `slot` once less; at 0 it is gone. */
  decrement(slot: number, home: number): void {
    const base = 2 ** this.valueBits;
    const last = this.groupEnd(slot);
    if (last === slot) {
      this.closeSlot(home, slot);
      this.entries--;
      return;
    }
    for (let digit = slot + 1; digit <= last; digit++) {
      const value = this.valueAt(digit);
      this.setValueAt(digit, value === 0 ? base - 1 : value - 1);
      if (value === 0) continue;
      if (digit === last && value === 1 && last > slot + 1) this.closeSlot(home, last);
      return;
    }
    // All digits were 0, so there was one: the count was 2.
    this.closeSlot(home, last);
  }

  /** Takes a whole group out. */
  removeGroup(slot: number, home: number): void {
    for (let last = this.groupEnd(slot); last >= slot; last--) this.closeSlot(home, last);
    this.entries--;
  }

  /** Visits every group, by rising home. The table must not be changed meanwhile. */
  forEach(visit: GroupVisitor): void {
    const { remainders, remainderBits: width } = this;
    let next = 0;
    for (
      let home = nextBit(this.occupied, 0);
      home >= 0;
      home = home + 1 < this.slots ? nextBit(this.occupied, home + 1) : -1
    ) {
      let slot = Math.max(home, next);
      const end = nextBit(this.ends, slot);
      while (slot <= end) {
        const fingerprint = home * this.step + readField(remainders, slot * width, width);
        visit(fingerprint, this.valueAt(slot), this.countAt(slot), slot);
        slot = this.groupEnd(slot) + 1;
      }
      next = end + 1;
    }
  }

  /** A table of another geometry with the same groups. REQUIRES: as many bits. */
  rebuilt(geometry: TableGeometry): QuotientTable {
    const table = new QuotientTable(geometry);
    this.copyInto(table);
    return table;
  }

  /** Puts every group into `table` too. REQUIRES: as many bits, and none of them there. */
  copyInto(table: QuotientTable): void {
    this.forEach((fingerprint, value, count) => {
      table.insertGroup(fingerprint, value, count);
    });
  }

  /** Puts in a group at once. REQUIRES: its fingerprint is not there yet. */
  insertGroup(fingerprint: number, value: number, count: number): void {
    this.insert(fingerprint, value);
    if (count === 1) return;
    const home = Math.floor(fingerprint / this.step);
    const base = 2 ** this.valueBits;
    let last = this.runEnd(home);
    let rest = count - 2;
    do {
      this.insertDigit(home, last++, rest % base);
      rest = Math.floor(rest / base);
    } while (rest > 0);
  }

  /** The last slot of the run of `home`; when it has none, of the last run before; -1 when there is none. */
  runEnd(home: number): number {
    const { occupied, ends } = this;
    const block = home >>> 6;
    const base = block * BLOCK;
    const spill = this.spillOf(block);
    const index = block * 2;
    const bit = home & 31;
    const upTo = (2 << bit) - 1;
    let rank =
      (home & 32) === 0
        ? popcount(occupied[index]! & upTo)
        : popcount(occupied[index]!) + popcount(occupied[index + 1]! & upTo);
    const start = base + spill;
    if (rank === 0) return start - 1;
    let at = start >>> 5;
    let word = ends[at]! & (-1 << (start & 31));
    for (let count = popcount(word); count < rank; count = popcount(word)) {
      rank -= count;
      word = ends[++at]!;
    }
    while (--rank > 0) word &= word - 1;
    return at * 32 + lowestBit(word);
  }

  private spillOf(block: number): number {
    const spill = this.spills[block]!;
    return spill === FAR ? Math.max(0, this.runEnd(block * BLOCK - 1) + 1 - block * BLOCK) : spill;
  }

  private groupEnd(slot: number): number {
    const { remainders, remainderBits: width, ends } = this;
    const remainder = readField(remainders, slot * width, width);
    let last = slot;
    while (!testBit(ends, last) && readField(remainders, (last + 1) * width, width) === remainder) last++;
    return last;
  }

  private writeSlot(slot: number, remainder: number, value: number): void {
    writeField(this.remainders, slot * this.remainderBits, this.remainderBits, remainder);
    this.setValueAt(slot, value);
  }

  /** Adds a digit behind slot `last`, the end of a group of `home`. */
  private insertDigit(home: number, last: number, value: number): void {
    const remainder = readField(this.remainders, last * this.remainderBits, this.remainderBits);
    const atEnd = testBit(this.ends, last);
    this.openSlot(home, last + 1);
    if (atEnd) {
      clearBit(this.ends, last);
      setBit(this.ends, last + 1);
    }
    this.writeSlot(last + 1, remainder, value);
  }

  /** Frees `slot` for an entry of `home` by moving what is there and behind by one. */
  private openSlot(home: number, slot: number): void {
    let free = slot;
    for (;;) {
      if (free >= this.slots - 1) this.lengthen();
      const end = this.runEnd(free);
      if (end < free) break;
      free = end + 1;
    }
    const { remainderBits, valueBits } = this;
    moveUp(this.remainders, slot * remainderBits, free * remainderBits, remainderBits);
    moveUp(this.values, slot * valueBits, free * valueBits, valueBits);
    moveUp(this.ends, slot, free, 1);
    clearBit(this.ends, slot);
    for (let block = (home >>> 6) + 1; block <= free >>> 6; block++) {
      if (this.spills[block]! < FAR) this.spills[block]!++;
    }
    this.used++;
  }

  /** Gives `slot`, of the run of `home`, back and moves back what is displaced behind it. */
  private closeSlot(home: number, slot: number): void {
    const { remainderBits, valueBits } = this;
    let last = this.runEnd(home);
    const alone = last === slot && (slot === home || testBit(this.ends, slot - 1));
    const wasEnd = last === slot;
    for (let next = home; ; ) {
      next = next + 1 < this.slots ? nextBit(this.occupied, next + 1) : -1;
      if (next < 0 || next > last) break;
      last = nextBit(this.ends, last + 1);
    }
    moveDown(this.remainders, (slot + 1) * remainderBits, (last + 1) * remainderBits, remainderBits);
    moveDown(this.values, (slot + 1) * valueBits, (last + 1) * valueBits, valueBits);
    moveDown(this.ends, slot + 1, last + 1, 1);
    clearBit(this.ends, last);
    if (alone) clearBit(this.occupied, home);
    else if (wasEnd) setBit(this.ends, slot - 1);
    this.used--;
    // A block whose spill was too long to note is worked out anew, from left to right.
    for (let block = (home >>> 6) + 1; block <= last >>> 6; block++) {
      const spill = this.spills[block]!;
      if (spill < FAR) this.spills[block] = spill - 1;
      else this.spills[block] = Math.min(FAR, this.spillOf(block));
    }
  }

  /** Adds 64 slots at the end; homes stay as they are. */
  private lengthen(): void {
    const longer = new QuotientTable(this, this.slots + BLOCK);
    for (const [at, plane] of this.planes.entries()) longer.planes[at]!.set(plane);
    this.slots = longer.slots;
    this.occupied = longer.occupied;
    this.ends = longer.ends;
    this.spills = longer.spills;
    this.remainders = longer.remainders;
    this.values = longer.values;
    // What ended beyond the last block before now spills into the new one.
    this.spills[(this.slots >>> 6) - 1] = Math.min(
      FAR,
      Math.max(0, this.runEnd(this.slots - BLOCK - 1) + 1 - (this.slots - BLOCK)),
    );
  }
}
