import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Chunker,
  type ChunkSizes,
  chunkSizes,
  chunksOf,
  gearTable,
} from '../../../src/structures/dedup/index.js';
import { mixed } from './bytes.js';

const SIZES = chunkSizes(64);
const GEAR = gearTable(7);

function ends(bytes: Uint8Array, sizes = SIZES): number[] {
  let end = 0;
  return chunksOf(bytes, GEAR, sizes).map((chunk) => (end += chunk.length));
}

function inPieces(bytes: Uint8Array, lengths: readonly number[], sizes: ChunkSizes = SIZES): Uint8Array[] {
  const chunker = new Chunker(sizes, 7);
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const next = at + (lengths[i % lengths.length] ?? 1);
    chunks.push(...chunker.push(bytes.subarray(at, next)));
    at = next;
  }
  chunks.push(...chunker.finish());
  return chunks;
}

describe('the chunks of a value', () => {
  test('are the value, and have the sizes that were asked for', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 5000 }), (seed, length) => {
        const bytes = mixed(seed, length);
        const chunks = chunksOf(bytes, GEAR, SIZES);
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
        for (const [i, { length }] of chunks.entries()) {
          expect(length).toBeLessThanOrEqual(SIZES.max);
          expect(length).toBeGreaterThanOrEqual(i < chunks.length - 1 ? SIZES.min : 1);
        }
      }),
    );
  });

  test('are the same in whatever pieces it comes', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 4000 }),
        fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1 }),
        (seed, length, lengths) => {
          const bytes = mixed(seed, length);
          const whole = chunksOf(bytes, GEAR, SIZES);
          const pieces = inPieces(bytes, lengths);
          expect(pieces.map((chunk) => chunk.length)).toEqual(whole.map((chunk) => chunk.length));
          expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
        },
      ),
    );
    const long = mixed(1, 40_000);
    expect(inPieces(long, [1]).map((chunk) => chunk.length)).toEqual(
      chunksOf(long, GEAR, SIZES).map((chunk) => chunk.length),
    );
  });

  test('are of their own memory where they come from pieces, and a chunker is as new at the end', () => {
    const chunker = new Chunker(SIZES, 7);
    const bytes = mixed(2, 3000);
    const first = [...chunker.push(bytes), ...chunker.finish()].map((chunk) => Buffer.from(chunk));
    bytes.fill(0);
    const again = [...chunker.push(mixed(2, 3000)), ...chunker.finish()];
    expect(again.map((chunk) => Buffer.from(chunk))).toEqual(first);
    expect([...chunker.finish()]).toEqual([]);
  });

  test.each([64, 256, 1024, 8192])('have about %i bytes', (average) => {
    const bytes = mixed(3, average * 600);
    const chunks = chunksOf(bytes, GEAR, chunkSizes(average));
    const mean = bytes.length / chunks.length;
    expect(mean).toBeGreaterThan(average * 0.75);
    expect(mean).toBeLessThan(average * 1.5);
    // Normalised: most lie within a factor of two; of cuts without it 38 % do not.
    const near = chunks.filter(({ length }) => length > average / 2 && length < average * 2).length;
    expect(near / chunks.length).toBeGreaterThan(0.8);
    // Hardly one is cut only because it has got too large.
    expect(chunks.filter(({ length }) => length === average * 4).length).toBeLessThan(chunks.length / 50);
  });

  test('change only around a byte that is inserted, wherever it is', () => {
    const bytes = mixed(4, 3000);
    const before = ends(bytes);
    let worst = 0;
    let sum = 0;
    for (let at = 0; at <= bytes.length; at++) {
      const edited = new Uint8Array(bytes.length + 1);
      edited.set(bytes.subarray(0, at));
      edited[at] = 0x5a;
      edited.set(bytes.subarray(at), at + 1);
      const after = ends(edited);
      // The chunks before the one with the edit end where they did.
      const untouched = before.filter((end) => end < at);
      expect(after.slice(0, untouched.length), `inserted at ${at}`).toEqual(untouched);
      const moved = new Set(before.map((end) => end + 1));
      const lost = after.filter((end) => end > at && !moved.has(end)).length;
      worst = Math.max(worst, lost);
      sum += lost;
    }
    // They agree again soon: of some 47 chunks one or two are other ones, once 11.
    expect(sum / bytes.length).toBeLessThan(1.3);
    expect(worst).toBeLessThanOrEqual(11);
  });

  test('after a removal or a change at any place are mostly those from before', () => {
    const bytes = mixed(5, 3000);
    const before = new Set(chunksOf(bytes, GEAR, SIZES).map((chunk) => Buffer.from(chunk).toString('hex')));
    let kept = 0;
    let all = 0;
    for (let at = 0; at + 10 < bytes.length; at += 7) {
      const removed = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 10)]);
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0xff;
      for (const edited of [removed, changed]) {
        for (const chunk of chunksOf(edited, GEAR, SIZES)) {
          all += 1;
          if (before.has(Buffer.from(chunk).toString('hex'))) kept += 1;
        }
      }
    }
    expect(kept / all).toBeGreaterThan(0.93);
  });

  test('lie elsewhere under another seed', () => {
    const bytes = mixed(6, 6000);
    const cuts = new Set(chunksOf(bytes, gearTable(1), SIZES).map((chunk) => chunk.byteOffset));
    const others = chunksOf(bytes, gearTable(2), SIZES).map((chunk) => chunk.byteOffset);
    expect(others.filter((at) => cuts.has(at)).length).toBeLessThan(others.length / 4);
  });

  test('of bytes that are all the same have all one size, the largest where the bytes never say', () => {
    const sizes = new Set<number>();
    for (let byte = 0; byte < 256; byte++) {
      const lengths = chunksOf(new Uint8Array(10_000).fill(byte), GEAR, SIZES).map(({ length }) => length);
      expect(new Set(lengths.slice(0, -1)).size).toBe(1);
      sizes.add(lengths[0]!);
    }
    expect(Math.max(...sizes)).toBe(SIZES.max);
  });
});

test('cuts lie where they lay in the first release, since stored chunks are found by them', () => {
  const bytes = mixed(8, 2000);
  expect(ends(bytes)).toMatchInlineSnapshot(`
    [
      78,
      144,
      226,
      295,
      376,
      479,
      558,
      665,
      740,
      810,
      880,
      946,
      1012,
      1038,
      1087,
      1154,
      1223,
      1289,
      1318,
      1400,
      1488,
      1571,
      1629,
      1705,
      1772,
      1848,
      1914,
      2000,
    ]
  `);
  expect(Array.from(gearTable(0).subarray(0, 3))).toMatchInlineSnapshot(`
    [
      -1832243442,
      1020716019,
      454327756,
    ]
  `);
});

test('an average that cannot be is refused', () => {
  for (const wrong of [0, 63, 64.5, Number.NaN, 2 ** 24 + 1]) {
    expect(() => chunkSizes(wrong)).toThrow(RangeError);
  }
  expect(chunkSizes(8192)).toEqual({ min: 2048, average: 8192, max: 32_768 });
});
