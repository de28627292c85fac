/**
 * The 30-bit hash of a key of any kind, keyed by a secret.
 *
 * Keys that are the same by SameValueZero have the same hash. Whoever does not
 * know the secret cannot choose keys that collide. Strings, and what is hashed
 * as one, and the bytes of other numbers go through HalfSipHash; whole numbers of
 * 32 bits through a keyed permutation, where four share a hash at most. An object hashes by identity:
 * it gets a number when it is first seen. Thirty bits, because that is what the
 * trie reads and what a browser keeps in an array without boxing.
 */
import { hashBytes, hashString, type Secret } from '../../base/hash.js';

const identities = new WeakMap<object, number>();
let objectsSeen = 0;

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

export function hashKey(secret: Secret, key: unknown): number {
  if (typeof key === 'string') return hashString(secret, key) >>> 2;
  if (typeof key === 'number') {
    if ((key | 0) === key) return mix(secret, key | 0);
    // NaN has many bytes, and is one key.
    double[0] = Number.isNaN(key) ? 0.5 : key;
    return hashBytes(secret, doubleBytes) >>> 2;
  }
  return hashOther(secret, key);
}

function hashOther(secret: Secret, key: unknown): number {
  switch (typeof key) {
    case 'object':
    case 'function': {
      if (key === null) return mix(secret, -1);
      let identity = identities.get(key);
      if (identity === undefined) identities.set(key, (identity = objectsSeen++ | 0));
      return mix(secret, identity);
    }
    case 'symbol':
      // Not every engine takes a symbol as a weak key; symbols of one name share a hash.
      return hashString(secret, key.description ?? '') >>> 2;
    default:
      // bigint, boolean, undefined
      return hashString(secret, String(key)) >>> 2;
  }
}

/** Permutes 32 bits under the secret and drops two. */
function mix(secret: Secret, word: number): number {
  word ^= secret[0]!;
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word ^= secret[1]!;
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 2;
}
