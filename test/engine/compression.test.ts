/** Values that are compressed: what comes out is what went in, whoever compressed it, and nothing is unpacked for nothing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.js';
import { type Encoded, encode } from '../../src/base/codec/index.js';
import { CorruptionError } from '../../src/base/errors.js';
import { resolveOptions } from '../../src/contract/options.js';
import { type OwnCodecs, withCodecs } from '../../src/engine/codecs.js';
import { compress, decompress } from '../../src/engine/compression.js';
import { Engine } from '../../src/engine/index.js';
import { PACKED_MIN, Packing, sizeOf, type Value } from '../../src/engine/packing.js';
import { openFiles } from '../../src/storage/files.js';
import { EntryView, MemoryFile, Type } from '../../src/storage/log/index.js';
import { FakeTime, scanAll } from './bench-store.js';

const NONE: OwnCodecs = new Map();
const secret = Int32Array.of(3, 4);
const text = (n: number, of = 'the same words again and again, ') =>
  of.repeat(Math.ceil(n / of.length)).slice(0, n);
const bytesOf = (s: string) => new TextEncoder().encode(s);

/** Runs of equal bytes: what can be seen through, and differs by its `salt` for one content. */
function runs(salt = 0, seen: string[] = []) {
  return {
    compress(bytes: Uint8Array) {
      seen.push('compress');
      const out: number[] = [salt];
      for (let i = 0; i < bytes.length; ) {
        let n = 1;
        while (n < 255 && bytes[i + n] === bytes[i]) n += 1;
        out.push(n, bytes[i]!);
        i += n;
      }
      return Uint8Array.from(out);
    },
    async decompress(bytes: Uint8Array) {
      seen.push('decompress');
      const out: number[] = [];
      for (let i = 1; i < bytes.length; i += 2) for (let n = bytes[i]!; n > 0; n--) out.push(bytes[i + 1]!);
      return Uint8Array.from(out);
    },
  };
}

describe('a packed value', () => {
  test('is the codec, the name of one of the application’s, and what that gave', async () => {
    const own = withCodecs(NONE, { runs: runs(9) });
    expect(toHex(await compress('runs', Uint8Array.of(7, 7, 7, 8), own))).toBe(
      `ff04${toHex(bytesOf('runs'))}0903070108`,
    );
    expect((await compress('gzip', bytesOf('x'), NONE))[0]).toBe(1);
    expect([...(await compress('gzip', bytesOf('x'), NONE)).subarray(1, 3)]).toEqual([0x1f, 0x8b]);
    expect((await compress('deflate-raw', bytesOf('x'), NONE))[0]).toBe(2);
  });

  test.each(['gzip', 'deflate-raw', 'runs'])(
    'comes out of %s as it went in, whatever it is',
    async (codec) => {
      const own = withCodecs(NONE, { runs: runs() });
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.nat(40), async (bytes, times) => {
          const all = Uint8Array.from(Array.from({ length: times + 1 }, () => [...bytes]).flat());
          const packed = await compress(codec, all, own);
          expect(await decompress(packed, all.length, own)).toEqual(all);
        }),
        { numRuns: 30 },
      );
    },
  );

  test('that is not the size it says is damage, and a larger one is not unpacked to its end', async () => {
    const bomb = await compress('gzip', new Uint8Array(20 * 2 ** 20), NONE);
    expect(bomb.length).toBeLessThan(30_000);
    const before = process.memoryUsage().arrayBuffers;
    await expect(decompress(bomb, 1000, NONE)).rejects.toThrow('larger than the 1000 bytes that it says');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(5 * 2 ** 20);
    const packed = await compress('deflate-raw', bytesOf(text(1000)), NONE);
    for (const size of [999, 1001, 0]) {
      await expect(decompress(packed, size, NONE), String(size)).rejects.toBeInstanceOf(CorruptionError);
    }
    const own = withCodecs(NONE, {
      runs: runs(),
      broken: { compress: (b: Uint8Array) => b, decompress: () => 5 as never },
    });
    const other = await compress('runs', new Uint8Array(600), own);
    await expect(decompress(other, 599, own)).rejects.toThrow('expected 599 bytes, got 600 bytes');
    await expect(decompress(await compress('broken', new Uint8Array(3), own), 3, own)).rejects.toThrow(
      'got 5',
    );
  });

  test('that was cut or altered is damage or comes out whole, never otherwise', async () => {
    const bytes = bytesOf(text(700, 'some words that repeat '));
    const packed = await compress('gzip', bytes, NONE);
    for (let at = 1; at < packed.length; at++) {
      for (const damaged of [packed.subarray(0, at), packed.with(at, packed[at]! ^ 16)]) {
        const outcome = await decompress(damaged, bytes.length, NONE).catch((error: unknown) => error);
        if (outcome instanceof Uint8Array) expect(outcome).toEqual(bytes);
        else expect(outcome).toBeInstanceOf(CorruptionError);
      }
    }
  });

  test('of a codec that nobody knows here is refused by its name, one of no codec by its number', async () => {
    const own = withCodecs(NONE, { runs: runs() });
    const packed = await compress('runs', new Uint8Array(600), own);
    await expect(decompress(packed, 600, NONE)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining("'runs'"),
      detail: { codec: 'runs' },
    });
    await expect(decompress(Uint8Array.of(77, 1), 600, NONE)).rejects.toThrow('codec 77');
  });

  test('of a codec that throws or gives no bytes refuses the write', async () => {
    const own = withCodecs(NONE, {
      throws: {
        compress: () => {
          throw new RangeError('mine');
        },
        decompress: (b: Uint8Array) => b,
      },
      gives: { compress: () => 'text' as never, decompress: (b: Uint8Array) => b },
    });
    await expect(compress('throws', new Uint8Array(600), own)).rejects.toThrow(new RangeError('mine'));
    await expect(compress('gives', new Uint8Array(600), own)).rejects.toThrow(
      'expected compress to give a Uint8Array, got "text"',
    );
  });
});

describe('packing', () => {
  const packing = (codec: string, own = NONE) => new Packing({ codec, own, secret });
  const encoded = encode(text(2000)) as Encoded;

  test('leaves short values, and those that it would hardly shorten, as they are', async () => {
    const gzip = packing('gzip');
    const short = encode(text(PACKED_MIN - 1)) as Encoded;
    expect(gzip.pack(short)).toBe(short);
    const long = encode(text(PACKED_MIN)) as Encoded;
    expect((await gzip.pack(long)).packed?.size).toBe(PACKED_MIN);
    const noise = encode(crypto.getRandomValues(new Uint8Array(3000))) as Encoded;
    expect(await gzip.pack(noise)).toBe(noise);
    expect(packing('none').pack(encoded)).toBe(encoded);
    const keeps = (share: number) =>
      withCodecs(NONE, {
        own: {
          compress: (b: Uint8Array) => b.slice(0, b.length * share - 5),
          decompress: (b: Uint8Array) => b,
        },
      });
    expect((await packing('own', keeps(15 / 16)).pack(encoded)).packed).toBeDefined();
    expect((await packing('own', keeps(31 / 32)).pack(encoded)).packed).toBeUndefined();
    expect((await packing('own', keeps(1)).pack(encoded)).packed).toBeUndefined();
  });

  test('has the hash and the size of the content', async () => {
    const packed = (await packing('gzip').pack(encoded)) as Value;
    expect(packed.bytes.length).toBeLessThan(200);
    expect(sizeOf(packed)).toBe(encoded.bytes.length);
    expect(packing('none').hash(packed)).toBe(packing('none').hash(encoded));
    expect(await packing('none').decode(packed)).toBe(text(2000));
  });

  test('finds equal contents equal and others not, however each is packed; unpacks only where it must', async () => {
    const seen: string[] = [];
    const own = withCodecs(NONE, { a: runs(1, seen), b: runs(2, seen) });
    const contents = [new Uint8Array(600), new Uint8Array(600).fill(1), new Uint8Array(601)].map(
      (one) => encode(one) as Encoded,
    );
    const forms = await Promise.all(
      contents.map(async (one) => [
        one,
        await packing('a', own).pack(one),
        await packing('b', own).pack(one),
        await packing('gzip').pack(one),
      ]),
    );
    const any = packing('none', own);
    seen.length = 0;
    for (const [i, some] of forms.entries()) {
      for (const [j, others] of forms.entries()) {
        for (const a of some)
          for (const b of others) {
            expect(await any.same(a, b)).toBe(i === j);
            expect(await any.same({ ...a, kind: 9 }, b)).toBe(false);
          }
      }
    }
    expect(seen.length).toBeGreaterThan(0);
    seen.length = 0;
    for (const [i, some] of forms.entries()) {
      for (const [k, a] of some.entries()) {
        expect(any.same(a, { ...a, bytes: a.bytes.slice() }), 'in one form, at once').toBe(true);
        expect(any.same(a, forms[(i + 1) % 3]![k]!), 'others, at once').toBe(false);
      }
    }
    expect(seen).toEqual([]);
    // What an altered log may say: packed bytes that are as long as what they are.
    const { kind, bytes } = contents[0]!;
    const packed = { size: bytes.length, high: 0, low: 0 };
    expect(any.same({ kind, bytes, packed }, { kind, bytes })).toBe(false);
  });
});

class Disk {
  readonly time = new FakeTime();
  readonly files = Array.from({ length: 6 }, () => new MemoryFile());

  async open(compression: string, codecs: OwnCodecs = NONE): Promise<Engine> {
    const [h1, h2, l1, l2, i1, i2] = this.files.map(
      (file, i) => (this.files[i] = new MemoryFile(file.content())),
    );
    const backend = await openFiles(
      {
        backend: 'test',
        headers: [h1!, h2!],
        logs: [l1!, l2!],
        images: [i1!, i2!],
        made: [],
        settled: true,
        remove() {},
      },
      {
        surroundings: {
          now: () => this.time.now,
          elapsed: () => this.time.now,
          random: (n) => new Uint8Array(n).fill(5),
        },
        absolute: false,
        settings: {},
      },
    );
    return Engine.open({
      mode: 'hybrid',
      settings: resolveOptions({ compression, ttl: { sweepInterval: Infinity } }),
      log: backend.log,
      images: backend.images,
      imageAfterBytes: 2000,
      successor: () => backend.successor(),
      secret: backend.header.secret,
      codecs,
      now: () => this.time.now,
      after: (ms, task) => {
        if (ms > 0) return this.time.after(ms, task);
        setImmediate(task);
        return () => {};
      },
    });
  }
}

describe('a store that compresses', () => {
  test('takes less room; sizes, ids and figures are of the values', async () => {
    const plain = await new Disk().open('none');
    const disk = new Disk();
    const gzip = await disk.open('gzip');
    for (const engine of [plain, gzip]) {
      await engine.setMany(Array.from({ length: 50 }, (_, i) => [`k${i}`, text(4000, `value ${i % 25}, `)]));
    }
    const [a, b] = [await plain.health(), await gzip.health()];
    expect(b.storedBytes).toBeLessThan(a.storedBytes / 10);
    expect({ ...b, storedBytes: 0 }).toEqual({ ...a, storedBytes: 0 });
    expect(b.totalObjects).toBe(25);
    expect(await gzip.getEntry('k7')).toEqual(await plain.getEntry('k7'));
    const again = await disk.open('none');
    expect({ ...(await again.health()), storedBytes: 0 }).toEqual({ ...a, storedBytes: 0 });
  });

  test('opens without unpacking, also where the codec is not known, and says so when a value is read', async () => {
    const disk = new Disk();
    const seen: string[] = [];
    const own = withCodecs(NONE, { runs: runs(0, seen) });
    const before = await disk.open('runs', own);
    await before.set('long', new Uint8Array(3000));
    await before.set('twin', new Uint8Array(3000));
    await before.set('short', 'x');
    seen.length = 0;
    const known = await disk.open('none', own);
    expect(await known.countUnique()).toBe(2);
    await known.set('long', 1);
    expect(await known.count()).toBe(3);
    expect(seen).toEqual([]);
    expect(await known.get('twin')).toEqual(new Uint8Array(3000));
    expect(await known.get('twin')).toEqual(new Uint8Array(3000));
    expect(seen, 'once, while its record is in the cache').toEqual(['decompress']);
    const twice = [await known.get('twin'), await known.get('twin')] as Uint8Array[];
    twice[0]!.fill(9);
    expect(twice[1]).toEqual(new Uint8Array(3000));
    const unknown = await disk.open('none');
    expect(await unknown.get('short')).toBe('x');
    await expect(unknown.get('twin')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('keeps no more in memory than the cache may have, values unpacked', async () => {
    const disk = new Disk();
    const engine = await disk.open('gzip');
    const size = 100_000;
    await engine.setMany(Array.from({ length: 300 }, (_, i) => [`k${i}`, text(size, `value ${i} `)]));
    const again = await disk.open('gzip');
    for (let i = 0; i < 300; i++) expect(await again.get(`k${i}`)).toHaveLength(size);
    const { cacheBytes } = (await again.stats()).storage;
    expect(cacheBytes).toBeGreaterThan(5 * 2 ** 20);
    expect(cacheBytes).toBeLessThanOrEqual(16 * 2 ** 20);
    expect((await again.health()).storedBytes).toBeLessThan(2 ** 20);
  });

  test('setting the value that is there writes no value bytes, however it is packed there', async () => {
    const disk = new Disk();
    const value = text(5000, 'a value ');
    await (await disk.open('none')).set('raw', value);
    const gzip = await disk.open('gzip');
    await gzip.set('other', text(5000, 'another '));
    for (const codec of ['gzip', 'deflate-raw', 'none']) {
      const engine = await disk.open(codec);
      const before = (await engine.health()).storedBytes;
      await engine.set(`raw ${codec}`, value);
      await engine.set(`other ${codec}`, text(5000, 'another '));
      const { storedBytes, totalObjects } = await engine.health();
      expect(totalObjects, codec).toBe(2);
      expect(storedBytes - before, codec).toBeLessThan(260);
    }
  });

  test('merged and updated values are packed, operands and results are as they are', async () => {
    const disk = new Disk();
    const engine = await disk.open('gzip');
    await engine.set(
      'list',
      Array.from({ length: 3000 }, () => 'item'),
    );
    expect(await engine.merge('list', ['last'], 'list')).toHaveLength(3001);
    await engine.batch([
      { type: 'merge', key: 'list', operand: ['more'], operator: 'list' },
      { type: 'expire', key: 'list', ttl: '1h' },
    ]);
    expect(((await engine.get('list')) as unknown[]).slice(-2)).toEqual(['last', 'more']);
    expect((await engine.health()).storedBytes).toBeLessThan(700);
    await engine.persist('list');
    expect(await (await disk.open('none')).get('list')).toHaveLength(3002);
  });

  test('compressing keeps the order of the calls, and refuses the call whose codec throws', async () => {
    const own = withCodecs(NONE, {
      slow: {
        compress: async (bytes: Uint8Array) => {
          if (bytes.includes(33)) throw new RangeError('no !');
          await new Promise((done) => setTimeout(done, bytes.length / 100));
          return bytes.slice(0, 9);
        },
        decompress: (_: Uint8Array, size: number) => new Uint8Array(size).fill(97),
      },
    });
    const engine = await new Disk().open('slow', own);
    const outcomes = await Promise.allSettled([
      engine.set('k', 'a'.repeat(2000)),
      engine.set('k', '!'.repeat(2000)),
      engine.setMany([
        ['k', 'b'],
        ['l', '!'.repeat(900)],
      ]),
      engine.get('k'),
      engine.set('k', 'short'),
      engine.get('k'),
      engine.has('l'),
    ]);
    expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
      expect.objectContaining({ version: 1 }),
      'RangeError: no !',
      'RangeError: no !',
      'a'.repeat(2000),
      expect.objectContaining({ version: 2 }),
      'short',
      false,
    ]);
  });

  test('an import is packed once a value, an export is not packed at all', async () => {
    const compressSeen: string[] = [];
    const own = withCodecs(NONE, { runs: runs(0, compressSeen) });
    const pairs = Array.from({ length: 40 }, (_, i) => [`k${i}`, new Uint8Array(2000).fill(i % 4)] as const);
    const source = await new Disk().open('runs', own);
    await source.setMany(pairs);
    const plain = await new Disk().open('none');
    await plain.setMany(pairs);
    const [a, b] = [await exported(source), await exported(plain)];
    expect(a).toEqual(b);
    compressSeen.length = 0;
    const target = await new Disk().open('runs', own);
    const id = await target.transfers.beginImport({ mode: 'replace' });
    target.transfers.importWrite(id, a);
    expect(await target.transfers.importEnd(id)).toEqual({ keys: 40, bytes: 40 * 2000 });
    expect(compressSeen.filter((one) => one === 'compress')).toHaveLength(4);
    expect(await scanAll(target, 'entries')).toEqual(await scanAll(plain, 'entries'));
    expect((await target.health()).storedBytes).toBeLessThan((await plain.health()).storedBytes / 2);
  });

  test('is what a Map is, under any settings one after the other, rewritten, undone and restored', async () => {
    const values = [
      '',
      'x',
      text(600),
      text(600, 'other '),
      text(9000),
      { list: Array.from({ length: 90 }, (_, i) => i) },
      new Uint8Array(700),
    ];
    const key = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('set' as const), key, value: fc.nat(values.length - 1) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('open' as const),
          codec: fc.constantFrom('none', 'gzip', 'deflate-raw', 'runs'),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom('compact' as const, 'undo' as const, 'restore' as const, 'fill' as const),
        }),
      },
    );
    const own = withCodecs(NONE, { runs: runs() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const disk = new Disk();
        let engine = await disk.open('gzip', own);
        let model = new Map<string, unknown>();
        let history: Map<string, unknown>[] = [];
        let snapshot: { id: string; at: Map<string, unknown> } | undefined;
        const by = <T>(call: () => T) => engine.versions.by('me', undefined, call);
        const note = () => {
          history.push(model);
          model = new Map(model);
        };
        for (const one of steps) {
          if (one.do === 'set') {
            note();
            model.set(one.key, values[one.value]);
            await by(() => engine.set(one.key, values[one.value]));
          } else if (one.do === 'delete') {
            if (model.has(one.key)) note();
            expect(await by(() => engine.delete(one.key))).toBe(model.delete(one.key));
          } else if (one.do === 'open') {
            await engine.close();
            engine = await disk.open(one.codec, own);
            history = [];
            snapshot = undefined;
          } else if (one.do === 'fill') {
            // Long enough to seal what is there.
            await engine.set(
              'big',
              Uint8Array.from({ length: 300_000 }, (_, i) => (i * i) >> 7),
            );
            await engine.delete('big');
          } else if (one.do === 'undo') {
            const last = history.pop();
            expect(await engine.versions.undo.undo('me')).toBe(last !== undefined);
            model = last ?? model;
          } else if (one.do === 'compact') await engine.compact().catch(() => {});
          else if (snapshot) {
            await engine.versions.snapshots.restore(snapshot.id);
            model = new Map(snapshot.at);
            history = [];
            engine.versions.undo.release('me');
          } else snapshot = { id: (await engine.versions.snapshots.take('me')).id, at: new Map(model) };
          expect(await scanAll(engine, 'entries')).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
          expect(await engine.countUnique()).toBe(
            new Set([...model.values()].map((v) => JSON.stringify(v))).size,
          );
        }
        await engine.close();
      }),
      { numRuns: 40 },
    );
  });
});

async function exported(engine: Engine): Promise<Uint8Array> {
  const id = await engine.transfers.beginExport();
  const pieces: number[] = [];
  for (let isLast = false; !isLast; ) {
    const [bytes, last] = await engine.transfers.exportNext(id);
    pieces.push(...bytes);
    isLast = last;
  }
  return Uint8Array.from(pieces);
}

test('an entry says what its value is when it is unpacked, and is no entry when it is too short for that', async () => {
  const disk = new Disk();
  const engine = await disk.open('gzip');
  await engine.set('k', text(3000));
  const log = disk.files[2]!.content();
  const view = new DataView(log.buffer);
  const record = new EntryView(log, view, 32);
  expect(record.type).toBe(Type.Put);
  expect(record.size).toBe(3000);
  expect(record.packed?.size).toBe(3000);
  expect(record.value[0]).toBe(1);
  expect(record.value.length).toBeLessThan(100);
});
