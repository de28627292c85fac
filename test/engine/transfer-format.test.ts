/** The format of exports: the pictures in its comment, the golden file, and every way to be damaged. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.js';
import { Kind } from '../../src/base/codec/index.js';
import { crc32c } from '../../src/base/crc32c.js';
import {
  BLOCK_BYTES,
  FRAME_AT,
  FRAME_BYTES,
  HEADER_AT,
  HEADER_BYTES,
  type TransferRecord,
} from '../../src/engine/transfer/format.js';
import { ImportReader } from '../../src/engine/transfer/reader.js';
import { ExportWriter } from '../../src/engine/transfer/writer.js';
import { START } from './bench-store.js';

const GOLDEN = new URL('../fixtures/export-v1/entries.bin', import.meta.url);
const text = (value: string) => new TextEncoder().encode(value);
const LONG = text('a value that is longer than sixteen bytes');

function record(key: string, value: Uint8Array | number, more: Partial<TransferRecord> = {}): TransferRecord {
  const kind = typeof value === 'number' ? 0 : Kind.String;
  return { key, kind, value, expiresAt: Infinity, createdAt: START, updatedAt: START, ...more };
}

const RECORDS: readonly TransferRecord[] = [
  record('', LONG),
  record('bytes', Uint8Array.of(1, 2, 3), { kind: Kind.Bytes, expiresAt: START + 0.5 }),
  record('same', 0, { createdAt: 0, updatedAt: 2 ** 48 - 1, expiresAt: 8.64e15 }),
  record('ü', text('漢'), { createdAt: START - 1 }),
  record('漢\ud800', 0),
];

/** The pieces of an export with a block after each `every` records. */
function write(records: readonly TransferRecord[], every = 2): Uint8Array[] {
  const writer = new ExportWriter();
  const pieces = [writer.header(START)];
  records.forEach((one, i) => {
    writer.add(one);
    if ((i + 1) % every === 0) pieces.push(writer.block()!);
  });
  const last = writer.block();
  if (last) pieces.push(last);
  return [...pieces, writer.end()];
}

const joined = (pieces: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));

function read(bytes: Uint8Array, pieceBytes = bytes.length, max = 2 ** 20): TransferRecord[] {
  const records: TransferRecord[] = [];
  const reader = new ImportReader(max, (one) => records.push(one));
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.slice(at, at + pieceBytes));
  reader.finish();
  expect(reader.records).toBe(records.length);
  return records;
}

function refusal(
  bytes: Uint8Array,
  pieceBytes?: number,
): { code?: string; detail?: unknown; message?: string } {
  try {
    read(bytes, pieceBytes);
    return {};
  } catch (error) {
    return error as Error;
  }
}

/** `pieces` with one of them changed and its checks made good again, but for the one over all. */
function altered(index: number, change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const pieces = write(RECORDS);
  const piece = pieces[index]!;
  const view = new DataView(piece.buffer);
  change(piece, view);
  if (index === 0) {
    view.setUint32(HEADER_AT.check, crc32c(piece, 0, HEADER_AT.check), true);
  } else {
    const seed = index - 1;
    view.setUint32(FRAME_AT.check, crc32c(piece, FRAME_BYTES, piece.length, seed), true);
    view.setUint32(FRAME_AT.headCheck, crc32c(piece, 0, FRAME_AT.headCheck, seed), true);
  }
  return joined(pieces);
}

describe('an export', () => {
  const whole = joined(write(RECORDS));

  test('of one short value is the bytes of the comment in format.ts', () => {
    const comment = readFileSync(new URL('../../src/engine/transfer/format.ts', import.meta.url), 'utf8');
    const lines = comment.split('\n').filter((line) => /^ \* {4}(?:[0-9a-f]{2} {1,2}){5}/.test(`${line} `));
    const wanted = lines.map((line) => line.slice(2).replace(/ /g, '')).join('');
    expect(toHex(joined(write([record('a', text('hi'))])))).toBe(wanted);
  });

  test('gives back its records, whatever the size of the pieces it comes in', () => {
    for (const pieceBytes of [1, 2, 3, 7, 20, 31, 32, 33, 64, whole.length]) {
      expect(read(whole, pieceBytes), `pieces of ${pieceBytes}`).toEqual(RECORDS);
    }
    expect(read(joined(write([])))).toEqual([]);
  });

  test('is the golden file of version 1', () => {
    if (!existsSync(GOLDEN)) writeFileSync(GOLDEN, whole);
    const golden = new Uint8Array(readFileSync(GOLDEN));
    expect(toHex(whole)).toBe(toHex(golden));
    expect(read(golden)).toEqual(RECORDS);
  });

  test('does not change with the memory in which it was given', () => {
    const seen: TransferRecord[] = [];
    const reader = new ImportReader(2 ** 20, (one) => seen.push(one));
    const piece = new Uint8Array(11);
    for (let at = 0; at < whole.length; at += piece.length) {
      const part = whole.subarray(at, at + piece.length);
      piece.set(part);
      reader.push(piece.subarray(0, part.length));
      piece.fill(0xee);
    }
    reader.finish();
    expect(seen).toEqual(RECORDS);
  });

  test('cut at any byte is refused, with the place', () => {
    for (let cut = 0; cut < whole.length; cut++) {
      const { code, detail } = refusal(whole.slice(0, cut));
      expect(code, `cut at byte ${cut}`).toBe('CORRUPTION');
      expect(detail, `cut at byte ${cut}`).toMatchObject({ end: cut });
    }
  });

  test('with a flipped bit is refused, wherever it is, with a place before or at it', () => {
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const damaged = whole.slice();
      const at = bit >> 3;
      damaged[at]! ^= 1 << (bit & 7);
      const { code, detail } = refusal(damaged);
      expect(code, `bit ${bit}`).toBe(at < 8 ? 'FORMAT' : 'CORRUPTION');
      if (at < 8) continue;
      const { start, end } = detail as { start: number; end: number };
      expect(start <= at && at < end, `bit ${bit}: ${start} to ${end}`).toBe(true);
    }
  });

  test('with anything behind its end is refused', () => {
    expect(refusal(joined([whole, Uint8Array.of(0)]))).toMatchObject({
      code: 'CORRUPTION',
      detail: { start: whole.length, end: whole.length + 1 },
    });
    expect(refusal(joined([whole, whole])).code).toBe('CORRUPTION');
  });

  test('of a newer version or with unknown flags is a FormatError, of a newer revision is read', () => {
    const version = altered(0, (_, view) => view.setUint16(HEADER_AT.version, 2, true));
    expect(refusal(version)).toMatchObject({ code: 'FORMAT', detail: { version: 2 } });
    const flags = altered(0, (_, view) => view.setUint32(HEADER_AT.flags, 0x80000000, true));
    expect(refusal(flags)).toMatchObject({ code: 'FORMAT', detail: { flags: 0x80000000 } });
    const reserved = altered(0, (bytes) => bytes.fill(1, 27, 28));
    expect(refusal(reserved).code).toBe('CORRUPTION');
    // It is read to its end, whose check is that of the header as it was.
    const revision = altered(0, (_, view) => view.setUint16(HEADER_AT.revision, 9, true));
    expect(refusal(revision)).toMatchObject({ detail: { end: whole.length } });
  });

  test('that is something else is a FormatError, however short', () => {
    for (const other of ['{', '{"some": "json"}', 'x'.repeat(1000)]) {
      expect(refusal(text(other)).code, other).toBe('FORMAT');
    }
  });

  test('whose blocks are of two exports, left out, doubled or in another order is refused', () => {
    const [header, a, b, c, end] = write(RECORDS) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const other = write([
      RECORDS[0]!,
      record('bytes', Uint8Array.of(1, 2, 4), { kind: Kind.Bytes }),
      ...RECORDS.slice(2),
    ]);
    const laterHeader = new ExportWriter().header(START + 1);
    const mixes = {
      left: [header, a, b, end],
      doubled: [header, a, a, b, c, end],
      swapped: [header, a, c, b, end],
      header: [laterHeader, a, b, c, end],
      mixed: [header, other[1]!, b, c, end],
    };
    for (const [name, mix] of Object.entries(mixes))
      expect(refusal(joined(mix)).code, name).toBe('CORRUPTION');
    expect(read(joined([header, a, b, c, end]))).toEqual(RECORDS);
  });
});

describe('under good checks', () => {
  const firstRecord = FRAME_BYTES;

  test.each<[string, number, (bytes: Uint8Array, view: DataView) => void, RegExp]>([
    ['a block of no known type', 1, (bytes) => bytes.fill(3, 0, 1), /says what none may/],
    ['a reserved byte of a frame', 1, (bytes) => bytes.fill(1, 2, 3), /says what none may/],
    [
      'a block without records',
      1,
      (_, view) => view.setUint32(FRAME_AT.records, 0, true),
      /says what none may/,
    ],
    ['an end with records', 4, (_, view) => view.setUint32(FRAME_AT.records, 1, true), /says what none may/],
    [
      'more records than the block has',
      1,
      (_, view) => view.setUint32(FRAME_AT.records, 3, true),
      /ends behind its block/,
    ],
    [
      'fewer records than the block has',
      1,
      (_, view) => view.setUint32(FRAME_AT.records, 1, true),
      /longer than its records/,
    ],
    [
      'an unknown bit of a record',
      1,
      (bytes) => {
        bytes[firstRecord + 3]! |= 0x80;
      },
      /bits that none may have/,
    ],
    [
      'another unknown bit',
      1,
      (bytes) => {
        bytes[firstRecord + 2]! |= 0x10;
      },
      /bits that none may have/,
    ],
    [
      'a value that goes on behind the block',
      1,
      (_, view) => view.setUint32(firstRecord + 16, 2 ** 32 - 1, true),
      /ends behind its block/,
    ],
    [
      'a kind that is unknown',
      1,
      (bytes) => {
        bytes[firstRecord + 3] = 9;
      },
      /kind 9/,
    ],
    [
      'a value that is none',
      1,
      (bytes) => {
        bytes[firstRecord + 3] = Kind.Tagged;
      },
      /the export is damaged/,
    ],
  ])('%s is refused', (_, index, change, message) => {
    const refused = refusal(altered(index, change));
    expect(refused).toMatchObject({ code: 'CORRUPTION', message: expect.stringMatching(message) });
    expect(refused.detail).toMatchObject({ start: expect.any(Number), end: expect.any(Number) });
  });

  test.each<[string, TransferRecord[]]>([
    ['a key twice', [record('a', LONG), record('a', LONG)]],
    ['keys out of order', [record('b', LONG), record('a', LONG)]],
    ['the empty key behind another', [record('a', LONG), record('', LONG)]],
    ['a value that comes later', [record('a', 1), record('b', LONG), record('c', LONG)]],
    ['a value of its own', [record('a', 0)]],
    ['a deadline of 0', [record('a', LONG, { expiresAt: 0 })]],
    ['a deadline before 1970', [record('a', LONG, { expiresAt: -1 })]],
    ['a deadline that is no number', [record('a', LONG, { expiresAt: Number.NaN })]],
    ['a deadline that no Date can hold', [record('a', LONG, { expiresAt: 8.64e15 + 2 })]],
    ['a deadline of minus infinity', [record('a', LONG, { expiresAt: Number.NEGATIVE_INFINITY })]],
    ['a key that is too long', [record('a'.repeat(64 * 1024 + 1), LONG)]],
    ['a wide key that is too long', [record('漢'.repeat(32 * 1024 + 1), LONG)]],
    ['a string of half a code unit', [record('a', Uint8Array.of(0, 0xd8, 1), { kind: Kind.String16 })]],
  ])('%s is refused', (_, records) => {
    expect(refusal(joined(write(records))).code).toBe('CORRUPTION');
  });

  test('a value that an earlier record names has no kind of its own', () => {
    const bytes = altered(2, (piece) => {
      piece[firstRecord + 3] = 1;
    });
    expect(refusal(bytes)).toMatchObject({ message: expect.stringContaining('bits that none may have') });
  });

  test('a wide key has whole code units, and one that needs it', () => {
    const widened = (units: number, value: number) => {
      const pieces = write([record('ab', text('hi'))]);
      const piece = pieces[1]!;
      new DataView(piece.buffer).setUint32(firstRecord, units | (1 << 17) | (1 << 24), true);
      new DataView(piece.buffer).setUint32(firstRecord + 16, value, true);
      const view = new DataView(piece.buffer);
      view.setUint32(FRAME_AT.check, crc32c(piece, FRAME_BYTES, piece.length, 0), true);
      view.setUint32(FRAME_AT.headCheck, crc32c(piece, 0, FRAME_AT.headCheck, 0), true);
      return refusal(joined(pieces)).message;
    };
    expect(widened(3, 1)).toContain('no possible length');
    // The code units of "ab" and "hi" in pairs are wide ones; with a zero they are not.
    expect(widened(0, 4)).toContain('without need');
  });

  test('each figure of the end counts', () => {
    for (const at of [0, 4, 10, 16, 22]) {
      const bytes = altered(4, (piece) => {
        piece[FRAME_BYTES + at]! += 1;
      });
      expect(refusal(bytes), `figure at ${at}`).toMatchObject({
        code: 'CORRUPTION',
        message: expect.stringContaining('do not belong together'),
      });
    }
  });
});

describe('lengths that are only claimed', () => {
  test('are refused before anything is kept for them', () => {
    const pieces = write(RECORDS);
    const view = new DataView(pieces[1]!.buffer);
    view.setUint32(FRAME_AT.length, 2 ** 32 - 1, true);
    view.setUint32(FRAME_AT.headCheck, crc32c(pieces[1]!, 0, FRAME_AT.headCheck, 0), true);
    const reader = new ImportReader(1000, () => {});
    expect(() => reader.push(joined(pieces.slice(0, 2)))).toThrow(
      expect.objectContaining({ code: 'CAPACITY', detail: { bytes: 2 ** 32 - 1, maxBytes: 1000 } }),
    );
  });

  test('cost nothing until the bytes have come', () => {
    const pieces = write(RECORDS);
    const view = new DataView(pieces[1]!.buffer);
    view.setUint32(FRAME_AT.length, 2 ** 32 - 1, true);
    view.setUint32(FRAME_AT.headCheck, crc32c(pieces[1]!, 0, FRAME_AT.headCheck, 0), true);
    const reader = new ImportReader(Infinity, () => {});
    const before = process.memoryUsage().arrayBuffers;
    reader.push(joined(pieces.slice(0, 2)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(() => reader.finish()).toThrow(expect.objectContaining({ code: 'CORRUPTION' }));
  });
});

describe('a writer', () => {
  test('closes a block with the record that fills it, and keeps nothing of a large one', () => {
    const writer = new ExportWriter();
    writer.header(START);
    writer.add(record('a', new Uint8Array(BLOCK_BYTES - 22), { kind: Kind.Bytes }));
    expect(writer.full).toBe(false);
    expect(writer.values).toBe(1);
    writer.add(record('b', 0));
    expect(writer.full).toBe(true);
    expect(writer.block()!.length).toBe(FRAME_BYTES + BLOCK_BYTES - 22 + 21 + 21);
    expect(writer.block()).toBeUndefined();
    writer.add(record('c', new Uint8Array(10 * BLOCK_BYTES), { kind: Kind.Bytes }));
    expect(writer.block()!.buffer.byteLength).toBe(FRAME_BYTES + 10 * BLOCK_BYTES + 21);
    writer.add(record('d', text('hi')));
    expect(writer.block()!.buffer.byteLength).toBe(FRAME_BYTES + 23);
    expect(HEADER_BYTES).toBe(32);
  });
});
