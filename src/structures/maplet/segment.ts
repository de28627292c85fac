/**
 * Segment: one table of the index maplet, for all hashes with one prefix.
 *
 * A 64-bit hash is cut, from its top, into
 *
 *     [ prefix : depth | fingerprint : bits | extension : extBits | unused ]
 *
 * The prefix leads to the segment and is not stored. The fingerprint decides
 * the slot, the extension fills the part of the slot's word that locations do
 * not need. Locations up to 2^(32 - extBits) - 1 fit; for a larger one the
 * boundary moves right and every entry forgets as many bits of its extension.
 * Growing forgets nothing: when the table doubles, the top bit of the extension
 * becomes the lowest bit of the fingerprint. So while a log and its index grow
 * together, the distinguishing bits of an entry stay the same in number.
 *
 * Entries that no window holds, and what exceeds 32 of equal fingerprint and
 * extension, which no split would part, go to `spill`, a map from fingerprint to
 * words. It is null nearly always.
 *
 * A segment belongs to the maplet whose `owner` token it carries; everyone else
 * must clone it before changing it. Memory: 6 bytes a slot.
 */
import { clearSlots, collectSlots, findSlot, INSERTED, insertSlot, PRESENT, removeSlot } from './slots.js';

/** Who may change a segment. Compared by identity. */
export type Owner = object;

/** Slots behind the last home, for what is displaced at the end. */
const PAD_MAX = 64;
/** log2 of the smallest step that a table is laid out for: a window of 64 to 128 slots. */
const STEP_BITS = 9;
/** An extension never takes the whole word, so that shifts by 32 - extBits stay below 32. */
const EXT_BITS_MAX = 31;
/** So many entries of equal fingerprint and extension may stand in slots, or a quarter of a small table. */
const EQUALS_MAX = 32;
/** Prefix, fingerprint and extension that need not be longer: a rate of 10^-6 at a million keys. */
const LONG_ENOUGH = 40;
/** Bits that the boundary moves further than it must. */
const SLACK = 3;
/** Heap bytes of a segment besides its planes: object, buffer, two views (measured, Node 20). */
export const SEGMENT_OVERHEAD = 480;

export interface Geometry {
  readonly depth: number;
  readonly slots: number;
  readonly bits: number;
  readonly extBits: number;
}

/** Fingerprint bits that a table of this size is laid out for. */
export function fingerprintBitsFor(slots: number): number {
  return 32 - Math.clz32(slots - padOf(slots) - 1) + STEP_BITS;
}

function padOf(slots: number): number {
  return Math.min(PAD_MAX, slots >>> 2);
}

export class Segment {
  readonly depth: number;
  readonly slots: number;
  /** Width of the fingerprint. */
  readonly bits: number;
  readonly step: number;
  readonly inverse: number;
  private readonly most: number;
  readonly tags: Uint16Array;
  readonly words: Uint32Array;
  owner: Owner;
  /** Entries, those in `spill` included. */
  length = 0;
  spill: Map<number, number[]> | null = null;
  spilled = 0;
  /** A removal that leaves fewer entries than this asks for a smaller table. */
  floor = 0;
  extBits: number;
  /** The bits of a word that are extension. */
  extMask: number;

  constructor(geometry: Geometry, owner: Owner) {
    const { depth, slots, bits, extBits } = geometry;
    this.depth = depth;
    this.slots = slots;
    this.bits = bits;
    this.step = Math.ceil(2 ** bits / (slots - padOf(slots)));
    this.inverse = 1 / this.step;
    this.most = Math.min(EQUALS_MAX, slots >>> 2);
    this.owner = owner;
    this.extBits = extBits;
    this.extMask = maskOf(extBits);
    // One buffer for both planes, words first for alignment: cloning and saving are one copy.
    const buffer = new ArrayBuffer(slots * 6);
    this.words = new Uint32Array(buffer, 0, slots);
    this.tags = new Uint16Array(buffer, slots * 4, slots);
  }

  /** An empty segment. `extBits` beyond what a word or the hash can hold are cut. */
  static empty(geometry: Geometry, owner: Owner): Segment {
    const segment = new Segment({ ...geometry, extBits: clampExtBits(geometry, geometry.extBits) }, owner);
    clearSlots(segment.tags, segment.step);
    return segment;
  }

  clone(owner: Owner): Segment {
    const copy = new Segment(this, owner);
    copy.words.set(this.words);
    copy.tags.set(this.tags);
    copy.length = this.length;
    copy.spilled = this.spilled;
    copy.floor = this.floor;
    if (this.spill !== null) {
      copy.spill = new Map();
      for (const [fingerprint, words] of this.spill) copy.spill.set(fingerprint, words.slice());
    }
    return copy;
  }

  /** Slots taken. */
  get taken(): number {
    return this.length - this.spilled;
  }

  /** Planes and book-keeping. */
  get bytes(): number {
    return this.slots * 6 + SEGMENT_OVERHEAD + this.spilled * 16;
  }

  get locationMax(): number {
    return ~this.extMask >>> 0;
  }

  /** Fingerprint of a hash whose prefix leads here. */
  fingerprintOf(high: number, low: number): number {
    return alignedHigh(high, low, this.depth) >>> (32 - this.bits);
  }

  /** The 32 bits of the hash behind the fingerprint, of which the top `extBits` are the extension. */
  extensionOf(high: number, low: number): number {
    const { depth, bits } = this;
    return (alignedHigh(high, low, depth) << bits) | ((low << depth) >>> (32 - bits));
  }

  /**
   * Moves the boundary so that `location` fits. An empty segment takes all the
   * extension there is, at most `budget` bits of fingerprint and extension.
   */
  makeRoomFor(location: number, budget: number): void {
    let fitting = Math.clz32(location);
    // Long fingerprints can spare some bits in advance, so that the boundary moves seldom.
    const spare = this.depth + this.bits + fitting - LONG_ENOUGH;
    if (spare > 0) fitting -= Math.min(spare, fitting, SLACK);
    if (this.length === 0) {
      this.setExtBits(clampExtBits(this, Math.min(fitting, budget - this.bits)));
    } else if (fitting < this.extBits) {
      const forgotten = this.extMask ^ maskOf(fitting);
      const { words } = this;
      for (let slot = 0; slot < words.length; slot++) words[slot] = words[slot]! & ~forgotten;
      if (this.spill !== null) {
        for (const list of this.spill.values()) {
          for (let i = 0; i < list.length; i++) list[i] = (list[i]! & ~forgotten) >>> 0;
        }
      }
      this.setExtBits(fitting);
    }
  }

  private setExtBits(extBits: number): void {
    this.extBits = extBits;
    this.extMask = maskOf(extBits);
  }

  collect(high: number, low: number, into: Uint32Array | number[]): number {
    const { depth, bits, extMask } = this;
    const top = (high << depth) | ((low >>> 1) >>> (31 - depth));
    const fingerprint = top >>> (32 - bits);
    const extension = (top << bits) | ((low << depth) >>> (32 - bits));
    const found = collectSlots(
      this.tags,
      this.words,
      this.step,
      this.inverse,
      fingerprint,
      extension,
      extMask,
      into,
      0,
    );
    return this.spill === null ? found : this.collectSpill(fingerprint, extension, into, found);
  }

  private collectSpill(
    fingerprint: number,
    extension: number,
    into: Uint32Array | number[],
    found: number,
  ): number {
    const list = this.spill!.get(fingerprint);
    if (list === undefined) return found;
    for (const word of list) {
      if (((word ^ extension) & this.extMask) === 0) into[found++] = (word & ~this.extMask) >>> 0;
    }
    return found;
  }

  /** The word of this hash with this location. REQUIRES: the location fits. */
  wordOf(high: number, low: number, location: number): number {
    return ((this.extensionOf(high, low) & this.extMask) | location) >>> 0;
  }

  has(fingerprint: number, word: number): boolean {
    if (findSlot(this.tags, this.words, this.step, this.inverse, fingerprint, word) >= 0) return true;
    return this.spill?.get(fingerprint)?.includes(word) ?? false;
  }

  /** As `put`, for a hash. REQUIRES: the location fits. */
  add(high: number, low: number, location: number): number {
    const { depth, bits, extMask } = this;
    const top = alignedHigh(high, low, depth);
    const fingerprint = top >>> (32 - bits);
    const extension = (top << bits) | ((low << depth) >>> (32 - bits));
    return this.put(fingerprint, ((extension & extMask) | location) >>> 0);
  }

  /** INSERTED, PRESENT, CROWDED or NO_ROOM, as `insertSlot`. */
  put(fingerprint: number, word: number): number {
    if (this.spill?.get(fingerprint)?.includes(word)) return PRESENT;
    const outcome = insertSlot(
      this.tags,
      this.words,
      this.step,
      this.inverse,
      fingerprint,
      word,
      this.extMask,
      this.most,
    );
    if (outcome === INSERTED) this.length++;
    return outcome;
  }

  /** Puts an entry that found no room. REQUIRES: it is not there yet. */
  putSpill(fingerprint: number, word: number): void {
    this.spill ??= new Map();
    const list = this.spill.get(fingerprint);
    if (list === undefined) this.spill.set(fingerprint, [word]);
    else list.push(word);
    this.spilled++;
    this.length++;
  }

  /** Puts an entry wherever there is room for it. */
  putAnyhow(fingerprint: number, word: number): void {
    if (this.put(fingerprint, word) < PRESENT) this.putSpill(fingerprint, word);
  }

  /** Overwrites one word by another with the same extension. */
  change(fingerprint: number, from: number, to: number): boolean {
    const slot = findSlot(this.tags, this.words, this.step, this.inverse, fingerprint, from);
    if (slot >= 0) {
      this.words[slot] = to;
      return true;
    }
    const list = this.spill?.get(fingerprint);
    const at = list?.indexOf(from) ?? -1;
    if (at < 0) return false;
    list![at] = to;
    return true;
  }

  remove(fingerprint: number, word: number): boolean {
    const slot = findSlot(this.tags, this.words, this.step, this.inverse, fingerprint, word);
    if (slot >= 0) {
      removeSlot(this.tags, this.words, this.step, slot);
      this.length--;
      return true;
    }
    const list = this.spill?.get(fingerprint);
    const at = list?.indexOf(word) ?? -1;
    if (at < 0) return false;
    list!.splice(at, 1);
    if (list!.length === 0) this.spill!.delete(fingerprint);
    if (this.spill!.size === 0) this.spill = null;
    this.spilled--;
    this.length--;
    return true;
  }

  /** Every location held, in no order. One pass. */
  locations(): Uint32Array {
    const { tags, words, step } = this;
    const mask = ~this.extMask;
    const found = new Uint32Array(this.length);
    let count = 0;
    for (let slot = 0, bound = step; slot < tags.length; slot++, bound += step) {
      if (((bound - tags[slot]!) & 0xffff) !== 0) found[count++] = words[slot]! & mask;
    }
    for (const list of this.spill?.values() ?? []) for (const word of list) found[count++] = word & mask;
    return found;
  }

  /** Highest location held. One pass. */
  highestLocation(): number {
    const { tags, words, step } = this;
    const mask = ~this.extMask;
    let highest = 0;
    for (let slot = 0, bound = step; slot < tags.length; slot++, bound += step) {
      if (((bound - tags[slot]!) & 0xffff) === 0) continue;
      const location = (words[slot]! & mask) >>> 0;
      if (location > highest) highest = location;
    }
    if (this.spill !== null) {
      for (const list of this.spill.values()) {
        for (const word of list) highest = Math.max(highest, (word & mask) >>> 0);
      }
    }
    return highest;
  }
}

function maskOf(extBits: number): number {
  return extBits === 0 ? 0 : -1 << (32 - extBits);
}

function clampExtBits(geometry: Geometry, wanted: number): number {
  return Math.max(0, Math.min(wanted, EXT_BITS_MAX, 64 - geometry.depth - geometry.bits));
}

/** The 32 bits of the hash behind the first `depth`; two shifts, since one by 32 would shift by 0. */
function alignedHigh(high: number, low: number, depth: number): number {
  return (high << depth) | ((low >>> 1) >>> (31 - depth));
}
