/**
 * Bit fields in a `Uint32Array`: the least significant bit of word 0 is bit 0.
 *
 * Plain functions of numbers. Positions stay below 2^31. Reading at the last bit
 * looks one word ahead, so arrays are made with `wordsFor`, which adds two.
 */

/** Words for `bits` bits and the slack that reading needs. */
export function wordsFor(bits: number): number {
  return Math.ceil(bits / 32) + 2;
}

/** Number of set bits. */
export function popcount(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Position of the lowest set bit. REQUIRES: there is one. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

export function testBit(words: Uint32Array, at: number): boolean {
  return ((words[at >>> 5]! >>> (at & 31)) & 1) !== 0;
}

export function setBit(words: Uint32Array, at: number): void {
  words[at >>> 5] = words[at >>> 5]! | (1 << (at & 31));
}

export function clearBit(words: Uint32Array, at: number): void {
  words[at >>> 5] = words[at >>> 5]! & ~(1 << (at & 31));
}

/** The first set bit at or after `at`, or -1. */
export function nextBit(words: Uint32Array, at: number): number {
  let index = at >>> 5;
  let word = words[index]! & (-1 << (at & 31));
  while (word === 0) {
    if (++index >= words.length) return -1;
    word = words[index]!;
  }
  return index * 32 + lowestBit(word);
}

/** The 32 bits from `at` on, as an int32. */
function word32(words: Uint32Array, at: number): number {
  const index = at >>> 5;
  const shift = at & 31;
  if (shift === 0) return words[index]! | 0;
  return (words[index]! >>> shift) | (words[index + 1]! << (32 - shift));
}

/** The unsigned field of `width` bits, 0 to 53, at `at`. */
export function readField(words: Uint32Array, at: number, width: number): number {
  if (width === 0) return 0;
  const low = word32(words, at) >>> 0;
  if (width <= 32) return width === 32 ? low : low & (2 ** width - 1);
  return low + readField(words, at + 32, width - 32) * 2 ** 32;
}

export function writeField(words: Uint32Array, at: number, width: number, value: number): void {
  const first = Math.min(width, 32);
  if (first === 0) return;
  const mask = first === 32 ? -1 : (1 << first) - 1;
  const index = at >>> 5;
  const shift = at & 31;
  const low = (value % 2 ** 32) | 0;
  words[index] = (words[index]! & ~(mask << shift)) | ((low & mask) << shift);
  if (shift + first > 32) {
    const rest = 32 - shift;
    words[index + 1] = (words[index + 1]! & ~(mask >>> rest)) | ((low & mask) >>> rest);
  }
  if (width > 32) writeField(words, at + 32, width - 32, Math.floor(value / 2 ** 32));
}

/** Moves the bits of [from, to) up by `by`; the `by` bits from `from` on keep what was there. */
export function moveUp(words: Uint32Array, from: number, to: number, by: number): void {
  if (from >= to || by === 0) return;
  const start = from + by;
  const end = to + by;
  const first = start >>> 5;
  const last = (end - 1) >>> 5;
  for (let index = last; index >= first; index--) {
    const source = index * 32 - by;
    const value = source >= 0 ? word32(words, source) : words[0]! << -source;
    const mask = maskBetween(index, start, end);
    words[index] = (words[index]! & ~mask) | (value & mask);
  }
}

/** Moves the bits of [from, to) down by `by`; the `by` bits below `to` keep what was there. */
export function moveDown(words: Uint32Array, from: number, to: number, by: number): void {
  if (from >= to || by === 0) return;
  const start = from - by;
  const end = to - by;
  const first = start >>> 5;
  const last = (end - 1) >>> 5;
  for (let index = first; index <= last; index++) {
    const mask = maskBetween(index, start, end);
    words[index] = (words[index]! & ~mask) | (word32(words, index * 32 + by) & mask);
  }
}

/** The bits of word `index` that lie in [start, end). */
function maskBetween(index: number, start: number, end: number): number {
  const base = index * 32;
  let mask = -1;
  if (start > base) mask &= -1 << (start - base);
  if (end < base + 32) mask &= (1 << (end - base)) - 1;
  return mask;
}
