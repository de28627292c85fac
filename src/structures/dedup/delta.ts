/**
 * Delta, version 1: what makes one row of bytes (the *target*) of another (the *base*).
 * A *varint* has seven bits a byte, lowest first, and at most 32 bits.
 *
 *    offset  size  field
 *    ------  ----  ------------------------------------------------------------------
 *         0     1  version   1
 *         1     v  base      varint: bytes of the base
 *               v  target    varint: bytes of the target
 *               n  steps     up to the end
 *
 *    step    what follows
 *    ------  ------------------------------------------------------------------------
 *    INSERT  varint 2 * n; n bytes, which come next in the target
 *    COPY    varint 2 * n + 1; varint d: n bytes of the base come next, from where the
 *            COPY before ended (at first 0) moved by d / 2 when d is even, else by
 *            -(d + 1) / 2
 *
 * Rules
 *  1. n is never 0.
 *  2. A COPY lies inside the base.
 *  3. The steps give exactly the bytes of the target.
 *
 * Whoever applies a delta says how many bytes it may give: no more are allocated,
 * whatever the delta claims, and the work is in proportion to them.
 *
 * From `every byte` to `every byte, once` it is these 12 bytes:
 *
 *    01 0a 10  15 00  0c 2c 20 6f 6e 63 65
 *
 * Finding one: the base is indexed by the hash of 16 bytes at every eighth place, a
 * rolling hash of the target looks there, and what agrees is extended both ways; so
 * every match of 23 bytes and more is met, if its place in the index was not taken.
 * Besides, the base is followed from where the last copy ended, which finds the short
 * matches between single bytes that were replaced. Linear in base and target.
 */
import { CorruptionError } from '../../base/errors.js';

const VERSION = 1;
/** Bytes that a look-up in the index compares. */
const WINDOW = 16;
/** Every how many bytes the base is indexed. */
const STRIDE = 8;
/** A match beside the last copy is worth its step from here on. */
const NEARBY_MIN = 6;
const MULTIPLIER = 0x2c1b3c6d;
/** `MULTIPLIER` to the power of `WINDOW - 1`: takes the oldest byte out of a rolling hash. */
const OLDEST = power(MULTIPLIER, WINDOW - 1);

function power(base: number, exponent: number): number {
  let result = 1;
  for (let i = 0; i < exponent; i++) result = Math.imul(result, base);
  return result;
}

/** Bytes in the making. */
class Steps {
  bytes = new Uint8Array(256);
  length = 0;
  /** Where in the base the last copy ended. */
  baseEnd = 0;

  varint(value: number): void {
    this.#reserve(5);
    while (value > 0x7f) {
      this.bytes[this.length++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.bytes[this.length++] = value;
  }

  insert(target: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.varint(2 * (to - from));
    this.#reserve(to - from);
    this.bytes.set(target.subarray(from, to), this.length);
    this.length += to - from;
  }

  copy(from: number, length: number): void {
    this.varint(2 * length + 1);
    const moved = from - this.baseEnd;
    this.varint(moved < 0 ? -2 * moved - 1 : 2 * moved);
    this.baseEnd = from + length;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/**
 * The delta from `base` to `target`; `undefined` when it would take more than `most` bytes.
 *
 * REQUIRES: both have less than 2^30 bytes.
 */
export function encodeDelta(base: Uint8Array, target: Uint8Array, most = Infinity): Uint8Array | undefined {
  const steps = new Steps();
  steps.bytes[steps.length++] = VERSION;
  steps.varint(base.length);
  steps.varint(target.length);
  const index = indexOf(base);
  const mask = index.length - 1;
  const lastWindow = target.length - WINDOW;
  let inserted = 0;
  let at = 0;
  let hash = lastWindow >= 0 ? hashAt(target, 0) : 0;
  /** Where `hash` is of. */
  let hashed = 0;
  while (at < target.length) {
    let from = -1;
    if (at <= lastWindow) {
      if (at - hashed > WINDOW) hash = hashAt(target, at);
      else {
        for (; hashed < at; hashed++) {
          const without = (hash - Math.imul(target[hashed]!, OLDEST)) | 0;
          hash = (Math.imul(without, MULTIPLIER) + target[hashed + WINDOW]!) | 0;
        }
      }
      hashed = at;
      const found = index[slotOf(hash, mask)]! - 1;
      if (found >= 0 && agree(base, found, target, at, WINDOW)) from = found;
    }
    if (from < 0) {
      const nearby = steps.baseEnd + at - inserted;
      if (agree(base, nearby, target, at, NEARBY_MIN)) from = nearby;
    }
    if (from < 0) {
      at += 1;
      if (steps.length + at - inserted > most) return undefined;
      continue;
    }
    // What agrees before the place that was found was not copied only because it was not looked for.
    let start = at;
    while (start > inserted && from > 0 && base[from - 1] === target[start - 1]) {
      start -= 1;
      from -= 1;
    }
    let end = at;
    const ends = Math.min(target.length, start + base.length - from);
    while (end < ends && base[from + end - start] === target[end]) end += 1;
    steps.insert(target, inserted, start);
    steps.copy(from, end - start);
    at = end;
    inserted = end;
  }
  steps.insert(target, inserted, target.length);
  return steps.length > most ? undefined : steps.bytes.slice(0, steps.length);
}

/** Hash of each window -> its place and one; of places with one hash the first. */
function indexOf(base: Uint8Array): Int32Array {
  const places = Math.max(0, Math.floor((base.length - WINDOW) / STRIDE) + 1);
  const index = new Int32Array(2 ** Math.max(4, 33 - Math.clz32(places)));
  const mask = index.length - 1;
  for (let place = (places - 1) * STRIDE; place >= 0; place -= STRIDE) {
    index[slotOf(hashAt(base, place), mask)] = place + 1;
  }
  return index;
}

function slotOf(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

function hashAt(bytes: Uint8Array, at: number): number {
  let hash = 0;
  for (let i = 0; i < WINDOW; i++) hash = (Math.imul(hash, MULTIPLIER) + bytes[at + i]!) | 0;
  return hash;
}

function agree(base: Uint8Array, from: number, target: Uint8Array, at: number, length: number): boolean {
  if (from + length > base.length || at + length > target.length) return false;
  for (let i = 0; i < length; i++) if (base[from + i] !== target[at + i]) return false;
  return true;
}

/**
 * The target.
 *
 * @throws CorruptionError when `delta` is none, is for another base, or gives more than `most` bytes.
 */
export function applyDelta(base: Uint8Array, delta: Uint8Array, most: number): Uint8Array {
  let at = 1;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = delta[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw refusal('a number that does not end');
  };
  if (delta[0] !== VERSION) throw refusal(`version ${delta[0]}, expected ${VERSION}`);
  const baseBytes = varint();
  if (baseBytes !== base.length) throw refusal(`a base of ${baseBytes} bytes, got one of ${base.length}`);
  const targetBytes = varint();
  if (targetBytes > most) throw refusal(`${targetBytes} bytes, expected at most ${most}`);
  const target = new Uint8Array(targetBytes);
  let end = 0;
  let baseEnd = 0;
  while (at < delta.length) {
    const step = varint();
    const length = Math.floor(step / 2);
    if (length === 0 || length > targetBytes - end) throw refusal(`a step of ${length} bytes`);
    if (step % 2 === 0) {
      if (length > delta.length - at) throw refusal('an insert that is cut off');
      target.set(delta.subarray(at, at + length), end);
      at += length;
    } else {
      const moved = varint();
      const from = baseEnd + (moved % 2 === 0 ? moved / 2 : -(moved + 1) / 2);
      if (from < 0 || from + length > base.length) throw refusal('a copy outside its base');
      target.set(base.subarray(from, from + length), end);
      baseEnd = from + length;
    }
    end += length;
  }
  if (end !== targetBytes) throw refusal(`steps for ${end} of ${targetBytes} bytes`);
  return target;
}

function refusal(what: string): CorruptionError {
  return new CorruptionError(`a delta says ${what}`);
}
