/** `merge` and `batch` inside a transaction. */
import { beforeEach, describe, expect, test } from 'vitest';
import { openVersions, type VersionsStore } from '../engine/versions-store.js';
import { openPage, type Page } from './pages.js';

let versions: VersionsStore;
let page: Page;

beforeEach(async () => {
  versions = await openVersions();
  page = openPage(() => versions.engine, 'a');
});

describe('merge in a transaction', () => {
  test('gives the merged value, which the transaction sees and the commit stores', async () => {
    const { store } = page;
    await store.set('n', 40, { ttl: 1000 });
    const result = await store.transaction(async (tx) => {
      expect(await tx.merge('n', 1, 'counter')).toBe(41);
      expect(await tx.merge('n', 1, 'counter')).toBe(42);
      expect(await tx.merge('list', ['a'], 'list')).toEqual(['a']);
      const list = await tx.merge('list', ['b'], 'list');
      list.push('of no effect');
      expect(await store.get('n')).toBe(40);
      return [await tx.get('n'), await tx.get('list')];
    });
    expect(result).toEqual([42, ['a', 'b']]);
    expect([await store.get('n'), await store.get('list')]).toEqual([42, ['a', 'b']]);
    // The expiry is kept unless another is given.
    expect(await store.ttl('n')).toBe(1000);
    await store.transaction((tx) => tx.merge('n', 1, 'counter', { ttl: 5000 }));
    expect([await store.get('n'), await store.ttl('n')]).toEqual([43, 5000]);
  });

  test('is run again when somebody else was faster, so nothing is lost', async () => {
    const { store } = page;
    await store.set('n', 0);
    let runs = 0;
    await store.transaction(async (tx) => {
      runs += 1;
      await tx.merge('n', 1, 'counter');
      if (runs === 1) await store.merge('n', 10, 'counter');
    });
    expect([runs, await store.get('n')]).toEqual([2, 11]);
  });

  test('refuses an operator that nobody knows, and a value that is not of its type', async () => {
    const { store } = page;
    await store.set('text', 'x');
    await store.transaction(async (tx) => {
      await expect(tx.merge('text', 1, 'counter')).rejects.toThrow(TypeError);
      await expect(tx.merge('new', 'x', 'counter')).rejects.toThrow(TypeError);
      await expect(tx.merge('new', 1, 'no such')).rejects.toThrow(/counter, max/);
      expect(await tx.has('new')).toBe(false);
      await tx.set('after', 1);
    });
    expect(await store.entries()).toEqual([
      ['after', 1],
      ['text', 'x'],
    ]);
  });
});

describe('batch in a transaction', () => {
  test('does what the calls of its operations do, in their order', async () => {
    const { store } = page;
    await store.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
    await store.transaction(async (tx) => {
      const value = { deep: 1 };
      const done = tx.batch([
        { type: 'set', key: 'd', value, ttl: 700 },
        { type: 'merge', key: 'a', operand: 5, operator: 'counter' },
        { type: 'delete', key: 'b' },
        { type: 'expire', key: 'c', ttl: '1s' },
        { type: 'set', key: 'new', value: 1, ifAbsent: true },
        { type: 'persist', key: 'd' },
      ]);
      value.deep = 2;
      await done;
      expect(await tx.entries()).toEqual([
        ['a', 6],
        ['c', 3],
        ['d', { deep: 1 }],
        ['new', 1],
      ]);
    });
    expect(await store.entries()).toEqual([
      ['a', 6],
      ['c', 3],
      ['d', { deep: 1 }],
      ['new', 1],
    ]);
    expect([await store.ttl('c'), await store.ttl('d')]).toEqual([1000, null]);
  });

  test('that is refused leaves the transaction as it was', async () => {
    const { store } = page;
    await store.set('a', 1);
    await store.transaction(async (tx) => {
      await tx.set('b', 1);
      const refused = tx.batch([
        { type: 'set', key: 'c', value: 1 },
        { type: 'delete', key: 'b' },
        { type: 'set', key: 'a', value: 2, ifAbsent: true },
      ]);
      await expect(refused).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(tx.batch([{ type: 'no such', key: 'x' } as never])).rejects.toThrow(/no such/);
      await expect(tx.batch([{ type: 'delete', key: 7 } as never])).rejects.toThrow(TypeError);
      expect(await tx.keys()).toEqual(['a', 'b']);
    });
    expect(await store.entries()).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });
});

describe('getOrSet', () => {
  test('computes once for all who wait, and an abort is that of one of them', async () => {
    const { store } = page;
    let computed = 0;
    let signalled: AbortSignal | undefined;
    let finish!: (value: number) => void;
    const compute = ({ signal }: { signal: AbortSignal }) => {
      computed += 1;
      signalled = signal;
      return new Promise<number>((resolve) => {
        finish = resolve;
      });
    };
    const stop = new AbortController();
    const one = store.getOrSet('key', compute, { signal: stop.signal });
    const other = store.getOrSet('key', compute);
    const third = store.getOrSet('key', compute, { signal: AbortSignal.abort('too late') });
    await expect(third).rejects.toBe('too late');
    while (computed === 0) await new Promise(setImmediate);
    stop.abort('enough');
    await expect(one).rejects.toBe('enough');
    expect(signalled!.aborted).toBe(false);
    finish(7);
    expect(await other).toBe(7);
    expect([computed, await store.get('key')]).toEqual([1, 7]);
  });

  test('is called off when nobody waits any more, and may begin again', async () => {
    const { store } = page;
    const stops = [new AbortController(), new AbortController()];
    let reason: unknown;
    const begun = new Promise<void>((resolve) => {
      for (const { signal } of stops) {
        const waiting = store.getOrSet(
          'key',
          ({ signal: given }) => {
            given.addEventListener('abort', () => {
              reason = given.reason;
            });
            resolve();
            return new Promise<number>(() => {});
          },
          { signal },
        );
        waiting.catch(() => {});
      }
    });
    await begun;
    stops[0]!.abort('one');
    expect(reason).toBeUndefined();
    stops[1]!.abort('two');
    expect(reason).toBe('two');
    expect(await store.getOrSet('key', () => 1)).toBe(1);
    expect(await store.get('key')).toBe(1);
  });
});
