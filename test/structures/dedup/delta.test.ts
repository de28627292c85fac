import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptionError } from '../../../src/base/errors.js';
import { applyDelta, encodeDelta } from '../../../src/structures/dedup/index.js';
import { mixed, prose } from './bytes.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const GOLDEN = join(import.meta.dirname, '../../fixtures/delta-v1');

function roundTrip(base: Uint8Array, target: Uint8Array): Uint8Array {
  const delta = encodeDelta(base, target)!;
  expect(Buffer.from(applyDelta(base, delta, target.length)).equals(target)).toBe(true);
  return delta;
}

/** `bytes` with some edits. */
function edited(
  bytes: Uint8Array,
  edits: readonly { at: number; drop: number; add: Uint8Array }[],
): Uint8Array {
  let result = Buffer.from(bytes);
  for (const { at, drop, add } of edits) {
    const from = at % (result.length + 1);
    result = Buffer.concat([result.subarray(0, from), add, result.subarray(from + drop)]);
  }
  return new Uint8Array(result);
}

const edits = fc.array(
  fc.record({
    at: fc.nat(),
    drop: fc.integer({ min: 0, max: 60 }),
    add: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 12 },
);

describe('a delta applied to its base', () => {
  test('gives the target after any edits', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 3000 }), edits, (seed, length, changes) => {
        const base = mixed(seed, length);
        roundTrip(base, edited(base, changes));
        roundTrip(edited(base, changes), base);
      }),
      { numRuns: 300 },
    );
  });

  test('gives the target whatever the two are', () => {
    const few = fc.uint8Array({ maxLength: 200, max: 2 });
    fc.assert(
      fc.property(few, few, (base, target) => {
        roundTrip(base, target);
      }),
      { numRuns: 500 },
    );
    roundTrip(new Uint8Array(0), new Uint8Array(0));
    roundTrip(new Uint8Array(5000), new Uint8Array(9000));
    roundTrip(mixed(1, 100_000), mixed(2, 100_000));
  });

  test('whose parts come in another order is made of copies', () => {
    const base = mixed(3, 4000);
    const target = Buffer.concat([base.subarray(3000), base.subarray(1000, 3000), base.subarray(0, 1000)]);
    expect(roundTrip(base, target).length).toBeLessThan(30);
  });
});

describe('a delta', () => {
  test('of an edit takes some bytes more than the edit, wherever it is', () => {
    const base = mixed(4, 2000);
    for (let at = 0; at <= base.length; at++) {
      const target = edited(base, [{ at, drop: 3, add: utf8('edit!') }]);
      expect(roundTrip(base, target).length, `edited at ${at}`).toBeLessThan(35);
    }
  });

  test('follows the base between single bytes that were replaced', () => {
    const base = utf8(prose(5, 300));
    const target = base.slice();
    for (let i = 0; i < target.length; i += 14) target[i]! ^= 0x20;
    expect(roundTrip(base, target).length).toBeLessThan(base.length / 2);
  });

  test('that would take more than is wanted is none', () => {
    const base = mixed(6, 1000);
    const target = edited(base, [{ at: 500, drop: 0, add: mixed(7, 100) }]);
    const exact = roundTrip(base, target).length;
    expect(encodeDelta(base, target, exact)).toHaveLength(exact);
    expect(encodeDelta(base, target, exact - 1)).toBeUndefined();
    expect(encodeDelta(base, mixed(8, 1000), 999)).toBeUndefined();
  });

  test('is the example of the comment', () => {
    const source = readFileSync(join(import.meta.dirname, '../../../src/structures/dedup/delta.ts'), 'utf8');
    const stated = /these 12 bytes:\s+\*\s+\*\s+([0-9a-f ]+)/.exec(source)![1]!.trim();
    const delta = encodeDelta(utf8('every byte'), utf8('every byte, once'))!;
    expect(Buffer.from(delta).toString('hex')).toBe(stated.replaceAll(' ', ''));
    const bytes = Uint8Array.from(stated.split(/ +/), (byte) => Number.parseInt(byte, 16));
    expect(Buffer.from(applyDelta(utf8('every byte'), bytes, 16)).toString()).toBe('every byte, once');
  });

  test('of the first release is still read', () => {
    const base = utf8(prose(9, 120));
    const target = edited(base, [
      { at: 40, drop: 5, add: utf8('EDITED') },
      { at: 300, drop: 200, add: mixed(1, 150) },
      { at: 10, drop: 0, add: base.subarray(400, 500) },
    ]);
    const file = join(GOLDEN, 'edits.bin');
    if (process.env['WRITE_GOLDEN'] === 'yes') writeFileSync(file, encodeDelta(base, target)!);
    const golden = new Uint8Array(readFileSync(file));
    expect(Buffer.from(applyDelta(base, golden, target.length)).equals(target)).toBe(true);
  });
});

describe('a delta that is wrong', () => {
  const base = utf8(prose(10, 60));
  const target = edited(base, [
    { at: 50, drop: 10, add: utf8('something else') },
    { at: 200, drop: 40, add: base.subarray(0, 60) },
  ]);
  const delta = encodeDelta(base, target)!;

  test('is refused when it is cut off anywhere', () => {
    for (let cut = 0; cut < delta.length; cut++) {
      expect(() => applyDelta(base, delta.subarray(0, cut), target.length), `cut at ${cut}`).toThrow(
        CorruptionError,
      );
    }
  });

  test('is refused, or gives as many bytes as it may, with any bit flipped', () => {
    let refused = 0;
    for (let bit = 0; bit < delta.length * 8; bit++) {
      const flipped = delta.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      try {
        expect(applyDelta(base, flipped, target.length)).toHaveLength(target.length);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(delta.length);
  });

  test('is refused for a base of another length, and behind its last step', () => {
    expect(() => applyDelta(base.subarray(1), delta, target.length)).toThrow(CorruptionError);
    expect(() => applyDelta(base, Buffer.concat([delta, Buffer.of(0)]), target.length)).toThrow(
      CorruptionError,
    );
  });

  test('may claim what it likes and gets no more memory than it may', () => {
    const claims = [0x01, 0x00, 0xff, 0xff, 0xff, 0xff, 0x0f];
    expect(() => applyDelta(new Uint8Array(0), Uint8Array.from(claims), 2 ** 20)).toThrow(/at most 1048576/);
    const made = encodeDelta(base, target)!;
    expect(() => applyDelta(base, made, target.length - 1)).toThrow(CorruptionError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (steps) => {
        const hostile = Uint8Array.from([1, 3, ...steps]);
        try {
          expect(applyDelta(Uint8Array.of(1, 2, 3), hostile, 100).length).toBeLessThanOrEqual(100);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptionError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['an unknown version', [2, 3, 1, 2, 9]],
    ['a step of nothing', [1, 3, 1, 0, 2, 9]],
    ['a copy before the base', [1, 3, 1, 3, 1]],
    ['a copy behind the base', [1, 3, 2, 5, 4]],
    ['a step beyond the target', [1, 3, 1, 4, 8, 9]],
    ['too few steps', [1, 3, 2, 2, 9]],
    ['a number of more than 32 bits', [1, 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ])('is refused for %s', (_, bytes) => {
    expect(() => applyDelta(Uint8Array.of(7, 8, 9), Uint8Array.from(bytes), 100)).toThrow(CorruptionError);
  });
});
