import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys } from '../../src/base/bytes.js';
import { blockOf, decodeBlock, encodeBlocks, type RunKey } from '../../src/structures/runs/index.js';

const unit = fc.constantFrom('a', 'b', 'ab', 'ü', '漢', '\ud800', '\udc00', '\uffff', '\0');
const key = fc.array(unit, { maxLength: 12 }).map((units) => units.join(''));
const runKeys = fc
  .uniqueArray(
    fc.record({ key, location: fc.integer({ min: 0, max: 2 ** 32 - 1 }), hasDeadline: fc.boolean() }),
    { selector: (one) => one.key, maxLength: 300, size: 'max' },
  )
  .map((keys) => keys.sort((a, b) => compareKeys(a.key, b.key)));

describe('a key run', () => {
  test('gives back the keys that it was made of, in order', () => {
    fc.assert(
      fc.property(runKeys, (keys) => {
        const blocks = encodeBlocks(keys);
        const decoded = blocks.flatMap(({ bytes }) => decodeBlock(bytes));
        expect(decoded).toEqual(keys);
        for (const { firstKey, bytes } of blocks) expect(decodeBlock(bytes)[0]!.key).toBe(firstKey);
      }),
    );
  });

  test('holds long keys, and shares what they have in common', () => {
    const keys: RunKey[] = ['', 'x'.repeat(65_536), `${'x'.repeat(65_535)}y`, '漢'.repeat(32_768)].map(
      (long, i) => ({ key: long, location: i + 1, hasDeadline: false }),
    );
    expect(encodeBlocks(keys).flatMap(({ bytes }) => decodeBlock(bytes))).toEqual(keys);
    const alike = Array.from({ length: 1000 }, (_, i) => ({
      key: `a/long/path/that/all/keys/share/${String(i).padStart(4, '0')}`,
      location: i,
      hasDeadline: false,
    }));
    const bytes = encodeBlocks(alike).reduce((sum, block) => sum + block.bytes.length, 0);
    expect(bytes).toBeLessThan(1000 * 12);
  });

  test('is cut into blocks of about 4 KiB', () => {
    const keys = Array.from({ length: 5000 }, (_, i) => ({
      key: String(i + 10_000),
      location: i,
      hasDeadline: false,
    }));
    const sizes = encodeBlocks(keys).map(({ bytes }) => bytes.length);
    expect(sizes.length).toBeGreaterThan(5);
    for (const size of sizes.slice(0, -1)) {
      expect(size).toBeGreaterThanOrEqual(4096);
      expect(size).toBeLessThan(4096 + 40);
    }
  });

  test('finds the one block in which a key can be', () => {
    const run = ['b', 'd', 'f'].map((firstKey, location) => ({ firstKey, location }));
    const wanted = { '': -1, a: -1, b: 0, c: 0, d: 1, e: 1, f: 2, z: 2 };
    for (const [one, block] of Object.entries(wanted)) expect(blockOf(run, one), one).toBe(block);
    expect(blockOf([], 'a')).toBe(-1);
  });
});
