/** The format of an image: what an earlier release wrote is read, and is written again in the same bytes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Encoded, encode } from '../../src/base/codec/index.js';
import { decodeImage, encodeImage } from '../../src/engine/image-format.js';
import { FileImages } from '../../src/storage/images.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { type BenchOptions, Disk, figures, idle, openOn, recovered } from './image-store.js';

const GOLDEN = join(import.meta.dirname, '../fixtures/image-v1/store.bin');
const SMALL: BenchOptions = { index: { segmentSlots: 16, leastSlots: 8 } };

/** The same store at every run. */
async function fixed() {
  const bench = await openOn(new Disk(), SMALL);
  const { engine, time } = bench;
  await engine.setMany(
    Array.from({ length: 30 }, (_, i): [string, unknown] => [
      `key-${i}`,
      `one of five long values: ${i % 5}`,
    ]),
  );
  await engine.set('漢', 'short', { ttl: 1000 });
  await engine.set('ü', 'short', { ttl: 2 ** 41 });
  await engine.delete('key-7');
  await engine.set('large', new Uint8Array(300_000));
  await engine.set('behind', 1);
  await idle(time);
  return bench;
}

const plain = (value: unknown) => encode(value) as Encoded;

describe('an image of version 1', () => {
  test('is written in the bytes of the golden file', async () => {
    const { disk } = await fixed();
    const bytes = disk.images[0].content();
    if (process.env['WRITE_GOLDEN'] === '1') writeFileSync(GOLDEN, bytes);
    expect(Buffer.from(bytes).equals(readFileSync(GOLDEN))).toBe(true);
    expect(disk.images[1].size()).toBe(0);
  });

  test('is read from the golden file', async () => {
    const { disk, time } = await fixed();
    const golden = new Disk(disk.log, [new MemoryFile(readFileSync(GOLDEN)), new MemoryFile()]);
    const opened = await openOn(golden, { ...SMALL, time });
    expect(await recovered(opened)).toBe(1);
    const without = await openOn(disk, { ...SMALL, time, images: null });
    expect(await figures(opened)).toEqual(await figures(without));
  });

  test('begins with its head, as the comment of the format has it', () => {
    const bytes = readFileSync(GOLDEN);
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('RCIM');
    expect(bytes.readUInt16LE(8)).toBe(1);
    expect(bytes.readUInt32LE(12)).toBe(1);
    expect(bytes.readUIntLE(16, 6)).toBe(1);
    expect(bytes.readUIntLE(22, 6)).toBe(bytes.length);
    expect(bytes.readUInt32LE(32)).toBe(1);
    expect(bytes.subarray(-8)).toEqual(Buffer.from([7, 0, 0, 0, 0, 0, 0, 0]));
  });

  test('holds many references, deadlines that were taken away, and fences of any key', () => {
    const payload = [
      ...new FileImages([new MemoryFile(readFileSync(GOLDEN)), new MemoryFile()]).images(1),
    ][0]!;
    const image = decodeImage(payload);
    const rows = 40_000;
    const deadline = Float64Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? NaN : 2 ** 45 + i));
    const wanted = {
      ...image,
      references: Uint32Array.from({ length: 2 * rows }, (_, i) => 2 ** 32 - 1 - i),
      deadlines: {
        high: Int32Array.from({ length: rows }, (_, i) => -i * 50_000),
        low: Int32Array.from({ length: rows }, (_, i) => i - 2 ** 31),
        deadline,
      },
      runs: [
        ['', 'a', '\u0100', '\ud800', 'x'.repeat(60_000)].map((firstKey, i) => ({
          firstKey,
          location: 2 ** 32 - 1 - i,
        })),
        [],
        [{ firstKey: 'ü', location: 1 }],
      ],
      answers: [
        { client: 'tab', number: 3, value: { version: 7 } },
        { client: '', number: 2 ** 40, value: 'x'.repeat(70_000) },
      ].map(({ client, number, value }) => ({ client, number, encoded: plain([number, true, value]) })),
    };
    const again = decodeImage(Buffer.concat([...encodeImage(wanted)]));
    const kept = (_: number, i: number) => !Number.isNaN(deadline[i]!);
    expect(again.runs).toEqual(wanted.runs);
    expect(again.answers).toEqual(wanted.answers);
    expect(Buffer.from(again.references.buffer).equals(Buffer.from(wanted.references.buffer))).toBe(true);
    for (const field of ['high', 'low', 'deadline'] as const) {
      expect(again.deadlines[field].join()).toBe(wanted.deadlines[field].filter(kept).join());
    }
    expect(again.figures).toEqual(image.figures);
    expect(again.position).toEqual(image.position);
    expect(again.index.stats()).toEqual(image.index.stats());
  });
});
