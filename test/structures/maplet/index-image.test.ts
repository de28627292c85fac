import { describe, expect, test } from 'vitest';
import { CorruptionError, FormatError } from '../../../src/base/errors.js';
import {
  IndexImage,
  IndexMaplet,
  type IndexMapletOptions,
  type Saving,
} from '../../../src/structures/maplet/index.js';
import { decodeSegment, encodeManifest, encodeSegment } from '../../../src/structures/maplet/index-format.js';

const hashOf = (i: number): [number, number] => [Math.imul(i + 1, 0x9e3779b1), Math.imul(i + 7, 0x85ebca6b)];

function fill(maplet: IndexMaplet, from: number, to: number): void {
  for (let i = from; i < to; i++) maplet.insert(...hashOf(i), i * 3);
}

/** A place for segments, as a store would keep them. */
class Shelf {
  readonly bytes = new Map<number, Uint8Array>();
  manifest: Uint8Array = new Uint8Array(0);

  put(saving: Saving): void {
    for (const { number, bytes } of saving.segments) {
      if (this.bytes.has(number)) throw new Error(`number ${number} is used twice`);
      this.bytes.set(number, bytes);
    }
    this.manifest = saving.manifest;
    for (const number of saving.dropped) this.bytes.delete(number);
  }

  load() {
    return IndexImage.load(this.manifest, (number) => {
      const bytes = this.bytes.get(number);
      if (bytes === undefined) throw new Error(`no segment ${number}`);
      return bytes;
    });
  }
}

describe('a saved index', () => {
  const shapes: [string, IndexMapletOptions][] = [
    ['at full width', {}],
    ['in small segments', { segmentSlots: 64, leastSlots: 16 }],
    ['with 8 bits of fingerprint', { segmentSlots: 64, leastSlots: 16, fingerprintBits: 8 }],
  ];
  test.each(shapes)('comes back as it was, however often, %s', (_, options) => {
    let maplet = new IndexMaplet(options);
    let image = new IndexImage();
    const shelf = new Shelf();
    for (let round = 0; round < 8; round++) {
      fill(maplet, round * 500, round * 500 + 500);
      for (let i = round * 500; i < round * 500 + 100; i++) maplet.remove(...hashOf(i), i * 3);
      shelf.put(image.save(maplet));
      const stats = maplet.stats();
      const saved = maplet.snapshot();
      fill(maplet, 90_000, 90_100);
      ({ maplet, image } = shelf.load());
      expect(maplet.stats()).toEqual(stats);
      expect(maplet.options).toEqual(saved.options);
      const [now, then]: [number[], number[]] = [[], []];
      for (let i = 0; i < round * 500 + 600; i++) {
        const count = maplet.candidates(...hashOf(i), now);
        expect(saved.candidates(...hashOf(i), then)).toBe(count);
        expect(now.slice(0, count).sort()).toEqual(then.slice(0, count).sort());
      }
      expect(shelf.bytes.size).toBe(maplet.stats().segments);
    }
  });

  test('writes the segments that changed and no other', () => {
    const maplet = new IndexMaplet({ segmentSlots: 256, leastSlots: 64 });
    const image = new IndexImage();
    const shelf = new Shelf();
    fill(maplet, 0, 5000);
    const first = image.save(maplet);
    shelf.put(first);
    expect(first.segments).toHaveLength(maplet.stats().segments);
    expect(image.save(maplet)).toMatchObject({ segments: [], dropped: [] });
    maplet.candidates(...hashOf(1), []);
    maplet.remove(1, 1, 1);
    expect(image.save(maplet)).toMatchObject({ segments: [], dropped: [] });
    maplet.replace(...hashOf(3), 9, 50_000);
    const next = image.save(maplet);
    expect(next.segments).toHaveLength(1);
    expect(next.dropped).toHaveLength(1);
    shelf.put(next);
    const { maplet: back, image: going } = shelf.load();
    expect(back.names(...hashOf(3), 50_000)).toBe(true);
    expect(back.names(...hashOf(3), 9)).toBe(false);
    expect(going.save(back)).toMatchObject({ segments: [], dropped: [] });
    fill(back, 5000, 5001);
    expect(going.save(back).segments).toHaveLength(1);
  });

  test('gives memory back, once loaded, as the index would have', () => {
    const maplet = new IndexMaplet();
    fill(maplet, 0, 40_000);
    const { segments, manifest } = new IndexImage().save(maplet);
    const { maplet: back } = IndexImage.load(
      manifest,
      (number) => segments.find((each) => each.number === number)!.bytes,
    );
    for (let i = 0; i < 40_000; i++) back.remove(...hashOf(i), i * 3);
    expect(back.stats()).toMatchObject({ length: 0, segments: 1 });
  });

  test('does not change when the index that was loaded from it does', () => {
    const maplet = new IndexMaplet();
    fill(maplet, 0, 100);
    const { segments, manifest } = new IndexImage().save(maplet);
    const before = segments[0]!.bytes.slice();
    const { maplet: back } = IndexImage.load(manifest, () => segments[0]!.bytes);
    fill(back, 100, 200);
    expect(segments[0]!.bytes).toEqual(before);
  });

  test('refuses every flipped bit and every cut', () => {
    const maplet = new IndexMaplet({ segmentSlots: 16, leastSlots: 8 });
    for (let i = 0; i < 20; i++) maplet.insert(1, 1, i);
    const { segments, manifest } = new IndexImage().save(maplet);
    const read = (number: number) => segments.find((each) => each.number === number)!.bytes;
    const damaged = (load: () => unknown, what: string) => {
      try {
        load();
      } catch (error) {
        if (error instanceof CorruptionError || error instanceof FormatError) return;
        throw error;
      }
      expect.fail(`took ${what}`);
    };
    for (const bytes of [manifest, segments[0]!.bytes]) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flip = () => (bytes[bit >> 3]! ^= 1 << (bit & 7));
        flip();
        damaged(() => IndexImage.load(manifest, read), `bit ${bit}`);
        flip();
      }
      for (let cut = 0; cut < bytes.length; cut++) {
        if (bytes === manifest) damaged(() => IndexImage.load(manifest.subarray(0, cut), read), `cut ${cut}`);
        else damaged(() => decodeSegment(bytes.subarray(0, cut)), `cut ${cut}`);
      }
    }
    expect(IndexImage.load(manifest, read).maplet.size).toBe(20);
  });

  test('refuses a segment that is not the one of the manifest, and segments that do not fit', () => {
    const [one, two] = [new IndexMaplet(), new IndexMaplet()];
    one.insert(1, 1, 1);
    two.insert(2, 2, 2);
    const { manifest } = new IndexImage().save(one);
    const other = new IndexImage().save(two).segments[0]!.bytes;
    expect(() => IndexImage.load(manifest, () => other)).toThrow(CorruptionError);
    const segment = [...one.segments()][0]!;
    const bytes = encodeSegment(segment);
    const crc = new DataView(bytes.buffer).getUint32(4, true);
    const twice = encodeManifest({
      ...one.options,
      next: 2,
      segments: [
        { number: 1, crc },
        { number: 1, crc },
      ],
    });
    expect(() => IndexImage.load(twice, () => bytes)).toThrow(CorruptionError);
  });
});
