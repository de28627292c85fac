/** Reading a part of a log that is in use, over files and over IndexedDB. */
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { encodeFigures, markOf } from '../../src/engine/mark.js';
import { entry, FileLog, type Log, MemoryFile, Type } from '../../src/storage/log/index.js';
import { logOn, makeKeys } from './encryption/log-store.js';
import { closeStores, openStore, put, TIME } from './indexeddb-store.js';

afterEach(closeStores);

interface Place {
  readonly name: string;
  /** Whether a walk may begin where an extent begins. */
  readonly seals: boolean;
  open(): Promise<Log>;
}

const PLACES: readonly Place[] = [
  {
    name: 'files',
    seals: true,
    open: async () =>
      new FileLog(new MemoryFile(), {
        backend: 'test',
        generation: 7,
        written: 'os',
        flushed: () => 'durable',
      }),
  },
  {
    name: 'encrypted files',
    seals: false,
    open: async () => logOn(new MemoryFile(), await makeKeys()),
  },
  {
    name: 'IndexedDB',
    seals: true,
    open: async () => {
      const { log } = await openStore();
      await log.replay(
        () => {},
        () => {},
      );
      return log;
    },
  },
];

/** Locations by batch, of batches of 1 to 5 entries; the largest begin an extent, and one takes several pages. */
async function fill(log: Log, batches: number, seals = false): Promise<number[][]> {
  const written: number[][] = [];
  let version = 0;
  for (let i = 0; i < batches; i++) {
    const batch = log.begin(seals && i % 5 === 4);
    const locations: number[] = [];
    for (let n = 0; n <= i % 5; n++) {
      version += 1;
      locations.push(
        batch.add(put(version, `key-${version}`, new Uint8Array(i === 7 ? 30_000 : 40).fill(i))),
      );
    }
    await log.append(batch, false);
    written.push(locations);
  }
  return written;
}

async function walk(log: Log, from?: number, to?: number): Promise<[number, string][][]> {
  const batches: [number, string][][] = [];
  let batch: [number, string][] = [];
  await log.walk(
    (found, location) => void batch.push([location, found.key]),
    () => {
      batches.push(batch);
      batch = [];
    },
    from,
    to,
  );
  expect(batch).toEqual([]);
  return batches;
}

describe.each(PLACES)('a walk over $name', ({ open, seals }) => {
  test('visits whole batches, from the one it begins with to the one that holds the last entry', async () => {
    const log = await open();
    expect(await walk(log)).toEqual([]);
    const written = await fill(log, 12, seals);
    let version = 0;
    const all = written.map((batch) => batch.map((location) => [location, `key-${++version}`]));
    expect(await walk(log)).toEqual(all);
    for (let from = 0; from < written.length; from++) {
      for (let to = from; to < written.length; to++) {
        const last = written[to]!;
        for (const location of [last[0], last.at(-1)]) {
          expect(await walk(log, written[from]![0], location), `${from} to ${to}`).toEqual(
            all.slice(from, to + 1),
          );
        }
      }
      expect(await walk(log, written[from]![0])).toEqual(all.slice(from));
    }
  });

  test('ends with what was there when it began, and leaves the log as it is', async () => {
    const log = await open();
    const written = await fill(log, 6);
    const seen: number[] = [];
    let more = 0;
    await log.walk(
      (_, location) => void seen.push(location),
      async () => {
        if (more++ > 0) return;
        await fill(log, 3);
      },
    );
    expect(seen).toEqual(written.flat());
    expect(await walk(log)).toHaveLength(9);
  });
});

test('a walk comes upon damage and says where', async () => {
  const file = new MemoryFile();
  const log = new FileLog(file, { backend: 'test', generation: 7, written: 'os', flushed: () => 'os' });
  await fill(log, 6);
  const at = 200;
  const byte = new Uint8Array(1);
  file.read(byte, at);
  file.write(Uint8Array.of(byte[0]! ^ 4), at);
  await expect(walk(log)).rejects.toMatchObject({
    code: 'CORRUPTION',
    detail: { start: expect.any(Number) },
  });
});

test('the entry of a checkpoint has its figures, each of its own bytes, and is the example of the format', async () => {
  const figures = { keys: 0x0102_0304_0506, bytes: 2 ** 48 - 1, alive: 7, before: 0x0a0b_0c0d };
  const value = encodeFigures(figures);
  expect(Buffer.from(value).toString('hex')).toBe('060504030201ffffffffffff0700000000000d0c0b0a0000');
  const example = encodeFigures({ keys: 10, bytes: 1000, alive: 1500, before: 2000 });
  const words = [...example].map((byte) => byte.toString(16).padStart(2, '0'));
  const rows = [0, 6, 12, 18].map((at) => words.slice(at, at + 6).join(' ')).join('  ');
  expect(readFileSync('src/engine/mark.ts', 'utf8')).toContain(` *    ${rows}\n`);
  const log = await PLACES[0]!.open();
  const batch = log.begin();
  const fields = { type: Type.Checkpoint, sequence: 9, time: TIME, key: 'a label' };
  const kept = batch.add(entry({ ...fields, value }));
  const given = batch.add(entry(fields));
  await log.append(batch, false);
  expect(markOf(await log.read(kept), kept)).toEqual({
    label: 'a label',
    version: 9,
    createdAt: TIME,
    ...figures,
    location: kept,
  });
  expect(markOf(await log.read(given), given)).toBeUndefined();
});
