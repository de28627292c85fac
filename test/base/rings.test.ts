import { describe, expect, test } from 'vitest';
import { Rings } from '../../src/base/rings.js';

/** The numbers of a bucket, in order. */
function numbersOf(buckets: Rings, bucket: number): number[] {
  const numbers: number[] = [];
  for (let n = buckets.first(bucket); n >= 0; n = buckets.after(n)) numbers.push(n);
  return numbers;
}

/** All buckets that say that they hold any. */
function occupied(buckets: Rings): number[] {
  const found: number[] = [];
  for (let b = 0; (b = buckets.firstOccupied(b, buckets.count)) >= 0; b++) found.push(b);
  return found;
}

describe('buckets', () => {
  test('keep numbers in the order in which they came, and forget those taken out', () => {
    const buckets = new Rings(70, 10);
    for (const number of [3, 1, 4, 0]) buckets.append(65, number);
    buckets.remove(1);
    buckets.append(2, 1);
    expect([numbersOf(buckets, 65), numbersOf(buckets, 2)]).toEqual([[3, 4, 0], [1]]);
    expect(occupied(buckets)).toEqual([2, 65]);
  });

  test('say which hold any, in every part of the range', () => {
    const buckets = new Rings(70, 10);
    const filled = [0, 31, 32, 63, 69];
    for (const [number, bucket] of filled.entries()) buckets.append(bucket, number);
    expect(occupied(buckets)).toEqual(filled);
    expect(buckets.firstOccupied(33, 63)).toBe(-1);
    expect(buckets.firstOccupied(33, 64)).toBe(63);
    for (const number of [1, 2]) buckets.remove(number);
    expect(occupied(buckets)).toEqual([0, 63, 69]);
  });

  test('move as a whole behind what the other holds', () => {
    const buckets = new Rings(70, 10);
    for (const number of [5, 6, 7]) buckets.append(1, number);
    buckets.move(1, 40);
    buckets.move(2, 40);
    expect([occupied(buckets), numbersOf(buckets, 40)]).toEqual([[40], [5, 6, 7]]);
    buckets.append(3, 8);
    buckets.move(3, 40);
    buckets.remove(6);
    expect([occupied(buckets), numbersOf(buckets, 40), buckets.isEmpty(3)]).toEqual([[40], [5, 7, 8], true]);
  });

  test('keep all when they grow', () => {
    const buckets = new Rings(3, 2);
    buckets.append(0, 1);
    buckets.grow(100);
    buckets.append(0, 99);
    expect(numbersOf(buckets, 0)).toEqual([1, 99]);
  });
});
