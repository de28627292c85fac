/** Snapshots as an application holds them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { openVersions, type VersionsStore } from '../engine/versions-store.js';
import { openPage, type Page } from './pages.js';

describe('a snapshot', () => {
  let versions: VersionsStore;
  let page: Page;

  beforeEach(async () => {
    versions = await openVersions();
    page = openPage(() => versions.engine, 'a');
    await page.store.setMany([
      ['a', { n: 1 }],
      ['b', 'two'],
      ['c', null],
    ]);
    await page.store.expire('b', 100);
  });

  test('answers as the store did when it was taken, in every call', async () => {
    const { store } = page;
    const snapshot = await store.snapshot();
    await store.clear();
    await store.set('d', 4);
    versions.time.pass(1000);
    expect(snapshot.version).toBe(2);
    expect(await snapshot.get('a')).toEqual({ n: 1 });
    expect(await snapshot.get('d', { default: 'none' })).toBe('none');
    expect(await snapshot.has('b')).toBe(true);
    expect(await snapshot.has('d')).toBe(false);
    expect(await snapshot.getEntry('b')).toMatchObject({ key: 'b', value: 'two', version: 2 });
    expect(await snapshot.keys({ start: 'b' })).toEqual(['b', 'c']);
    expect(await snapshot.values({ limit: 1 })).toEqual([{ n: 1 }]);
    expect(await snapshot.entries({ reverse: true, limit: 2 })).toEqual([
      ['c', null],
      ['b', 'two'],
    ]);
    expect(await snapshot.count()).toBe(3);
    expect(await snapshot.count({ prefix: 'a' })).toBe(1);
    await expect(snapshot.get('d', { strict: true })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('tells what differs to another, and goes back', async () => {
    const { store } = page;
    const before = await store.snapshot();
    await store.set('a', { n: 1 });
    await store.set('c', 3);
    await store.delete('b');
    await store.set('d', undefined);
    const after = await store.snapshot();
    const differences: unknown[] = [];
    for await (const difference of before.diff(after)) differences.push(difference);
    expect(differences).toEqual([
      { key: 'b', kind: 'removed', before: 'two' },
      { key: 'c', kind: 'changed', before: null, after: 3 },
      { key: 'd', kind: 'added', after: undefined },
    ]);
    expect(await before.restore()).toEqual({ version: 7, durability: 'os' });
    expect(await store.entries()).toEqual([
      ['a', { n: 1 }],
      ['b', 'two'],
      ['c', null],
    ]);
    expect(await store.ttl('b')).toBe(100);
  });

  test('is compared with a snapshot of the same store only', async () => {
    const snapshot = await page.store.snapshot();
    const other = await openPage(() => versions.engine, 'b').store.snapshot();
    expect(() => snapshot.diff(other)).toThrow(TypeError);
    expect(() => snapshot.diff({} as typeof snapshot)).toThrow(TypeError);
  });

  test('refuses everything with ClosedError once it is closed, and the store goes on', async () => {
    const { store } = page;
    const snapshot = await store.snapshot();
    const open = await store.snapshot();
    const scan = snapshot.keys();
    await snapshot.close();
    await snapshot.close();
    const refused = { name: 'ClosedError', code: 'CLOSED' };
    await expect(snapshot.get('a')).rejects.toMatchObject(refused);
    await expect(snapshot.count()).rejects.toMatchObject(refused);
    await expect(snapshot.restore()).rejects.toMatchObject(refused);
    await expect(Promise.resolve(scan)).rejects.toMatchObject(refused);
    await expect(Promise.resolve(snapshot.values())).rejects.toMatchObject(refused);
    await expect(snapshot.diff(open)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
    await expect(open.diff(snapshot)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
    expect(await open.get('b')).toBe('two');
    expect(page.sent.filter((method) => method === 'snapshotClose')).toHaveLength(1);
  });

  test('refuses with ClosedError when its store is closed', async () => {
    const snapshot = await page.store.snapshot();
    page.remote.close();
    await expect(snapshot.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
    await snapshot.close();
  });

  test('is let go at the end of its block', async () => {
    const { store } = page;
    {
      await using snapshot = await store.snapshot();
      expect(await snapshot.has('a')).toBe(true);
    }
    await store.compact();
    await store.set('x', 1);
    await store.compact();
    expect(page.sent).toContain('snapshotClose');
  });

  test('ends with SnapshotTooOldError when another engine leads', async () => {
    const snapshot = await page.store.snapshot();
    versions = await openVersions({}, {}, 2);
    await page.store.snapshot();
    for (const read of [snapshot.get('a'), snapshot.count(), snapshot.restore(), snapshot.keys()]) {
      await expect(Promise.resolve(read)).rejects.toMatchObject({ code: 'SNAPSHOT_TOO_OLD' });
    }
    expect(page.store.closed).toBe(false);
  });

  test('lets go of a scan and a comparison that are left early', async () => {
    const { store } = page;
    await store.setMany(Array.from({ length: 3000 }, (_, i) => [`k${i}`, i] as const));
    const empty = await store.snapshot();
    await store.clear();
    const full = await store.snapshot();
    for await (const _ of empty.values()) break;
    for await (const _ of empty.diff(full)) break;
    const scan = empty.keys();
    expect(await scan).toHaveLength(3003);
    await expect(Promise.resolve(scan)).rejects.toThrow(TypeError);
    expect(page.sent).toContain('scanRelease');
    expect(page.sent).toContain('snapshotDiffRelease');
    let differences = 0;
    for await (const { kind } of empty.diff(full)) differences += kind === 'removed' ? 1 : 0;
    expect(differences).toBe(3003);
  });
});
