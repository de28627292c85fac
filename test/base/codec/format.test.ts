import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_NAMES, SMALL, SMALL_COUNT, Tag, VIEW_NAMES } from '../../../src/base/codec/format.js';
import { decode, type Encoded, encode, Kind } from '../../../src/base/codec/index.js';
import { difference } from './same.js';
import { samples } from './values.js';

const GOLDEN = new URL('../../fixtures/codec-v1/samples.json', import.meta.url);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const tagged = (value: unknown) => hex((encode(value) as Encoded).bytes);

describe('the format of tagged values', () => {
  test('is that of the example in its comment', () => {
    const source = readFileSync(new URL('../../../src/base/codec/format.ts', import.meta.url), 'utf8');
    const [, example, bytes] = /`(\{.*\})` is these \d+ bytes:\n \*\n \* +([0-9a-f ]+)\n/.exec(source)!;
    expect(example).toBe("{ flags: ['on', 'on'], n: -1 }");
    expect(tagged({ flags: ['on', 'on'], n: -1 })).toBe(bytes!.replaceAll(' ', ''));
  });

  test('is that of the golden file, both ways', () => {
    const encoded = Object.fromEntries(
      Object.entries(samples()).map(([name, value]) => {
        const { kind, bytes } = encode(value) as Encoded;
        return [name, { kind, hex: hex(bytes) }];
      }),
    );
    const golden: Record<string, { kind: number; hex: string }> = JSON.parse(readFileSync(GOLDEN, 'utf8'));
    expect(encoded).toEqual(golden);
    for (const [name, value] of Object.entries(samples())) {
      const { kind, hex } = golden[name]!;
      expect(difference(decode(kind, Buffer.from(hex, 'hex')), value), name).toBeUndefined();
    }
  });

  test.each<[value: unknown, bytes: string]>([
    [undefined, '02'],
    [null, '03'],
    [false, '04'],
    [true, '05'],
    [Number.NaN, '06'],
    [-0, '070000000000000080'],
    [0.5, '07000000000000e03f'],
    [-16, '20'],
    [0, '30'],
    [47, '5f'],
    [48, '0830'],
    [300, '08ac02'],
    [2 ** 53 - 1, '08ffffffffffffff0f'],
    [-17, '0910'],
    [2 ** 53, '070000000000004043'],
    [255n, '0a01ff'],
    [-256n, '0b020001'],
    [[], 'e0'],
    [['', 'é'], 'e26062c3a9'],
    [['\ud800'], 'e10d0100d8'],
    [{}, '1001'],
    [new Map([[1, 2]]), '13013132'],
    [new Set([1]), '140131'],
    [new Date(1), '15000000000000f03f'],
    [/a/g, '1661616167'],
    [Object(false), '1704'],
    [[new ArrayBuffer(1), 1], 'e219010031'],
    [Uint16Array.of(1, 2), '1a051904010002000002'],
    // biome-ignore lint/suspicious/noSparseArray: holes are the point
    [[, 1], '1202313101'],
  ])('is fixed byte for byte: %o', (value, bytes) => {
    expect(tagged(value)).toBe(bytes);
  });

  test('has a number for a string as soon as there is one, and for an object that is inside itself', () => {
    const self: unknown[] = ['ab', 'ab', 'c', 'c'];
    self.push(self);
    expect(tagged(self)).toBe('e5626162a0616361630f00');
  });

  test('has no tag twice', () => {
    const all = Object.values(Tag) as number[];
    for (const range of ['integer', 'string', 'sameString', 'array'] as const) {
      for (let i = 0; i < SMALL_COUNT[range]; i++) all.push(SMALL[range] + i);
    }
    expect(new Set(all).size).toBe(all.length);
    expect(Math.max(...all)).toBe(0xff);
    expect(all).not.toContain(0);
  });

  test('has the numbers that are on disk', () => {
    expect(Kind).toEqual({ Tagged: 0, String: 1, String16: 2, Bytes: 3, Buffer: 4 });
    expect([ERROR_NAMES.indexOf('URIError'), VIEW_NAMES.indexOf('Float16Array')]).toEqual([6, 12]);
  });
});
