/**
 * IndexMaplet: key hash -> location, for more keys than memory would hold.
 *
 * It holds no keys. Asked for a hash it names every location that may belong to
 * it: always the right ones, and now and then one of another key, which the
 * caller tells apart by reading. No candidate means certainly absent.
 *
 * A directory over the first `depth` bits of the hash leads to segments (see
 * segment.ts) of at most 10 Ki slots, as in extendible hashing: a full one
 * grows by 1.25 and finally splits in two; two that have become sparse merge.
 * So growth stops the caller for one segment at a time, never for the table.
 *
 * Cost: 6 bytes a slot at a load of 0.73 to 0.92, about 7.4 bytes an entry. A
 * lookup touches one cache line of tags and seldom more than one word.
 *
 * Fingerprints shrink when locations outrun the number of entries: a log of few
 * large records, then many small ones. `stats().falsePositiveRate` tells; inserting
 * everything anew into another IndexMaplet restores them.
 *
 * Invariants
 *  1. The directory has 2^depth places; a segment of depth d stands in
 *     2^(depth - d) neighbouring ones.
 *  2. A segment is changed only by the maplet that owns it, and a directory
 *     only while it is not shared. A snapshot takes the ownership of all of
 *     them from both sides, in O(1), and each clones what it changes later.
 *
 * [1] Fagin, Nievergelt, Pippenger, Strong: Extendible Hashing. TODS 1979.
 */
import { merged, resized, split } from './rebuild.js';
import { fingerprintBitsFor, type Owner, Segment } from './segment.js';
import { INSERTED, NO_ROOM, PRESENT } from './slots.js';

export interface IndexMapletOptions {
  /** Entries to make room for in advance; removals do not give this room back. Default: 0. */
  readonly capacity?: number;
  /** Slots of the largest segment. Default: 10,240. */
  readonly segmentSlots?: number;
  /** Slots of the smallest segment. Default: 4,096, so that a young index keeps long fingerprints. */
  readonly leastSlots?: number;
  /** At most so many bits of the hash are kept. Default: 64, all that fit. Few bits make many false candidates: for tests. */
  readonly fingerprintBits?: number;
}

export interface IndexStats {
  readonly length: number;
  readonly slots: number;
  readonly segments: number;
  /** Entries per slot. */
  readonly load: number;
  /** Heap and buffers, book-keeping included. */
  readonly bytes: number;
  readonly bitsPerKey: number;
  /** Probability that a hash that was never inserted has a candidate, by the formula, for this content. */
  readonly falsePositiveRate: number;
}

const MAX_LOAD = 0.92;
const GROWTH = 1.25;
/** Siblings merge when together they would fill less than this of the largest segment. */
const MERGE_LOAD = 0.35;
/** A window that overflows below this load is not cured by growing: equal fingerprints. */
const CROWDED_LOAD = 0.6;
const DEPTH_MAX = 24;

export class IndexMaplet {
  private readonly sizes: readonly number[];
  private readonly leastSlots: number;
  private readonly budget: number;
  private readonly capacity: number;
  private owner: Owner = {};
  private directory: Segment[] = [];
  private depth = 0;
  private directoryShared = false;
  private entries = 0;

  /** @throws RangeError for an option out of range. */
  constructor(options: IndexMapletOptions = {}) {
    const largest = checked('segmentSlots', options.segmentSlots ?? 10_240, 8, 65_536);
    this.leastSlots = checked('leastSlots', options.leastSlots ?? Math.min(4096, largest), 8, largest);
    this.budget = checked('fingerprintBits', options.fingerprintBits ?? 64, 1, 64);
    this.capacity = checked('capacity', options.capacity ?? 0, 0, 2 ** 32);
    this.sizes = ladder(this.leastSlots, largest);
    this.reset();
  }

  /** Entries held. */
  get size(): number {
    return this.entries;
  }

  /**
   * Adds `location` to the candidates of a hash, two int32. A location is an integer
   * 0 .. 2^32 - 1, which is not checked, and names one record: inserted again for
   * the same hash it stays one entry.
   *
   * Costs one pass over a cluster, and now and then over a segment: about 0.1 ms.
   */
  insert(high: number, low: number, location: number): void {
    for (;;) {
      const segment = this.writable(high);
      if (location > segment.locationMax || segment.length === 0) {
        segment.makeRoomFor(location, this.budget - segment.depth);
      }
      if (segment.taken >= segment.slots * MAX_LOAD && this.enlarge(segment, high)) continue;
      const outcome = segment.add(high, low, location);
      if (outcome === PRESENT) return;
      if (outcome === NO_ROOM && segment.taken >= segment.slots * CROWDED_LOAD) {
        if (this.enlarge(segment, high)) continue;
      }
      if (outcome !== INSERTED) {
        segment.putSpill(segment.fingerprintOf(high, low), segment.wordOf(high, low, location));
      }
      this.entries++;
      return;
    }
  }

  /**
   * Writes the locations that may belong to a hash to `into`, from index 0 on,
   * and returns how many there are; 0 means certainly absent. No order.
   *
   * An array grows as needed and keeps its other elements. A `Uint32Array` takes
   * what it has room for: when the result exceeds its length, ask again with a
   * longer one.
   */
  candidates(high: number, low: number, into: Uint32Array | number[]): number {
    return this.directory[(high >>> 1) >>> (31 - this.depth)]!.collect(high, low, into);
  }

  /** Whether exactly this location is a candidate of the hash: whether the record there is alive. */
  names(high: number, low: number, location: number): boolean {
    const segment = this.directory[(high >>> 1) >>> (31 - this.depth)]!;
    if (location > segment.locationMax) return false;
    return segment.has(segment.fingerprintOf(high, low), segment.wordOf(high, low, location));
  }

  /** Takes one location from a hash; false when it was none of its candidates. */
  remove(high: number, low: number, location: number): boolean {
    if (!this.names(high, low, location)) return false;
    const segment = this.writable(high);
    segment.remove(segment.fingerprintOf(high, low), segment.wordOf(high, low, location));
    this.entries--;
    if (segment.length < segment.floor) this.reduce(segment, high);
    return true;
  }

  /** Puts `to` in the place of `from`; false, and nothing changes, when `from` was no candidate of the hash. */
  replace(high: number, low: number, from: number, to: number): boolean {
    if (!this.names(high, low, from)) return false;
    if (from === to) return true;
    const segment = this.writable(high);
    if (to > segment.locationMax) segment.makeRoomFor(to, this.budget - segment.depth);
    const fingerprint = segment.fingerprintOf(high, low);
    const old = segment.wordOf(high, low, from);
    const fresh = segment.wordOf(high, low, to);
    if (!segment.has(fingerprint, fresh)) return segment.change(fingerprint, old, fresh);
    segment.remove(fingerprint, old);
    this.entries--;
    return true;
  }

  /** Removes everything. */
  clear(): void {
    this.reset();
  }

  /**
   * The content as of now, in O(1). Both sides may go on changing; neither sees
   * the other. Each pays a copy of a segment, about 10 µs, at its first change.
   */
  snapshot(): IndexMaplet {
    const copy: IndexMaplet = Object.create(IndexMaplet.prototype);
    Object.assign(copy, this);
    this.owner = {};
    copy.owner = {};
    this.directoryShared = true;
    copy.directoryShared = true;
    return copy;
  }

  /** One pass over the directory. */
  stats(): IndexStats {
    let slots = 0;
    let bytes = this.directory.length * 8;
    let falsePositiveRate = 0;
    let segments = 0;
    for (const segment of this.segments()) {
      segments++;
      slots += segment.slots;
      bytes += segment.bytes;
      falsePositiveRate -=
        Math.expm1(-segment.length / 2 ** (segment.bits + segment.extBits)) / 2 ** segment.depth;
    }
    return {
      length: this.entries,
      slots,
      segments,
      load: this.entries / slots,
      bytes,
      bitsPerKey: this.entries === 0 ? 0 : (bytes * 8) / this.entries,
      falsePositiveRate,
    };
  }

  /**
   * A maplet of these segments, in order of prefix, which it may clone and never changes.
   *
   * @throws RangeError when they do not cover all prefixes exactly once.
   */
  static fromSegments(segments: readonly Segment[], options: IndexMapletOptions): IndexMaplet {
    const maplet = new IndexMaplet({ ...options, capacity: 0 });
    maplet.depth = Math.max(...segments.map((segment) => segment.depth));
    maplet.directory = [];
    for (const segment of segments) {
      const places = 2 ** (maplet.depth - segment.depth);
      if (maplet.directory.length % places !== 0) throw new RangeError('segments: a prefix is out of place');
      for (let i = 0; i < places; i++) maplet.directory.push(segment);
      maplet.entries += segment.length;
    }
    if (maplet.directory.length !== 2 ** maplet.depth)
      throw new RangeError('segments: not all prefixes are there');
    return maplet;
  }

  /** What it was made with, less the capacity. */
  get options(): Required<Omit<IndexMapletOptions, 'capacity'>> {
    const { sizes, leastSlots, budget } = this;
    return { segmentSlots: sizes[sizes.length - 1]!, leastSlots, fingerprintBits: budget };
  }

  /** Every segment once, in order of prefix. For saving and publishing: they must not be changed. */
  *segments(): Generator<Segment, void> {
    const { directory, depth } = this;
    for (let at = 0; at < directory.length; ) {
      const segment = directory[at]!;
      yield segment;
      at += 2 ** (depth - segment.depth);
    }
  }

  private reset(): void {
    const largest = this.sizes[this.sizes.length - 1]!;
    this.owner = {};
    this.entries = 0;
    this.depth = 0;
    // Hashes spread unevenly: plan for 4 standard deviations above the mean.
    while (crowded(this.capacity / 2 ** this.depth) > largest * MAX_LOAD && this.depth < DEPTH_MAX)
      this.depth++;
    const slots = this.sizeFor(crowded(this.capacity / 2 ** this.depth) / MAX_LOAD);
    this.directory = [];
    for (let i = 0; i < 2 ** this.depth; i++) this.directory.push(this.fresh(slots));
    this.directoryShared = false;
  }

  private fresh(slots: number): Segment {
    const bits = Math.max(1, Math.min(fingerprintBitsFor(slots), this.budget - this.depth));
    return Segment.empty(
      { depth: this.depth, slots, bits, extBits: this.budget - this.depth - bits },
      this.owner,
    );
  }

  /** The smallest size of at least `slots`, or the largest there is. */
  private sizeFor(slots: number): number {
    return this.sizes.find((size) => size >= slots) ?? this.sizes[this.sizes.length - 1]!;
  }

  /** The segment of a hash, cloned first when somebody else may look at it. */
  private writable(high: number): Segment {
    const segment = this.directory[(high >>> 1) >>> (31 - this.depth)]!;
    if (segment.owner === this.owner) return segment;
    const copy = segment.clone(this.owner);
    this.install(copy, high);
    return copy;
  }

  /** Makes `segment` the one for hashes with the first `segment.depth` bits of `high`. */
  private install(segment: Segment, high: number): void {
    if (this.directoryShared) {
      this.directory = this.directory.slice();
      this.directoryShared = false;
    }
    const prefix = (high >>> 1) >>> (31 - segment.depth);
    const places = 2 ** (this.depth - segment.depth);
    this.directory.fill(segment, prefix * places, (prefix + 1) * places);
  }

  /** Replaces a full segment by a larger one or by two. False when its entries have no bit left to part them by. */
  private enlarge(segment: Segment, high: number): boolean {
    const { slots } = segment;
    const larger = this.sizeFor(slots + 1);
    if (larger > slots) {
      this.adopt(resized(segment, larger, this.owner), high);
      return true;
    }
    const known = segment.bits - 1 + segment.extBits;
    if (segment.depth >= DEPTH_MAX || 2 ** known < slots) return false;
    const [lower, upper] = split(segment, (length) => this.sizeFor((length * GROWTH) / MAX_LOAD), this.owner);
    if (segment.depth === this.depth) {
      this.directory = this.directory.flatMap((each) => [each, each]);
      this.directoryShared = false;
      this.depth++;
    }
    const bit = (1 << 31) >>> segment.depth;
    this.adopt(lower, high & ~bit);
    this.adopt(upper, high | bit);
    return true;
  }

  /** Merges a sparse segment with its sibling, or else makes it smaller, where that is worth it. */
  private reduce(segment: Segment, high: number): void {
    const largest = this.sizes[this.sizes.length - 1]!;
    if (segment.depth > 0) {
      const bit = (1 << 31) >>> (segment.depth - 1);
      const sibling = this.directory[((high ^ bit) >>> 1) >>> (31 - this.depth)]!;
      const together = segment.length + sibling.length;
      if (sibling.depth === segment.depth && together <= largest * MERGE_LOAD) {
        const slots = this.sizeFor((together * GROWTH) / MAX_LOAD);
        const [lower, upper] = (high & bit) === 0 ? [segment, sibling] : [sibling, segment];
        this.adopt(merged(lower, upper, slots, this.owner), high);
        this.halve();
        return;
      }
    }
    const slots = this.sizeFor((segment.length * GROWTH) / MAX_LOAD);
    if (slots < segment.slots) this.adopt(resized(segment, slots, this.owner), high);
    else segment.floor = segment.length >>> 1;
  }

  private adopt(segment: Segment, high: number): void {
    segment.floor = segment.depth === 0 && segment.slots === this.sizes[0]! ? 0 : segment.slots * MERGE_LOAD;
    this.install(segment, high);
  }

  /** Shortens the directory while no segment needs its full depth. */
  private halve(): void {
    while (this.depth > 0 && this.directory.every((segment) => segment.depth < this.depth)) {
      this.directory = this.directory.filter((_, at) => at % 2 === 0);
      this.directoryShared = false;
      this.depth--;
    }
  }
}

/** Sizes of segments, ascending, each about 1.25 times the one before. */
function ladder(least: number, largest: number): number[] {
  const sizes = [largest];
  for (let size = largest / GROWTH; size >= least; size /= GROWTH) sizes.unshift(Math.round(size));
  return sizes;
}

function crowded(mean: number): number {
  return mean + 4 * Math.sqrt(mean);
}

function checked(name: string, value: number, from: number, to: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name}: expected a number, got ${typeof value}`);
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new RangeError(`${name}: expected an integer from ${from} to ${to}, got ${value}`);
  }
  return value;
}
