/**
 * Content-defined chunking: bytes are cut where the bytes themselves say so, so that
 * an edit changes the chunks around it and leaves all others as they were.
 *
 * FastCDC [1]: a *gear hash* runs over the bytes, `h = 2 h + gear[byte]`, so its top
 * bit depends on the last 32 of them. A chunk ends behind the byte that makes the top
 * bits of the hash zero. *Normalised*: before the average size two bits more have to
 * be zero, behind it two fewer, which brings most chunks near the average.
 *
 * Invariants
 *  1. The chunks of a value, one behind the other, are the value.
 *  2. Every chunk but the last has `min` to `max` bytes; the last has 1 to `max`.
 *  3. Where a chunk ends depends on `max` bytes from its start and on nothing before.
 *     So in whatever pieces the bytes come, the chunks are the same.
 *  4. After an edit, cuts agree again from the first one that both versions share.
 *
 * Costs one pass, without the first `min - 32` bytes of each chunk.
 *
 * [1] Xia et al., FastCDC: a Fast and Efficient Content-Defined Chunking Approach for
 *     Data Deduplication. USENIX ATC 2016.
 */

/** In bytes. */
export interface ChunkSizes {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** Bits by which the condition is harder before the average size, and easier behind it. */
const NORMALIZATION = 2;
/** Bytes that the gear hash depends on. */
const WINDOW = 32;
const AVERAGE_MIN = 64;
const AVERAGE_MAX = 2 ** 24;

/** Chunks of a quarter of the average to four times it. */
export function chunkSizes(average: number): ChunkSizes {
  if (!Number.isInteger(average) || average < AVERAGE_MIN || average > AVERAGE_MAX) {
    throw new RangeError(
      `average: expected a whole number from ${AVERAGE_MIN} to ${AVERAGE_MAX}, got ${average}`,
    );
  }
  return { min: average >>> 2, average, max: average * 4 };
}

/** A seed of 32 bits from a secret of two words. */
export function gearSeed(secret: Int32Array): number {
  return secret[0]! ^ secret[1]!;
}

/** Words for the gear hash, the same for the same seed. Nobody who lacks the seed can choose where cuts fall. */
export function gearTable(seed: number): Int32Array {
  const gear = new Int32Array(256);
  let state = seed | 0;
  for (let i = 0; i < gear.length; i++) {
    // A Weyl sequence through the finalizer of MurmurHash3.
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    gear[i] = word ^ (word >>> 16);
  }
  return gear;
}

/**
 * Where the chunk that begins at `start` ends.
 *
 * REQUIRES: the value ends at `end`, or `end - start` is `sizes.max` and more.
 */
export function chunkEnd(
  bytes: Uint8Array,
  start: number,
  end: number,
  gear: Int32Array,
  { min, average, max }: ChunkSizes,
): number {
  if (end - start <= min) return end;
  const bits = 31 - Math.clz32(average);
  const hardUntil = Math.min(start + average, end);
  const easyUntil = Math.min(start + max, end);
  // A hash shifted so far is zero where the bits that count are.
  const hard = 32 - Math.min(31, bits + NORMALIZATION);
  const easy = 32 - (bits - NORMALIZATION);
  let hash = 0;
  let at = start + Math.max(0, min - WINDOW);
  // The hash of what is before the first cut that may be: where the next one falls depends on no start.
  while (at < start + min) hash = ((hash << 1) + gear[bytes[at++]!]!) | 0;
  while (at < hardUntil) {
    hash = ((hash << 1) + gear[bytes[at++]!]!) | 0;
    if (hash >>> hard === 0) return at;
  }
  while (at < easyUntil) {
    hash = ((hash << 1) + gear[bytes[at++]!]!) | 0;
    if (hash >>> easy === 0) return at;
  }
  return at;
}

/** Cuts bytes that come in pieces. */
export class Chunker {
  readonly #gear: Int32Array;
  /** What came and is in no chunk yet: `#start .. #end`. */
  #held: Uint8Array;
  #start = 0;
  #end = 0;

  constructor(
    private readonly sizes: ChunkSizes,
    seed = 0,
  ) {
    this.#gear = gearTable(seed);
    this.#held = new Uint8Array(4 * sizes.max);
  }

  /** The chunks that are whole now, each of memory of its own. */
  *push(piece: Uint8Array): Generator<Uint8Array, void> {
    for (let from = 0; from < piece.length; ) {
      from += this.#take(piece, from);
      while (this.#end - this.#start >= this.sizes.max) yield this.#cut();
    }
  }

  /** The chunks of what is left; the chunker is as new then. */
  *finish(): Generator<Uint8Array, void> {
    while (this.#start < this.#end) yield this.#cut();
  }

  #cut(): Uint8Array {
    const end = chunkEnd(this.#held, this.#start, this.#end, this.#gear, this.sizes);
    const chunk = this.#held.slice(this.#start, end);
    this.#start = end;
    return chunk;
  }

  /** Takes as much of the piece as there is room for; gives how much. */
  #take(piece: Uint8Array, from: number): number {
    const held = this.#held;
    if (this.#end === held.length) {
      held.copyWithin(0, this.#start);
      this.#end -= this.#start;
      this.#start = 0;
    }
    const taken = Math.min(piece.length - from, held.length - this.#end);
    held.set(piece.subarray(from, from + taken), this.#end);
    this.#end += taken;
    return taken;
  }
}

/** The chunks of a whole value, as views of it. */
export function chunksOf(bytes: Uint8Array, gear: Int32Array, sizes: ChunkSizes): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = chunkEnd(bytes, start, bytes.length, gear, sizes);
    chunks.push(bytes.subarray(start, end));
    start = end;
  }
  return chunks;
}
