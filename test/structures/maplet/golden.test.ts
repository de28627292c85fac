/** What an earlier release wrote of maplets and indexes is read, and is written again in the same bytes. */
import { describe, expect, test } from 'vitest';
import { crc32c } from '../../../src/base/crc32c.js';
import { IndexImage, IndexMaplet, Maplet, type Operator } from '../../../src/structures/maplet/index.js';
import { decodeSegment, encodeManifest, encodeSegment } from '../../../src/structures/maplet/index-format.js';
import { exampleIn, expectGolden, golden } from '../golden.js';

const MAPLETS = 'maplet-v1/maplets.json';
const INDEXES = 'index-v1/indexes.json';

const GCD: Operator<number> = {
  identity: 0,
  merge: (a, b) => (b === 0 ? a : GCD.merge(b, a % b)),
  associative: true,
  commutative: true,
};

/** Values by key, as they went in, and what they went into. */
const maplets = () => {
  const small = { capacity: 12, seed: 2 ** 40 + 5 };
  const of = <V>(maplet: Maplet<V>, entries: readonly (readonly [string, V])[]) => {
    for (const [key, value] of entries) maplet.insert(key, value);
    return maplet as Maplet<unknown>;
  };
  const numbers = Array.from({ length: 10 }, (_, i) => [`key ${i % 7}`, i] as const);
  return {
    nothing: of(new Maplet<number>({ ...small, falsePositiveRate: 0.5, operator: 'max', valueBits: 1 }), []),
    'a counter of 32 bits': of(new Maplet<number>({ ...small, operator: 'counter' }), numbers),
    'a minimum of 48 bits': of(
      new Maplet<number>({ ...small, operator: 'min', valueBits: 48 }),
      numbers.map(([key, i]) => [key, 2 ** 47 + i] as const),
    ),
    bits: of(new Maplet<boolean>({ ...small, operator: 'or' }), [
      ['a', false],
      ['漢', true],
    ]),
    'one key counted 5,000 times': of(
      new Maplet<number>({ ...small, operator: 'max', valueBits: 3 }),
      Array.from({ length: 5000 }, (_, i) => ['key', i % 8] as const),
    ),
    'several tables': of(
      new Maplet<number>({ ...small, operator: 'max', valueBits: 7 }),
      Array.from({ length: 90 }, (_, i) => [`key ${i}`, i] as const),
    ),
    'values by reference': of(new Maplet<unknown>(small), [
      ['a', { a: [1, 'x'] }],
      ['b', 'b'],
      ['c', null],
    ]),
    'lists, one taken out': taken(
      of(new Maplet<unknown[]>({ ...small, operator: 'list' }), [
        ['a', [1]],
        ['b', [2]],
        ['a', ['more']],
      ]),
    ),
    'full, and not to grow': of(
      new Maplet<number>({ ...small, capacity: 1, operator: 'replace', valueBits: 8, autoResize: false }),
      [['only', 255]],
    ),
    'an operator of its own': of(new Maplet<number>({ ...small, operator: GCD, valueBits: 16 }), [
      ['a', 12],
      ['a', 18],
    ]),
  };
};

function taken(maplet: Maplet<unknown>): Maplet<unknown> {
  maplet.delete('b');
  return maplet;
}

describe('the format of maplets, version 1', () => {
  test('is written as in the golden file', () => {
    const written = Object.entries(maplets()).map(([name, maplet]) => [name, maplet.toBytes()]);
    expectGolden(MAPLETS, Object.fromEntries(written));
  });

  test('is read from the golden file', () => {
    const bytes = golden(MAPLETS);
    const wanted = Object.entries(maplets());
    expect(Object.keys(bytes)).toEqual(wanted.map(([name]) => name));
    for (const [name, maplet] of wanted) {
      const options = name === 'an operator of its own' ? { operator: GCD as Operator<unknown> } : {};
      const back = Maplet.fromBytes(bytes[name]!, options);
      expect(back.dump(), name).toEqual(maplet.dump());
      expect(back.stats(), name).toEqual(maplet.stats());
    }
    expect(Maplet.fromBytes(bytes['one key counted 5,000 times']!).count('key')).toBe(5000);
    expect(Maplet.fromBytes(bytes['several tables']!).stats().tables).toBeGreaterThan(2);
  });

  test('is that of the example in its comment', () => {
    const maplet = new Maplet<boolean>({
      capacity: 1,
      falsePositiveRate: 0.5,
      operator: 'max' as never,
      valueBits: 1,
      seed: 7,
    });
    const example = exampleIn('maplet/maplet-format.ts', /begins with these 48 bytes;/);
    expect(example).toHaveLength(96);
    const bytes = maplet.toBytes();
    expect(Buffer.from(bytes.subarray(0, 48)).toString('hex')).toBe(example);
    expect(bytes).toHaveLength(48 + 24 + 8 + 8 + 1 + 24 + 16);
  });
});

const hashOf = (i: number): [number, number] => [Math.imul(i + 1, 0x9e3779b1), Math.imul(i + 7, 0x85ebca6b)];

const indexes = () => {
  const tiny = { segmentSlots: 16, leastSlots: 8 };
  const of = (maplet: IndexMaplet, count: number, step: number) => {
    for (let i = 0; i < count; i++) maplet.insert(...hashOf(i), i * step);
    return maplet;
  };
  const spilled = new IndexMaplet(tiny);
  for (let i = 0; i < 20; i++) spilled.insert(1, 1, i);
  return {
    nothing: new IndexMaplet(tiny),
    'several segments': of(new IndexMaplet(tiny), 60, 3),
    'large locations': of(new IndexMaplet(tiny), 12, 2 ** 28),
    'short fingerprints': of(new IndexMaplet({ ...tiny, fingerprintBits: 8 }), 30, 5),
    'twenty of one hash': spilled,
  };
};

describe('the format of a saved index, version 1', () => {
  test('is written as in the golden file', () => {
    const written: [string, Uint8Array][] = [];
    for (const [name, maplet] of Object.entries(indexes())) {
      const { manifest, segments } = new IndexImage().save(maplet);
      written.push([`${name}: manifest`, manifest]);
      for (const { number, bytes } of segments) written.push([`${name}: segment ${number}`, bytes]);
    }
    expectGolden(INDEXES, Object.fromEntries(written));
  });

  test('is read from the golden file', () => {
    const bytes = golden(INDEXES);
    for (const [name, maplet] of Object.entries(indexes())) {
      const load = IndexImage.load(
        bytes[`${name}: manifest`]!,
        (number) => bytes[`${name}: segment ${number}`]!,
      );
      expect(load.maplet.stats(), name).toEqual(maplet.stats());
      const [there, here]: [number[], number[]] = [[], []];
      for (let i = -1; i < 100; i++) {
        const hash: [number, number] = i < 0 ? [1, 1] : hashOf(i);
        const count = maplet.candidates(...hash, here);
        expect(load.maplet.candidates(...hash, there), name).toBe(count);
        expect(there.slice(0, count), name).toEqual(here.slice(0, count));
      }
    }
    expect(Object.keys(bytes).filter((name) => name.startsWith('several')).length).toBeGreaterThan(4);
  });

  test('is that of the examples in its comment', () => {
    const manifest = encodeManifest({
      ...new IndexMaplet().options,
      next: 2,
      segments: [{ number: 1, crc: 0x44332211 }],
    });
    expect(Buffer.from(manifest).toString('hex')).toBe(
      exampleIn('maplet/index-format.ts', /crc is 0x44332211, is these 40 bytes:/),
    );
    const maplet = new IndexMaplet({ segmentSlots: 8, leastSlots: 8 });
    maplet.insert(0x80000000, 0, 5);
    const segment = encodeSegment([...maplet.segments()][0]!);
    expect(Buffer.from(segment).toString('hex')).toBe(
      exampleIn('maplet/index-format.ts', /and nothing else, is these \d+ bytes:/),
    );
    expect(decodeSegment(segment).length).toBe(1);
    expect(crc32c(segment, 8) >>> 0).toBe(new DataView(segment.buffer).getUint32(4, true));
  });
});
