import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CROWDED,
  clearSlots,
  collectSlots,
  findSlot,
  homeOf,
  INSERTED,
  insertSlot,
  NO_ROOM,
  PRESENT,
  removeSlot,
} from '../../../src/structures/maplet/slots.js';

interface Shape {
  readonly slots: number;
  readonly homes: number;
  readonly step: number;
  readonly extBits: number;
  readonly most: number;
}

/** The same operations on a table and on a plain list of [fingerprint, word]. */
class Twin {
  readonly tags: Uint16Array;
  readonly words: Uint32Array;
  readonly mask: number;
  held: [fingerprint: number, word: number][] = [];
  refused = 0;

  constructor(readonly shape: Shape) {
    this.tags = new Uint16Array(shape.slots);
    this.words = new Uint32Array(shape.slots);
    this.mask = shape.extBits === 0 ? 0 : -1 << (32 - shape.extBits);
    clearSlots(this.tags, shape.step);
  }

  put(fingerprint: number, word: number): void {
    const { tags, words, mask, shape } = this;
    const same = this.held.filter(([f, w]) => f === fingerprint && ((w ^ word) & mask) === 0);
    const outcome = insertSlot(tags, words, shape.step, 1 / shape.step, fingerprint, word, mask, shape.most);
    if (same.some(([, w]) => w === word)) expect(outcome).toBe(PRESENT);
    else if (same.length >= shape.most) expect(outcome).toBe(CROWDED);
    else if (outcome === INSERTED) this.held.push([fingerprint, word]);
    else {
      expect(outcome).toBe(NO_ROOM);
      this.refused++;
    }
  }

  take(at: number): void {
    const entry = this.held[at % Math.max(1, this.held.length)];
    if (entry === undefined) return;
    const { tags, words, shape } = this;
    const slot = findSlot(tags, words, shape.step, 1 / shape.step, ...entry);
    if (slot < 0) expect.fail(`lost ${entry}`);
    removeSlot(tags, words, shape.step, slot);
    this.held = this.held.filter((each) => each !== entry);
  }

  /** Throws unless the slots hold exactly what the list does, under the invariants of slots.ts. */
  check(): void {
    const { tags, words, mask, shape } = this;
    const found: [number, number][] = [];
    let last = -1;
    for (let slot = 0; slot < shape.slots; slot++) {
      const gap = ((slot + 1) * shape.step - tags[slot]!) & 0xffff;
      if (gap === 0) continue;
      const fingerprint = (slot + 1) * shape.step - gap;
      const order = fingerprint * 2 ** 32 + ((words[slot]! & mask) >>> 0);
      if (order < last) expect.fail(`1: slot ${slot} is out of order`);
      last = order;
      for (let taken = homeOf(fingerprint, 1 / shape.step); taken < slot; taken++) {
        if ((((taken + 1) * shape.step - tags[taken]!) & 0xffff) === 0)
          expect.fail(`2: slot ${taken} is empty`);
      }
      if (homeOf(fingerprint, 1 / shape.step) > slot) expect.fail(`slot ${slot} is left of its home`);
      found.push([fingerprint, words[slot]!]);
    }
    expect(tags[shape.slots - 1]).toBe((shape.slots * shape.step) & 0xffff);
    const sorted = (list: [number, number][]) => [...list].sort(([a, b], [c, d]) => a - c || b - d);
    expect(sorted(found)).toEqual(sorted(this.held));
    const into: number[] = [];
    for (const [fingerprint, word] of this.held) {
      const count = collectSlots(tags, words, shape.step, 1 / shape.step, fingerprint, word, mask, into, 0);
      const same = this.held.filter(([f, w]) => f === fingerprint && ((w ^ word) & mask) === 0);
      expect(into.slice(0, count).sort()).toEqual(same.map(([, w]) => (w & ~mask) >>> 0).sort());
    }
  }
}

describe('slots hold what a list holds', () => {
  const shapes: [string, Shape][] = [
    ['in a window of 4', { slots: 24, homes: 20, step: 0x3fff, extBits: 4, most: 99 }],
    ['in a window of 9', { slots: 40, homes: 30, step: 7000, extBits: 0, most: 99 }],
    ['in a window wider than the table', { slots: 20, homes: 15, step: 3, extBits: 2, most: 99 }],
    ['with at most 3 equals', { slots: 24, homes: 20, step: 700, extBits: 1, most: 3 }],
    ['with a step of 1', { slots: 40, homes: 30, step: 1, extBits: 8, most: 8 }],
    ['in a window of 1', { slots: 12, homes: 10, step: 0xffff, extBits: 3, most: 99 }],
  ];
  test.each(shapes)('%s', (_, shape) => {
    let refused = 0;
    const fingerprint = fc.oneof(
      fc.nat({ max: shape.homes * shape.step - 1 }),
      fc.nat({ max: shape.homes - 1 }).map((home) => home * shape.step),
      fc.constantFrom(
        ...[1, 2, shape.homes - 1].map((home) => home * shape.step + Math.floor(shape.step / 2)),
      ),
    );
    const step = fc.tuple(fc.nat({ max: 9 }), fingerprint, fc.nat({ max: 3 }), fc.nat({ max: 5 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const twin = new Twin(shape);
        for (const [what, at, extension, location] of steps) {
          if (what < 7)
            twin.put(at, ((shape.extBits === 0 ? 0 : extension << (32 - shape.extBits)) | location) >>> 0);
          else twin.take(at);
        }
        twin.check();
        refused += twin.refused;
        while (twin.held.length > 0) twin.take(twin.held.length * 7);
        twin.check();
      }),
      { numRuns: 150 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
