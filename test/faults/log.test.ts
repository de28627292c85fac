/** A log over a disk that loses power or fails: what is cut, what is kept, and what is never taken for a batch. */
import { describe, expect, test } from 'vitest';
import { CorruptionError, IoError, QuotaError } from '../../src/base/errors.js';
import { entry, FileLog, Type } from '../../src/storage/log/index.js';
import { Chance } from './chance.js';
import { FakeDisk } from './disk.js';

const open = (disk: FakeDisk) =>
  new FileLog(disk.open('log'), {
    backend: 'test',
    generation: 7,
    written: 'os',
    flushed: () => 'durable',
  });

/** The values of each whole batch, and the log to go on with. */
async function replay(disk: FakeDisk): Promise<{ log: FileLog; batches: string[] }> {
  const log = open(disk);
  const batches: string[] = [];
  let batch = '';
  await log.replay(
    (found) => {
      batch += String.fromCharCode(found.value[0]!);
    },
    () => {
      batches.push(batch);
      batch = '';
    },
  );
  return { log, batches };
}

function append(
  log: FileLog,
  value: string,
  { entries = 8, bytes = 39, strict = false, seal = false } = {},
): void {
  const batch = log.begin(seal);
  for (let i = 0; i < entries; i++) {
    batch.add(
      entry({
        type: Type.Put,
        sequence: 1,
        time: 2,
        key: `${i % 10}`,
        value: new Uint8Array(bytes).fill(value.charCodeAt(0)),
        brings: true,
      }),
    );
  }
  log.append(batch, strict);
}

/** Its first file is made at 0, and is old from then on. */
const newDisk = () => {
  let asked = 0;
  return new FakeDisk(() => asked++ * 1e6);
};
const quota = () => Object.assign(new Error('full'), { name: 'QuotaExceededError' });

describe('a batch that is written where another one was cut off', () => {
  // Entries of 64 bytes that begin at a sector: pieces of both batches fit together.
  const aligned = async () => {
    const disk = newDisk();
    const { log } = await replay(disk);
    append(log, '-', { entries: 1, bytes: 512 - 32 - 40 - 25, strict: true });
    expect(disk.content('log').length % 512).toBe(0);
    return { disk, log };
  };
  const found = (batches: string[]) =>
    expect(['', 'AAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBB']).toContain(batches[1] ?? '');

  test('never counts with pieces of that one, which a power cut had torn', async () => {
    for (let seed = 0; seed < 500; seed++) {
      const chance = new Chance(seed);
      const { disk, log } = await aligned();
      append(log, 'A', { entries: 16 });
      const second = disk.crash(chance);
      const { log: again, batches } = await replay(second);
      found(batches);
      if (batches.length > 1) continue;
      append(again, 'B', { entries: 16 });
      found((await replay(second.crash(chance))).batches);
    }
  });

  test('never counts with pieces of that one, which the medium had refused', async () => {
    for (let seed = 0; seed < 500; seed++) {
      const chance = new Chance(seed);
      const { disk, log } = await aligned();
      disk.fault = ({ operation }) => (operation === 'write' ? { throws: quota(), done: true } : undefined);
      expect(() => append(log, 'A', { entries: 16 })).toThrow(QuotaError);
      disk.fault = undefined;
      append(log, 'B', { entries: 16 });
      const { batches } = await replay(disk.crash(chance));
      expect(['', 'BBBBBBBBBBBBBBBB']).toContain(batches[1] ?? '');
    }
  });
});

describe('a log whose end is missing', () => {
  test('is cut where extents follow that were not flushed either', async () => {
    for (let seed = 0; seed < 300; seed++) {
      const disk = newDisk();
      const { log } = await replay(disk);
      append(log, 'a', { strict: true });
      append(log, 'b');
      append(log, 'c', { seal: true });
      append(log, 'd');
      const { batches } = await replay(disk.crash(new Chance(seed)));
      expect(['a', 'ab', 'abc', 'abcd']).toContain(batches.map((batch) => batch[0]).join(''));
    }
  });

  test('is damaged where a later batch knows that it had been flushed, by whatever opening', async () => {
    const disk = newDisk();
    append((await replay(disk)).log, 'a', { strict: true });
    const { log } = await replay(disk);
    append(log, 'b', { strict: true });
    append(log, 'c');
    append((await replay(disk)).log, 'd', { seal: true });
    // Of `b`, and of the COMMIT of `c`: the one of `d` is all that tells.
    for (const at of [700, 1136 + 8 * 64 + 30]) disk.open('log').write(new Uint8Array([1]), at);
    await expect(replay(disk)).rejects.toThrow(CorruptionError);
  });

  test('is not cut when the medium gives too few bytes of it, and told when it gives none', async () => {
    for (const fault of ['short', 'none', { throws: new Error('no') }] as const) {
      const disk = newDisk();
      append((await replay(disk)).log, 'a', { entries: 40, bytes: 4000 });
      const before = disk.content('log');
      for (const lasting of [false, true]) {
        let left = lasting ? Infinity : 1;
        disk.fault = ({ operation }) => (operation === 'read' && left-- > 0 ? fault : undefined);
        const opening = replay(disk);
        if (fault === 'short' && !lasting) expect((await opening).batches).toHaveLength(1);
        else await expect(opening).rejects.toThrow(IoError);
        disk.fault = undefined;
        expect(disk.content('log')).toEqual(before);
      }
    }
  });

  test('is told in typed errors when it cannot be measured, cut or flushed', async () => {
    for (const failing of ['size', 'truncate', 'flush'] as const) {
      const disk = newDisk();
      append((await replay(disk)).log, 'a');
      disk.open('log').write(new Uint8Array(100).fill(1), disk.content('log').length);
      disk.fault = ({ operation }) => (operation === failing ? { throws: quota() } : undefined);
      await expect(replay(disk), failing).rejects.toThrow(QuotaError);
      disk.fault = undefined;
      expect((await replay(disk)).batches).toHaveLength(1);
    }
  });
});

describe('an append that failed and could not be taken back', () => {
  test('is taken back before the next one, or with the next flush', async () => {
    for (const next of ['append', 'flush'] as const) {
      const disk = newDisk();
      const { log } = await replay(disk);
      append(log, 'a');
      disk.fault = ({ operation }) =>
        operation === 'write' || operation === 'truncate'
          ? { throws: quota(), done: operation === 'write' }
          : undefined;
      expect(() => append(log, 'b')).toThrow(QuotaError);
      expect(() => append(log, 'b')).toThrow(QuotaError);
      disk.fault = undefined;
      // Shorter than what was not cut off.
      if (next === 'append') append(log, 'c', { entries: 2 });
      else log.flush();
      const { batches } = await replay(disk.copy());
      expect(batches.map((batch) => batch[0]).join('')).toBe(next === 'append' ? 'ac' : 'a');
    }
  });
});
