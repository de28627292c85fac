/**
 * Tagged bytes to primitives.
 *
 * Takes the bytes as hostile: nothing is read beyond their end, and no length is
 * believed before it is known to fit in what is left. Holds the table of strings
 * read so far (rule 1 of the format).
 */
import { getUnits } from '../bytes.js';
import { CorruptionError } from '../errors.js';
import { SHARED_MAX, SHARED_MIN, SMALL, SMALL_COUNT, SMALL_INTEGER_MIN, Tag } from './format.js';
import { getUtf8 } from './utf8.js';

export class Input {
  at = 0;
  readonly #view: DataView;
  readonly #strings: string[] = [];

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The error of bytes that are no value. */
  corrupt(what: string): CorruptionError {
    return new CorruptionError(`a stored value is malformed at byte ${this.at}: ${what}`, {
      detail: { at: this.at },
    });
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw this.corrupt('it ends too early');
    return this.bytes[this.at++]!;
  }

  varint(): number {
    let n = 0;
    for (let factor = 1; factor < 2 ** 53; factor *= 0x80) {
      const byte = this.byte();
      n += (byte & 0x7f) * factor;
      if (n > Number.MAX_SAFE_INTEGER) break;
      if (byte < 0x80) return n;
    }
    throw this.corrupt('a number is too large');
  }

  /** A length in units of `size` bytes at least, all of which are there. */
  length(size = 1): number {
    const n = this.varint();
    if (n * size > this.left) throw this.corrupt(`${n} items cannot be in ${this.left} bytes`);
    return n;
  }

  double(): number {
    if (this.left < 8) throw this.corrupt('it ends inside a number');
    this.at += 8;
    return this.#view.getFloat64(this.at - 8, true);
  }

  /** A copy of the next bytes, as many as the varint before them says. */
  raw(): Uint8Array<ArrayBuffer> {
    const length = this.length();
    const copy = new Uint8Array(length);
    copy.set(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return copy;
  }

  bigint(tag: number): bigint {
    const bytes = this.raw();
    let hex = '0x0';
    for (let i = bytes.length - 1; i >= 0; i--) hex += bytes[i]!.toString(16).padStart(2, '0');
    const n = BigInt(hex);
    return tag === Tag.NegativeBigInt ? -n : n;
  }

  /** The string that must come next. */
  string(): string {
    const tag = this.byte();
    const text = this.stringOf(tag);
    if (text === undefined) throw this.corrupt(`tag ${tag} where a string must be`);
    return text;
  }

  /** The string that starts with `tag`, if a string does. */
  stringOf(tag: number): string | undefined {
    if (tag >= SMALL.string && tag < SMALL.sameString) return this.#utf8(tag - SMALL.string);
    if (tag >= SMALL.sameString && tag < SMALL.array) return this.#known(tag - SMALL.sameString);
    if (tag === Tag.SameString) return this.#known(this.varint());
    if (tag === Tag.String) return this.#utf8(this.length());
    if (tag === Tag.String16) {
      const units = this.length(2);
      const start = this.at;
      this.at += 2 * units;
      return this.#numbered(getUnits(this.bytes, start, this.at, true));
    }
    return undefined;
  }

  /** The number that starts with `tag`, if a number does. */
  numberOf(tag: number): number | undefined {
    const small = tag - SMALL.integer;
    if (small >= 0 && small < SMALL_COUNT.integer) return small + SMALL_INTEGER_MIN;
    if (tag === Tag.Integer) return this.varint();
    if (tag === Tag.Negative) return -1 - this.varint();
    if (tag === Tag.Double) return this.double();
    if (tag === Tag.NaN) return Number.NaN;
    return undefined;
  }

  #utf8(length: number): string {
    if (length > this.left) throw this.corrupt('it ends inside a string');
    this.at += length;
    return this.#numbered(getUtf8(this.bytes, this.at - length, this.at));
  }

  #numbered(text: string): string {
    if (text.length >= SHARED_MIN && text.length <= SHARED_MAX) this.#strings.push(text);
    return text;
  }

  #known(index: number): string {
    const text = this.#strings[index];
    if (text === undefined) throw this.corrupt(`string ${index} is not there`);
    return text;
  }
}
