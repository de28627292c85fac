import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QuotaError } from '../../src/base/errors.js';
import type { Engine } from '../../src/engine/index.js';
import { readHeader } from '../../src/storage/log/index.js';
import { scanAll } from './bench-store.js';
import { copied, type Disk, newDisk, openOn } from './rewrite-store.js';

/** Where the header says that the log is. */
function openPlace({ headers }: Disk): number | undefined {
  const found = headers.map(readHeader).filter((header) => header !== undefined);
  return found.sort((a, b) => b.epoch - a.epoch)[0]?.place;
}

async function contentOf(engine: Engine) {
  return {
    entries: await scanAll<[string, unknown]>(engine, 'entries'),
    deadlines: await scanAll<string>(engine, 'keysWithTtl'),
    health: { ...(await engine.health()), storedBytes: 0 },
  };
}

describe('compaction', () => {
  test('takes what was overwritten and deleted from the log, and keeps the rest', async () => {
    const disk = newDisk();
    const { engine, backend } = await openOn(disk);
    for (let round = 0; round < 5; round++) {
      await engine.setMany(
        Array.from({ length: 500 }, (_, i) => [`key-${i}`, `value ${i} of round ${round}`.repeat(5)]),
      );
    }
    await engine.deleteMany(Array.from({ length: 250 }, (_, i) => `key-${i * 2}`));
    const before = { ...(await contentOf(engine)), health: expect.anything() };
    const { epoch } = backend.header;
    const { before: bytesBefore, after } = await engine.compact();
    // The header in use was not the one that was overwritten.
    expect(backend.header.epoch).toBe(epoch + 1);
    expect(after).toBeLessThan(bytesBefore / 8);
    expect((await engine.health()).storedBytes).toBe(after);
    expect(await contentOf(engine)).toEqual(before);
    expect(disk.logs[0].size()).toBe(0);
    expect(disk.logs[1].size()).toBe(after);
    await engine.set('more', 1);
    const { engine: again } = await openOn(copied(disk));
    expect(await again.get('more')).toBe(1);
    await again.delete('more');
    expect((await contentOf(again)).entries).toEqual(before.entries);
  });

  test('keeps a value whose first key is gone while another has it, long or short', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    const long = 'a long value that others refer to'.repeat(3);
    for (const [value, name] of [
      [long, 'long'],
      ['short', 'short'],
    ]) {
      await engine.set(`first ${name}`, value);
      await engine.set(`second ${name}`, value);
      await engine.set(`third ${name}`, value, { ttl: 1000 });
      await engine.delete(`first ${name}`);
    }
    const before = await contentOf(engine);
    await engine.compact();
    expect(await contentOf(engine)).toEqual(before);
    const { engine: again } = await openOn(copied(disk));
    expect(await contentOf(again)).toEqual(before);
    // One object each still, and it goes with its last key.
    expect(await again.countUnique()).toBe(2);
    for (const name of ['long', 'short']) await again.deleteMany([`second ${name}`, `third ${name}`]);
    expect(await again.countUnique()).toBe(0);
    expect((await again.health()).totalBytes).toBe(0);
  });

  test('begins by itself when most of the log is dead, and not before', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk, { durability: 'strict' });
    const write = (round: number) =>
      engine.setMany(
        Array.from({ length: 1000 }, (_, i) => [`key-${i}`, `${round}:${i}:${'x'.repeat(200)}`]),
      );
    let largest = 0;
    for (let round = 0; round < 40; round++) {
      await write(round);
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      largest = Math.max(largest, (await engine.health()).storedBytes);
      if (round === 2) expect(disk.logs[1].size()).toBe(0);
    }
    const live = 1000 * 240;
    expect(largest).toBeGreaterThan(2 * live);
    expect(largest).toBeLessThan(3 * live + 4 * 256 * 1024);
    expect(await engine.get('key-7')).toBe(`39:7:${'x'.repeat(200)}`);
    const { engine: again } = await openOn(copied(disk));
    expect(await again.count()).toBe(1000);
  });

  test('is not tried again and again where it fails', async () => {
    const disk = newDisk();
    const { engine, backend } = await openOn(disk);
    let tried = 0;
    backend.successor = () => {
      tried += 1;
      throw new QuotaError('full');
    };
    for (let round = 0; round < 60; round++) {
      await engine.setMany(
        Array.from({ length: 200 }, (_, i) => [`key-${i}`, `${round}:${i}:`.padEnd(500, 'x')]),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tried).toBeGreaterThan(1);
    expect(tried).toBeLessThan(8);
    expect(await engine.count()).toBe(200);
  });

  test('copies of what was overwritten meanwhile the last, and a value that another key took over', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    await engine.setMany(Array.from({ length: 3000 }, (_, i) => [`key-${i}`, `value ${i}`.repeat(5)]));
    const compacting = engine.compact();
    const shared = 'brought by one key and taken over by another'.repeat(5);
    for (let i = 0; i < 200; i++) {
      await engine.set('again and again', `${i}:`.padEnd(3000, 'x'));
      if (i === 3)
        await engine.setMany([
          ['first', shared],
          ['first short', 'short'],
        ]);
      if (i === 5)
        await engine.setMany([
          ['second', shared],
          ['second short', 'short'],
        ]);
      if (i === 7)
        await engine.setMany([
          ['first', 1],
          ['first short', 2],
        ]);
      if (i % 40 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const { after } = await compacting;
    expect(after).toBeLessThan(3000 * 110 + 20 * 3100);
    for (const store of [engine, (await openOn(copied(disk))).engine]) {
      expect(await store.getMany(['second', 'second short', 'first', 'first short'])).toEqual([
        shared,
        'short',
        1,
        2,
      ]);
      expect(await store.get('again and again')).toBe('199:'.padEnd(3000, 'x'));
      expect(await store.countUnique()).toBe(3005);
    }
  });

  test('a scan that began before goes on in the log that is gone, and holds the next compaction up', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    await engine.setMany(
      Array.from({ length: 3000 }, (_, i) => [
        `key-${String(i).padStart(4, '0')}`,
        `old ${i} ${'x'.repeat(30)}`,
      ]),
    );
    const first = await engine.scan('values');
    await engine.setMany(
      Array.from({ length: 3000 }, (_, i) => [
        `key-${String(i).padStart(4, '0')}`,
        `new ${i} ${'x'.repeat(30)}`,
      ]),
    );
    await engine.compact();
    expect(disk.logs[0].size()).toBeGreaterThan(0);
    await expect(engine.compact()).rejects.toMatchObject({ code: 'LOCKED' });
    const values = [...first.items];
    for (let { id } = first; id !== 0; ) {
      const piece = await engine.scanNext(id);
      values.push(...piece.items);
      id = piece.id;
    }
    expect(values).toHaveLength(3000);
    expect(values.every((value) => String(value).startsWith('old'))).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(disk.logs[0].size()).toBe(0);
    await engine.compact();
    expect(await engine.get('key-0001')).toBe(`new 1 ${'x'.repeat(30)}`);
  });

  test('may be killed between any two calls of the files: what was acknowledged is there', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    const entries = Array.from({ length: 900 }, (_, i): [string, string] => [
      `key-${i}`,
      `value ${i % 300}`.repeat(20),
    ]);
    await engine.setMany(entries);
    await engine.deleteMany(entries.slice(0, 300).map(([key]) => key));
    let acknowledged = -1;
    let attempted = -1;
    const found: { disk: Disk; least: number; most: number }[] = [];
    for (const file of [...disk.headers, ...disk.logs]) {
      for (const name of ['write', 'truncate'] as const) {
        const real = file[name].bind(file) as (...args: unknown[]) => unknown;
        file[name] = ((...args: unknown[]) => {
          const result = real(...args);
          found.push({ disk: copied(disk), least: acknowledged, most: attempted });
          return result;
        }) as never;
      }
    }
    const compacting = engine.compact();
    for (let i = 0; i < 30; i++) {
      attempted = i;
      await engine.set('written meanwhile', i);
      acknowledged = i;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await compacting;
    await new Promise((resolve) => setImmediate(resolve));
    expect(found.length).toBeGreaterThan(30);
    // Some were killed while the store lived in the first place, some when it had gone on in the second.
    expect(new Set(found.map(({ disk: left }) => openPlace(left)))).toEqual(new Set([0, 1]));
    for (const [i, { disk: left, least, most }] of found.entries()) {
      const { engine: again } = await openOn(left);
      expect(Math.min(left.logs[0].size(), left.logs[1].size()), `call ${i}`).toBe(0);
      const written = await again.get('written meanwhile');
      const at = written === undefined ? -1 : Number(written);
      expect(at, `call ${i}`).toBeGreaterThanOrEqual(least);
      expect(at, `call ${i}`).toBeLessThanOrEqual(most);
      expect(await again.count({ prefix: 'key-' })).toBe(600);
      expect(await again.get('key-899')).toBe(entries[899]![1]);
      expect(await again.get('key-0')).toBe(undefined);
      expect(await again.countUnique()).toBe(300 + (at >= 0 ? 1 : 0));
    }
  });

  test('goes no further when the header cannot be turned: nothing may be written to a log that may be lost', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    await engine.setMany(Array.from({ length: 100 }, (_, i) => [`key-${i}`, `value ${i}`.repeat(20)]));
    for (const header of disk.headers) {
      header.flush = () => {
        throw new Error('gone');
      };
    }
    await expect(engine.compact()).rejects.toThrow('gone');
    await expect(engine.set('more', 1)).rejects.toMatchObject({ code: 'IO' });
    expect(await engine.get('key-7')).toBe('value 7'.repeat(20));
    const { engine: again } = await openOn(copied(disk));
    expect(await again.count()).toBe(100);
  });

  test('finds what expires later, whether it was sealed before or is now', async () => {
    const disk = newDisk();
    const { engine, time } = await openOn(disk, { ttl: { sweepInterval: Infinity } });
    await engine.set('sealed before', 1, { ttl: 1000 });
    const filler = Array.from({ length: 20_000 }, (_, i): [string, string] => [
      `filler ${i}`,
      `value ${i % 50}`,
    ]);
    for (let round = 0; round < 2; round++) await engine.setMany(filler);
    await engine.set('in the buffer', 2, { ttl: 1000 });
    const compacting = engine.compact();
    for (let i = 0; i < 10; i++) {
      await engine.setMany(
        filler.slice(i * 1000, i * 1000 + 1000).map(([key]) => [key, 'written meanwhile']),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    await compacting;
    expect(await engine.count()).toBe(20_002);
    expect(await scanAll(engine, 'keysWithTtl')).toEqual(['in the buffer', 'sealed before']);
    await engine.clear({ prefix: 'filler' });
    await engine.compact();
    time.pass(1000);
    expect(await engine.count()).toBe(0);
    expect((await engine.sweep()).expired).toBe(2);
    expect((await engine.health()).expiredObjects).toBe(0);
    expect(await engine.countUnique()).toBe(0);
  });

  test('ends when the store is closed, and leaves the log as it is', async () => {
    const disk = newDisk();
    const { engine } = await openOn(disk);
    await engine.setMany(Array.from({ length: 5000 }, (_, i) => [`key-${i}`, i]));
    const compacting = engine.compact();
    const refused = expect(compacting).rejects.toMatchObject({ code: 'CLOSED' });
    await new Promise((resolve) => setImmediate(resolve));
    await engine.close();
    await refused;
    expect(disk.logs[1].size()).toBe(0);
    const { engine: again } = await openOn(copied(disk));
    expect(await again.count()).toBe(5000);
  });

  test('leaves version and clock where they were, even if nothing is alive', async () => {
    const disk = newDisk();
    const { engine, time } = await openOn(disk);
    for (let i = 0; i < 5; i++) await engine.set('a', i);
    time.pass(5000);
    await engine.delete('a');
    await engine.compact();
    const { engine: again } = await openOn(copied(disk));
    expect((await again.set('b', 1)).version).toBe(7);
    expect(((await again.getEntry('b')) as { updatedAt: number }).updatedAt).toBeGreaterThanOrEqual(time.now);
  });

  test('what cannot be written leaves the log as it was, and the store works on', async () => {
    for (let failing = 0; failing < 12; failing++) {
      const disk = newDisk();
      const { engine } = await openOn(disk);
      await engine.setMany(Array.from({ length: 1500 }, (_, i) => [`key-${i}`, `value ${i}`.repeat(20)]));
      const before = await contentOf(engine);
      const [, place] = disk.logs;
      let calls = 0;
      let armed = true;
      for (const name of ['write', 'flush', 'truncate'] as const) {
        const real = place[name].bind(place) as (...args: unknown[]) => unknown;
        place[name] = ((...args: unknown[]) => {
          if (armed && calls++ === failing)
            throw Object.assign(new Error('full'), { name: 'QuotaExceededError' });
          return real(...args);
        }) as never;
      }
      const outcome = await engine.compact().catch((error) => error);
      armed = false;
      if (calls > failing) expect(place.size(), `call ${failing}`).toBe(0);
      expect(await contentOf(engine), `call ${failing}`).toEqual(before);
      await engine.set('more', failing);
      const { engine: again } = await openOn(copied(disk));
      expect(await again.get('more')).toBe(failing);
      expect(await again.count()).toBe(1501);
      if (calls <= failing) {
        expect(outcome.after).toBeGreaterThan(0);
        expect(failing).toBeGreaterThan(2);
        return;
      }
      expect(outcome).toBeInstanceOf(Error);
    }
    expect.fail('compaction makes more calls than were tried');
  });

  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  const key = fc.constantFrom(...keys);
  const value = fc.constantFrom('', 'short', 'x'.repeat(17), 'a long value'.repeat(9), 'another'.repeat(40));
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('set' as const), key, value }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('expiring' as const),
        key,
        value,
        ttl: fc.integer({ min: 1, max: 50 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('clear' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 40 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constant('compact' as const), during: fc.integer({ min: 0, max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
  );

  for (const [name, index] of [
    ['a large index', {}],
    ['one that takes keys for others', { segmentSlots: 16, leastSlots: 8, fingerprintBits: 4 }],
  ] as const) {
    test(`changes no answer, whatever is written before, while it runs and after, with ${name}`, async () => {
      const script = fc.array(step, { maxLength: 40, size: 'max' });
      await fc.assert(
        fc.asyncProperty(script, async (steps) => {
          let disk = newDisk();
          let { engine, time } = await openOn(disk, {}, index);
          const model = new Map<string, { value: string; expiresAt: number }>();
          let running: Promise<unknown>[] = [];
          const settled = async () => {
            await Promise.all(running);
            running = [];
          };
          for (const [i, one] of steps.entries()) {
            if (one.type === 'set') {
              await engine.set(one.key, one.value);
              model.set(one.key, { value: one.value, expiresAt: Infinity });
            } else if (one.type === 'expiring') {
              await engine.set(one.key, one.value, { ttl: one.ttl });
              model.set(one.key, { value: one.value, expiresAt: time.now + one.ttl });
            } else if (one.type === 'delete') {
              await engine.delete(one.key);
              model.delete(one.key);
            } else if (one.type === 'clear') {
              await engine.clear();
              model.clear();
            } else if (one.type === 'pass') time.pass(one.ms);
            else if (one.type === 'compact') {
              if (i % 2 === 0) await settled();
              running.push(engine.compact().catch((error) => expect(error.code).toBe('LOCKED')));
              for (let turn = 0; turn < one.during; turn++)
                await new Promise((resolve) => setImmediate(resolve));
            } else {
              await settled();
              disk = copied(disk);
              ({ engine, time } = await openOn(disk, {}, index, time));
            }
            const alive = [...model].filter(([, { expiresAt }]) => expiresAt > time.now);
            const expected = alive.map(([k, v]) => [k, v.value]).sort(([a], [b]) => (a! < b! ? -1 : 1));
            for (const k of keys) {
              expect(await engine.get(k)).toBe(alive.find(([other]) => other === k)?.[1].value);
            }
            expect(await scanAll(engine, 'entries')).toEqual(expected);
          }
          await settled();
          const unique = new Set(
            [...model.values()].filter(({ expiresAt }) => expiresAt > time.now).map((v) => v.value),
          );
          expect(await engine.countUnique()).toBe(unique.size);
          const live = await contentOf(engine);
          const { engine: again } = await openOn(copied(disk), {}, index, time);
          expect(await contentOf(again)).toEqual(live);
        }),
        { numRuns: 150 },
      );
    });
  }
});
