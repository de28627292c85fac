import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  moveDown,
  moveUp,
  readField,
  testBit,
  wordsFor,
  writeField,
} from '../../../src/structures/maplet/bits.js';
import { QuotientTable } from '../../../src/structures/maplet/quotient-table.js';

type Groups = Map<number, { value: number; count: number }>;

/** Throws unless the table holds exactly these groups and keeps its invariants. */
function check(table: QuotientTable, groups: Groups): void {
  const seen = new Map<number, { value: number; count: number }>();
  let lastHome = -1;
  let lastSlot = -1;
  table.forEach((fingerprint, value, count, slot) => {
    const home = Math.floor(fingerprint / table.step);
    if (home < lastHome || slot <= lastSlot || slot < home)
      expect.fail(`slot ${slot} of home ${home} is out of order`);
    lastHome = home;
    lastSlot = slot;
    seen.set(fingerprint, { value, count });
  });
  expect(seen).toEqual(groups);
  expect(table.entries).toBe(groups.size);
  for (const [fingerprint, { value, count }] of groups) {
    const slot = table.find(fingerprint);
    if (slot < 0) expect.fail(`lost ${fingerprint}`);
    if (table.valueAt(slot) !== value || table.countAt(slot) !== count)
      expect.fail(`wrong at ${fingerprint}`);
  }
  for (let fingerprint = 0; fingerprint < 2 ** table.bits && table.bits <= 10; fingerprint++) {
    if (table.find(fingerprint) >= 0 !== groups.has(fingerprint)) expect.fail(`invented ${fingerprint}`);
  }
  let ends = 0;
  let homes = 0;
  for (let slot = 0; slot < table.slots; slot++) {
    if (testBit(table.ends, slot)) ends++;
    if (testBit(table.occupied, slot)) homes++;
  }
  expect(ends).toBe(homes);
  let end = -1;
  for (let block = 0, home = 0; block < table.slots / 64; block++) {
    const spill = Math.max(0, end + 1 - block * 64);
    expect(table.spills[block], `spill of block ${block}`).toBe(Math.min(255, spill));
    for (; home < (block + 1) * 64; home++) {
      if (!testBit(table.occupied, home)) continue;
      end = Math.max(end, home - 1) + 1;
      while (!testBit(table.ends, end)) end++;
    }
  }
}

interface Step {
  readonly what: 'put' | 'take' | 'remove';
  readonly fingerprint: number;
  readonly value: number;
}

function apply(table: QuotientTable, groups: Groups, { what, fingerprint, value }: Step): void {
  const home = Math.floor(fingerprint / table.step);
  const slot = table.find(fingerprint);
  const group = groups.get(fingerprint);
  if (slot >= 0 !== (group !== undefined)) expect.fail(`${fingerprint} found at ${slot}`);
  if (group === undefined) {
    if (what !== 'put') return;
    table.insert(fingerprint, value);
    groups.set(fingerprint, { value, count: 1 });
  } else if (what === 'put') {
    table.setValueAt(slot, value);
    table.increment(slot, home);
    group.value = value;
    group.count++;
  } else if (what === 'take') {
    table.decrement(slot, home);
    if (--group.count === 0) groups.delete(fingerprint);
  } else {
    table.removeGroup(slot, home);
    groups.delete(fingerprint);
  }
}

describe('a quotient table agrees with a plain Map', () => {
  const shapes = [
    { bits: 8, step: 2, valueBits: 1, range: 256 },
    { bits: 8, step: 1, valueBits: 3, range: 256 },
    { bits: 8, step: 0.25, valueBits: 1, range: 256 },
    { bits: 10, step: 7, valueBits: 2, range: 1024 },
    { bits: 10, step: 3, valueBits: 1, range: 12 },
    { bits: 12, step: 32, valueBits: 33, range: 4096 },
    { bits: 40, step: 2 ** 31, valueBits: 48, range: 2 ** 40 },
  ];
  for (const { range, ...geometry } of shapes) {
    const step: fc.Arbitrary<Step> = fc.record({
      what: fc.constantFrom('put', 'put', 'put', 'take', 'take', 'remove'),
      fingerprint: fc.oneof(
        fc.integer({ min: 0, max: range - 1 }),
        fc.integer({ min: 0, max: Math.min(40, range) - 1 }),
      ),
      value: fc.integer({ min: 0, max: 2 ** geometry.valueBits - 1 }),
    });
    test(`with ${JSON.stringify(geometry)}`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
          const table = new QuotientTable(geometry);
          const groups: Groups = new Map();
          for (const each of steps) apply(table, groups, each);
          check(table, groups);
          check(table.clone(), groups);
          check(
            table.rebuilt({
              ...geometry,
              step: geometry.step < 1 ? 1 : Math.min(geometry.step + 1, 2 ** 31),
            }),
            groups,
          );
        }),
        { numRuns: 60 },
      );
    });
  }

  test('when one home holds more than 255 slots, and after they are gone', () => {
    const table = new QuotientTable({ bits: 14, step: 1024, valueBits: 4 });
    const groups: Groups = new Map();
    const put = (fingerprint: number) =>
      apply(table, groups, { what: 'put', fingerprint, value: fingerprint % 16 });
    for (let i = 0; i < 700; i++) put(i);
    for (let home = 1; home < 16; home++) for (let i = 0; i < 5; i++) put(home * 1024 + i * 7);
    check(table, groups);
    for (let i = 0; i < 700; i++) {
      apply(table, groups, { what: i % 2 === 0 ? 'take' : 'remove', fingerprint: (i * 301) % 700, value: 0 });
      if (i % 25 === 0) check(table, groups);
    }
    check(table, groups);
    for (const fingerprint of [...groups.keys()])
      apply(table, groups, { what: 'take', fingerprint, value: 0 });
    expect(table.used).toBe(0);
    for (const plane of [table.occupied, table.ends, table.spills])
      expect(plane.every((word) => word === 0)).toBe(true);
  });

  test('when every home is taken', () => {
    const table = new QuotientTable({ bits: 12, step: 8, valueBits: 8 });
    const groups: Groups = new Map();
    for (let i = 0; i < 512; i++)
      apply(table, groups, { what: 'put', fingerprint: (i * 2741) % 4096, value: i % 256 });
    check(table, groups);
  });

  test('when all counts run up and down through every carry', () => {
    for (const valueBits of [1, 2]) {
      const table = new QuotientTable({ bits: 6, step: 4, valueBits });
      const groups: Groups = new Map();
      for (let i = 0; i < 40; i++) {
        for (const fingerprint of [8, 9, 12]) apply(table, groups, { what: 'put', fingerprint, value: 1 });
        check(table, groups);
      }
      for (let i = 0; i < 40; i++) {
        for (const fingerprint of [9, 12, 8]) apply(table, groups, { what: 'take', fingerprint, value: 1 });
        check(table, groups);
      }
      expect(table.used).toBe(0);
    }
  });
});

describe('bit fields', () => {
  const widths = [1, 2, 7, 31, 32, 33, 48, 53];
  test.each(widths)('of %i bits read as written, at any place, and touch nothing beside them', (width) => {
    for (let at = 0; at < 70; at++) {
      for (const value of [0, 1, 2 ** width - 1, Math.floor(2 ** width / 3)]) {
        for (const ground of [0, 0xffffffff]) {
          const words = new Uint32Array(wordsFor(160)).fill(ground);
          writeField(words, at, width, value);
          expect(readField(words, at, width)).toBe(value);
          for (let bit = 0; bit < 150; bit++) {
            const beside = bit < at || bit >= at + width;
            if (beside && testBit(words, bit) !== (ground !== 0)) expect.fail(`bit ${bit}`);
          }
        }
      }
    }
  });

  test('move up and down by any distance as in an array of bits', () => {
    const words = () => Uint32Array.from({ length: wordsFor(256) }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
    const bitsOf = (of: Uint32Array) => Array.from({ length: 256 }, (_, bit) => testBit(of, bit));
    for (const by of [1, 5, 31, 32, 33, 48]) {
      for (let from = 0; from < 70; from += 3) {
        for (const to of [from, from + 1, from + 31, from + 32, from + 33, from + 64, from + 97]) {
          const up = words();
          const expected = bitsOf(up);
          expected.copyWithin(from + by, from, to);
          moveUp(up, from, to, by);
          expect(bitsOf(up), `up ${from}-${to} by ${by}`).toEqual(expected);

          const down = words();
          const below = bitsOf(down);
          below.copyWithin(from, from + by, to + by);
          moveDown(down, from + by, to + by, by);
          expect(bitsOf(down), `down ${from}-${to} by ${by}`).toEqual(below);
        }
      }
    }
  });
});
