import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Glob } from '../../src/base/glob.js';

/** The same pattern as a regular expression: slow on bad patterns, but known to be right. */
function regexOf(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const unit = pattern[at]!;
    if (unit === '*') source += '[^]*';
    else if (unit === '?') source += '[^]';
    else if (unit === '[') {
      const end = pattern.indexOf(']', at + 2);
      const body = pattern.slice(at + 1, end).replace(/^!/, '^');
      source += `[${body}]`;
      at = end;
    } else source += unit.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  }
  return new RegExp(`^${source}$`);
}

const piece = fc.constantFrom(
  'a',
  'b',
  'c',
  '*',
  '?',
  '[ab]',
  '[!a]',
  '[b-c]',
  '[^b-c]',
  'ü',
  '.',
  '/',
  '\ud800',
);
const pattern = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const key = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ü', '.', '/', '\ud800', '\n'), { maxLength: 9 })
  .map((units) => units.join(''));

describe('a pattern', () => {
  test('matches what the regular expression of the same meaning matches', () => {
    fc.assert(
      fc.property(pattern, fc.array(key, { maxLength: 20 }), (one, keys) => {
        const glob = new Glob(one);
        const regex = regexOf(one);
        for (const each of keys) expect(glob.matches(each), `${one} on ${each}`).toBe(regex.test(each));
      }),
      { numRuns: 2000 },
    );
  });

  test('knows with what its keys begin', () => {
    fc.assert(
      fc.property(pattern, key, (one, each) => {
        const glob = new Glob(one);
        if (glob.matches(each)) expect(each.startsWith(glob.prefix)).toBe(true);
      }),
    );
    expect(new Glob('user:*:name').prefix).toBe('user:');
    expect(new Glob('user\\*').prefix).toBe('user*');
    expect(new Glob('[u]ser').prefix).toBe('');
    expect(new Glob('whole').prefix).toBe('whole');
  });

  test.each([
    ['\\*', ['*'], ['a', '\\*']],
    ['\\[a]', ['[a]'], ['a']],
    ['[]]', [']'], ['', '[']],
    ['[!]]', ['a'], [']']],
    ['[a-]', ['a', '-'], ['b']],
    ['[\\]x]', [']', 'x'], ['\\']],
    ['[a\\-c]', ['a', '-', 'c'], ['b']],
    ['[\\a-\\c]', ['a', 'b', 'c'], ['-']],
    ['?', ['ü', '\ud800'], ['', 'ab', '😀']],
    ['??', ['😀'], []],
    ['a*', ['a', 'ab'], ['ba']],
    ['*', ['', 'x'], []],
    ['', [''], ['a']],
  ])('%s matches as it should', (one, yes, no) => {
    const glob = new Glob(one);
    for (const each of yes) expect(glob.matches(each), each).toBe(true);
    for (const each of no) expect(glob.matches(each), each).toBe(false);
  });

  test.each(['[', '[a', '[!', '[]', '\\', 'a\\', '[a-', '[\\'])(
    'is refused when it is cut short: %s',
    (one) => {
      expect(() => new Glob(one)).toThrow(RangeError);
    },
  );

  test('is refused when it is no string', () => {
    for (const one of [null, 1, {}, ['a']]) expect(() => new Glob(one)).toThrow(TypeError);
  });

  test('of many stars takes no time that grows with their number', () => {
    const glob = new Glob(`${'a*'.repeat(200)}b`);
    // By trying every way it would take longer than the universe is old.
    expect(glob.matches('a'.repeat(2000))).toBe(false);
    expect(glob.matches(`${'a'.repeat(2000)}b`)).toBe(true);
  });
});
