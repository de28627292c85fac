/** The byte pictures in the comments, and what they promise. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.js';
import { crc32c } from '../../src/base/crc32c.js';
import { FormatError } from '../../src/base/errors.js';
import {
  decodeHeader,
  encodeHeader,
  entry,
  entryLength,
  FileLog,
  type Header,
  MemoryFile,
  Type,
} from '../../src/storage/log/index.js';

describe('the entry of the example', () => {
  const file = new MemoryFile();
  const log = new FileLog(file, { backend: 'test', generation: 7, written: 'os', flushed: () => 'os' });
  const batch = log.begin();
  const value = new TextEncoder().encode('hi');
  batch.add(
    entry({ type: Type.Put, sequence: 1, time: 1_700_000_000_000, key: 'a', kind: 0, value, brings: true }),
  );
  log.append(batch, false);
  const bytes = file.content().subarray(32, 64);

  test('is the bytes of the comment in format.ts', () => {
    const comment = readFileSync(new URL('../../src/storage/log/format.ts', import.meta.url), 'utf8');
    const lines = comment
      .split('\n')
      .filter((line) => /^ \* {4}([0-9a-f]{2} ?)+/.test(line.replace('CRC        ', '00 00 00 00')));
    const wanted = lines
      .join(' ')
      .replace(/ \*/g, '')
      .replace('CRC', '')
      .match(/\b[0-9a-f]{2}\b/g)!
      .join('');
    const hex = toHex(bytes);
    expect(hex.slice(0, 8) + hex.slice(16)).toBe(wanted);
    expect(hex.slice(8, 16)).not.toBe('00000000');
  });

  test('has a check that its generation seeds', () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(view.getUint32(4, true)).toBe(crc32c(bytes, 8, 27, 7));
    expect(entryLength(bytes, view, 0, 32, 7)).toBe(27);
    expect(entryLength(bytes, view, 0, 32, 8)).toBe(0);
  });

  test('is none when it is shorter than its fields, even under a good check', () => {
    for (const keyBytes of [0, 1, 2, 3, 4, 100]) {
      const damaged = bytes.slice();
      const view = new DataView(damaged.buffer);
      view.setInt32(8, (view.getInt32(8, true) & ~0x1ffff) | keyBytes, true);
      view.setUint32(4, crc32c(damaged, 8, 27, 7), true);
      expect(entryLength(damaged, view, 0, 32, 7), `key of ${keyBytes}`).toBe(keyBytes <= 3 ? 27 : 0);
    }
  });

  test('counts in no shorter piece', () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let end = 0; end < 27; end++) expect(entryLength(bytes, view, 0, end, 7), `end ${end}`).toBe(0);
  });
});

describe('a header', () => {
  const header: Header = {
    generation: 0xdeadbeef,
    epoch: 2 ** 40 + 1,
    createdAt: 1_700_000_000_000,
    flushedTo: 2 ** 35,
    place: 1,
    secret: Uint8Array.from({ length: 16 }, (_, i) => i * 16),
    settings: { dedup: 'exact' },
  };

  test('comes back as it was', () => {
    expect(decodeHeader(encodeHeader(header))).toEqual(header);
  });

  test('cut at any byte is none', () => {
    const bytes = encodeHeader(header);
    for (let cut = 0; cut < bytes.length; cut++)
      expect(decodeHeader(bytes.subarray(0, cut)), `cut ${cut}`).toBeUndefined();
  });

  test('with any bit flipped is none, or a newer format', () => {
    const bytes = encodeHeader(header);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      if (bit >> 3 === 8 || bit >> 3 === 9) {
        const isNewer = damaged[8]! + damaged[9]! * 256 > 1;
        if (isNewer) expect(() => decodeHeader(damaged), `bit ${bit}`).toThrow(FormatError);
        else expect(decodeHeader(damaged), `bit ${bit}`).toBeUndefined();
      } else expect(decodeHeader(damaged), `bit ${bit}`).toBeUndefined();
    }
  });
});
