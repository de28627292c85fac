import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptionError } from '../../src/base/errors.js';
import { decodeMaking, encodeMaking, Form } from '../../src/engine/made.js';

const NOTHING = new Uint8Array(0);
const reference = fc.record({
  high: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  low: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  birth: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  size: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

describe('what a value is made of', () => {
  test('is written as the example of the comment', () => {
    const source = readFileSync(join(import.meta.dirname, '../../src/engine/made.ts'), 'utf8');
    const stated = /of 4 bytes:\s+\*\s+\*\s+([0-9a-f ]+)/.exec(source)![1]!.replaceAll(' ', '');
    const parts = [{ high: 1, low: 2, birth: 3, size: 4 }];
    const bytes = encodeMaking({ form: Form.Chunks, depth: 0, parts, delta: NOTHING });
    expect(Buffer.from(bytes).toString('hex')).toBe(stated);
    expect(decodeMaking(Buffer.from(stated, 'hex'))).toEqual({
      form: Form.Chunks,
      depth: 0,
      parts,
      delta: NOTHING,
    });
  });

  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(reference, { minLength: 1, maxLength: 5 }), (parts) => {
        const making = { form: Form.Chunks, depth: 0, parts, delta: NOTHING };
        expect(decodeMaking(encodeMaking(making))).toEqual(making);
      }),
    );
    fc.assert(
      fc.property(reference, fc.uint8Array(), fc.integer({ min: 1, max: 255 }), (base, delta, depth) => {
        const making = { form: Form.Delta, depth, parts: [base], delta };
        const { delta: read, ...rest } = decodeMaking(encodeMaking(making));
        expect({ ...rest, delta: Uint8Array.from(read) }).toEqual(making);
      }),
    );
  });

  test.each([
    ['nothing', []],
    ['a head alone', [1, 0]],
    ['an unknown form', [3, 0, ...new Array(18).fill(0)]],
    ['chunks over a depth', [1, 1, ...new Array(18).fill(0)]],
    ['a chunk that is cut off', [1, 0, ...new Array(35).fill(0)]],
    ['a delta of no depth', [2, 0, ...new Array(18).fill(0)]],
    ['a delta without its base', [2, 1, ...new Array(17).fill(0)]],
  ])('is refused when it is %s', (_, bytes) => {
    expect(() => decodeMaking(Uint8Array.from(bytes))).toThrow(CorruptionError);
  });
});
