/** What a store takes on its medium while it is written, compacted, and read by those who never end. */
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { spaceFor } from '../../src/engine/space.js';
import { fullExtentBytes } from '../../src/storage/log/index.js';
import { scanAll } from './bench-store.js';
import { type Disk, newDisk, openOn } from './rewrite-store.js';

const KEYS = 3000;
const KEYS_A_CALL = 100;
const VALUE_BYTES = 1000;
const LIVE = KEYS * (VALUE_BYTES + 60);

/** Writes all keys, with never a pause between two calls. */
async function write(engine: Engine, round: number, each: () => void = () => {}): Promise<void> {
  for (let from = 0; from < KEYS; from += KEYS_A_CALL) {
    await engine.setMany(
      Array.from({ length: KEYS_A_CALL }, (_, i): [string, unknown] => [
        `key ${from + i}`,
        `${round}:${from + i}:`.padEnd(VALUE_BYTES, `${round % 7}`),
      ]),
    );
    each();
  }
}

const sizeOf = ({ logs }: Disk) => logs[0].size() + logs[1].size();
const idle = async (engine: Engine) => {
  for (let i = 0; i < 50; i++) await new Promise((done) => setImmediate(done));
  await engine.flush();
};

/** Overwrites everything until the log was compacted so many times by itself. */
async function untilCompacted(engine: Engine, times: number, each: () => void = () => {}): Promise<number> {
  let round = 0;
  for (let done = 0, before = 0; done < times && round < 400; round++) {
    await write(engine, round, each);
    const { bytes } = (await engine.stats()).storage;
    if (bytes < before) done += 1;
    before = bytes;
  }
  return round;
}

describe('the space of a store', () => {
  test('is a multiple of what is alive, and three extents', () => {
    expect(spaceFor(2, 1000, 0)).toBe(2000 + 3 * fullExtentBytes(0));
    expect(spaceFor(3, 0, 2 ** 30)).toBe(3 * fullExtentBytes(2 ** 30));
  });

  test('stays under 3.5 times what is alive and four extents, however fast its keys are overwritten', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    let most = 0;
    const rounds = await untilCompacted(engine, 3, () => {
      most = Math.max(most, sizeOf(disk));
    });
    expect(rounds).toBeLessThan(400);
    expect(most).toBeLessThan(3.5 * LIVE + 4 * fullExtentBytes(3 * LIVE));
    expect(await scanAll(engine, 'keys')).toHaveLength(KEYS);
  });

  test('is not held by a scan that nobody goes on with: it is told when its version is gone', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    await write(engine, 0);
    const dead = await engine.scan('values', {});
    const lasting = await engine.scan('keys', { limit: 10 });
    expect(lasting.id).toBe(0);
    await untilCompacted(engine, 3);
    await idle(engine);
    await expect(engine.scanNext(dead.id)).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_OLD' });
    await expect(engine.scanNext(dead.id)).rejects.toThrow(TypeError);
    expect((await engine.compact()).after).toBeLessThan(2 * LIVE);
  });

  test('is not held by a snapshot through a second compaction: the snapshot is told', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    const { snapshots } = engine.versions;
    await write(engine, 0);
    const first = await snapshots.take('session');
    await untilCompacted(engine, 1);
    // One compaction leaves it the log that it lies in.
    expect(await snapshots.get(first.id, 'key 7')).toMatch(/^0:7:/);
    const second = await snapshots.take('session');
    await untilCompacted(engine, 2);
    await idle(engine);
    for (const call of [
      () => snapshots.get(first.id, 'key 7'),
      () => snapshots.has(first.id, 'nothing'),
      () => snapshots.count(first.id),
      () => snapshots.diff(first.id, second.id),
      () => snapshots.restore(first.id),
      () => snapshots.scan(first.id, 'keys'),
    ]) {
      await expect((async () => call())()).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_OLD' });
    }
    await snapshots.close(first.id);
    expect(await engine.get('key 7')).toMatch(/:7:/);
  });

  test('is kept for a snapshot as long as nothing else needs it', async () => {
    const { engine } = await openOn(newDisk());
    const { snapshots } = engine.versions;
    await write(engine, 0);
    const { id } = await snapshots.take('session');
    await write(engine, 1);
    await engine.compact();
    await expect(engine.compact()).rejects.toMatchObject({ code: 'LOCKED' });
    expect(await snapshots.get(id, 'key 3')).toMatch(/^0:3:/);
    await snapshots.close(id);
    await idle(engine);
    await engine.compact();
  });
});
