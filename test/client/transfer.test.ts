/** `export` and `import` as an application calls them, in every place a store can live in Node. */
import { describe, expect, test } from 'vitest';
import { LeaderUnresponsiveError } from '../../src/base/errors.js';
import { Remote } from '../../src/client/remote.js';
import { RemoteStore } from '../../src/client/store.js';
import { importFrom } from '../../src/client/transfer.js';
import type { Capabilities, ExportOptions } from '../../src/contract/store.js';
import type { Progress, Store } from '../../src/index.js';
import { packError } from '../../src/wire/errors.js';
import type { Answer, Call } from '../../src/wire/messages.js';
import { KINDS, newPlace } from '../conformance/open-each.js';

const LONG = 'a value that is longer than sixteen bytes';
const NEVER = new Promise<never>(() => {});

async function fill(store: Store): Promise<void> {
  await store.setMany(Array.from({ length: 3000 }, (_, i) => [`many ${i}`, `${LONG} ${i % 50}`] as const));
  await store.set('bytes', new Uint8Array(2 ** 20 + 2 ** 18).fill(7));
  await store.set('file', { at: new Date(7), blob: new Blob(['abc'], { type: 'text/plain' }) });
  await store.set('soon', 'gone', { ttl: '1h' });
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream as BodyInit).arrayBuffer());
}

const streamOf = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream() as ReadableStream<Uint8Array>;

function piecesOf(...pieces: unknown[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece as Uint8Array);
      controller.close();
    },
  });
}

async function expectSame(store: Store, source: Store): Promise<void> {
  const keys = await source.keys();
  expect(await store.keys()).toEqual(keys);
  // Comparing bytes one by one would take seconds.
  const values = async (one: Store) =>
    (await one.getMany(keys)).map((value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
  const [mine, wanted] = [await values(store), await values(source)];
  expect(JSON.stringify(mine) === JSON.stringify(wanted)).toBe(true);
  expect(await (await store.get<{ blob: Blob }>('file'))!.blob.text()).toBe('abc');
  const entry = await source.getEntry('soon');
  expect(await store.getEntry('soon')).toEqual({ ...entry, version: expect.any(Number) });
  const { totalKeys, totalObjects, totalBytes } = await source.health();
  expect(await store.health()).toMatchObject({ totalKeys, totalObjects, totalBytes });
}

describe.each(KINDS)('a store in %s', (kind) => {
  test('is exported and taken in by every other', async () => {
    await using source = await newPlace(kind).open();
    await fill(source);
    const bytes = await bytesOf(source.export());
    for (const other of KINDS) {
      const place = newPlace(other);
      const store = await place.open();
      await store.set('before', 1);
      const result = await store.import(streamOf(bytes), { mode: 'replace' });
      expect(result).toEqual({ keys: 3003, bytes: (await source.health()).logicalBytes });
      await expectSame(store, source);
      await store.close();
      if (!place.persistent) continue;
      await using again = await place.open();
      await expectSame(again, source);
    }
  });

  test('goes from one to another without being gathered', async () => {
    await using source = await newPlace(kind).open();
    await fill(source);
    await using store = await newPlace(kind).open();
    await store.import(source.export(), { mode: 'merge' });
    await expectSame(store, source);
  });

  test('exports the version of the call', async () => {
    await using source = await newPlace(kind).open();
    void source.set('a', 1);
    const stream = source.export();
    void source.set('b', 2);
    await using store = await newPlace('memory').open();
    await store.import(stream, { mode: 'merge' });
    expect(await store.keys()).toEqual(['a']);
  });

  test('tells how far it is', async () => {
    await using source = await newPlace(kind).open();
    await fill(source);
    const [out, into]: [Progress[], Progress[]] = [[], []];
    const bytes = await bytesOf(source.export({ onProgress: (one) => out.push(one) }));
    expect(out.length).toBeGreaterThan(3);
    expect(out.every(({ phase, done }, i) => phase === 'read' && done > (out[i - 1]?.done ?? 0))).toBe(true);
    expect(out.at(-1)).toEqual({ phase: 'read', done: bytes.length, total: bytes.length });
    expect(out[0]!.total).toBeUndefined();
    await source.import(streamOf(bytes), { mode: 'merge', onProgress: (one) => into.push(one) });
    expect(into.slice(-3)).toEqual([
      { phase: 'read', done: bytes.length, total: undefined },
      { phase: 'write', done: 0, total: 3003 },
      { phase: 'write', done: 3003, total: 3003 },
    ]);
  });

  test('refuses what is damaged and what is no export, and stays as it was', async () => {
    await using store = await newPlace(kind).open();
    await store.set('kept', LONG);
    const bytes = await bytesOf(store.export());
    const damaged = bytes.slice();
    damaged[60]! ^= 1;
    for (const [wrong, code] of [
      [damaged, 'CORRUPTION'],
      [bytes.slice(0, -1), 'CORRUPTION'],
      [new Uint8Array(0), 'CORRUPTION'],
      [new TextEncoder().encode('{}'), 'FORMAT'],
    ] as const) {
      const refused = await store
        .import(streamOf(wrong), { mode: 'replace' })
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ code });
      if (code === 'CORRUPTION') expect(refused).toMatchObject({ detail: { start: expect.any(Number) } });
    }
    await expect(store.import(streamOf(bytes), { mode: 'replace', maxBytes: 400 })).rejects.toMatchObject({
      code: 'CAPACITY',
    });
    expect(await store.entries()).toEqual([['kept', LONG]]);
  });
});

describe('an import', () => {
  test('refuses what is no stream, is read already, or gives no bytes', async () => {
    await using store = await newPlace('memory').open();
    for (const wrong of [undefined, null, 'text', new Uint8Array(3), {}]) {
      await expect(store.import(wrong as never, { mode: 'merge' })).rejects.toThrow(
        'expected a ReadableStream',
      );
    }
    const locked = piecesOf();
    locked.getReader();
    await expect(store.import(locked, { mode: 'merge' })).rejects.toThrow(TypeError);
    for (const piece of ['text', 7, [1, 2], null]) {
      await expect(store.import(piecesOf(piece), { mode: 'merge' })).rejects.toThrow('expected pieces');
    }
    await expect(store.import(piecesOf(), undefined as never)).rejects.toThrow(
      "expected 'merge' or 'replace'",
    );
    await expect(store.import(piecesOf(), { mode: 'merge', wrong: 1 } as never)).rejects.toThrow(
      'unknown option wrong',
    );
  });

  test('takes pieces of any size that are views of larger memory', async () => {
    await using source = await newPlace('memory').open();
    await source.set('a', LONG);
    const bytes = Buffer.concat([Buffer.from('xx'), await bytesOf(source.export()), Buffer.from('yy')]);
    const pieces = [];
    for (let at = 2; at < bytes.length - 2; at += 9) {
      pieces.push(new DataView(bytes.buffer, bytes.byteOffset + at, Math.min(9, bytes.length - 2 - at)));
    }
    await using store = await newPlace('memory').open();
    await store.import(piecesOf(...pieces), { mode: 'merge' });
    await store.import(piecesOf(bytes.subarray(2, bytes.length - 2)), { mode: 'merge' });
    expect(await store.entries()).toEqual([['a', LONG]]);
  });

  test('passes on the error of its stream, and cancels the stream of its own', async () => {
    await using store = await newPlace('memory').open();
    const failing = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error('the net')),
    });
    await expect(store.import(failing, { mode: 'merge' })).rejects.toThrow('the net');
    const reasons: unknown[] = [];
    const wrong = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(100)),
      cancel: (reason) => void reasons.push(reason),
    });
    await expect(store.import(wrong, { mode: 'merge' })).rejects.toMatchObject({ code: 'FORMAT' });
    expect(reasons).toMatchObject([{ code: 'FORMAT' }]);
    expect(wrong.locked).toBe(false);
  });

  test('ends with the reason of its signal, before it begins and while it waits for bytes', async () => {
    await using store = await newPlace('memory').open();
    const reasons: unknown[] = [];
    const silent = () =>
      new ReadableStream<Uint8Array>({ pull: () => NEVER, cancel: (reason) => void reasons.push(reason) });
    const controller = new AbortController();
    const waiting = store.import(silent(), { mode: 'merge', signal: controller.signal });
    await store.flush();
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    expect(reasons).toEqual(['enough']);
    await expect(store.import(silent(), { mode: 'merge', signal: controller.signal })).rejects.toBe('enough');
  });
});

/** A remote whose exports have `pieces` pieces of one byte. */
function remoteOf(pieces: number, fail?: (call: Call) => Answer | undefined) {
  const asked: string[] = [];
  let given = 0;
  const answer = (call: Call): Answer => {
    asked.push(call.method);
    const failed = fail?.(call);
    if (failed) return failed;
    if (call.method === 'exportBegin' || call.method === 'importBegin') return { value: 'id' };
    if (call.method === 'exportNext') return { value: [Uint8Array.of(given), ++given === pieces] };
    return { value: (call.args[1] as Uint8Array | undefined)?.length };
  };
  const remote = new Remote(async (calls) => calls.map(answer), Number.POSITIVE_INFINITY, NEVER);
  return { remote, asked };
}

function exportStream(remote: Remote, options?: ExportOptions): ReadableStream<Uint8Array> {
  return new RemoteStore('', 'memory', {} as Capabilities, remote, () => {}).export(options);
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('the stream of an export', () => {
  test('asks for a piece when somebody reads one, and for none ahead', async () => {
    const { remote, asked } = remoteOf(3);
    const reader = exportStream(remote).getReader();
    await turn();
    expect(asked).toEqual(['exportBegin']);
    for (let i = 1; i <= 3; i++) {
      expect((await reader.read()).value).toEqual(Uint8Array.of(i - 1));
      await turn();
      expect(asked).toHaveLength(1 + i);
    }
    expect((await reader.read()).done).toBe(true);
    expect(asked).not.toContain('exportRelease');
  });

  test('lets go when it is cancelled, even before its beginning was answered', async () => {
    const { remote, asked } = remoteOf(3);
    const reader = exportStream(remote).getReader();
    await reader.read();
    await reader.cancel();
    await turn();
    expect(asked).toEqual(['exportBegin', 'exportNext', 'exportRelease']);
    const early = remoteOf(3);
    await exportStream(early.remote).cancel();
    await turn();
    expect(early.asked).toEqual(['exportBegin', 'exportRelease']);
  });

  test('fails with the reason of its signal at once, and lets go', async () => {
    const { remote, asked } = remoteOf(3);
    const controller = new AbortController();
    const reader = exportStream(remote, { signal: controller.signal }).getReader();
    await reader.read();
    controller.abort('enough');
    await expect(reader.read()).rejects.toBe('enough');
    await turn();
    expect(asked).toEqual(['exportBegin', 'exportNext', 'exportRelease']);
    await expect(exportStream(remote, { signal: controller.signal }).getReader().read()).rejects.toBe(
      'enough',
    );
  });

  test('fails with the error of the store', async () => {
    const gone = { error: packError(new LeaderUnresponsiveError('gone')) };
    for (const method of ['exportBegin', 'exportNext']) {
      const { remote } = remoteOf(3, (call) => (call.method === method ? gone : undefined));
      await expect(exportStream(remote).getReader().read()).rejects.toBeInstanceOf(LeaderUnresponsiveError);
    }
    const store = await newPlace('memory').open();
    await store.close();
    await expect(store.export().getReader().read()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(store.import(piecesOf(), { mode: 'merge' })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

test('an import sends no more than a mebibyte in a message, and the next when that was answered', async () => {
  const sizes: number[] = [];
  let open = 0;
  const { remote, asked } = remoteOf(1, (call) => {
    if (call.method === 'importWrite') sizes.push((call.args[1] as Uint8Array).length);
    open += 1;
    expect(open).toBe(1);
    open -= 1;
    return undefined;
  });
  await importFrom(remote, piecesOf(new Uint8Array(2 * 2 ** 20 + 5), Buffer.from('abc')), { mode: 'merge' });
  expect(sizes).toEqual([2 ** 20, 2 ** 20, 5, 3]);
  expect(asked.at(-1)).toBe('importEnd');
  expect(asked).not.toContain('importRelease');
});

test('an import that fails is given up in the worker too', async () => {
  const gone = { error: packError(new LeaderUnresponsiveError('gone')) };
  for (const method of ['importWrite', 'importEnd']) {
    const { remote, asked } = remoteOf(1, (call) => (call.method === method ? gone : undefined));
    await expect(importFrom(remote, piecesOf(new Uint8Array(1)), { mode: 'merge' })).rejects.toMatchObject({
      code: 'LEADER_UNRESPONSIVE',
    });
    await turn();
    expect(asked.at(-1)).toBe('importRelease');
  }
});
