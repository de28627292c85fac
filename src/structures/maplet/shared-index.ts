/**
 * The index in a SharedArrayBuffer: "certainly absent" for other threads, at once.
 *
 * The writer publishes copies of the segments that changed, and of one that was there
 * before only the cache lines that differ: what it does not touch stays in the
 * readers' caches. A reader walks segments while they may be changing and believes
 * what it saw only if nothing did. All
 * fields are int32 words but the tags and one double:
 *
 *    header     64 bytes: state, depth, where areas start, words an area
 *    directory  one word for each prefix of `depthMax` bits: the area of its segment
 *    areas      one for each segment: 64 bytes with its turn alone, 64 bytes of
 *               prefix and geometry, then words and tags
 *
 * Invariants
 *  1. The *turn* of an area is even while it holds a published segment, and odd
 *     while it is being changed or holds none. It never takes a value twice.
 *  2. An area says which prefix it holds. So the directory needs no guard: who
 *     was led astray by one half changed sees it in the area and looks again.
 *  3. A reader answers "absent" only from an area with the prefix of the hash whose
 *     turn was even and the same before and after.
 *  4. A buffer that is too small is given up for a new one; first all its turns are
 *     made odd.
 *
 * The closing look at a turn is a read-modify-write: plain reads may sink below a
 * plain or even a sequentially consistent load on ARM, not below that. A writer
 * that was stopped half-way leaves an odd turn, so a reader tries only so often.
 * Two atomic accesses a question, no more: V8 calls a function for each.
 *
 * [1] Boehm: Can Seqlocks Get Along with Programming Language Memory Models?
 *     MSPC 2012.
 */
import type { IndexMaplet } from './index-maplet.js';
import type { Segment } from './segment.js';

const STATE = 0;
const DEPTH = 1;
const AREAS = 2;
const AREA_WORDS = 3;
const DEPTH_MAX = 4;
const HEADER_WORDS = 16;

const AREA_TURN = 0;
/** 1 / step, a double. */
const AREA_INVERSE = 16;
const AREA_STEP = 18;
const AREA_PREFIX = 19;
const AREA_DEPTH = 20;
const AREA_BITS = 21;
const AREA_EXT_MASK = 22;
const AREA_SLOTS = 23;
const AREA_SPILLED = 24;
const AREA_HEAD = 32;

const LIVE = 0;
const REPLACED = 1;
/** Looks before a reader gives up: a copy of a segment takes about as long. */
const TRIES = 200;

/** Words in 64 bytes, what a cache takes at a time. */
const LINE = 16;

interface Published {
  segment: Segment;
  readonly slots: number;
  readonly area: number;
}

export class IndexPublisher {
  /** What readers are given. Another one after `publish` returned true. */
  buffer: SharedArrayBuffer;
  private words: Int32Array;
  private tags: Uint16Array;
  private doubles: Float64Array;
  private published = new Map<number, Published>();
  private unused: number[] = [];
  /** Where a segment differs from its area, in lines of 64 bytes. */
  private readonly changed: number[] = [];

  /** Publishes `maplet` as it is. Room for twice as many segments. */
  constructor(maplet: IndexMaplet) {
    this.buffer = new SharedArrayBuffer(0);
    this.words = new Int32Array(0);
    this.tags = new Uint16Array(0);
    this.doubles = new Float64Array(0);
    this.replace(maplet);
  }

  /**
   * Makes readers see `maplet` as it is now, at the cost of looking through each
   * segment that changed. True when `buffer` is another one, which readers need then.
   */
  publish(maplet: IndexMaplet): boolean {
    const segments = placesOf(maplet);
    const gone = [...this.published].filter(([place, { slots }]) => segments.get(place)?.slots !== slots);
    const fresh = segments.size - (this.published.size - gone.length);
    const depth = depthOf(segments.values());
    if (fresh > this.unused.length + gone.length || depth > this.words[DEPTH_MAX]!) {
      this.replace(maplet);
      return true;
    }
    for (const [place, { area }] of gone) {
      Atomics.add(this.words, area + AREA_TURN, 1);
      this.published.delete(place);
      this.unused.push(area);
    }
    for (const [place, segment] of segments) {
      const known = this.published.get(place);
      if (known === undefined) this.place(place, segment);
      else if (known.segment !== segment) this.patch(known, segment);
    }
    if (fresh > 0) this.writeDirectory(segments, depth);
    return false;
  }

  /** Tells readers that this buffer is no longer kept fresh: all they will say is "maybe". */
  close(): void {
    if (this.words.length === 0) return;
    Atomics.store(this.words, STATE, REPLACED);
    for (const { area } of this.published.values()) Atomics.add(this.words, area + AREA_TURN, 1);
    this.published.clear();
  }

  private replace(maplet: IndexMaplet): void {
    const segments = placesOf(maplet);
    const depth = depthOf(segments.values());
    const depthMax = depth + 2;
    const areaWords = AREA_HEAD + Math.ceil((maplet.options.segmentSlots * 6) / 64) * LINE;
    const count = segments.size * 2 + 2;
    const start = HEADER_WORDS + Math.ceil(2 ** depthMax / LINE) * LINE;
    this.close();
    this.buffer = new SharedArrayBuffer((start + count * areaWords) * 4);
    this.words = new Int32Array(this.buffer);
    this.tags = new Uint16Array(this.buffer);
    this.doubles = new Float64Array(this.buffer);
    this.words[AREAS] = start;
    this.words[AREA_WORDS] = areaWords;
    this.words[DEPTH_MAX] = depthMax;
    this.unused = Array.from({ length: count }, (_, i) => start + (count - 1 - i) * areaWords);
    for (const area of this.unused) this.words[area + AREA_TURN] = 1;
    for (const [place, segment] of segments) this.place(place, segment);
    this.writeDirectory(segments, depth);
  }

  /** Copies a segment to a free area. */
  private place(place: number, segment: Segment): void {
    const { words } = this;
    const area = this.unused.pop()!;
    const { depth, slots } = segment;
    words[area + AREA_PREFIX] = place - 2 ** depth;
    words[area + AREA_DEPTH] = depth;
    words[area + AREA_SLOTS] = slots;
    this.writeGeometry(area, segment);
    words.set(new Int32Array(segment.words.buffer, 0, slots), area + AREA_HEAD);
    this.tags.set(segment.tags, (area + AREA_HEAD + slots) * 2);
    this.published.set(place, { segment, slots, area });
    Atomics.add(words, area + AREA_TURN, 1);
  }

  /** Makes an area that holds a segment of this place and size hold `segment`. The turn is odd for the writing only. */
  private patch(known: Published, segment: Segment): void {
    const { words, changed } = this;
    const start = known.area + AREA_HEAD;
    // Words and tags lie in one buffer as they do in the area; an odd number of slots leaves half a word.
    const planes = new Int32Array(segment.words.buffer, 0, (segment.slots * 6) >>> 2);
    changed.length = 0;
    for (let line = 0; line < planes.length; line += LINE) {
      const end = Math.min(line + LINE, planes.length);
      for (let i = line; i < end; i++) {
        if (words[start + i] === planes[i]) continue;
        changed.push(line);
        break;
      }
    }
    Atomics.add(words, known.area + AREA_TURN, 1);
    this.writeGeometry(known.area, segment);
    for (const line of changed) {
      const end = Math.min(line + LINE, planes.length);
      for (let i = line; i < end; i++) words[start + i] = planes[i]!;
    }
    const last = segment.slots - 1;
    this.tags[(start + segment.slots) * 2 + last] = segment.tags[last]!;
    Atomics.add(words, known.area + AREA_TURN, 1);
    known.segment = segment;
  }

  /** What of a segment may change while its place and size stay. */
  private writeGeometry(area: number, segment: Segment): void {
    const { words } = this;
    words[area + AREA_BITS] = segment.bits;
    words[area + AREA_STEP] = segment.step;
    words[area + AREA_EXT_MASK] = segment.extMask;
    words[area + AREA_SPILLED] = segment.spilled;
    this.doubles[(area + AREA_INVERSE) >>> 1] = segment.inverse;
  }

  private writeDirectory(segments: ReadonlyMap<number, Segment>, depth: number): void {
    this.words[DEPTH] = depth;
    for (const [place, segment] of segments) {
      const places = 2 ** (depth - segment.depth);
      const first = HEADER_WORDS + (place - 2 ** segment.depth) * places;
      this.words.fill(this.published.get(place)!.area, first, first + places);
    }
  }
}

/** Asks a published index, on any thread that has its buffer. */
export class IndexReader {
  private readonly words: Int32Array;
  private readonly tags: Uint16Array;
  private readonly doubles: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.tags = new Uint16Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Whether the buffer is still kept fresh; else ask for the new one. */
  get live(): boolean {
    return Atomics.load(this.words, STATE) === LIVE;
  }

  /**
   * False only when the hash was certainly absent at the newest publishing. True
   * also when the writer was busy or has gone on to another buffer.
   */
  mayHave(high: number, low: number): boolean {
    const { words, tags, doubles } = this;
    for (let tries = TRIES; tries > 0; tries--) {
      const area = words[HEADER_WORDS + ((high >>> 1) >>> (31 - words[DEPTH]!))]!;
      const turn = Atomics.load(words, area + AREA_TURN);
      if ((turn & 1) !== 0) {
        if (words[STATE] !== LIVE) return true;
        continue;
      }
      const depth = words[area + AREA_DEPTH]!;
      if ((high >>> 1) >>> (31 - depth) !== words[area + AREA_PREFIX]) continue;
      const found = walk(words, tags, doubles[(area + AREA_INVERSE) >>> 1]!, area, depth, high, low);
      if (Atomics.add(words, area + AREA_TURN, 0) === turn) return found;
    }
    return true;
  }
}

/** Whether the segment in `area` has a candidate. Ends whatever it reads. */
function walk(
  words: Int32Array,
  tags: Uint16Array,
  inverse: number,
  area: number,
  depth: number,
  high: number,
  low: number,
): boolean {
  const bits = words[area + AREA_BITS]!;
  const step = words[area + AREA_STEP]!;
  const extMask = words[area + AREA_EXT_MASK]!;
  const slots = words[area + AREA_SLOTS]!;
  if (words[area + AREA_SPILLED] !== 0) return true;
  const top = (high << depth) | ((low >>> 1) >>> (31 - depth));
  const fingerprint = top >>> (32 - bits);
  const extension = (top << bits) | ((low << depth) >>> (32 - bits));
  const tag = fingerprint & 0xffff;
  const firstWord = area + AREA_HEAD;
  const firstTag = (firstWord + slots) * 2;
  let slot = ((fingerprint + 0.5) * inverse) | 0;
  let span = (slot + 1) * step - fingerprint;
  // As in slots.ts: four at once, 8 of 55 ns.
  for (; slot < slots - 3; slot += 4, span += 4 * step) {
    const span1 = span + step;
    const span2 = span1 + step;
    const span3 = span2 + step;
    const first = firstTag + slot;
    const past0 = ((span + tag - tags[first]!) & 0xffff) - span;
    const past1 = ((span1 + tag - tags[first + 1]!) & 0xffff) - span1;
    const past2 = ((span2 + tag - tags[first + 2]!) & 0xffff) - span2;
    const past3 = ((span3 + tag - tags[first + 3]!) & 0xffff) - span3;
    const ends = (past0 >> 31) + (past1 >> 31) + (past2 >> 31) + (past3 >> 31);
    const stops = ((past0 - 1) >> 31) + ((past1 - 1) >> 31) + ((past2 - 1) >> 31) + ((past3 - 1) >> 31);
    if (ends !== stops) break;
    if (ends !== 0) return false;
  }
  for (; slot < slots; slot++, span += step) {
    const other = tags[firstTag + slot]!;
    if (((span + tag - other) & 0xffff) < span) return false;
    if (other === tag && ((words[firstWord + slot]! ^ extension) & extMask) === 0) return true;
  }
  return true;
}

/** The segments by place, a number that holds prefix and depth: the prefix behind a leading one. */
function placesOf(maplet: IndexMaplet): Map<number, Segment> {
  const segments = new Map<number, Segment>();
  // A snapshot, so that a segment that changes from now on becomes another object.
  const all = [...maplet.snapshot().segments()];
  const depth = depthOf(all);
  let at = 0;
  for (const segment of all) {
    const places = 2 ** (depth - segment.depth);
    segments.set(2 ** segment.depth + at / places, segment);
    at += places;
  }
  return segments;
}

function depthOf(segments: Iterable<Segment>): number {
  let depth = 0;
  for (const segment of segments) depth = Math.max(depth, segment.depth);
  return depth;
}
