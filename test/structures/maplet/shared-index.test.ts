import { describe, expect, test } from 'vitest';
import { IndexMaplet, IndexPublisher, IndexReader } from '../../../src/structures/maplet/index.js';

const hashOf = (i: number): [number, number] => [Math.imul(i + 1, 0x9e3779b1), Math.imul(i + 7, 0x85ebca6b)];

describe('a published index', () => {
  test('answers for what is in it, after every publishing, through growth, splits and merges', () => {
    const maplet = new IndexMaplet({ segmentSlots: 64, leastSlots: 16 });
    const publisher = new IndexPublisher(maplet);
    let reader = new IndexReader(publisher.buffer);
    let replaced = 0;
    const check = (from: number, to: number) => {
      const before = reader;
      if (publisher.publish(maplet)) {
        replaced++;
        expect(before.live).toBe(false);
        reader = new IndexReader(publisher.buffer);
      }
      expect(reader.live).toBe(true);
      let absent = 0;
      for (let i = 0; i < 3000; i++) {
        const mayHave = reader.mayHave(...hashOf(i));
        if (i >= from && i < to && !mayHave) expect.fail(`${i} is said to be absent`);
        if (mayHave !== maplet.candidates(...hashOf(i), []) > 0) expect.fail(`${i} is not as in the index`);
        if (!mayHave) absent++;
      }
      return absent;
    };
    for (let i = 0; i < 3000; i += 50) {
      for (let k = i; k < i + 50; k++) maplet.insert(...hashOf(k), k);
      expect(check(0, i + 50)).toBeGreaterThanOrEqual((3000 - i - 50) * 0.95);
    }
    expect(replaced).toBeGreaterThan(2);
    expect(replaced).toBeLessThan(12);
    for (let i = 0; i < 3000; i += 50) {
      for (let k = i; k < i + 50; k++) maplet.remove(...hashOf(k), k);
      check(i + 50, 3000);
    }
    expect(publisher.publish(maplet)).toBe(false);
  });

  test('keeps its buffer while segments only change', () => {
    const maplet = new IndexMaplet();
    for (let i = 0; i < 30_000; i++) maplet.insert(...hashOf(i), i);
    const publisher = new IndexPublisher(maplet);
    const reader = new IndexReader(publisher.buffer);
    for (let i = 30_000; i < 30_500; i++) {
      maplet.insert(...hashOf(i), i);
      expect(reader.mayHave(...hashOf(i))).toBe(false);
      expect(publisher.publish(maplet)).toBe(false);
      expect(reader.mayHave(...hashOf(i))).toBe(true);
    }
  });

  test('says "maybe" while the writer is stopped half-way', () => {
    const maplet = new IndexMaplet();
    maplet.insert(1, 1, 1);
    const publisher = new IndexPublisher(maplet);
    const reader = new IndexReader(publisher.buffer);
    const words = new Int32Array(publisher.buffer);
    // A hash that begins with zeros has the first row, whose turn is its first word.
    const turn = 16;
    expect(reader.mayHave(9, 9)).toBe(false);
    Atomics.add(words, turn, 1);
    expect(reader.mayHave(9, 9)).toBe(true);
    Atomics.add(words, turn, 1);
    expect(reader.mayHave(9, 9)).toBe(false);
  });

  test('holds every segment whole, of an odd number of slots too, after each of many small changes', () => {
    for (const slots of [63, 64, 65, 100]) {
      const maplet = new IndexMaplet({ segmentSlots: slots, leastSlots: 8 });
      const publisher = new IndexPublisher(maplet);
      let reader = new IndexReader(publisher.buffer);
      for (let i = 0; i < 600; i++) {
        maplet.insert(...hashOf(i), i * 40);
        if (i % 3 === 2) maplet.remove(...hashOf(i - 2), (i - 2) * 40);
        if (publisher.publish(maplet)) reader = new IndexReader(publisher.buffer);
        for (let k = Math.max(0, i - 40); k < i + 5; k++) {
          const there = maplet.candidates(...hashOf(k), []) > 0;
          if (reader.mayHave(...hashOf(k)) !== there) expect.fail(`${k} of ${i} at ${slots} slots`);
        }
      }
    }
  });

  test('says "maybe" once it is closed, and where entries are spilled', () => {
    const maplet = new IndexMaplet();
    const publisher = new IndexPublisher(maplet);
    const reader = new IndexReader(publisher.buffer);
    for (let i = 0; i < 40; i++) maplet.insert(5, 5, i);
    publisher.publish(maplet);
    expect(reader.mayHave(5, 5)).toBe(true);
    expect(reader.mayHave(9, 9)).toBe(true);
    for (let i = 0; i < 40; i++) maplet.remove(5, 5, i);
    publisher.publish(maplet);
    expect(reader.mayHave(5, 5)).toBe(false);
    publisher.close();
    expect(reader.mayHave(9, 9)).toBe(true);
    expect(reader.live).toBe(false);
  });
});
