import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/contract/options.js';
import { mixed } from '../structures/dedup/bytes.js';
import { type DedupStore, figuresOf, openDedup, reopenDedup } from './dedup-store.js';

const CHUNK_BYTES = 2048;
const OPTIONS: OpenOptions = { dedup: { mode: 'chunked', chunkBytes: CHUNK_BYTES } };
const LARGE = mixed(1, 700_000);

async function put(
  { engine }: DedupStore,
  key: string,
  bytes: Uint8Array,
  pieceBytes = 50_000,
  options?: object,
): Promise<unknown> {
  const streams = await engine.streams();
  const id = streams.beginWrite(key, options);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    await streams.write(id, bytes.subarray(at, at + pieceBytes));
  }
  return streams.endWrite(id);
}

async function take({ engine }: DedupStore, key: string, range?: object): Promise<Buffer | undefined> {
  const streams = await engine.streams();
  const id = await streams.beginRead(key, range);
  if (id === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for (;;) {
    const [bytes, isLast] = await streams.nextRead(id);
    pieces.push(bytes);
    if (isLast) return Buffer.concat(pieces);
  }
}

const same = (a: unknown, b: Uint8Array) => Buffer.compare(Buffer.from(a as Uint8Array), b) === 0;

describe('setStream', () => {
  test.each([
    ['a large value', LARGE],
    ['one that is not cut', LARGE.subarray(0, CHUNK_BYTES)],
    ['one that is just cut', LARGE.subarray(0, CHUNK_BYTES + 1)],
    ['one byte', LARGE.subarray(0, 1)],
    ['nothing', LARGE.subarray(0, 0)],
  ])('stores %s as set would, in whatever pieces it comes', async (_, bytes) => {
    const store = await openDedup(OPTIONS);
    await put(store, 'a', bytes, 70_001);
    await put(store, 'b', bytes, 999);
    await store.engine.set('c', bytes);
    for (const opened of [store, await reopenDedup(store, OPTIONS)]) {
      for (const key of ['a', 'b', 'c']) expect(same(await opened.engine.get(key), bytes), key).toBe(true);
      const expected = await figuresOf([bytes, bytes, bytes], CHUNK_BYTES);
      expect(await opened.engine.health()).toMatchObject(expected);
    }
  });

  test.each<[string, OpenOptions]>([
    ['that cuts nothing by itself', { dedup: { mode: 'exact' } }],
    ['that keeps nothing once', { dedup: { mode: 'off' } }],
  ])('works in a store %s', async (_, options) => {
    const store = await openDedup(options);
    await put(store, 'a', LARGE);
    await store.engine.set('b', LARGE);
    await put(store, 'c', LARGE);
    for (const opened of [store, await reopenDedup(store, options)]) {
      for (const key of ['a', 'b', 'c']) expect(same(await opened.engine.get(key), LARGE)).toBe(true);
      const unique = options.dedup?.mode === 'off' ? 3 : 1;
      expect(await opened.engine.countUnique()).toBe(unique);
    }
  });

  test('changes nothing before its end, and nothing when it is given up', async () => {
    const store = await openDedup(OPTIONS);
    const streams = await store.engine.streams();
    await store.engine.set('a', 'before');
    const id = streams.beginWrite('a');
    await streams.write(id, LARGE);
    expect(await store.engine.get('a')).toBe('before');
    expect(await store.engine.health()).toMatchObject({ totalKeys: 1, totalObjects: 1, logicalBytes: 6 });
    streams.releaseWrite(id);
    streams.releaseWrite(id);
    await store.engine.flush();
    expect(await store.engine.health()).toMatchObject({ totalKeys: 1, totalBytes: 6 });
    await expect(streams.write(id, LARGE)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
  });

  test('that was given up, or cut off by a kill, leaves nothing behind', async () => {
    const store = await openDedup(OPTIONS);
    await store.engine.set('a', LARGE.subarray(0, 5000));
    const streams = await store.engine.streams();
    const id = streams.beginWrite('b');
    await streams.write(id, LARGE);
    const expected = await figuresOf([LARGE.subarray(0, 5000)], CHUNK_BYTES);
    const killed = await reopenDedup(store, OPTIONS);
    expect(await killed.engine.health()).toMatchObject(expected);
    await store.engine.close();
    const closed = await reopenDedup(store, OPTIONS);
    expect(await closed.engine.health()).toMatchObject(expected);
    expect((await closed.engine.stats()).storage.recovered).toBeLessThan(5);
    await closed.engine.compact();
    expect((await closed.engine.health()).storedBytes).toBeLessThan(9000);
    expect(same(await closed.engine.get('a'), LARGE.subarray(0, 5000))).toBe(true);
  });

  test('that nobody has asked anything of for ten minutes is given up', async () => {
    const store = await openDedup(OPTIONS);
    const streams = await store.engine.streams();
    const id = streams.beginWrite('a');
    await streams.write(id, LARGE);
    store.time.pass(9 * 60_000);
    await streams.write(id, LARGE.subarray(0, 10));
    store.time.pass(10 * 60_000);
    await expect(streams.endWrite(id)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
    await store.engine.flush();
    expect(await store.engine.health()).toMatchObject({ totalKeys: 0, totalBytes: 0 });
  });

  test('holds chunks that are let go of by others while it runs', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    await engine.set('other', LARGE);
    const streams = await engine.streams();
    const id = streams.beginWrite('mine');
    await streams.write(id, LARGE);
    await engine.delete('other');
    // The same chunks come and go once more.
    await engine.set('third', LARGE);
    await engine.delete('third');
    await streams.endWrite(id);
    expect(same(await engine.get('mine'), LARGE)).toBe(true);
    const expected = await figuresOf([LARGE], CHUNK_BYTES);
    expect(await engine.health()).toMatchObject(expected);
    const reopened = await reopenDedup(store, OPTIONS);
    expect(await reopened.engine.health()).toMatchObject(expected);
    expect(same(await reopened.engine.get('mine'), LARGE)).toBe(true);
    await engine.delete('mine');
    await engine.flush();
    expect(await engine.health()).toMatchObject({ totalBytes: 0 });
  });

  test('keeps a compaction waiting, and waits for one that runs', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    await engine.set('a', LARGE.subarray(0, 300_000));
    const streams = await engine.streams();
    const id = streams.beginWrite('b');
    await streams.write(id, LARGE);
    const compacted = engine.compact();
    let done = false;
    compacted.then(() => (done = true));
    const another = streams.beginWrite('c');
    const written = streams.write(another, LARGE.subarray(1000));
    for (let i = 0; i < 50; i++) await new Promise((next) => setImmediate(next));
    expect(done).toBe(false);
    await streams.endWrite(id);
    await written;
    await streams.endWrite(another);
    await compacted;
    const running = engine.compact();
    await put(store, 'd', LARGE.subarray(5000));
    await running;
    const values = [LARGE.subarray(0, 300_000), LARGE, LARGE.subarray(1000), LARGE.subarray(5000)];
    for (const opened of [store, await reopenDedup(store, OPTIONS)]) {
      for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) {
        expect(same(await opened.engine.get(key), values[i]!), key).toBe(true);
      }
      expect(await opened.engine.health()).toMatchObject(await figuresOf(values, CHUNK_BYTES));
    }
  });

  test('that was given up is not copied with a checkpoint that was taken behind its chunks', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    const streams = await engine.streams();
    await put(store, 'a', LARGE.subarray(0, 50_000));
    const id = streams.beginWrite('b');
    await streams.write(id, LARGE);
    await engine.versions.checkpoints.take('label');
    streams.releaseWrite(id);
    await put(store, 'a', LARGE.subarray(3, 60_000));
    await engine.compact();
    for (const opened of [store, await reopenDedup(store, OPTIONS)]) {
      expect(same(await opened.engine.get('a'), LARGE.subarray(3, 60_000))).toBe(true);
      const expected = await figuresOf([LARGE.subarray(3, 60_000)], CHUNK_BYTES);
      expect(await opened.engine.health()).toMatchObject(expected);
      expect((await opened.engine.health()).storedBytes).toBeLessThan(150_000);
    }
    await engine.versions.checkpoints.restore('label');
    expect(same(await engine.get('a'), LARGE.subarray(0, 50_000))).toBe(true);
  });

  test("takes pieces in the order in which they were given, and a piece is the caller's again", async () => {
    const store = await openDedup(OPTIONS);
    const streams = await store.engine.streams();
    const id = streams.beginWrite('a');
    const writes = [0, 1, 2, 3].map((n) => streams.write(id, LARGE.slice(n * 150_000, (n + 1) * 150_000)));
    const ended = streams.endWrite(id);
    await Promise.all([...writes, ended]);
    expect(same(await store.engine.get('a'), LARGE.subarray(0, 600_000))).toBe(true);
    const reused = LARGE.slice(0, 500);
    const other = streams.beginWrite('b');
    await streams.write(other, reused);
    reused.fill(0);
    await streams.write(other, LARGE.slice(500, 5000));
    await streams.endWrite(other);
    expect(same(await store.engine.get('b'), LARGE.subarray(0, 5000))).toBe(true);
  });

  test('holds what another one held too when that is given up', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    const streams = await engine.streams();
    const ids = ['a', 'b', 'c'].map((key) => streams.beginWrite(key));
    for (const id of ids) await streams.write(id, LARGE);
    streams.releaseWrite(ids[0]!);
    streams.releaseWrite(ids[1]!);
    await engine.set('d', LARGE);
    await engine.delete('d');
    await engine.flush();
    await streams.endWrite(ids[2]!);
    expect(same(await engine.get('c'), LARGE)).toBe(true);
    expect(await engine.health()).toMatchObject(await figuresOf([LARGE], CHUNK_BYTES));
    await engine.delete('c');
    await engine.flush();
    expect(await engine.health()).toMatchObject({ totalBytes: 0 });
  });

  test('is refused when the store is cleared under it', async () => {
    const store = await openDedup(OPTIONS);
    const streams = await store.engine.streams();
    await store.engine.set('a', 1);
    const id = streams.beginWrite('b');
    await streams.write(id, LARGE);
    await store.engine.clear();
    await expect(streams.endWrite(id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await store.engine.flush();
    expect(await store.engine.health()).toMatchObject({ totalKeys: 0, totalBytes: 0 });
    await put(store, 'b', LARGE);
    expect(same(await store.engine.get('b'), LARGE)).toBe(true);
  });

  test('takes the options of set, and refuses what they refuse', async () => {
    const store = await openDedup(OPTIONS);
    const streams = await store.engine.streams();
    await put(store, 'a', LARGE, 50_000, { ttl: 1000, ifAbsent: true });
    expect(await store.engine.ttl('a')).toBe(1000);
    await expect(put(store, 'a', LARGE.subarray(9), 50_000, { ifAbsent: true })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await store.engine.flush();
    expect(await store.engine.health()).toMatchObject(await figuresOf([LARGE], CHUNK_BYTES));
    expect(() => streams.beginWrite(7)).toThrow(TypeError);
    expect(() => streams.beginWrite('a', { ttl: -1 })).toThrow(RangeError);
    expect(() => streams.beginWrite('a', { color: 1 })).toThrow(TypeError);
    const id = streams.beginWrite('b');
    await expect(streams.write(id, 'text')).rejects.toThrow(TypeError);
  });
});

describe('getStream', () => {
  test('gives any part of a value, whether it is cut or not', async () => {
    const small = mixed(2, 700);
    const cut = LARGE.subarray(0, 20_000);
    const store = await openDedup({ ...OPTIONS, cache: { maxBytes: 0 } });
    await store.engine.setMany([
      ['small', small],
      ['shared', small],
      ['cut', cut],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<[string, Uint8Array]>(['small', small], ['shared', small], ['cut', cut]),
        fc.nat(21_000),
        fc.option(fc.nat(21_000), { nil: undefined }),
        async ([key, bytes], start, length) => {
          const range = length === undefined ? { start } : { start, end: start + length };
          expect(same(await take(store, key, range), bytes.subarray(range.start, range.end))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
    expect(same(await take(store, 'cut'), cut)).toBe(true);
  });

  test('reads only the chunks that are wanted', async () => {
    const store = await openDedup({ ...OPTIONS, cache: { maxBytes: 0 } });
    await store.engine.set('a', LARGE);
    const log = store.disk.logs[0];
    const at = Buffer.from(log.content()).indexOf(LARGE.subarray(100_000, 100_050));
    log.write(Uint8Array.of(log.content()[at]! ^ 1), at);
    expect(same(await take(store, 'a', { start: 200_000 }), LARGE.subarray(200_000))).toBe(true);
    expect(same(await take(store, 'a', { end: 80_000 }), LARGE.subarray(0, 80_000))).toBe(true);
    await expect(take(store, 'a', { start: 99_000, end: 101_000 })).rejects.toMatchObject({
      code: 'CORRUPTION',
    });
  });

  test('gives the bytes of text, buffers, blobs and files', async () => {
    const store = await openDedup(OPTIONS);
    const text = 'naïve café '.repeat(500);
    await store.engine.setMany([
      ['text', text],
      ['short', 'é'],
      ['buffer', LARGE.slice(0, 9000).buffer],
    ]);
    await store.engine.set('blob', new Blob([LARGE.slice(0, 30_000)], { type: 'a/b' }));
    await store.engine.set('file', new File([LARGE.slice(0, 100)], 'é.bin', { type: 'x/y' }));
    expect((await take(store, 'text'))!.toString()).toBe(text);
    expect((await take(store, 'short'))!.toString()).toBe('é');
    expect(same(await take(store, 'buffer', { start: 10 }), LARGE.subarray(10, 9000))).toBe(true);
    expect(same(await take(store, 'blob', { start: 5, end: 25_000 }), LARGE.subarray(5, 25_000))).toBe(true);
    expect(same(await take(store, 'file'), LARGE.subarray(0, 100))).toBe(true);
    for (const [key, value] of Object.entries({ object: { a: 1 }, number: 7, lone: '\ud800' })) {
      await store.engine.set(key, value);
      await expect(take(store, key)).rejects.toThrow(TypeError);
    }
    expect(await take(store, 'missing')).toBeUndefined();
  });

  test('is of the version in which it was asked for, also when the log is rewritten', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    await engine.set('a', LARGE);
    const streams = await engine.streams();
    const id = (await streams.beginRead('a'))!;
    const [first] = await streams.nextRead(id);
    await engine.set('a', 'another');
    await engine.compact();
    const rest: Uint8Array[] = [first];
    for (let isLast = false; !isLast; ) {
      const piece = await streams.nextRead(id);
      rest.push(piece[0]);
      isLast = piece[1];
    }
    expect(same(Buffer.concat(rest), LARGE)).toBe(true);
    await expect(streams.nextRead(id)).rejects.toMatchObject({ code: 'LEADER_UNRESPONSIVE' });
  });

  test('refuses what is no range, and a key that has expired is none', async () => {
    const store = await openDedup(OPTIONS);
    await store.engine.set('a', LARGE, { ttl: 10 });
    for (const range of [{ start: -1 }, { start: 5, end: 4 }, { end: Number.NaN }, { start: 1.5 }]) {
      await expect(take(store, 'a', range)).rejects.toThrow(RangeError);
    }
    await expect(take(store, 'a', { from: 1 })).rejects.toThrow(TypeError);
    store.time.pass(10);
    expect(await take(store, 'a')).toBeUndefined();
  });
});
