import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/contract/options.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { mixed } from '../structures/dedup/bytes.js';
import { scanAll } from './bench-store.js';
import { type DedupStore, Disk, figuresOf, openDedup, reopenDedup } from './dedup-store.js';

const CHUNK_BYTES = 512;
const OPTIONS: OpenOptions = { dedup: { mode: 'chunked', chunkBytes: CHUNK_BYTES } };

const DOCUMENT = mixed(1, 6000);

/** A version of the document: some bytes put in at a place that depends on it. */
function version(n: number): Uint8Array {
  const at = (n * 911) % DOCUMENT.length;
  return new Uint8Array(
    Buffer.concat([DOCUMENT.subarray(0, at), Buffer.from(`version ${n}`), DOCUMENT.subarray(at)]),
  );
}

async function expectEqual({ engine }: DedupStore, model: ReadonlyMap<string, unknown>): Promise<void> {
  const entries = await scanAll<[string, unknown]>(engine, 'entries');
  const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : 1));
  expect(entries.map(([key]) => key)).toEqual(sorted.map(([key]) => key));
  for (const [i, [key, value]] of sorted.entries()) {
    const stored = entries[i]![1];
    const same = value instanceof Uint8Array && stored instanceof Uint8Array;
    if (same) expect(Buffer.compare(stored, value), key).toBe(0);
    else expect(stored, key).toEqual(value);
  }
  expect(await engine.health()).toMatchObject(await figuresOf(model.values(), CHUNK_BYTES));
}

describe('versions of a large value', () => {
  test('share the chunks that they have in common, and each is what was set', async () => {
    const store = await openDedup(OPTIONS);
    const model = new Map<string, unknown>();
    for (let n = 0; n < 20; n++) {
      model.set(`v${n}`, version(n));
      await store.engine.set(`v${n}`, version(n));
    }
    await expectEqual(store, model);
    const { totalBytes, logicalBytes } = await store.engine.health();
    expect(totalBytes).toBeLessThan(logicalBytes / 4);
    await expectEqual(await reopenDedup(store, OPTIONS), model);
  });

  test('let go of a chunk when the last of them is gone', async () => {
    const store = await openDedup(OPTIONS);
    const model = new Map<string, unknown>();
    for (let n = 0; n < 6; n++) model.set(`v${n}`, version(n));
    await store.engine.setMany([...model]);
    for (let n = 0; n < 6; n++) {
      await expectEqual(store, model);
      await expectEqual(await reopenDedup(store, OPTIONS), model);
      model.delete(`v${n}`);
      await store.engine.delete(`v${n}`);
    }
    expect(await store.engine.health()).toMatchObject({ totalBytes: 0, totalObjects: 0, logicalBytes: 0 });
  });

  test('that is set again writes no value bytes, under the same key or another', async () => {
    const { engine } = await openDedup(OPTIONS);
    await engine.set('a', DOCUMENT);
    const before = (await engine.health()).storedBytes;
    await engine.set('a', DOCUMENT);
    await engine.set('b', DOCUMENT.slice());
    await engine.set('c', DOCUMENT, { ttl: 1000 });
    expect((await engine.health()).storedBytes - before).toBeLessThan(3 * 150);
    expect(await engine.countUnique()).toBe(1);
  });

  test('in one call, and in calls of one group, share what is new in it', async () => {
    const { engine } = await openDedup(OPTIONS);
    const values = [version(1), version(2), version(1), new Uint8Array(5000), new Uint8Array(5001)];
    await engine.setMany(values.slice(0, 3).map((value, i): [string, unknown] => [`m${i}`, value]));
    await Promise.all(values.map((value, i) => engine.set(`g${i}`, value)));
    const all = [...values.slice(0, 3), ...values];
    expect(await engine.health()).toMatchObject(await figuresOf(all, CHUNK_BYTES));
  });

  test('of which only another key is left is whole, and stays so when the log is rewritten', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    await engine.set('first', DOCUMENT);
    await engine.set('second', DOCUMENT);
    await engine.set('third', version(3));
    await engine.delete('first');
    const model = new Map<string, unknown>([
      ['second', DOCUMENT],
      ['third', version(3)],
    ]);
    await expectEqual(store, model);
    await engine.compact();
    await expectEqual(store, model);
    await engine.delete('second');
    model.delete('second');
    await expectEqual(store, model);
    await engine.compact();
    await expectEqual(await reopenDedup(store, OPTIONS), model);
    expect((await engine.health()).storedBytes).toBeLessThan(9000);
  });

  test('can be strings, trees, buffers and blobs', async () => {
    const store = await openDedup(OPTIONS);
    const text = 'lorem ipsum '.repeat(300);
    const tree = { list: Array.from({ length: 900 }, (_, i) => ({ i, text: `item ${i}` })) };
    const values: Record<string, unknown> = {
      text,
      lone: `${text}\ud800`,
      tree,
      buffer: DOCUMENT.slice().buffer,
      bytes: DOCUMENT,
    };
    for (const [key, value] of Object.entries(values)) await store.engine.set(key, value);
    await store.engine.set('blob', new Blob([DOCUMENT.slice()], { type: 'a/b' }));
    for (const opened of [store, await reopenDedup(store, OPTIONS)]) {
      for (const [key, value] of Object.entries(values)) expect(await opened.engine.get(key)).toEqual(value);
      const blob = (await opened.engine.get('blob')) as Blob;
      expect([blob.type, Buffer.compare(new Uint8Array(await blob.arrayBuffer()), DOCUMENT)]).toEqual([
        'a/b',
        0,
      ]);
      const entry = (await opened.engine.getEntry('text')) as { size: number; exact: boolean };
      expect(entry).toMatchObject({ value: text, size: text.length, exact: true });
    }
  });

  test('is not cut when it has just the size, and is when it has a byte more', async () => {
    const { engine } = await openDedup(OPTIONS);
    await engine.set('a', mixed(2, CHUNK_BYTES));
    expect((await engine.health()).totalBytes).toBe(CHUNK_BYTES);
    await engine.set('a', mixed(2, CHUNK_BYTES + 1));
    expect((await engine.health()).totalBytes).toBeGreaterThan(CHUNK_BYTES + 1 + 2 * 18);
  });

  test('is read, compared and let go of in a store that cuts nothing any more', async () => {
    const store = await openDedup(OPTIONS);
    await store.engine.set('a', DOCUMENT);
    const { engine } = await openDedup({}, store.disk.copy(), store.time);
    await engine.set('b', DOCUMENT);
    expect(await engine.countUnique()).toBe(1);
    await engine.set('c', version(1));
    expect(await engine.get('b')).toEqual(DOCUMENT);
    await engine.deleteMany(['a', 'b', 'c']);
    expect(await engine.health()).toMatchObject({ totalBytes: 0, totalObjects: 0 });
  });
});

describe('a compaction of a chunked store', () => {
  test('that others write during copies what they bring, and nothing that is gone again', async () => {
    for (const many of [5, 400]) {
      const store = await openDedup(OPTIONS);
      const { engine } = store;
      const model = new Map<string, unknown>();
      for (let n = 0; n < 40; n++) model.set(`v${n}`, version(n));
      await engine.setMany([...model]);
      const compacted = engine.compact();
      for (let n = 0; n < many; n++) {
        const key = `v${n % 50}`;
        const value = version(n % 2 === 0 ? n + 100 : n % 50);
        model.set(key, value);
        const set = engine.set(key, value);
        if (n % 3 === 0) {
          model.delete(key);
          await engine.delete(key);
        }
        await set;
      }
      await compacted;
      await expectEqual(store, model);
      await expectEqual(await reopenDedup(store, OPTIONS), model);
    }
  });

  test('leaves figures that fit its image: opening reads that and no log', async () => {
    const store = await openDedup(OPTIONS);
    await store.engine.setMany(Array.from({ length: 9 }, (_, n): [string, unknown] => [`v${n}`, version(n)]));
    await store.engine.compact();
    await store.engine.close();
    const opened = await reopenDedup(store, OPTIONS);
    expect((await opened.engine.stats()).storage.recovered).toBeLessThan(5);
    const model = new Map(Array.from({ length: 9 }, (_, n): [string, unknown] => [`v${n}`, version(n)]));
    await expectEqual(opened, model);
  });
});

describe('older versions of a chunked store', () => {
  test('are in snapshots, and come back by undo and redo, also when the log was rewritten', async () => {
    const store = await openDedup(OPTIONS);
    const { engine } = store;
    const by = <T>(call: () => T) => engine.versions.by('me', undefined, call);
    await by(() => engine.set('a', version(1)));
    await by(() => engine.set('a', version(2)));
    const { id } = await engine.versions.snapshots.take('me');
    await by(() => engine.set('a', version(3)));
    await by(() => engine.delete('a'));
    expect(await engine.versions.snapshots.get(id, 'a')).toEqual(version(2));
    expect(await engine.versions.undo.undo('me')).toBe(true);
    expect(await engine.get('a')).toEqual(version(3));
    await engine.versions.snapshots.close(id);
    await engine.compact();
    expect(await engine.versions.undo.undo('me')).toBe(true);
    expect(await engine.get('a')).toEqual(version(2));
    expect(await engine.versions.undo.redo('me')).toBe(true);
    await expectEqual(store, new Map([['a', version(3)]]));
  });
});

describe('a log of chunked values', () => {
  test('that is cut anywhere gives a version that was, and counts what that refers to', async () => {
    const disk = new Disk();
    const store = await openDedup({ ...OPTIONS, undo: { depth: 0 } }, disk);
    const versions: ReadonlyMap<string, unknown>[] = [new Map()];
    const model = new Map<string, unknown>();
    const ends: number[] = [0];
    const note = () => {
      versions.push(new Map(model));
      ends.push(disk.logs[0].content().length);
    };
    const small = (n: number) => version(n).slice(0, 1500);
    for (let n = 0; n < 8; n++) {
      const key = `k${n % 3}`;
      model.set(key, small(n));
      await store.engine.set(key, small(n));
      note();
      if (n % 3 !== 2) continue;
      model.delete('k0');
      await store.engine.delete('k0');
      note();
    }
    const content = disk.logs[0].content();
    for (let cut = 0; cut <= content.length; cut += 37) {
      const torn = disk.copy();
      const log = new MemoryFile(content.slice(0, cut));
      const opened = await openDedup(OPTIONS, new Disk(torn.headers, [log, new MemoryFile()]), store.time);
      const at = ends.findLastIndex((end) => end <= cut);
      await expectEqual(opened, versions[at]!);
    }
  });

  test('says which value is damaged, and gives the others', async () => {
    const store = await openDedup({ ...OPTIONS, cache: { maxBytes: 0 } });
    const other = mixed(99, 4000);
    await store.engine.set('a', DOCUMENT);
    await store.engine.set('b', version(5));
    await store.engine.set('c', other);
    const log = store.disk.logs[0];
    const content = log.content();
    // The middle of the document, which both versions of it have.
    const at = Buffer.from(content).indexOf(DOCUMENT.subarray(3000, 3050));
    log.write(Uint8Array.of(content[at]! ^ 1), at);
    await expect((async () => store.engine.get('a'))()).rejects.toMatchObject({ code: 'CORRUPTION' });
    await expect((async () => store.engine.get('b'))()).rejects.toMatchObject({ code: 'CORRUPTION' });
    expect(await store.engine.get('c')).toEqual(other);
    // The bytes can be written again, and are whole then.
    await store.engine.set('d', DOCUMENT);
    expect(await store.engine.get('d')).toEqual(DOCUMENT);
  });
});

const document = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 7 }).map(version) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3 }).map((n) => mixed(n, 700 * n)) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>('short', null, new Uint8Array(3000), 'ab'.repeat(900)) },
);
const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');

type Step =
  | { readonly do: 'set'; readonly key: string; readonly value: unknown }
  | { readonly do: 'setMany'; readonly pairs: readonly (readonly [string, unknown])[] }
  | { readonly do: 'together'; readonly pairs: readonly (readonly [string, unknown])[] }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'expire'; readonly key: string }
  | { readonly do: 'clear' | 'compact' | 'kill' | 'close' | 'fill' | 'sweep' };

const pairs = fc.array(fc.tuple(key, document), { minLength: 1, maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), key, value: document }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('setMany' as const), pairs }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('together' as const), pairs }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), key }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('clear', 'compact', 'compact', 'kill', 'kill', 'close', 'fill', 'sweep'),
    }),
  },
);

let fills = 0;

async function run(store: DedupStore, model: Map<string, unknown>, one: Step): Promise<DedupStore> {
  const { engine, time } = store;
  switch (one.do) {
    case 'set':
      model.set(one.key, one.value);
      await engine.set(one.key, one.value);
      return store;
    case 'setMany':
      for (const [key, value] of one.pairs) model.set(key, value);
      await engine.setMany([...one.pairs]);
      return store;
    case 'together':
      for (const [key, value] of one.pairs) model.set(key, value);
      await Promise.all(one.pairs.map(([key, value]) => engine.set(key, value)));
      return store;
    case 'delete':
      expect(await engine.delete(one.key)).toBe(model.delete(one.key));
      return store;
    case 'expire':
      expect(await engine.expire(one.key, 5)).toBe(model.delete(one.key));
      time.pass(5);
      return store;
    case 'clear':
      model.clear();
      await engine.clear();
      return store;
    case 'sweep':
      await engine.sweep();
      return store;
    case 'fill':
      fills += 1;
      // Fills the extent, so that the next write seals what is there.
      await engine.set('~', mixed(fills, 300_000));
      model.set('~', mixed(fills, 300_000));
      return store;
    case 'compact':
      await engine.compact();
      return store;
    case 'kill':
      return reopenDedup(store, OPTIONS);
    case 'close':
      await engine.close();
      return reopenDedup(store, OPTIONS);
  }
}

test('a chunked store is what a Map is, whatever is done, and counts what the values refer to', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let store = await openDedup(OPTIONS, new Disk(), undefined, { segmentSlots: 16, leastSlots: 8 });
      const model = new Map<string, unknown>();
      for (const [i, one] of steps.entries()) {
        store = await run(store, model, one);
        if (i % 5 === 4) await expectEqual(store, model);
      }
      await expectEqual(store, model);
      await expectEqual(await reopenDedup(store, OPTIONS), model);
      await store.engine.clear();
      expect(await store.engine.health()).toMatchObject({ totalBytes: 0, totalObjects: 0 });
    }),
    { numRuns: 40 },
  );
}, 120_000);
