import { describe, expect, test } from 'vitest';
import { CorruptionError, DataLossError, FormatError, IoError, QuotaError } from '../../src/base/errors.js';
import {
  type EntryFields,
  entry,
  FileLog,
  MemoryFile,
  type SyncFile,
  Type,
} from '../../src/storage/log/index.js';

const GENERATION = 7;
const text = (value: string) => new TextEncoder().encode(value);

function open(
  file: SyncFile,
  options: { generation?: number; flushedTo?: number; absolute?: boolean } = {},
): FileLog {
  return new FileLog(file, {
    backend: 'test',
    generation: GENERATION,
    written: 'os',
    flushed: () => 'durable',
    ...options,
  });
}

interface Seen {
  readonly key: string;
  readonly value: string;
  readonly location: number;
}

async function replay(
  file: SyncFile,
  options = {},
): Promise<{ seen: Seen[]; log: FileLog; tornBytes: number }> {
  const log = open(file, options);
  const seen: Seen[] = [];
  const { tornBytes } = await log.replay(
    (found, location) => {
      seen.push({ key: found.key, value: new TextDecoder().decode(found.value), location });
    },
    () => {},
  );
  return { seen, log, tornBytes };
}

function put(version: number, key: string, value: string): EntryFields {
  return entry({
    type: Type.Put,
    sequence: version,
    time: 1_700_000_000_000 + version,
    key,
    value: text(value),
    brings: true,
  });
}

/** A log of three batches of one, two and three entries, with the ends of the batches. */
async function threeBatches(): Promise<{ bytes: Uint8Array; ends: number[] }> {
  const file = new MemoryFile();
  const { log } = await replay(file);
  const ends: number[] = [];
  let version = 0;
  for (const entries of [1, 2, 3]) {
    const batch = log.begin();
    for (let i = 0; i < entries; i++) batch.add(put(++version, `key-${version}`, `value ${version}`));
    log.append(batch, false);
    ends.push(file.size());
  }
  return { bytes: file.content(), ends };
}

const ENTRIES_BEFORE = [0, 1, 3, 6];

describe('a log', () => {
  test('gives back what was appended, by replay and by location', async () => {
    const file = new MemoryFile();
    const { log } = await replay(file);
    const batch = log.begin();
    const locations = ['a', 'b', 'ü', '漢', '\ud800', ''].map((key, i) =>
      batch.add(put(i + 1, key, `value of ${key}`)),
    );
    expect(log.append(batch, false)).toBe('os');
    const again = await replay(new MemoryFile(file.content()));
    expect(again.seen.map(({ key }) => key)).toEqual(['a', 'b', 'ü', '漢', '\ud800', '']);
    expect(again.seen.map(({ location }) => location)).toEqual(locations);
    expect(again.log.read(locations[3]!).key).toBe('漢');
    expect(again.tornBytes).toBe(0);
  });

  test('keeps every optional field, alone and together', async () => {
    const file = new MemoryFile();
    const { log } = await replay(file);
    const time = 1_700_000_000_000;
    const reference = { high: -5, low: 2 ** 31 - 1, birth: 2 ** 47, size: 4_000_000_000 };
    const all = { expiresAt: time + 0.5, createdAt: time - 1, updatedAt: time - 2, reference };
    for (let mask = 0; mask < 16; mask++) {
      const chosen = Object.fromEntries(Object.entries(all).filter((_, i) => (mask >> i) & 1));
      const value = 'reference' in chosen ? new Uint8Array(0) : text('v');
      const batch = log.begin();
      const location = batch.add(
        entry({ type: Type.Put, sequence: mask, time, key: 'k', value, kind: 15, ...chosen }),
      );
      log.append(batch, false);
      const found = log.read(location);
      expect(found).toMatchObject({
        expiresAt: Infinity,
        createdAt: time,
        updatedAt: time,
        kind: 15,
        ...chosen,
      });
      expect(found.size).toBe('reference' in chosen ? reference.size : 1);
    }
  });

  test('cut at any byte gives the batches that were whole, and goes on from there', async () => {
    const { bytes, ends } = await threeBatches();
    for (let cut = 0; cut <= bytes.length; cut++) {
      const file = new MemoryFile(bytes.slice(0, cut));
      const { seen, log, tornBytes } = await replay(file);
      const whole = ends.filter((end) => end <= cut).length;
      expect(seen, `cut at byte ${cut}`).toHaveLength(ENTRIES_BEFORE[whole]!);
      expect(file.size()).toBe(whole === 0 ? 0 : ends[whole - 1]);
      expect(tornBytes).toBe(cut - file.size());
      const batch = log.begin();
      batch.add(put(100, 'after', 'the cut'));
      log.append(batch, false);
      const again = await replay(new MemoryFile(file.content()));
      expect(again.seen.map(({ key }) => key)).toEqual([...seen.map(({ key }) => key), 'after']);
    }
  });

  test('with any bit flipped never gives what was not written', async () => {
    const { bytes, ends } = await threeBatches();
    const { seen: original } = await replay(new MemoryFile(bytes));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const batch = ends.findIndex((end) => bit >> 3 < end);
      try {
        const { seen } = await replay(new MemoryFile(damaged));
        expect(seen, `bit ${bit}`).toEqual(original.slice(0, seen.length));
        expect(seen.length, `bit ${bit}`).toBeGreaterThanOrEqual(ENTRIES_BEFORE[batch]!);
      } catch (error) {
        expect(error, `bit ${bit}`).toSatisfy(
          (e) => e instanceof FormatError || e instanceof CorruptionError,
        );
      }
    }
  });

  test('refuses a damaged record when it is read, whichever of its bits is flipped', async () => {
    const file = new MemoryFile();
    const { log } = await replay(file);
    const batch = log.begin();
    const location = batch.add(put(1, 'key', 'some value'));
    log.append(batch, false);
    const bytes = file.content();
    const length = log.read(location).bytes;
    for (let bit = location * 64; bit < (location * 8 + length) * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      file.write(damaged, 0);
      expect(() => log.read(location), `bit ${bit}`).toThrow(CorruptionError);
    }
  });

  test('never takes the bytes of another generation for its own', async () => {
    const { bytes } = await threeBatches();
    const { seen, tornBytes } = await replay(new MemoryFile(bytes), { generation: GENERATION + 1 });
    expect(seen).toEqual([]);
    expect(tornBytes).toBe(bytes.length);
  });

  test('tells damage before a flush from a torn tail, and changes nothing then', async () => {
    const file = new MemoryFile();
    const { log } = await replay(file);
    const ends: number[] = [];
    for (let version = 1; version <= 3; version++) {
      const batch = log.begin();
      batch.add(put(version, `key-${version}`, 'value'));
      log.append(batch, true);
      ends.push(file.size());
    }
    const damaged = file.content();
    damaged[ends[0]! + 30]! ^= 1;
    const broken = new MemoryFile(damaged);
    await expect(replay(broken)).rejects.toThrow(CorruptionError);
    expect(broken.content()).toEqual(damaged);
  });

  test('refuses to open when bytes are gone that had been flushed', async () => {
    const { bytes, ends } = await threeBatches();
    const file = new MemoryFile(bytes.slice(0, ends[1]));
    await expect(replay(file, { flushedTo: ends[2] })).rejects.toThrow(DataLossError);
    expect(file.size()).toBe(ends[1]);
  });

  test('is refused with `absolute` when it ends in a torn batch', async () => {
    const { bytes } = await threeBatches();
    const file = new MemoryFile(bytes.slice(0, -1));
    await expect(replay(file, { absolute: true })).rejects.toThrow(CorruptionError);
    expect(file.size()).toBe(bytes.length - 1);
  });

  test('refuses an extent of a newer format', async () => {
    const { bytes } = await threeBatches();
    bytes[8] = 2;
    const view = new DataView(bytes.buffer);
    const { crc32c } = await import('../../src/base/crc32c.js');
    view.setUint32(4, crc32c(bytes, 8, 32), true);
    await expect(replay(new MemoryFile(bytes))).rejects.toThrow(FormatError);
  });

  test('reads records longer than it guesses, and batches longer than its window', async () => {
    const file = new MemoryFile();
    const { log } = await replay(file);
    const long = 'x'.repeat(3 * 2 ** 20);
    const batch = log.begin();
    const location = batch.add(put(1, 'long', long));
    batch.add(put(2, 'short', 'y'));
    log.append(batch, false);
    expect(log.read(location).size).toBe(long.length);
    const { seen } = await replay(new MemoryFile(file.content()));
    expect(seen.map(({ key, value }) => [key, value.length])).toEqual([
      ['long', long.length],
      ['short', 1],
    ]);
  });
});

describe('a log over a failing medium', () => {
  class Failing extends MemoryFile {
    mode: 'fine' | 'short' | 'lying' | 'throws' | 'flush' = 'fine';

    override write(bytes: Uint8Array, at: number): number {
      if (this.mode === 'throws') throw Object.assign(new Error('no'), { name: 'NotReadableError' });
      if (this.mode === 'short') return super.write(bytes.subarray(0, bytes.length >> 1), at);
      if (this.mode === 'lying') {
        super.write(bytes.subarray(0, bytes.length >> 1), at);
        return bytes.length;
      }
      return super.write(bytes, at);
    }

    override flush(): void {
      if (this.mode === 'flush') throw new Error('flush failed');
    }
  }

  const write = (log: FileLog, version: number, strict = false) => {
    const batch = log.begin();
    batch.add(put(version, `key-${version}`, 'value'));
    return log.append(batch, strict);
  };

  for (const [mode, Expected] of [
    ['short', QuotaError],
    ['lying', QuotaError],
    ['throws', IoError],
  ] as const) {
    test(`rolls back a write that is ${mode}, and takes the next one when there is room again`, async () => {
      const file = new Failing();
      const { log } = await replay(file);
      write(log, 1);
      const size = file.size();
      file.mode = mode;
      expect(() => write(log, 2)).toThrow(Expected);
      expect(file.size()).toBe(size);
      file.mode = 'fine';
      write(log, 3);
      const { seen } = await replay(new MemoryFile(file.content()));
      expect(seen.map(({ key }) => key)).toEqual(['key-1', 'key-3']);
    });
  }

  test('takes no more writes after a flush that failed, and never calls it durable', async () => {
    const file = new Failing();
    const { log } = await replay(file);
    file.mode = 'flush';
    expect(() => write(log, 1, true)).toThrow(IoError);
    file.mode = 'fine';
    expect(() => write(log, 2)).toThrow(IoError);
    expect(() => log.flush()).toThrow(IoError);
    expect((await replay(new MemoryFile(file.content()))).seen).toEqual([]);
  });
});
