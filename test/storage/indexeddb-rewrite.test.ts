/** Compaction over IndexedDB: reads answer later there, and may begin in one log and end in the next. */
import { afterEach, expect, test } from 'vitest';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import { scanAll } from '../engine/bench-store.js';
import { closeStores, openStore, TIME } from './indexeddb-store.js';

afterEach(closeStores);

async function openEngine(name?: string) {
  const backend = await openStore(name);
  const engine = await Engine.open({
    mode: 'disk',
    // So small a cache that most reads go to the database.
    settings: resolveOptions({ cache: { maxBytes: 0 } }),
    log: backend.log,
    successor: () => backend.successor(),
    secret: backend.header.secret,
    now: () => TIME,
    after: (ms, task) => {
      if (ms === 0) setTimeout(task);
      return () => {};
    },
  });
  return { engine, backend };
}

const KEYS = 700;
const textOf = (i: number, round: number) => `${i}:${round}:`.padEnd(300, 'x');
const entries = (round: number) =>
  Array.from({ length: KEYS }, (_, i): [string, string] => [`key-${i}`, textOf(i, round)]);

test('takes the dead from the database, and every read that crosses it is right', async () => {
  const { engine, backend } = await openEngine();
  for (let round = 0; round < 4; round++) await engine.setMany(entries(round));
  const compacting = engine.compact();
  let done = false;
  const ended = compacting.finally(() => {
    done = true;
  });
  let crossed = 0;
  while (!done) {
    const keys = Array.from({ length: 40 }, (_, i) => (crossed * 40 + i) % KEYS);
    const values = await Promise.all(keys.map((i) => engine.get(`key-${i}`)));
    expect(values).toEqual(keys.map((i) => textOf(i, 3)));
    const missing = await Promise.all(keys.map((i) => engine.get(`no such key ${i}`)));
    expect(missing.every((value) => value === undefined)).toBe(true);
    crossed += 1;
    // What is in the cache is answered without a task: let the others have one.
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(crossed).toBeGreaterThan(3);
  const { before, after } = await ended;
  expect(after).toBeLessThan(before / 3);
  expect(backend.header.place).toBe(1);
  expect(await scanAll(engine, 'entries')).toEqual(entries(3).sort(([a], [b]) => (a < b ? -1 : 1)));
  await engine.set('more', 1);
  await engine.close();
  const { engine: again, backend: reopened } = await openEngine(backend.name);
  expect(reopened.header.place).toBe(1);
  expect(await again.count()).toBe(KEYS + 1);
  expect(await again.get('more')).toBe(1);
  // And back to the first place.
  const second = await again.compact();
  expect(second.after).toBeLessThanOrEqual(second.before);
  expect(reopened.header.place).toBe(0);
  expect(await again.get('key-7')).toBe(textOf(7, 3));
});

test('what a compaction left that was cut off is gone when the store is opened', async () => {
  const { engine, backend } = await openEngine();
  await engine.setMany(entries(0));
  const successor = await backend.successor();
  const batch = successor.log.begin();
  batch.add({ ...(await backend.log.read(1)), type: 3, key: '', value: new Uint8Array(0), kind: 0 } as never);
  await successor.log.append(batch, true);
  await engine.close();
  const { engine: again, backend: reopened } = await openEngine(backend.name);
  expect(await again.count()).toBe(KEYS);
  const next = await reopened.successor();
  expect(next.log.bytes).toBe(0);
  expect(
    (
      await next.log.replay(
        () => expect.fail('an entry was left'),
        () => {},
      )
    ).entries,
  ).toBe(0);
});

test('one compaction right behind another waits until the place is empty', async () => {
  const { engine, backend } = await openEngine();
  for (let round = 0; round < 3; round++) {
    await engine.setMany(entries(round));
    await engine.compact();
    await engine.compact();
  }
  expect(backend.header.place).toBe(0);
  expect(await engine.get('key-7')).toBe(textOf(7, 2));
});
