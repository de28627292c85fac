import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldCase, type NormalForm, normalize } from '../../../src/structures/dedup/index.js';

const FORMS: readonly NormalForm[] = ['none', 'whitespace', 'lowercase', 'ascii', 'unicode', 'full'];

/** Unicode's own full case folding: code point -> folding. */
const FOLDING = new Map(
  readFileSync(join(import.meta.dirname, '../../fixtures/unicode-14/case-folding.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [point, ...folded] = line.split(' ').map((hex) => Number.parseInt(hex, 16));
      return [point!, String.fromCodePoint(...folded)];
    }),
);

/** White_Space of Unicode: these and no others. */
const WHITE_SPACE = [
  ...range(0x09, 0x0d),
  0x20,
  0x85,
  0xa0,
  0x1680,
  ...range(0x2000, 0x200a),
  0x2028,
  0x2029,
  0x202f,
  0x205f,
  0x3000,
];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Letters that Unicode 14 did not know and later versions fold. */
const LATER = new Set([
  0x1c89,
  0xa7cb,
  0xa7cc,
  0xa7ce,
  0xa7d2,
  0xa7d4,
  0xa7da,
  0xa7dc,
  ...range(0x10d50, 0x10d65),
  ...range(0x16ea0, 0x16eb8),
]);

const isCherokee = (point: number) =>
  (point >= 0x13a0 && point <= 0x13fd) || (point >= 0xab70 && point <= 0xabbf);

describe('full case folding', () => {
  test('is what Unicode says for every code point', () => {
    expect(FOLDING.size).toBe(1530);
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      if ((point >= 0xd800 && point <= 0xdfff) || isCherokee(point)) continue;
      const text = String.fromCodePoint(point);
      const expected = FOLDING.get(point) ?? text;
      if (foldCase(text) !== expected && !LATER.has(point)) wrong.push(point.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  test('of Cherokee is the lower case, which tells the same texts apart', () => {
    const points = [...range(0x13a0, 0x13f5), ...range(0x13f8, 0x13fd), ...range(0xab70, 0xabbf)];
    const byFolding = new Map<string, string>();
    for (const point of points) {
      const text = String.fromCodePoint(point);
      const unicodes = FOLDING.get(point) ?? text;
      const known = byFolding.get(unicodes);
      if (known === undefined) byFolding.set(unicodes, foldCase(text));
      else expect(foldCase(text)).toBe(known);
    }
    expect(new Set(byFolding.values()).size).toBe(byFolding.size);
  });

  test('does not depend on what surrounds a letter', () => {
    expect(foldCase('ΟΔΟΣ')).toBe(foldCase('οδος'));
    expect(foldCase('ΟΔΟΣ')).toBe('οδοσ');
  });
});

describe('a normal form', () => {
  test.each(FORMS)('%s is idempotent for every code point, alone and beside others', (form) => {
    for (let first = 0; first <= 0x10ffff; first += 0x100) {
      if (first >= 0xd800 && first <= 0xdf00) continue;
      const points = range(first, first + 0xff).map((point) => String.fromCodePoint(point));
      const text = points.map((point) => `a ${point}\u0301 ${point}\u0345 ${point}b${point}`).join('');
      const once = normalize(text, form);
      if (normalize(once, form) !== once) expect.fail(`U+${first.toString(16)} and the 255 behind it`);
    }
  });

  test.each(FORMS)('%s is idempotent for any text', (form) => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(...WHITE_SPACE.map((point) => String.fromCodePoint(point))),
      fc.constantFrom('Å', '\u030a', 'ß', 'ẞ', 'İ', 'ı', 'ﬃ', 'Σ', 'ΐ', '½', '⁻', '\ud800', '\u0345'),
    );
    fc.assert(
      fc.property(fc.array(unit), (parts) => {
        const once = normalize(parts.join(''), form);
        expect(normalize(once, form)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  test.each(FORMS)('%s of the empty text is empty', (form) => {
    expect(normalize('', form)).toBe('');
  });

  // [form, text, normal form]
  test.each<[NormalForm, string, string]>([
    ['none', '  Hello\tWORLD ', '  Hello\tWORLD '],
    ['whitespace', '  hello   world  ', 'hello world'],
    ['whitespace', 'hello\t\n\r\v\fworld', 'hello world'],
    ['whitespace', ' \t\n', ''],
    ['whitespace', 'Hello World', 'Hello World'],
    ['whitespace', 'a\u00a0b', 'a\u00a0b'],
    ['lowercase', 'Hello  WORLD', 'hello  world'],
    ['lowercase', 'ÀÉ', 'ÀÉ'],
    ['ascii', '  Hello   WORLD ', 'hello world'],
    ['ascii', 'ABC123!@#', 'abc123!@#'],
    ['ascii', 'Ünï', 'Ünï'],
    ['unicode', '  Hello   WORLD ', 'hello world'],
    ['unicode', 'Straße', 'strasse'],
    ['unicode', 'STRASSE', 'strasse'],
    ['unicode', 'e\u0301', 'é'],
    ['unicode', 'É', 'é'],
    ['unicode', 'a\u00a0\u3000b', 'a b'],
    ['unicode', 'ΑΘΗΝΑΣ', 'αθηνασ'],
    ['unicode', 'ПРИВЕТ', 'привет'],
    ['unicode', 'Ÿ', 'ÿ'],
    ['full', 'Ｈｅｌｌｏ　Ｗorld', 'hello world'],
  ])('%s of %j is %j', (form, text, expected) => {
    expect(normalize(text, form)).toBe(expected);
  });
});

/**
 * What Prestige's own table says are the same: ours has to say so too. Code points and
 * what they are there.
 */
const PRESTIGE: readonly [string, string][] = [
  ...[...'⁰¹²³⁴⁵⁶⁷⁸⁹'].map((digit, i): [string, string] => [digit, String(i)]),
  ...[...'⁺⁻⁼⁽⁾ⁿ'].map((sign, i): [string, string] => [sign, '+-=()n'[i]!]),
  ...[...'₀₁₂₃₄₅₆₇₈₉'].map((digit, i): [string, string] => [digit, String(i)]),
  ...[...'₊₋₌₍₎'].map((sign, i): [string, string] => [sign, '+-=()'[i]!]),
  ['¼', '1/4'],
  ['½', '1/2'],
  ['¾', '3/4'],
  ...['ff', 'fi', 'fl', 'ffi', 'ffl', 'st', 'st'].map((letters, i): [string, string] => [
    String.fromCodePoint(0xfb00 + i),
    letters,
  ]),
  ...range(0xff01, 0xff5e).map((point): [string, string] => [
    String.fromCodePoint(point),
    String.fromCodePoint(point - 0xfee0).toLowerCase(),
  ]),
  ...range(0xc0, 0xde)
    .filter((point) => point !== 0xd7)
    .map((point): [string, string] => [String.fromCodePoint(point), String.fromCodePoint(point + 0x20)]),
];

describe.each<NormalForm>(['unicode', 'full'])('%s', (form) => {
  test('takes for the same all that Prestige does', () => {
    for (const [one, other] of PRESTIGE) {
      expect(normalize(`x${one}y`, form), one).toBe(normalize(`x${other}y`, form));
    }
  });

  test('knows the white space of Unicode and no other', () => {
    for (let point = 0; point <= 0xffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const isSpace = normalize(`a${String.fromCodePoint(point)}b`, form) === 'a b';
      if (isSpace !== WHITE_SPACE.includes(point)) expect.fail(`U+${point.toString(16)}`);
    }
  });

  test('takes for the same what ascii, whitespace and lowercase do', () => {
    const text = fc.string({ unit: fc.constantFrom(...'aAbB \t\n\r\v\fzZ.') });
    fc.assert(
      fc.property(text, text, (a, b) => {
        for (const less of ['whitespace', 'lowercase', 'ascii'] as const) {
          if (normalize(a, less) === normalize(b, less)) expect(normalize(a, form)).toBe(normalize(b, form));
        }
        expect(normalize(a, form)).toBe(normalize(normalize(a, 'ascii'), form));
      }),
      { numRuns: 1000 },
    );
  });
});
