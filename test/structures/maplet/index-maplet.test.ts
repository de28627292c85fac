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
  // The log grows: locations rise with time, so that the boundary has to move.
  const fresh = (step: number): number => {
    const bits = Math.min(locationBits, 4 + Math.floor((step / steps) * locationBits));
    let location = random(2 ** bits);
    while (used.has(location)) location++;
    used.add(location);
    return location;
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
    test.each([1, 2])(`${title}, run %i`, (seed) => run(options, seed, steps, keys, locationBits));
  }
});

describe('a million operations on an index maplet', () => {
  test.each([
    ['at full width', {}],
    ['with 18 bits of fingerprint', { fingerprintBits: 18 }],
    ['in segments of 64 slots', { segmentSlots: 64, leastSlots: 16 }],
  ] as [string, IndexMapletOptions][])('never lose a location, %s', (_, options) => {
    const universe = 40_000;
    const maplet = new IndexMaplet(options);
    const location = new Float64Array(universe).fill(-1);
    for (let step = 1; step <= 350_000; step++) {
      const i = (mix(step) >>> 0) % universe;
      const hash = hashOf(i);
      const was = location[i]!;
      if (was >= 0 && !maplet.names(...hash, was)) expect.fail(`step ${step}: ${i} lost ${was}`);
      // Phases of 70,000 steps: three of growth, two of decline.
      if (step % 7 < (Math.floor(step / 70_000) % 2 === 0 ? 5 : 2)) {
        if (was >= 0) maplet.replace(...hash, was, step * 3);
        else maplet.insert(...hash, step * 3);
        location[i] = step * 3;
      } else if (was >= 0) {
        maplet.remove(...hash, was);
        location[i] = -1;
        if (maplet.names(...hash, was)) expect.fail(`step ${step}: ${i} still has ${was}`);
      }
    }
    expect(maplet.size).toBe(location.filter((each) => each >= 0).length);
    for (let i = 0; i < universe; i++) {
      if (location[i]! >= 0 && !maplet.names(...hashOf(i), location[i]!))
        expect.fail(`${i} lost ${location[i]}`);
    }
  });
});

describe('an index maplet', () => {
  const fill = (maplet: IndexMaplet, count: number, from = 0) => {
    for (let i = from; i < from + count; i++) maplet.insert(...hashOf(i), i * 25);
  };

  test('keeps its bytes and its rate while it grows', () => {
    const maplet = new IndexMaplet();
    fill(maplet, 60_000);
    const start = maplet.stats();
    let worst = 0;
    for (let i = 60_000; i < 120_000; i += 1000) {
      fill(maplet, 1000, i);
      worst = Math.max(worst, maplet.stats().bitsPerKey / 8);
    }
    const end = maplet.stats();
    expect(worst).toBeLessThan(8.5);
    expect(end.load).toBeGreaterThan(0.7);
    // Twice the keys and twice the log: the same fingerprints, so twice the rate.
    expect(end.falsePositiveRate / start.falsePositiveRate).toBeLessThan(2.2);
    expect(end.falsePositiveRate).toBeLessThan(4e-6);
  });

  test('grows back to small when everything is removed', () => {
    const maplet = new IndexMaplet();
    fill(maplet, 50_000);
    expect(maplet.stats().segments).toBeGreaterThan(3);
    for (let i = 0; i < 50_000; i++) maplet.remove(...hashOf(i), i * 25);
    expect(maplet.stats()).toMatchObject({ length: 0, segments: 1, falsePositiveRate: 0 });
    expect(maplet.stats().bytes).toBeLessThan(40_000);
  });

  test('has false candidates as often as the formula says', () => {
    for (const fingerprintBits of [17, 20]) {
      const maplet = new IndexMaplet({ fingerprintBits });
      fill(maplet, 20_000);
      const { falsePositiveRate } = maplet.stats();
      const into: number[] = [];
      let asked = 0;
      let answered = 0;
      for (; answered < 4000; asked++) if (maplet.candidates(...hashOf(1e6 + asked), into) > 0) answered++;
      expect(Math.abs(answered / asked / falsePositiveRate - 1)).toBeLessThan(0.1);
    }
  });

  test('names every candidate when there are more than a Uint32Array takes', () => {
    const maplet = new IndexMaplet();
    for (let i = 0; i < 300; i++) maplet.insert(1, 2, i);
    const few = new Uint32Array(10);
    expect(maplet.candidates(1, 2, few)).toBe(300);
    const all = new Uint32Array(300);
    maplet.candidates(1, 2, all);
    expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(maplet.stats().segments).toBe(1);
  });

  test('takes locations up to 2^32 - 1 beside small ones', () => {
    const maplet = new IndexMaplet();
    const locations = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    for (const location of locations) maplet.insert(-5, 7, location);
    for (const location of locations) expect(maplet.names(-5, 7, location)).toBe(true);
    expect(maplet.replace(-5, 7, 1, 2 ** 32 - 2)).toBe(true);
    expect(maplet.names(-5, 7, 1)).toBe(false);
    expect(maplet.replace(-5, 7, 0, 2 ** 31)).toBe(true);
    expect(maplet.size).toBe(4);
    expect(maplet.replace(-5, 7, 0, 3)).toBe(false);
  });

  test('does not take bits of the hash for bits of a location', () => {
    const maplet = new IndexMaplet();
    maplet.insert(-1, -1, 5);
    for (let bit = 3; bit < 32; bit++) {
      expect(maplet.names(-1, -1, 5 + 2 ** bit)).toBe(false);
      expect(maplet.remove(-1, -1, 5 + 2 ** bit)).toBe(false);
    }
    expect(maplet.names(-1, -1, 5)).toBe(true);
  });

  test('made with a capacity holds it without growing', () => {
    const maplet = new IndexMaplet({ capacity: 100_000 });
    const { slots } = maplet.stats();
    fill(maplet, 100_000);
    expect(maplet.stats().slots).toBe(slots);
    expect(maplet.stats().bitsPerKey / 8).toBeLessThan(9);
  });

  test('shares what a snapshot did not see change', () => {
    const maplet = new IndexMaplet();
    fill(maplet, 100_000);
    const snapshot = maplet.snapshot();
    const shared = () => {
      const mine = new Set(maplet.segments());
      return [...snapshot.segments()].filter((segment) => mine.has(segment)).length;
    };
    const all = snapshot.stats().segments;
    expect(shared()).toBe(all);
    maplet.candidates(1, 1, []);
    expect(shared()).toBe(all);
    maplet.remove(...hashOf(5), 125);
    expect(shared()).toBe(all - 1);
    expect(snapshot.names(...hashOf(5), 125)).toBe(true);
    snapshot.remove(...hashOf(9), 225);
    expect(maplet.names(...hashOf(9), 225)).toBe(true);
    maplet.clear();
    expect(maplet.size).toBe(0);
    expect(snapshot.size).toBe(99_999);
    snapshot.insert(1, 1, 1);
    expect(maplet.candidates(1, 1, [])).toBe(0);
  });

  test('refuses options that it cannot keep', () => {
    for (const options of [
      { capacity: -1 },
      { segmentSlots: 4 },
      { leastSlots: 40_000 },
      { fingerprintBits: 0 },
    ]) {
      expect(() => new IndexMaplet(options)).toThrow(RangeError);
    }
    expect(() => new IndexMaplet({ capacity: '5' as never })).toThrow(TypeError);
  });

  test('the highest location is that of what is held, not of what was removed', () => {
    const maplet = new IndexMaplet({ segmentSlots: 16, leastSlots: 8 });
    maplet.insert(1 << 28, 0, 5);
    maplet.insert(3 << 28, 0, 1000);
    const [segment] = maplet.segments();
    expect(segment!.highestLocation()).toBe(1000);
    maplet.remove(3 << 28, 0, 1000);
    expect(segment!.highestLocation()).toBe(5);
  });
});
