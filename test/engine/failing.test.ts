/** A medium that refuses: what was asked is refused with a typed error, nothing has changed, and the store works on. */
import { describe, expect, test } from 'vitest';
import { MemoryFile } from '../../src/storage/log/index.js';
import { openBench, reopen, scanAll } from './bench-store.js';

/** A disk that is full after so many bytes. */
class FullDisk extends MemoryFile {
  room = Number.POSITIVE_INFINITY;

  override write(bytes: Uint8Array, at: number): number {
    const fits = Math.max(0, Math.min(bytes.length, this.room - at));
    return super.write(bytes.subarray(0, fits), at);
  }
}

async function fullStore() {
  const disk = new FullDisk();
  const store = await openBench({ ttl: { sweepInterval: Number.POSITIVE_INFINITY } }, disk);
  await store.engine.setMany([
    ['kept', 'as it was'],
    ['gone', 'x'],
  ]);
  await store.engine.expire('gone', 50);
  disk.room = disk.size();
  return { ...store, disk };
}

describe('on a full disk', () => {
  test('every call of a group is refused, and reads go on', async () => {
    const { engine, disk } = await fullStore();
    const writes = [engine.set('a', 1), engine.set('kept', 'changed'), engine.delete('kept'), engine.clear()];
    for (const outcome of await Promise.allSettled(writes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'QuotaError', code: 'QUOTA' } });
    }
    expect(await engine.get('kept')).toBe('as it was');
    expect(await engine.has('a')).toBe(false);
    expect(await engine.count()).toBe(2);
    disk.room = Number.POSITIVE_INFINITY;
    const { version } = await engine.set('a', 1);
    expect(version).toBe(3);
    expect(await scanAll(engine, 'keys')).toEqual(['a', 'gone', 'kept']);
  });

  test('what has expired stays missing, and is swept when there is room', async () => {
    const store = await fullStore();
    const { engine, time, disk } = store;
    time.pass(50);
    await expect(engine.sweep()).rejects.toMatchObject({ code: 'QUOTA' });
    expect(await engine.has('gone')).toBe(false);
    expect(await engine.count()).toBe(1);
    expect(await engine.health()).toMatchObject({ totalKeys: 1, expiredObjects: 1 });
    disk.room = Number.POSITIVE_INFINITY;
    expect(await engine.sweep()).toMatchObject({ expired: 1 });
    const again = await reopen(store);
    expect(await scanAll(again.engine, 'keys')).toEqual(['kept']);
    expect((await again.engine.health()).expiredObjects).toBe(0);
  });

  test('a seal that does not fit is done later', async () => {
    const disk = new FullDisk();
    const { engine } = await openBench({}, disk);
    await engine.set('large', new Uint8Array(300_000));
    disk.room = disk.size() + 200;
    await expect(engine.set('a', 1)).rejects.toMatchObject({ code: 'QUOTA' });
    disk.room = Number.POSITIVE_INFINITY;
    await engine.set('b', 2);
    expect(await scanAll(engine, 'keys')).toEqual(['b', 'large']);
    expect((await engine.stats()).storage.extents).toBe(2);
  });
});
