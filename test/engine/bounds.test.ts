import { expect, test } from 'vitest';
import { isEverything, resolveRange } from '../../src/engine/bounds.js';

test.each([
  [{ match: 'user:*' }, 'user:', 'user;'],
  [{ match: 'user:*', prefix: 'us' }, 'user:', 'user;'],
  [{ match: 'us*', prefix: 'user:' }, 'user:', 'user;'],
  [{ match: 'user:*', start: 'user:5', end: 'user:7' }, 'user:5', 'user:7'],
  [{ match: 'user:*', start: 'a', end: 'z' }, 'user:', 'user;'],
  [{ match: '*x' }, '', undefined],
  [{ prefix: '\uffff' }, '\uffff', undefined],
  [{ prefix: 'a\uffff' }, 'a\uffff', 'b'],
])('the range %j goes from %j to %j', (range, low, high) => {
  expect(resolveRange(range)).toMatchObject({ low, high });
});

test('everything is what nothing narrows', () => {
  for (const range of [
    undefined,
    {},
    { reverse: true },
    { limit: Number.POSITIVE_INFINITY },
    { withTtl: true },
  ]) {
    expect(isEverything(resolveRange(range))).toBe(true);
  }
  for (const range of [{ match: '*a' }, { limit: 1 }, { start: 'a' }, { end: 'a' }, { prefix: 'a' }]) {
    expect(isEverything(resolveRange(range))).toBe(false);
  }
});
