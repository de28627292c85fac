import { beforeEach, describe, expect, test } from 'vitest';
import { openVersions, type VersionsStore } from '../engine/versions-store.js';
import { mixed } from '../structures/dedup/bytes.js';
import { openPage } from './pages.js';

const BYTES = mixed(1, 3_000_000);

let versions: VersionsStore;
let store: ReturnType<typeof openPage>['store'];

beforeEach(async () => {
  versions = await openVersions({ dedup: { mode: 'chunked' } });
  store = openPage(() => versions.engine, 'a').store;
});

function streamOf(bytes: Uint8Array, pieceBytes: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, (at += pieceBytes)));
    },
  });
}

async function read(stream: ReadableStream<Uint8Array> | undefined): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream!) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('streams on a page', () => {
  test('go in and come out, whatever the size of their pieces', async () => {
    for (const pieceBytes of [10_000, 2_500_000]) {
      const commit = await store.setStream('a', streamOf(BYTES, pieceBytes), { ttl: '1h' });
      expect(commit.version).toBeGreaterThan(0);
      expect(Buffer.compare(await read(await store.getStream('a')), BYTES)).toBe(0);
    }
    const part = await read(await store.getStream('a', { start: 1_000_000, end: 1_000_010 }));
    expect([...part]).toEqual([...BYTES.subarray(1_000_000, 1_000_010)]);
    expect(await read(await store.getStream('a', { start: 9e6 }))).toHaveLength(0);
    expect(await store.getStream('b')).toBeUndefined();
    expect(await store.ttl('a')).toBe(3_600_000);
    expect(Buffer.compare((await store.get<Uint8Array>('a'))!, BYTES)).toBe(0);
  });

  test('that fail or are aborted change nothing', async () => {
    await store.set('a', 1);
    const failing = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(BYTES.slice(0, 600_000));
        controller.error(new Error('the network is gone'));
      },
    });
    await expect(store.setStream('a', failing)).rejects.toThrow('the network is gone');
    const abort = new AbortController();
    const slow = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(BYTES.slice(0, 600_000));
        abort.abort(new Error('enough'));
      },
    });
    await expect(store.setStream('a', slow, { signal: abort.signal })).rejects.toThrow('enough');
    await expect(store.setStream('a', 'text' as never)).rejects.toThrow(TypeError);
    await expect(store.setStream('a', streamOf(BYTES, 10), { color: 1 } as never)).rejects.toThrow(TypeError);
    const words = new ReadableStream({ pull: (controller) => controller.enqueue('words') });
    await expect(store.setStream('a', words)).rejects.toThrow(TypeError);
    expect(await store.get('a')).toBe(1);
    await store.flush();
    expect(await store.health()).toMatchObject({ totalKeys: 1, totalBytes: 1 });
  });

  test('that are left before their end let go of what they hold', async () => {
    await store.set('a', BYTES);
    const stream = (await store.getStream('a'))!;
    const reader = stream.getReader();
    await reader.read();
    await store.delete('a');
    await reader.cancel();
    const abort = new AbortController();
    await store.set('a', BYTES);
    const aborted = (await store.getStream('a', { signal: abort.signal }))!.getReader();
    await aborted.read();
    abort.abort(new Error('enough'));
    await expect(aborted.read()).rejects.toThrow('enough');
    await store.compact();
    // A log that somebody still read could not be followed by another one twice.
    await store.compact();
    expect(Buffer.compare((await store.get<Uint8Array>('a'))!, BYTES)).toBe(0);
  });
});
