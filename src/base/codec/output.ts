/**
 * Primitives to tagged bytes, in a buffer that grows by doubling and is used again.
 *
 * Holds the table of strings written so far (rule 1 of the format). Not for two
 * values at once.
 */
import { putUnits } from '../bytes.js';
import { SHARED_MAX, SHARED_MIN, SMALL, SMALL_COUNT, SMALL_INTEGER_MIN, Tag } from './format.js';
import { Numbers } from './numbers.js';
import { putUtf8, utf8Length } from './utf8.js';

const FIRST_BYTES = 4096;
/** A larger buffer is given back after use. */
const KEPT_BYTES = 1 << 20;
/** Eight groups of seven bits hold 53. */
const VARINT_MAX_BYTES = 8;

export class Output {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  readonly #strings = new Numbers<string>();

  /** Where the next byte goes. */
  get at(): number {
    return this.#at;
  }

  /** A copy of what was written. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
    this.#strings.clear();
    if (this.#bytes.length > KEPT_BYTES) this.#resize(FIRST_BYTES);
  }

  byte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = byte;
  }

  /** REQUIRES: a whole number from 0 to 2^53 - 1. */
  varint(n: number): void {
    this.#reserve(VARINT_MAX_BYTES);
    const bytes = this.#bytes;
    let at = this.#at;
    while (n > 0x7fffffff) {
      bytes[at++] = (n % 0x80) | 0x80;
      n = Math.floor(n / 0x80);
    }
    while (n > 0x7f) {
      bytes[at++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    bytes[at++] = n;
    this.#at = at;
  }

  double(n: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, n, true);
    this.#at += 8;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Leaves room for `count` bytes that are known later, and must be set in the copy. */
  skip(count: number): void {
    this.#reserve(count);
    this.#at += count;
  }

  number(n: number): void {
    if (Number.isSafeInteger(n) && (n !== 0 || !Object.is(n, -0))) {
      const small = n - SMALL_INTEGER_MIN;
      if (small >= 0 && small < SMALL_COUNT.integer) {
        this.byte(SMALL.integer + small);
      } else {
        this.byte(n < 0 ? Tag.Negative : Tag.Integer);
        this.varint(n < 0 ? -1 - n : n);
      }
    } else if (Number.isNaN(n)) {
      // Not as a double: there are many NaNs, and equal values have equal bytes.
      this.byte(Tag.NaN);
    } else {
      this.byte(Tag.Double);
      this.double(n);
    }
  }

  bigint(n: bigint): void {
    const hex = (n < 0n ? -n : n).toString(16);
    const length = (hex.length + 1) >> 1;
    this.byte(n < 0n ? Tag.NegativeBigInt : Tag.BigInt);
    this.varint(length);
    this.#reserve(length);
    for (let end = hex.length; end > 0; end -= 2) {
      this.#bytes[this.#at++] = Number.parseInt(hex.slice(Math.max(0, end - 2), end), 16);
    }
  }

  string(text: string): void {
    const units = text.length;
    if (units >= SHARED_MIN && units <= SHARED_MAX) {
      const known = this.#strings.find(text);
      if (known >= 0) {
        this.#sameString(known);
        return;
      }
    }
    if (units < SMALL_COUNT.string && this.#shortAscii(text)) return;
    const length = utf8Length(text);
    if (length < 0) {
      this.byte(Tag.String16);
      this.varint(units);
      this.#reserve(2 * units);
      this.#at = putUnits(this.#bytes, this.#at, text, true);
      return;
    }
    if (length < SMALL_COUNT.string) {
      this.byte(SMALL.string + length);
    } else {
      this.byte(Tag.String);
      this.varint(length);
    }
    this.#reserve(length);
    this.#at = putUtf8(this.#bytes, this.#at, text);
  }

  #sameString(index: number): void {
    if (index < SMALL_COUNT.sameString) {
      this.byte(SMALL.sameString + index);
    } else {
      this.byte(Tag.SameString);
      this.varint(index);
    }
  }

  /** Writes `text` in one pass if it is ASCII: all but a few are. */
  #shortAscii(text: string): boolean {
    const units = text.length;
    this.#reserve(1 + units);
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = SMALL.string + units;
    let seen = 0;
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      bytes[at + 1 + i] = unit;
    }
    if (seen > 0x7f) return false;
    this.#at = at + 1 + units;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed > this.#bytes.length) this.#resize(Math.max(needed, 2 * this.#bytes.length));
  }

  #resize(length: number): void {
    const larger = new Uint8Array(length);
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
