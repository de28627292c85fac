/** Images and the rewriting of the log: an image of the log before is none of the one behind it. */
import { describe, expect, test } from 'vitest';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import { openFiles } from '../../src/storage/files.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import { FakeTime, scanAll } from './bench-store.js';

const pair = (): [MemoryFile, MemoryFile] => [new MemoryFile(), new MemoryFile()];

let drawn = 0;

async function openOn(files: { headers: Files; logs: Files; images?: Files }, time: FakeTime) {
  const backend = await openFiles(
    { backend: 'test', ...files, made: [], settled: true, remove() {} },
    {
      surroundings: {
        now: () => time.now,
        elapsed: () => time.now,
        random: (bytes) => Uint8Array.from({ length: bytes }, () => (drawn = (drawn * 31 + 7) & 0xff)),
      },
      absolute: false,
      settings: {},
    },
  );
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions({}),
    log: backend.log,
    images: backend.images,
    imageAfterBytes: 1,
    successor: () => backend.successor(),
    secret: backend.header.secret,
    now: () => time.now,
    after: (ms, task) => {
      if (ms > 0) return time.after(ms, task);
      const timer = setImmediate(task);
      return () => clearImmediate(timer);
    },
  });
  return { engine, backend };
}

type Files = [MemoryFile, MemoryFile];

describe('a log that is rewritten', () => {
  test.each([0, 1, 2, 5])('is opened as it is, whichever images there are; %s turns after', async (turns) => {
    const time = new FakeTime();
    const files = { headers: pair(), logs: pair(), images: pair() };
    const { engine } = await openOn(files, time);
    const turn = () => new Promise((done) => setImmediate(done));
    for (let round = 0; round < 6; round++) {
      await engine.set('large', new Uint8Array(300_000).fill(round));
      await engine.setMany(
        Array.from({ length: 300 }, (_, i): [string, unknown] => [
          `key-${i}`,
          `value of ${round}, number ${i % 50}`,
        ]),
      );
      for (let i = 0; i < turns; i++) await turn();
    }
    const keys = await scanAll(engine, 'entries', { prefix: 'key' });
    // One image is being written while the log is rewritten.
    await engine.set('large', new Uint8Array(300_000).fill(77));
    const sealing = engine.set('last', turns);
    await engine.compact();
    await sealing;
    for (let i = 0; i < turns; i++) await turn();
    const copies = (of: Files): Files => [new MemoryFile(of[0].content()), new MemoryFile(of[1].content())];
    for (const images of [files.images, undefined]) {
      const copy = { headers: copies(files.headers), logs: copies(files.logs) };
      const opened = await openOn(images ? { ...copy, images: copies(images) } : copy, time);
      expect(await scanAll(opened.engine, 'entries', { prefix: 'key' })).toEqual(keys);
      expect(await opened.engine.get('last')).toBe(turns);
      expect(await opened.engine.count()).toBe(302);
    }
    await engine.set('behind', new Uint8Array(20_000));
    await engine.close();
    const again = await openOn(files, time);
    expect((await again.engine.stats()).storage.recovered).toBe(0);
    expect(await scanAll(again.engine, 'entries', { prefix: 'key' })).toEqual(keys);
    expect(await again.engine.count()).toBe(303);
  });
});
