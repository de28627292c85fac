/** A store in three files: which header counts, and what is noticed when files are gone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DataLossError, FormatError, LockedError } from '../../src/base/errors.js';
import type { BackendOptions } from '../../src/storage/backend.js';
import { fileName, openFiles, storeName } from '../../src/storage/files.js';
import { entry, MemoryFile, Type } from '../../src/storage/log/index.js';
import { openNode } from '../../src/storage/node.js';

let now = 1_700_000_000_000;
const options: BackendOptions = {
  surroundings: { now: () => now, elapsed: () => now, random: (bytes) => new Uint8Array(bytes).fill(5) },
  absolute: false,
  settings: { dedup: 'exact' },
};

class Files {
  readonly headers: [MemoryFile, MemoryFile] = [new MemoryFile(), new MemoryFile()];
  log = new MemoryFile();
  other = new MemoryFile();

  open() {
    return openFiles(
      {
        backend: 'test',
        headers: this.headers,
        logs: [this.log, this.other],
        made: [],
        settled: false,
        remove() {},
      },
      options,
    );
  }
}

describe('a store in files', () => {
  test('is made once, and found again with its header', async () => {
    const files = new Files();
    const first = await files.open();
    expect(first.created).toBe(true);
    await first.writeHeader({ ...first.header, epoch: 2, flushedTo: 0 });
    const second = await files.open();
    expect(second.created).toBe(false);
    expect(second.header).toEqual({ ...first.header, epoch: 2 });
    expect(second.header.settings).toEqual({ dedup: 'exact' });
  });

  test('takes the newer of two headers, and the other one when that is damaged, whichever that is', async () => {
    for (const last of [2, 3]) {
      const files = new Files();
      const { header, writeHeader } = await files.open();
      for (let epoch = 2; epoch <= last; epoch++) await writeHeader({ ...header, epoch });
      expect((await files.open()).header.epoch).toBe(last);
      files.headers[last % 2]!.write(new Uint8Array([0xff]), 20);
      expect((await files.open()).header.epoch).toBe(last - 1);
    }
  });

  test('whose headers are gone while its log is there is an error, and stays as it is', async () => {
    const files = new Files();
    const { log } = await files.open();
    await log.replay(
      () => {},
      () => {},
    );
    const batch = log.begin();
    batch.add(entry({ type: Type.Put, sequence: 1, time: now, key: 'k' }));
    log.append(batch, false);
    const before = files.log.content();
    for (const file of files.headers) file.truncate(0);
    await expect(files.open()).rejects.toThrow(DataLossError);
    expect(files.log.content()).toEqual(before);
    expect(files.headers[0].size()).toBe(0);
  });

  test('of a newer format is refused, even when its other header could be read', async () => {
    const files = new Files();
    await files.open();
    const bytes = files.headers[1].content();
    bytes[8] = 2;
    files.headers[0].write(bytes, 0);
    await expect(files.open()).rejects.toThrow(FormatError);
  });

  test('calls nothing durable before it has settled', async () => {
    const { log } = await new Files().open();
    expect(await log.flush()).toBe('os');
    now += 60_000;
    expect(await log.flush()).toBe('durable');
  });
});

describe('a file name', () => {
  test('is made of any store name, and tells it again', () => {
    for (const name of ['plain-name_1', 'Ünïcode 漢', '../..', 'a/b\\c', '~0041', '\ud800', 'UPPER', '.']) {
      expect(fileName(name)).toMatch(/^[a-z0-9_~-]+$/);
      expect(storeName(fileName(name))).toBe(name);
    }
    expect(fileName('A')).not.toBe(fileName('a'));
  });
});

describe('a store in a folder', () => {
  test('is held by one at a time, and gone when it is destroyed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rootcellar-files-'));
    const first = await openNode(folder, 'store', options);
    await expect(openNode(folder, 'store', options)).rejects.toThrow(LockedError);
    await first.close();
    const second = await openNode(folder, 'store', options);
    expect(second.created).toBe(false);
    await second.destroy();
    const third = await openNode(folder, 'store', options);
    expect(third.created).toBe(true);
    await third.close();
    rmSync(folder, { recursive: true });
  });
});
