/**
 * Strings for the benchmarks of the structures, in Node and in a browser alike.
 *
 * Each call makes strings of its own: flat, on the engine's heap, and held by nobody
 * else. To look a Map up with the very string objects that are in it is about three
 * times quicker than with equal ones. Texts come from JSON.parse, as what a
 * TextDecoder gives lies outside the heap in Chromium.
 */

const PART = 50_000;
/** V8 keeps one object for all equal strings so short that JSON.parse brings. */
const SHARED_LENGTH = 10;

/** Bits of `n` in disorder: one to one on 32 bits. */
export function mix(n) {
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b);
  return n ^ (n >>> 16);
}

/** What the i-th key says. */
export const TEXTS = {
  /** 20 characters, for the maplets. */
  maplet: (i) => `key:${(mix(i) >>> 0).toString(16).padStart(8, '0')}${String(i).padStart(8, '0')}`,
  /** 20 characters without order, for the HAMT. */
  long: (i) => {
    const a = (Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
    return `${a}-user-${i.toString(36).padStart(6, '0')}`.padEnd(20, '_');
  },
  short: (i) => `key${i}`,
};

/** The keys of `from` to `to`, made anew. `order` says which key stands where. */
export function freshKeys(text, from, to, order = (i) => i) {
  const keys = new Array(to - from);
  let next = 0;
  for (let at = from; at < to; at += PART) {
    const part = [];
    for (let i = at; i < Math.min(to, at + PART); i++) part.push(text(order(i)));
    for (const key of anew(part)) keys[next++] = key;
  }
  return keys;
}

function anew(texts) {
  const copies = JSON.parse(JSON.stringify(texts));
  if (copies.every((copy) => copy.length > SHARED_LENGTH)) return copies;
  // A piece of under 13 characters cut out of a longer string is a copy, and not shared.
  const all = JSON.parse(JSON.stringify(texts.join('')));
  let end = 0;
  return texts.map(({ length }) => {
    end += length;
    return all.substring(end - length, end);
  });
}

/** `keys` themselves in an order of their own, the same each time. */
export function shuffle(keys) {
  let state = 12345;
  for (let i = keys.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [keys[i], keys[j]] = [keys[j], keys[i]];
  }
  return keys;
}

/** Two blocks of two characters with one base-31 hash, in every order of 14. */
export function collidingKeys(count) {
  return Array.from({ length: count }, (_, n) =>
    Array.from({ length: 14 }, (_, bit) => ((n >> bit) & 1 ? 'Aa' : 'BB')).join(''),
  );
}
