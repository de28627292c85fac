/**
 * Strings and UTF-8, both ways and strict: a lone surrogate is not encoded, and
 * malformed bytes are not decoded, so that no two strings become one.
 *
 * A call of `TextEncoder` or `TextDecoder` costs as much as some dozens of
 * characters, so short strings go by hand. Short ASCII strings, mostly property
 * names, are looked up in a small table of those decoded lately: 40 % less time
 * than making the string anew, and no allocation.
 */
import { CorruptionError } from '../errors.js';

const encoder = new TextEncoder();
// A byte order mark is a character like any other.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** From this many code units on `TextEncoder` is faster. */
const ENCODE_BY_HAND_BELOW = 64;
/** Longer strings are not looked up. */
const RECENT_MAX = 24;
/** How many there may be: a power of two. Takes 100 KB when full. */
const RECENT_SLOTS = 1024;
const recent: string[] = new Array<string>(RECENT_SLOTS).fill('');

const LONE_SURROGATE = /\p{Surrogate}/u;

/** `text` in UTF-8, with a buffer of its own; nothing when it holds a lone surrogate. */
export function toUtf8(text: string): Uint8Array | undefined {
  if (text.length < ENCODE_BY_HAND_BELOW) {
    const length = utf8Length(text);
    if (length < 0) return undefined;
    const bytes = new Uint8Array(length);
    putUtf8(bytes, 0, text);
    return bytes;
  }
  // Newer than the library of types, and than some browsers.
  const known = (text as { isWellFormed?(): boolean }).isWellFormed?.();
  return (known ?? !LONE_SURROGATE.test(text)) ? encoder.encode(text) : undefined;
}

/** Bytes of `text` in UTF-8; -1 when it holds a lone surrogate and has none. */
export function utf8Length(text: string): number {
  const units = text.length;
  let length = units;
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) length++;
    else if (unit < 0xd800 || unit > 0xdfff) length += 2;
    else {
      const next = i + 1 < units ? text.charCodeAt(i + 1) : 0;
      if (unit > 0xdbff || next < 0xdc00 || next > 0xdfff) return -1;
      length += 2;
      i++;
    }
  }
  return length;
}

/**
 * Writes `text` at `at`; gives the offset behind it.
 *
 * REQUIRES: `text` is well-formed and `bytes` has room for it.
 */
export function putUtf8(bytes: Uint8Array, at: number, text: string): number {
  const units = text.length;
  if (units >= ENCODE_BY_HAND_BELOW) return at + encoder.encodeInto(text, bytes.subarray(at)).written;
  for (let i = 0; i < units; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      bytes[at++] = code;
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0xd800 || code > 0xdfff) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      code = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    }
  }
  return at;
}

/** The string of `bytes[start .. end]`. Throws CorruptionError when they are not UTF-8. */
export function getUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length <= RECENT_MAX) {
    let seen = 0;
    let hash = length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      seen |= byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (seen < 0x80) return shortAscii(bytes, start, length, (hash ^ (hash >>> 15)) & (RECENT_SLOTS - 1));
  }
  try {
    return decoder.decode(bytes.subarray(start, end));
  } catch (cause) {
    throw new CorruptionError(`bytes ${start} to ${end} of a value are not UTF-8`, { cause });
  }
}

function shortAscii(bytes: Uint8Array, start: number, length: number, slot: number): string {
  const known = recent[slot]!;
  if (known.length === length) {
    let i = 0;
    while (i < length && known.charCodeAt(i) === bytes[start + i]!) i++;
    if (i === length) return known;
  }
  const text = String.fromCharCode.apply(null, bytes.subarray(start, start + length) as unknown as number[]);
  recent[slot] = text;
  return text;
}
