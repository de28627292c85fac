/**
 * The index in a SharedArrayBuffer: "certainly absent" for other threads, at once.
 *
 * The writer publishes copies of the segments that changed; a reader walks them
 * while they may be changing and believes what it saw only if nothing did. All
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

export class IndexPublisher {
  /** What readers are given. Another one after `publish` returned true. */
  buffer: SharedArrayBuffer;
  private words: Int32Array;
  private tags: Uint16Array;
  private doubles: Float64Array;
  private areas = new Map<Segment, number>();
  private unused: number[] = [];

  /** Publishes `maplet` as it is. Room for twice as many segments. */
  constructor(maplet: IndexMaplet) {
    this.buffer = new SharedArrayBuffer(0);
    this.words = new Int32Array(0);
    this.tags = new Uint16Array(0);
    this.doubles = new Float64Array(0);
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
    for (const [segment] of gone) {
      const area = this.areas.get(segment)!;
      Atomics.add(this.words, area + AREA_TURN, 1);
      this.areas.delete(segment);
      this.unused.push(area);
    }
    for (const segment of fresh) this.place(segment, directory.indexOf(segment) >>> (depth - segment.depth));
    if (fresh.length > 0) this.writeDirectory(directory, depth);
    return false;
  }

  /** Tells readers that this buffer is no longer kept fresh: all they will say is "maybe". */
  close(): void {
    if (this.words.length === 0) return;
    Atomics.store(this.words, STATE, REPLACED);
    for (const area of this.areas.values()) Atomics.add(this.words, area + AREA_TURN, 1);
    this.areas.clear();
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
    this.doubles = new Float64Array(this.buffer);
    this.words[AREAS] = start;
    this.words[AREA_WORDS] = areaWords;
    this.words[DEPTH_MAX] = depthMax;
    this.unused = Array.from({ length: count }, (_, i) => start + (count - 1 - i) * areaWords);
    for (const area of this.unused) this.words[area + AREA_TURN] = 1;
    for (const segment of segments)
      this.place(segment, directory.indexOf(segment) >>> (depth - segment.depth));
    this.writeDirectory(directory, depth);
  }

  /** Copies a segment to a free area. */
  private place(segment: Segment, prefix: number): void {
    const { words } = this;
    const area = this.unused.pop()!;
    words[area + AREA_PREFIX] = prefix;
    words[area + AREA_DEPTH] = segment.depth;
    words[area + AREA_BITS] = segment.bits;
    words[area + AREA_STEP] = segment.step;
    words[area + AREA_EXT_MASK] = segment.extMask;
    words[area + AREA_SLOTS] = segment.slots;
    words[area + AREA_SPILLED] = segment.spilled;
    this.doubles[(area + AREA_INVERSE) >>> 1] = segment.inverse;
    words.set(new Int32Array(segment.words.buffer, 0, segment.slots), area + AREA_HEAD);
    this.tags.set(segment.tags, (area + AREA_HEAD + segment.slots) * 2);
    this.areas.set(segment, area);
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
  for (; slot < slots; slot++, span += step) {
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
