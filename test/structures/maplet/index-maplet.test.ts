import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IndexMaplet, type IndexMapletOptions } from '../../../src/structures/maplet/index.js';

/** Two words of hash for a number: a mixer, good enough to spread. */
function hashOf(n: number): [number, number] {
  return [mix(n * 2 + 1), mix(n ^ 0x5bd1e995)];
}

function mix(n: number): number {
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b);
  return n ^ (n >>> 16);
}

/** Where a hash may be: the plain structure that the maplet must agree with. */
class Model {
  readonly locations = new Map<string, Set<number>>();
  size = 0;

  of(hash: [number, number]): Set<number> {
    const name = `${hash[0]}/${hash[1]}`;
    let set = this.locations.get(name);
    if (set === undefined) this.locations.set(name, (set = new Set()));
    return set;
  }

  copy(): Model {
    const copy = new Model();
    for (const [name, set] of this.locations) copy.locations.set(name, new Set(set));
    copy.size = this.size;
    return copy;
  }
}

function check(maplet: IndexMaplet, model: Model): void {
  expect(maplet.size).toBe(model.size);
  const all = new Set<number>();
  const found: number[] = [];
  for (const set of model.locations.values()) for (const location of set) all.add(location);
  for (const [name, set] of model.locations) {
    const [high, low] = name.split('/').map(Number) as [number, number];
    const count = maplet.candidates(high, low, found);
    const candidates = new Set(found.slice(0, count));
    if (candidates.size !== count) expect.fail(`a candidate of ${name} twice: ${found.slice(0, count)}`);
    for (const location of set) {
      if (!candidates.has(location)) expect.fail(`${name} lost ${location}`);
      if (!maplet.names(high, low, location)) expect.fail(`${name} does not name ${location}`);
    }
    for (const location of candidates) {
      if (!all.has(location)) expect.fail(`${name} has ${location}, which nobody inserted`);
      if (!maplet.names(high, low, location)) expect.fail(`${name} has ${location} and does not name it`);
    }
  }
}

function run(
  options: IndexMapletOptions,
  seed: number,
  steps: number,
  keys: number,
  locationBits: number,
): void {
  let state = seed;
  const random = (below: number): number => {
    state = mix(state + 0x9e3779b9);
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
  const maplet = new IndexMaplet(options);
  const model = new Model();
  const used = new Set<number>();
  const held: [IndexMaplet, Model][] = [];
  const fresh = (step: number): number => {
    // The log grows: locations rise with time, so that the boundary has to move.
    const bits = Math.min(locationBits, 4 + Math.floor((step / steps) * locationBits));
    for (;;) {
      const location = random(2 ** bits);
      if (!used.has(location) || used.size > 2 ** bits / 2) {
        if (used.has(location)) return (used.add(2 ** bits + step), 2 ** bits + step);
        used.add(location);
        return location;
      }
    }
  };
  for (let step = 0; step < steps; step++) {
    const growing = Math.floor((step * 4) / steps) % 2 === 0;
    const hash = hashOf(random(keys));
    const set = model.of(hash);
    const what = random(100);
    const some = [...set][random(set.size)];
    if (what < (growing ? 70 : 15)) {
      const location = fresh(step);
      maplet.insert(...hash, location);
      set.add(location);
      model.size++;
    } else if (what < 80) {
      if (some === undefined) continue;
      expect(maplet.remove(...hash, some)).toBe(true);
      expect(maplet.names(...hash, some)).toBe(false);
      expect(maplet.remove(...hash, some)).toBe(false);
      set.delete(some);
      model.size--;
    } else if (what < 95) {
      if (some === undefined) continue;
      const to = fresh(step);
      expect(maplet.replace(...hash, some, to)).toBe(true);
      set.delete(some);
      set.add(to);
    } else if (some !== undefined) {
      maplet.insert(...hash, some);
    }
    if (random(steps) < 5) held.push([maplet.snapshot(), model.copy()]);
    if (random(steps) < 8) check(maplet, model);
  }
  check(maplet, model);
  for (const [snapshot, then] of held) check(snapshot, then);
  for (const [name, set] of model.locations) {
    const [high, low] = name.split('/').map(Number) as [number, number];
    for (const location of set)
      if (!maplet.remove(high, low, location)) expect.fail(`${name} cannot remove ${location}`);
  }
  expect(maplet.size).toBe(0);
  for (const name of model.locations.keys()) {
    const [high, low] = name.split('/').map(Number) as [number, number];
    expect(maplet.candidates(high, low, [])).toBe(0);
  }
  for (const [snapshot, then] of held) check(snapshot, then);
}

describe('an index maplet agrees with a map of sets', () => {
  const shapes: [string, IndexMapletOptions, number, number, number][] = [
    ['at full width', {}, 12_000, 8_000, 24],
    ['in small segments', { segmentSlots: 64, leastSlots: 16 }, 20_000, 6_000, 24],
    ['in tiny segments', { segmentSlots: 16, leastSlots: 8 }, 6_000, 1_500, 20],
    ['with 6 bits of fingerprint', { segmentSlots: 64, leastSlots: 16, fingerprintBits: 6 }, 4_000, 300, 24],
    [
      'with 10 bits of fingerprint',
      { segmentSlots: 64, leastSlots: 16, fingerprintBits: 10 },
      8_000,
      2_000,
      24,
    ],
    [
      'with 14 bits of fingerprint',
      { segmentSlots: 256, leastSlots: 32, fingerprintBits: 14 },
      12_000,
      4_000,
      24,
    ],
    ['with locations of 32 bits', { segmentSlots: 64, leastSlots: 16 }, 10_000, 4_000, 32],
    ['with many locations a hash', { segmentSlots: 64, leastSlots: 16 }, 10_000, 40, 24],
    ['with many locations a hash at full width', {}, 10_000, 12, 24],
  ];
  for (const [title, options, steps, keys, locationBits] of shapes) {
    test.each([1, 2, 3])(`${title}, run %i`, (seed) => run(options, seed, steps, keys, locationBits));
  }
});

void fc;
