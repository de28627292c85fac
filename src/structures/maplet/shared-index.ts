/**
 * The index in a SharedArrayBuffer: "certainly absent" for other threads, at once.
 *
 * The writer publishes copies of the segments that changed, and of one that was there
 * before only the cache lines that differ: what it does not touch stays in the
 * readers' caches. A reader walks segments while they may be changing and believes
 * what it saw only if nothing did. Fields are int32 words but the tags and one double:
 *
 *    header   64 bytes: state, bits of a row's number, where areas start, words an area
 *    rows     64 bytes for each prefix of so many bits: a turn, the geometry of the
 *             segment and where its area is
 *    areas    words and tags of one segment each
 *
 * Invariants
 *  1. The *turn* of a row is odd while the row or the area it names is being changed,
 *     and else even. It never takes a value twice.
 *  2. An area that no row names is free; the segment of a short prefix has many rows.
 *  3. A reader answers "absent" only when the turn of its row was even and the same
 *     before and after.
 *  4. A buffer that is too small is given up for a new one; first all its turns are
 *     made odd.
 *
 * The closing look at a turn is a read-modify-write: plain reads may sink below a
 * plain or even a sequentially consistent load on ARM, not below that. A writer
 * that was stopped half-way leaves an odd turn, so a reader tries only so often.
 * Two atomic accesses a question, no more: V8 calls a function for each, 23 ns the two.
 * Geometry stands in the row, not with the area, since each place to look it up first
 * adds its latency: a closing look lets no question begin before the last has ended.
 *
 * [1] Boehm: Can Seqlocks Get Along with Programming Language Memory Models?
 *     MSPC 2012.
 */
import type { IndexMaplet } from './index-maplet.js';
import type { Segment } from './segment.js';

const STATE = 0;
const ROW_BITS = 1;
const AREAS = 2;
const AREA_WORDS = 3;
/** Words in 64 bytes, what a cache takes at a time. */
const LINE = 16;
const ROWS = LINE;

const TURN = 0;
const AREA = 1;
const DEPTH = 2;
const BITS = 3;
const STEP = 4;
const EXT_MASK = 5;
const SLOTS = 6;
const SPILLED = 7;
/** 1 / step, a double. */
const INVERSE = 8;

const LIVE = 0;
const REPLACED = 1;
/** Looks before a reader gives up: a copy of a segment takes about as long. */
const TRIES = 200;

/** A segment, where it is copied to, and the rows that lead there. */
interface Published {
  segment: Segment;
  readonly area: number;
  readonly rows: readonly number[];
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
    const fits = (place: number, { slots }: Segment) => segments.get(place)?.slots === slots;
    const gone = [...this.published].filter(([place, { segment }]) => !fits(place, segment));
    const fresh = segments.size - (this.published.size - gone.length);
    if (fresh > this.unused.length + gone.length || depthOf(segments.values()) > this.words[ROW_BITS]!) {
      this.replace(maplet);
      return true;
    }
    for (const [place, { area, rows }] of gone) {
      this.turn(rows);
      this.published.delete(place);
      this.unused.push(area);
    }
    for (const [place, segment] of segments) {
      const known = this.published.get(place);
      if (known === undefined) this.place(place, segment);
      else if (known.segment !== segment) this.patch(known, segment);
    }
    return false;
  }

  /** Tells readers that this buffer is no longer kept fresh: all they will say is "maybe". */
  close(): void {
    if (this.words.length === 0) return;
    Atomics.store(this.words, STATE, REPLACED);
    for (const { rows } of this.published.values()) this.turn(rows);
    this.published.clear();
  }

  private replace(maplet: IndexMaplet): void {
    const segments = placesOf(maplet);
    const rowBits = depthOf(segments.values()) + 2;
    const areaWords = Math.ceil((maplet.options.segmentSlots * 6) / 64) * LINE;
    const count = segments.size * 2 + 2;
    const start = ROWS + 2 ** rowBits * LINE;
    this.close();
    this.buffer = new SharedArrayBuffer((start + count * areaWords) * 4);
    this.words = new Int32Array(this.buffer);
    this.tags = new Uint16Array(this.buffer);
    this.doubles = new Float64Array(this.buffer);
    this.words[ROW_BITS] = rowBits;
    this.words[AREAS] = start;
    this.words[AREA_WORDS] = areaWords;
    this.unused = Array.from({ length: count }, (_, i) => start + (count - 1 - i) * areaWords);
    for (let row = ROWS; row < start; row += LINE) this.words[row + TURN] = 1;
    for (const [place, segment] of segments) this.place(place, segment);
  }

  /** Copies a segment to a free area. REQUIRES: the turns of the rows that shall lead there are odd. */
  private place(place: number, segment: Segment): void {
    const area = this.unused.pop()!;
    const { depth, slots } = segment;
    const places = 2 ** (this.words[ROW_BITS]! - depth);
    const first = (place - 2 ** depth) * places;
    const rows = Array.from({ length: places }, (_, i) => ROWS + (first + i) * LINE);
    this.words.set(new Int32Array(segment.words.buffer, 0, slots), area);
    this.tags.set(segment.tags, (area + slots) * 2);
    this.writeRows(rows, area, segment);
    this.published.set(place, { segment, area, rows });
    this.turn(rows);
  }

  /** Makes an area that holds a segment of this place and size hold `segment`. The turn is odd for the writing only. */
  private patch(known: Published, segment: Segment): void {
    const { words, changed } = this;
    const { area, rows } = known;
    // Words and tags lie in one buffer as they do in the area; an odd number of slots leaves half a word.
    const planes = new Int32Array(segment.words.buffer, 0, (segment.slots * 6) >>> 2);
    changed.length = 0;
    for (let line = 0; line < planes.length; line += LINE) {
      const end = Math.min(line + LINE, planes.length);
      for (let i = line; i < end; i++) {
        if (words[area + i] === planes[i]) continue;
        changed.push(line);
        break;
      }
    }
    this.turn(rows);
    this.writeRows(rows, area, segment);
    for (const line of changed) {
      const end = Math.min(line + LINE, planes.length);
      for (let i = line; i < end; i++) words[area + i] = planes[i]!;
    }
    const last = segment.slots - 1;
    this.tags[(area + segment.slots) * 2 + last] = segment.tags[last]!;
    this.turn(rows);
    known.segment = segment;
  }

  private writeRows(rows: readonly number[], area: number, segment: Segment): void {
    const { words } = this;
    for (const row of rows) {
      words[row + AREA] = area;
      words[row + DEPTH] = segment.depth;
      words[row + BITS] = segment.bits;
      words[row + STEP] = segment.step;
      words[row + EXT_MASK] = segment.extMask;
      words[row + SLOTS] = segment.slots;
      words[row + SPILLED] = segment.spilled;
      this.doubles[(row + INVERSE) >>> 1] = segment.inverse;
    }
  }

  /** Gives even turns for odd ones and odd for even. */
  private turn(rows: readonly number[]): void {
    for (const row of rows) Atomics.add(this.words, row + TURN, 1);
  }
}

/** Asks a published index, on any thread that has its buffer. */
export class IndexReader {
  private readonly words: Int32Array;
  private readonly tags: Uint16Array;
  private readonly doubles: Float64Array;
  /** What is shifted out of a hash for the number of its row. */
  private readonly rest: number;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.tags = new Uint16Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.rest = 32 - this.words[ROW_BITS]!;
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
    const row = ROWS + (high >>> this.rest) * LINE;
    for (let tries = TRIES; tries > 0; tries--) {
      const turn = Atomics.load(words, row + TURN);
      if ((turn & 1) !== 0) {
        if (words[STATE] !== LIVE) return true;
        continue;
      }
      const found = walk(words, tags, doubles[(row + INVERSE) >>> 1]!, row, high, low);
      if (Atomics.add(words, row + TURN, 0) === turn) return found;
    }
    return true;
  }
}

/** Whether the segment that `row` leads to has a candidate. Ends whatever it reads. */
function walk(
  words: Int32Array,
  tags: Uint16Array,
  inverse: number,
  row: number,
  high: number,
  low: number,
): boolean {
  const depth = words[row + DEPTH]!;
  const bits = words[row + BITS]!;
  const step = words[row + STEP]!;
  const extMask = words[row + EXT_MASK]!;
  const slots = words[row + SLOTS]!;
  const firstWord = words[row + AREA]!;
  if (words[row + SPILLED] !== 0) return true;
  const top = (high << depth) | ((low >>> 1) >>> (31 - depth));
  const fingerprint = top >>> (32 - bits);
  const extension = (top << bits) | ((low << depth) >>> (32 - bits));
  const tag = fingerprint & 0xffff;
  const firstTag = (firstWord + slots) * 2;
  let slot = ((fingerprint + 0.5) * inverse) | 0;
  let span = (slot + 1) * step - fingerprint;
  // Four at once, as in slots.ts.
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
