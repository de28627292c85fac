/** Where images are kept: one of two slots is always whole, and only what was written is given. */
import { afterEach, describe, expect, test } from 'vitest';
import type { StoreError } from '../../src/base/errors.js';
import { FileImages, type ImageStore, type ImageWriter } from '../../src/storage/images.js';
import { entry, FileLog, MemoryFile, Type } from '../../src/storage/log/index.js';
import { append, closeStores, openStore, put, replay } from './indexeddb-store.js';

afterEach(closeStores);

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Writes pieces and makes them count. */
async function save(store: ImageStore, generation: number, ...pieces: string[]): Promise<void> {
  const writer = store.begin(generation);
  for (const piece of pieces) await writer.write(Buffer.from(piece, 'latin1'));
  await writer.commit();
}

async function found(store: ImageStore, generation = 7): Promise<string[]> {
  const payloads: string[] = [];
  for await (const payload of store.images(generation)) payloads.push(textOf(payload));
  return payloads;
}

/** What opening takes: it asks for no other. */
async function newest(store: ImageStore): Promise<string | undefined> {
  for await (const payload of store.images(7)) return textOf(payload);
  return undefined;
}

type Files = [MemoryFile, MemoryFile];

/** Places for images, each a way to open the same one anew. */
const places: [string, () => Promise<() => Promise<ImageStore>>][] = [
  [
    'in files',
    async () => {
      const files: Files = [new MemoryFile(), new MemoryFile()];
      return async () => new FileImages(files);
    },
  ],
  [
    'in IndexedDB',
    async () => {
      const { name } = await openStore();
      return async () => (await openStore(name)).images!;
    },
  ],
];

describe.each(places)('images %s', (_, place) => {
  test('are given again, the newest first, two at most', async () => {
    const open = await place();
    let store = await open();
    expect(await found(store)).toEqual([]);
    const written: string[] = [];
    for (let i = 0; i < 6; i++) {
      const pieces = Array.from({ length: 12 - i }, (_, n) => `piece ${n} of ${i}; `);
      await save(store, 7, ...pieces);
      written.unshift(pieces.join(''));
      expect(await found(await open()), `after ${i}`).toEqual(written.slice(0, 2));
      if (i === 3) store = await open();
      // Whoever has looked goes on as who has not.
      if (i === 4) expect(await newest(store)).toBe(written[0]);
    }
  });

  test('of another log are not given', async () => {
    const open = await place();
    const store = await open();
    await save(store, 7, 'of seven');
    await save(store, 8, 'of eight');
    expect(await found(await open(), 7)).toEqual(['of seven']);
    expect(await found(await open(), 8)).toEqual(['of eight']);
    expect(await found(await open(), 9)).toEqual([]);
  });

  test('that were not finished leave the one before', async () => {
    const open = await place();
    await save(await open(), 7, 'first');
    await save(await open(), 7, 'second');
    const store = await open();
    expect(await newest(store)).toBe('second');
    const writer: ImageWriter = store.begin(7);
    await writer.write(Buffer.from('third'));
    expect(await found(await open())).toEqual(['second']);
    await save(store, 7, 'fourth');
    expect(await found(await open())).toEqual(['fourth', 'second']);
  });

  test('may be empty, or of one long piece', async () => {
    const open = await place();
    await save(await open(), 7);
    expect(await found(await open())).toEqual(['']);
    const long = 'x'.repeat(3 * 2 ** 20);
    const store = await open();
    expect(await newest(store)).toBe('');
    await save(store, 7, long);
    const [first, second] = await found(await open());
    expect(first === long && second === '').toBe(true);
  });
});

describe('images in files', () => {
  test('keep the one that was read last, whichever slot it is in', async () => {
    for (const damaged of [0, 1] as const) {
      const files: Files = [new MemoryFile(), new MemoryFile()];
      const store = new FileImages(files);
      await save(store, 7, 'older');
      await save(store, 7, 'newer');
      files[damaged].write(Uint8Array.of(0xff), 33);
      const again = new FileImages(files);
      const left = (await found(again))[0]!;
      await save(again, 7, 'newest');
      expect(await found(new FileImages(files))).toEqual(['newest', left]);
    }
  });

  test('give their room back when they do not fit, and say so', () => {
    for (const lie of [true, false]) {
      class Full extends MemoryFile {
        override write(bytes: Uint8Array, at: number): number {
          if (at + bytes.length <= 1000) return super.write(bytes, at);
          super.write(bytes.subarray(0, 10), at);
          return lie ? bytes.length : 10;
        }
      }
      const files: Files = [new Full(), new Full()];
      const writer = new FileImages(files).begin(7);
      writer.write(new Uint8Array(900));
      expect(() => writer.write(new Uint8Array(900))).toThrow(
        expect.objectContaining<Partial<StoreError>>({ code: 'IO' }),
      );
      expect(files.map((file) => file.size())).toEqual([0, 0]);
    }
  });

  test('are cut to their length, and not longer read than their file is', async () => {
    const files: Files = [new MemoryFile(new Uint8Array(5000)), new MemoryFile()];
    await save(new FileImages(files), 7, 'short');
    expect(files[0].size()).toBe(32 + 5);
    // A length of many terabytes.
    files[0].write(Uint8Array.of(0xff), 27);
    expect(await found(new FileImages(files))).toEqual([]);
  });
});

describe('a log', () => {
  const options = { backend: 'test', generation: 7, written: 'os', flushed: () => 'os' as const } as const;

  async function filled() {
    const file = new MemoryFile();
    const log = new FileLog(file, options);
    await log.replay(
      () => {},
      () => {},
    );
    const positions = [];
    for (let i = 0; i < 12; i++) {
      const batch = log.begin(i % 4 === 3);
      if (i % 4 === 3) batch.add(entry({ type: Type.Seal, sequence: i, time: 1 }));
      for (let n = 0; n <= i; n++) batch.add(put(i + 1, `${i}/${n}`, Buffer.from('v'.repeat(i * 9))));
      log.append(batch, false);
      if (i === 9) log.flush();
      positions.push(log.position);
    }
    return { file, log, positions };
  }

  async function keysFrom(log: FileLog, from?: FileLog['position']): Promise<string[]> {
    const keys: string[] = [];
    await log.replay(
      (found, location) => {
        if (found.type === Type.Put) keys.push(`${found.key} at ${location}`);
      },
      () => {},
      from,
    );
    return keys;
  }

  test('is read on from any position that it gave, and ends the same', async () => {
    const { file, log, positions } = await filled();
    const whole = new FileLog(file, options);
    const all = await keysFrom(whole);
    for (const [i, position] of positions.entries()) {
      const again = new FileLog(file, options);
      expect(again.reaches(JSON.parse(JSON.stringify(position)))).toBe(true);
      const behind = await keysFrom(again, position);
      expect(behind).toEqual(all.filter((key) => Number.parseInt(key, 10) > i));
      expect(again.position).toEqual(log.position);
      expect(again.full).toBe(log.full);
    }
    expect(whole.position).toEqual(log.position);
  });

  test('reaches no position at which no batch of its ends', async () => {
    const { file, positions } = await filled();
    const { end = 0 } = positions[5]!;
    const log = new FileLog(file, options);
    for (const other of [0, 8, 32, end - 8, end + 8, end + 0.5, file.size() + 40, NaN, 2 ** 40]) {
      expect(log.reaches({ ...positions[5]!, end: other }), `${other}`).toBe(false);
    }
    expect(log.reaches({})).toBe(false);
    expect(new FileLog(file, { ...options, generation: 8 }).reaches(positions[5]!)).toBe(false);
    file.write(Uint8Array.of(1), end - 10);
    expect(log.reaches(positions[5]!)).toBe(false);
  });

  test('cuts a torn tail and tells damage behind a position as from the start', async () => {
    const { file, positions } = await filled();
    const torn = new MemoryFile(file.content());
    torn.truncate(file.size() - 20);
    const log = new FileLog(torn, options);
    const { tornBytes } = await log.replay(
      () => {},
      () => {},
      positions[8],
    );
    expect(tornBytes).toBeGreaterThan(0);
    expect(log.position).toEqual(positions[10]);
    expect(torn.size()).toBe(positions[10]!['end']);
    const damaged = new MemoryFile(file.content());
    damaged.write(Uint8Array.of(0xff), positions[8]!['end']! + 40);
    await expect(keysFrom(new FileLog(damaged, options), positions[8])).rejects.toMatchObject({
      code: 'CORRUPTION',
    });
    await expect(
      keysFrom(new FileLog(torn, { ...options, flushedTo: file.size() }), positions[8]),
    ).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });

  test('in IndexedDB is read on from any position that it gave, and ends the same', async () => {
    const store = await openStore();
    await replay(store);
    const positions = [];
    const batches = [];
    for (const sizes of [
      [1],
      [100_000, 5, 70_000],
      [3, 4],
      Array.from({ length: 900 }, (_, i) => i % 90),
      [0],
    ]) {
      batches.push(await append(store, sizes, sizes.length === 3));
      positions.push(store.log.position);
    }
    for (const [i, position] of positions.entries()) {
      const { log } = await openStore(store.name);
      expect(await log.reaches(JSON.parse(JSON.stringify(position))), `${i}`).toBe(true);
      expect(await log.reaches({ ...position, next: position['next']! - 1 })).toBe(false);
      expect(await log.reaches({ ...position, next: position['next']! + 1 })).toBe(false);
      const locations: number[] = [];
      await log.replay(
        (_, location) => {
          locations.push(location);
        },
        () => {},
        position,
      );
      expect(locations).toEqual(
        batches.slice(i + 1).flatMap((batch) => batch.map(({ location }) => location)),
      );
      expect(log.position).toEqual(store.log.position);
    }
    const { log } = await openStore(store.name);
    expect(await log.reaches({})).toBe(false);
    expect(await log.reaches({ next: 1 })).toBe(false);
  });
});
