/**
 * The index in a SharedArrayBuffer: "certainly absent" for other threads, at once.
 *
 * The writer publishes copies of the segments that changed; a reader walks them
 * while they may be changing and believes what it saw only if nothing did. All
 * fields are int32 words but the tags:
 *
 *    header     64 bytes: state, turn, depth, areas, words an area
 *    directory  one word for each prefix of `depthMax` bits: the area of its segment
 *    areas      one for each segment: 64 bytes with its turn alone, 64 bytes of
 *               geometry, then words and tags
 *
 * A *turn* is even at rest and odd while what it guards is being changed: the
 * one in the header guards the directory, one in each area its segment.
 *
 * Invariants
 *  1. A reader answers "absent" only when both turns were even, and the same
 *     before and after; and the buffer was not replaced before.
 *  2. A buffer that is too small is given up for a new one, and marked so first.
 *
 * The closing look at a turn is a read-modify-write: plain reads may sink below a
 * plain or even a sequentially consistent load on ARM, not below that. A writer
 * that was stopped half-way leaves an odd turn, so a reader tries only so often.
 *
 * [1] Boehm: Can Seqlocks Get Along with Programming Language Memory Models?
 *     MSPC 2012.
 */
import type { IndexMaplet } from './index-maplet.js';
import type { Segment } from './segment.js';

const STATE = 0;
const TURN = 1;
const DEPTH = 2;
const AREAS = 3;
const AREA_WORDS = 4;
const DEPTH_MAX = 5;
const HEADER_WORDS = 16;

const AREA_TURN = 0;
const AREA_DEPTH = 16;
const AREA_BITS = 17;
const AREA_STEP = 18;
const AREA_EXT_MASK = 19;
const AREA_SLOTS = 20;
const AREA_SPILLED = 21;
const AREA_HEAD = 32;

const LIVE = 0;
const REPLACED = 1;
/** Looks before a reader gives up: a copy of a segment takes about as long. */
const TRIES = 200;

export class IndexPublisher {
  /** What readers are given. Another one after `publish` returned true. */
  buffer: SharedArrayBuffer;
  private words: Int32Array;
  private tags: Uint16Array;
  private areas = new Map<Segment, number>();
  private unused: number[] = [];

  /** Publishes `maplet` as it is. Room for twice as many segments. */
  constructor(maplet: IndexMaplet) {
    this.buffer = new SharedArrayBuffer(0);
    this.words = new Int32Array(0);
    this.tags = new Uint16Array(0);
    this.replace(maplet.snapshot());
  }

  /**
   * Makes readers see `maplet` as it is now, at the cost of copying each segment
   * that changed. True when `buffer` is another one, which readers need then.
   */
  publish(maplet: IndexMaplet): boolean {
    const snapshot = maplet.snapshot();
    const { directory, depth } = directoryOf(snapshot);
    const segments = new Set(directory);
    const gone = [...this.areas].filter(([segment]) => !segments.has(segment));
    const fresh = [...segments].filter((segment) => !this.areas.has(segment));
    const room = this.unused.length + gone.length;
    if (fresh.length > room || depth > this.words[DEPTH_MAX]!) {
      this.replace(snapshot);
      return true;
    }
    if (fresh.length === 0) return false;
    const { words } = this;
    const first = HEADER_WORDS;
    const areas = new Map<Segment, number>();
    const before = depth === words[DEPTH] ? directory.map((_, prefix) => words[first + prefix]!) : [];
    for (const [segment] of gone) {
      this.unused.push(this.areas.get(segment)!);
      this.areas.delete(segment);
    }
    // A segment that took the place of one keeps its area, and the directory stays.
    for (const [prefix, segment] of directory.entries()) {
      const area = before[prefix];
      if (areas.has(segment) || this.areas.has(segment) || area === undefined) continue;
      const at = this.unused.indexOf(area);
      if (at < 0) continue;
      this.unused.splice(at, 1);
      areas.set(segment, area);
    }
    for (const segment of fresh) if (!areas.has(segment)) areas.set(segment, this.unused.pop()!);
    const moved = directory.some(
      (segment, prefix) => (areas.get(segment) ?? this.areas.get(segment)) !== before[prefix],
    );
    if (moved) Atomics.add(words, TURN, 1);
    for (const [segment, area] of areas) {
      this.copy(segment, area);
      this.areas.set(segment, area);
    }
    if (moved) {
      this.writeDirectory(directory, depth);
      Atomics.add(words, TURN, 1);
    }
    return false;
  }

  /** Tells readers that this buffer is no longer kept fresh: all they will say is "maybe". */
  close(): void {
    if (this.words.length > 0) Atomics.store(this.words, STATE, REPLACED);
  }

  private replace(snapshot: IndexMaplet): void {
    const { directory, depth } = directoryOf(snapshot);
    const segments = [...new Set(directory)];
    const depthMax = depth + 2;
    const areaWords = AREA_HEAD + Math.ceil((snapshot.options.segmentSlots * 6) / 64) * 16;
    const count = segments.length * 2 + 2;
    const start = HEADER_WORDS + Math.ceil(2 ** depthMax / 16) * 16;
    this.close();
    this.buffer = new SharedArrayBuffer((start + count * areaWords) * 4);
    this.words = new Int32Array(this.buffer);
    this.tags = new Uint16Array(this.buffer);
    this.words[AREAS] = start;
    this.words[AREA_WORDS] = areaWords;
    this.words[DEPTH_MAX] = depthMax;
    this.areas = new Map();
    this.unused = Array.from({ length: count }, (_, i) => start + (count - 1 - i) * areaWords);
    for (const segment of segments) {
      const area = this.unused.pop()!;
      this.areas.set(segment, area);
      this.copy(segment, area);
    }
    this.writeDirectory(directory, depth);
    Atomics.store(this.words, STATE, LIVE);
  }

  private copy(segment: Segment, area: number): void {
    const { words, tags } = this;
    Atomics.add(words, area + AREA_TURN, 1);
    words[area + AREA_DEPTH] = segment.depth;
    words[area + AREA_BITS] = segment.bits;
    words[area + AREA_STEP] = segment.step;
    words[area + AREA_EXT_MASK] = segment.extMask;
    words[area + AREA_SLOTS] = segment.slots;
    words[area + AREA_SPILLED] = segment.spilled;
    words.set(new Int32Array(segment.words.buffer, 0, segment.slots), area + AREA_HEAD);
    tags.set(segment.tags, (area + AREA_HEAD + segment.slots) * 2);
    Atomics.add(words, area + AREA_TURN, 1);
  }

  private writeDirectory(directory: readonly Segment[], depth: number): void {
    this.words[DEPTH] = depth;
    for (const [prefix, segment] of directory.entries())
      this.words[HEADER_WORDS + prefix] = this.areas.get(segment)!;
  }
}

/** Asks a published index, on any thread that has its buffer. */
export class IndexReader {
  private readonly words: Int32Array;
  private readonly tags: Uint16Array;

  constructor(buffer: SharedArrayBuffer) {
    this.words = new Int32Array(buffer);
    this.tags = new Uint16Array(buffer);
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
    const { words, tags } = this;
    for (let tries = TRIES; tries > 0; tries--) {
      const turn = Atomics.load(words, TURN);
      if ((turn & 1) !== 0) continue;
      const area = words[HEADER_WORDS + ((high >>> 1) >>> (31 - words[DEPTH]!))]!;
      // What is read while the directory changes may lie anywhere.
      if (area < HEADER_WORDS || area >= words.length) continue;
      const areaTurn = Atomics.load(words, area + AREA_TURN);
      if ((areaTurn & 1) !== 0) continue;
      const found = walk(words, tags, area, high, low);
      if (Atomics.add(words, area + AREA_TURN, 0) !== areaTurn) continue;
      if (Atomics.load(words, TURN) !== turn) continue;
      return found || Atomics.load(words, STATE) !== LIVE;
    }
    return true;
  }
}

/** Whether the segment in `area` has a candidate. Ends whatever it reads. */
function walk(words: Int32Array, tags: Uint16Array, area: number, high: number, low: number): boolean {
  const depth = words[area + AREA_DEPTH]!;
  const bits = words[area + AREA_BITS]!;
  const step = words[area + AREA_STEP]!;
  const extMask = words[area + AREA_EXT_MASK]!;
  const slots = words[area + AREA_SLOTS]!;
  if (words[area + AREA_SPILLED] !== 0) return true;
  const top = (high << depth) | ((low >>> 1) >>> (31 - depth));
  const fingerprint = top >>> (32 - bits);
  const extension = (top << bits) | ((low << depth) >>> (32 - bits));
  const tag = fingerprint & 0xffff;
  const home = Math.floor((fingerprint + 0.5) / step);
  const firstWord = area + AREA_HEAD;
  const firstTag = (firstWord + slots) * 2;
  let span = (home + 1) * step - fingerprint;
  for (let slot = home; slot < slots; slot++, span += step) {
    const other = tags[firstTag + slot]!;
    if (((span + tag - other) & 0xffff) < span) return false;
    if (other === tag && ((words[firstWord + slot]! ^ extension) & extMask) === 0) return true;
  }
  return true;
}

function directoryOf(maplet: IndexMaplet): { directory: Segment[]; depth: number } {
  const segments = [...maplet.segments()];
  const depth = Math.max(...segments.map((segment) => segment.depth));
  const directory = segments.flatMap((segment) =>
    new Array<Segment>(2 ** (depth - segment.depth)).fill(segment),
  );
  return { directory, depth };
}
