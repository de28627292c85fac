/** Calls that are asked again after another tab has begun to lead: done once, and answered as they were then. */
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { runCalls } from '../../src/host/calls.js';
import type { Answer } from '../../src/wire/messages.js';
import { Clock } from '../faults/clock.js';
import { FakeDisk } from '../faults/disk.js';
import { closeStore, compact, OPTIONS, openStore, SETTLED_MS, type Store } from '../faults/store.js';

const TAB = 'tab-1';

async function ask(engine: Engine, number: number, method: string, ...args: unknown[]): Promise<Answer> {
  return (await runCalls(engine, [{ method, args }], TAB, number))[0]!;
}

async function fresh(): Promise<Store> {
  const time = new Clock();
  const disk = new FakeDisk(() => time.age);
  const store = await openStore(disk, time, OPTIONS);
  time.pass(SETTLED_MS);
  await store.engine.setMany([
    ['one', 1],
    ['two', 2],
    ['mortal', 'm'],
    ['list', [1, 2]],
  ]);
  await store.engine.expire('mortal', '1h');
  // Enough for an image.
  for (let i = 0; i < 100; i++) await store.engine.set('large', 'x'.repeat(100 + i));
  await store.engine.delete('large');
  return store;
}

/** The leader is gone without a word; the next one opens what it left. */
const reopen = {
  'from the log': async ({ disk, time }: Store) => openStore(disk, time, OPTIONS),
  'from an image': async (store: Store) => {
    await closeStore(store);
    return openStore(store.disk, store.time, OPTIONS);
  },
  'after a compaction': async (store: Store) => {
    await compact(store);
    return openStore(store.disk, store.time, OPTIONS);
  },
} as const;

/** One of each call that writes. What it is answered, and a look that shows whether it was made twice. */
const WRITES: readonly [method: string, args: unknown[], answer: unknown][] = [
  ['set', ['new', 'v'], expect.objectContaining({ version: expect.any(Number) })],
  ['set', ['fresh', 'v', { ifAbsent: true }], expect.objectContaining({ version: expect.any(Number) })],
  ['setMany', [[['a', 1]]], expect.objectContaining({ version: expect.any(Number) })],
  ['batch', [[{ type: 'merge', key: 'one', operand: 1, operator: 'counter' }]], expect.objectContaining({})],
  ['merge', ['one', 5, 'counter'], 6],
  ['merge', ['list', [3], 'list'], [1, 2, 3]],
  ['delete', ['two'], true],
  ['deleteMany', [['one', 'two', 'none']], 2],
  ['clear', [{ prefix: 'o' }], 1],
  ['clear', [], 4],
  ['expire', ['one', '5m'], true],
  ['expireMany', [['one', 'none'], '5m'], 1],
  ['persist', ['mortal'], true],
];

describe.each(Object.entries(reopen))('a call asked again of the next leader, opened %s,', (way, open) => {
  test.each(WRITES)('%s %j is answered as before, and not made twice', async (method, args, answer) => {
    const store = await fresh();
    const first = await ask(store.engine, 7, method, ...args);
    expect(first).toEqual({ value: answer });
    await store.engine.set('later', 'by another');
    const { version } = await store.engine.stats();

    const next = await open(store);
    if (way === 'from an image') expect((await next.engine.stats()).storage.recovered).toBe(0);
    const again = await ask(next.engine, 7, method, ...args);
    const { durability: _first, ...expected } = Object(first).value as { durability?: string };
    if (typeof (first as { value: unknown }).value !== 'object' || Array.isArray(Object(first).value)) {
      expect(again).toEqual(first);
    } else {
      expect(again).toEqual({ value: { ...expected, durability: 'durable' } });
    }
    expect((await next.engine.stats()).version).toBe(version);
    expect(await next.engine.get('later')).toBe('by another');
  });
});

describe('answers', () => {
  test('to calls that changed nothing are not kept: the call is made', async () => {
    const { engine } = await fresh();
    expect(await ask(engine, 1, 'delete', 'nobody')).toEqual({ value: false });
    expect(await ask(engine, 2, 'set', 'one', 2, { ifAbsent: true })).toMatchObject({
      error: { name: 'ConflictError' },
    });
    expect(engine.answers.clients()).toEqual([]);
    await engine.set('nobody', 1);
    expect(await ask(engine, 1, 'delete', 'nobody')).toEqual({ value: true });
  });

  test('are told apart by tab and by number', async () => {
    const { engine } = await fresh();
    expect(await ask(engine, 1, 'merge', 'one', 1, 'counter')).toEqual({ value: 2 });
    expect(await ask(engine, 2, 'merge', 'one', 1, 'counter')).toEqual({ value: 3 });
    const call = { method: 'merge', args: ['one', 1, 'counter'] };
    expect(await runCalls(engine, [call], 'tab-2', 1)).toEqual([{ value: 4 }]);
    expect(await runCalls(engine, [call, call], TAB, 1)).toEqual([{ value: 2 }, { value: 3 }]);
    expect(await runCalls(engine, [call], TAB)).toEqual([{ value: 5 }]);
  });

  test('that a tab has are forgotten, one by one, and all of a tab that is gone', async () => {
    const { engine } = await fresh();
    for (const number of [1, 2, 3]) await ask(engine, number, 'set', 'k', number);
    engine.answers.forget(TAB, 3);
    expect([...engine.answers.all()].map(({ number }) => number)).toEqual([3]);
    engine.answers.drop(TAB);
    expect(engine.answers.clients()).toEqual([]);
  });

  test('to undo are kept, though the next leader knows nothing of what was done before', async () => {
    const store = await fresh();
    await ask(store.engine, 1, 'set', 'one', 'changed');
    expect(await ask(store.engine, 2, 'undo')).toEqual({ value: true });
    const { engine } = await openStore(store.disk, store.time, OPTIONS);
    expect(await ask(engine, 2, 'undo')).toEqual({ value: true });
    expect(await engine.get('one')).toBe(1);
  });

  test('to the end of an import are kept, though the next leader knows nothing of its begin', async () => {
    const store = await fresh();
    const id = await store.engine.transfers.beginExport();
    const into = await fresh();
    const importing = await into.engine.transfers.beginImport({ mode: 'replace' });
    for (let last = false; !last; ) {
      const [bytes, isLast] = await store.engine.transfers.exportNext(id);
      into.engine.transfers.importWrite(importing, bytes);
      last = isLast;
    }
    const first = await ask(into.engine, 1, 'importEnd', importing);
    expect(first).toEqual({ value: { keys: 4, bytes: expect.any(Number) } });
    const { engine } = await openStore(into.disk, into.time, OPTIONS);
    expect(await ask(engine, 1, 'importEnd', importing)).toEqual(first);
    expect(await ask(engine, 2, 'importEnd', importing)).toMatchObject({
      error: { name: 'LeaderUnresponsiveError' },
    });
  });

  test('survive the compactions and images of several leaders while nobody has asked for them', async () => {
    let store = await fresh();
    await ask(store.engine, 1, 'merge', 'one', 41, 'counter');
    for (const open of [...Object.values(reopen), ...Object.values(reopen)]) store = await open(store);
    expect(await ask(store.engine, 1, 'merge', 'one', 41, 'counter')).toEqual({ value: 42 });
    expect(await store.engine.get('one')).toBe(42);
  });
});
