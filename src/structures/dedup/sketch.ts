/**
 * Sketches: a few numbers by which bytes that resemble each other are found.
 *
 * The bytes are seen as the set of their *shingles*, all runs of 8 bytes; two sets are
 * as similar as the share of shingles they have in common (Jaccard). A hash puts each
 * shingle in one of 16 bins, and the least hash of each bin is kept: one-permutation
 * MinHash [1]. A bin of two sketches is equal with a probability of the similarity. A
 * bin without a shingle takes what the next one has that is not empty, so that short
 * values have a sketch too [2].
 *
 * For finding, two neighbouring bins make a *band*, 8 in all: sets share a band with
 * a probability of 1 - (1 - s^2)^8, so 0.9 at s = 0.5, 0.99 at 0.7, 0.28 at 0.2. A
 * candidate is only a candidate.
 *
 * Costs one pass. Without the seed nobody can make values that share bins by plan.
 *
 * [1] Li, Owen, Zhang: One Permutation Hashing. NIPS 2012.
 * [2] Shrivastava, Li: Densifying One Permutation Hashing. ICML 2014.
 */
const BINS_LOG2 = 4;
export const BINS = 2 ** BINS_LOG2;
const ROWS = 2;
export const BANDS = BINS / ROWS;

/** A shingle's byte is shifted out of the rolling hash after so many others. */
const SHINGLE = 8;
const SHIFT = 4;
const EMPTY = 0xffffffff;
/** Tells a value that a bin took from its neighbour by how far away that was. */
const BORROWED = 0x9e3779b1;

/** `gear`: words of `gearTable`, the same for all that are compared. */
export function sketchOf(bytes: Uint8Array, gear: Int32Array): Uint32Array {
  const sketch = new Uint32Array(BINS).fill(EMPTY);
  let hash = 0;
  const warmUp = Math.min(SHINGLE - 1, bytes.length - 1);
  for (let i = 0; i < bytes.length; i++) {
    hash = ((hash << SHIFT) + gear[bytes[i]!]!) | 0;
    if (i < warmUp) continue;
    const mixed = mix(hash);
    const bin = mixed >>> (32 - BINS_LOG2);
    const rest = (mixed << BINS_LOG2) >>> 0;
    if (rest < sketch[bin]!) sketch[bin] = rest;
  }
  return densified(sketch);
}

function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function densified(sketch: Uint32Array): Uint32Array {
  const dense = sketch.slice();
  for (let bin = 0; bin < BINS; bin++) {
    let away = 0;
    while (away < BINS && sketch[(bin + away) % BINS] === EMPTY) away += 1;
    if (away > 0 && away < BINS) dense[bin] = sketch[(bin + away) % BINS]! + Math.imul(away, BORROWED);
  }
  return dense;
}

/** The hashes of the bands, 64 bits each: high and low in turn. Each band hashes in a domain of its own. */
export function bandsOf(sketch: Uint32Array): Int32Array {
  const bands = new Int32Array(2 * BANDS);
  for (let band = 0; band < BANDS; band++) {
    let high = mix(band + 1);
    let low = ~high;
    for (let row = 0; row < ROWS; row++) {
      high = mix((high + sketch[band * ROWS + row]!) | 0);
      low = mix((low ^ high) | 0);
    }
    bands[2 * band] = high;
    bands[2 * band + 1] = low;
  }
  return bands;
}

/** Estimates how similar the bytes of two sketches are, 0 to 1, to about 0.12. */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let bin = 0; bin < BINS; bin++) if (a[bin] === b[bin]) equal += 1;
  return equal / BINS;
}
