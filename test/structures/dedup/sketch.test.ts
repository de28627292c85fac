import { describe, expect, test } from 'vitest';
import {
  BANDS,
  BINS,
  bandsOf,
  gearTable,
  similarity,
  sketchOf,
} from '../../../src/structures/dedup/index.js';
import { mixed } from './bytes.js';

const GEAR = gearTable(11);

/** Two values of which about `share` of the shingles of both are common to them. */
function pair(seed: number, length: number, share: number): [Uint8Array, Uint8Array] {
  const common = Math.round((2 * share * length) / (1 + share));
  const a = mixed(seed, length);
  const b = mixed(seed + 1_000_000, length);
  b.set(a.subarray(0, common));
  return [a, b];
}

function sharedBands(a: Uint8Array, b: Uint8Array): number {
  const [x, y] = [bandsOf(sketchOf(a, GEAR)), bandsOf(sketchOf(b, GEAR))];
  let shared = 0;
  for (let band = 0; band < BANDS; band++) {
    if (x[2 * band] === y[2 * band] && x[2 * band + 1] === y[2 * band + 1]) shared += 1;
  }
  return shared;
}

describe('a sketch', () => {
  test.each([0, 0.2, 0.5, 0.8, 0.95])('estimates a similarity of %d', (share) => {
    let sum = 0;
    const pairs = 200;
    for (let i = 0; i < pairs; i++) {
      const [a, b] = pair(i, 2000, share);
      sum += similarity(sketchOf(a, GEAR), sketchOf(b, GEAR));
    }
    // 3,200 bins: a standard error of at most 0.009.
    expect(Math.abs(sum / pairs - share)).toBeLessThan(0.03);
  });

  test('of equal bytes is equal, and of the same shingles in another order nearly', () => {
    const bytes = mixed(1, 4000);
    expect(sketchOf(bytes.slice(), GEAR)).toEqual(sketchOf(bytes, GEAR));
    const turned = Buffer.concat([bytes.subarray(2000), bytes.subarray(0, 2000)]);
    expect(similarity(sketchOf(bytes, GEAR), sketchOf(turned, GEAR))).toBeGreaterThan(0.9);
  });

  test('is there for any length, and tells short values apart', () => {
    const seen = new Set<string>();
    for (let length = 1; length <= 64; length++) {
      const sketch = sketchOf(mixed(length, length), GEAR);
      expect(sketch).toHaveLength(BINS);
      seen.add(sketch.join());
    }
    expect(seen.size).toBe(64);
    expect(() => sketchOf(new Uint8Array(0), GEAR)).not.toThrow();
  });

  test('under another seed is another', () => {
    const bytes = mixed(4, 1000);
    expect(similarity(sketchOf(bytes, GEAR), sketchOf(bytes, gearTable(12)))).toBe(0);
  });
});

describe('bands', () => {
  test.each([
    [0.2, 0.28],
    [0.5, 0.9],
    [0.8, 1],
  ])('are shared at a similarity of %d with a probability of about %d', (share, expected) => {
    const pairs = 300;
    let found = 0;
    for (let i = 0; i < pairs; i++) if (sharedBands(...pair(i, 1500, share)) > 0) found += 1;
    expect(Math.abs(found / pairs - expected)).toBeLessThan(0.09);
  });

  test('are not shared by values that have nothing in common, and differ from each other', () => {
    let found = 0;
    for (let i = 0; i < 300; i++) found += sharedBands(...pair(i, 1500, 0)) + sharedBands(...pair(i, 12, 0));
    expect(found).toBe(0);
    const bands = bandsOf(new Uint32Array(BINS).fill(7));
    const hashes = Array.from({ length: BANDS }, (_, band) => `${bands[2 * band]},${bands[2 * band + 1]}`);
    expect(new Set(hashes).size).toBe(BANDS);
  });
});
