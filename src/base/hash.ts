/**
 * Seeded 64-bit hash of keys and contents: HalfSipHash-1-3.
 *
 * A keyed hash with a secret of 64 bits per store, so that nobody can choose
 * keys that collide without knowing the secret. Strings are hashed by their
 * UTF-16 code units, without encoding them first: four code units a word while
 * all are Latin-1, and again from the start, two a word and in another domain,
 * when one is not. The bytes of a Latin-1 string hash like the string.
 *
 * The result is two 32-bit lanes: the first is returned, the second stands in
 * `lane[0]` until the next call. A pair in an object would be allocated for
 * every key, and a field that exceeds 31 bits is boxed in Chromium.
 *
 * Node 20, one shared core: a string of 20 Latin-1 units takes 70 ns, where only
 * reading them takes 43; bytes go at 1,000 MB/s.
 *
 * [1] Aumasson, Bernstein: SipHash, a fast short-input PRF. INDOCRYPT 2012.
 * [2] HalfSipHash, https://github.com/veorq/SipHash (halfsiphash.c).
 */

/** The two 32-bit halves of the secret. */
export type Secret = Int32Array;

/** Second lane of the hash computed last. */
export const lane = new Int32Array(1);

/** The domain of strings that are not Latin-1. */
const WIDE = -1;
/** Spreads a small domain number over the word of the secret that it alters. */
const DOMAIN_FACTOR = 0x9e3779b1;
const ROUNDS_AT_END = 3;

/** The secret in the first 8 bytes, little-endian. Throws RangeError when there are fewer. */
export function secretFrom(bytes: Uint8Array): Secret {
  if (bytes.length < 8) throw new RangeError(`secret: expected at least 8 bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  return Int32Array.of(view.getInt32(0, true), view.getInt32(4, true));
}

/** Hash of the code units of `text`: lone surrogates count as what they are. */
export function hashString(secret: Secret, text: string): number {
  const k0 = secret[0]!;
  const k1 = secret[1]!;
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  const length = text.length;
  const whole = length & ~3;
  let i = 0;
  for (; i < whole; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    if ((a | b | c | d) > 0xff) return hashWide(secret, text);
    const word = a | (b << 8) | (c << 16) | (d << 24);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = length << 24;
  for (let shift = 0; i < length; i++, shift += 8) {
    const unit = text.charCodeAt(i);
    if (unit > 0xff) return hashWide(secret, text);
    last |= unit << shift;
  }
  return finish(v0, v1, v2, v3, last);
}

/**
 * Hash of `bytes[start .. end]`, the standard HalfSipHash-1-3 of them in domain 0.
 * Another `domain`, any number above 0, hashes as under another secret.
 */
export function hashBytes(
  secret: Secret,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  domain = 0,
): number {
  const k0 = domainKey(secret, domain);
  const k1 = secret[1]!;
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  const length = end - start;
  const whole = start + (length & ~3);
  let i = start;
  for (; i < whole; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = length << 24;
  for (let shift = 0; i < end; i++, shift += 8) last |= bytes[i]! << shift;
  return finish(v0, v1, v2, v3, last);
}

/**
 * `hashString` of the key whose code units are stored in `start .. end`: one byte
 * each, or two, little-endian, when `wide`.
 *
 * REQUIRES: `wide` exactly when a code unit does not fit in a byte.
 */
export function hashKeyBytes(
  secret: Secret,
  bytes: Uint8Array,
  start: number,
  end: number,
  wide: boolean,
): number {
  return hashBytes(secret, bytes, start, end, wide ? WIDE : 0);
}

/** The hash of the UTF-16LE bytes of `text` in their own domain. */
function hashWide(secret: Secret, text: string): number {
  const k0 = secret[0]! ^ Math.imul(WIDE, DOMAIN_FACTOR);
  const k1 = secret[1]!;
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = k0 ^ 0x6c796765;
  let v3 = k1 ^ 0x74656462;
  const length = text.length;
  const whole = length & ~1;
  for (let i = 0; i < whole; i += 2) {
    const word = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  let last = length << 25;
  if (whole < length) last |= text.charCodeAt(whole);
  return finish(v0, v1, v2, v3, last);
}

/** First word of the secret in a domain. */
export function domainKey(secret: Secret, domain: number): number {
  return secret[0]! ^ Math.imul(domain, DOMAIN_FACTOR);
}

/** Takes in the last word, which carries the length, and draws the two lanes. */
export function finish(v0: number, v1: number, v2: number, v3: number, last: number): number {
  let first = 0;
  v3 ^= last;
  for (let round = 0; round <= 2 * ROUNDS_AT_END; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xee;
    } else if (round === ROUNDS_AT_END) {
      first = v1 ^ v3;
      v1 ^= 0xdd;
    }
  }
  lane[0] = v1 ^ v3;
  return first;
}
