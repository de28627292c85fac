/** Checkpoints against plain maps of their time, across reopening, images and compaction. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OpenOptions } from '../../src/contract/options.js';
import type { Checkpoint } from '../../src/contract/store.js';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { scanAll } from './bench-store.js';
import {
  copyDisk,
  inOrder,
  isTurn,
  Model,
  type Modelled,
  newDisk,
  openVersions,
  runTurn,
  runWrite,
  type Turn,
  turn,
  type VersionsStore,
  type Write,
  write,
} from './versions-store.js';

type Step =
  | Write
  | Turn
  | { readonly do: 'take' | 'remove' | 'restore'; readonly label: string }
  | { readonly do: 'begin' | 'close' | 'kill' };

const label = fc.constantFrom('one', 'two', '\ud800', '');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: write as fc.Arbitrary<Step> },
  { weight: 6, arbitrary: turn as fc.Arbitrary<Step> },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), label }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), label }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('restore' as const), label }) },
  { weight: 2, arbitrary: fc.constant({ do: 'begin' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'kill' as const }) },
);

interface Kept {
  readonly told: Checkpoint;
  readonly entries: ReadonlyMap<string, Modelled>;
}

/** How a store of one trial is opened, again and again. */
type Opening = readonly [OpenOptions, IndexMapletOptions, number | undefined];

class Trial {
  readonly model = new Model();
  readonly kept = new Map<string, Kept>();
  /** A rewriting of the log that goes on while other steps are made. */
  #compacting: Promise<unknown> = Promise.resolve();
  #epoch = 1;

  constructor(
    public store: VersionsStore,
    private readonly opening: Opening,
  ) {}

  async run(one: Step): Promise<void> {
    const { store, model, kept } = this;
    const { engine, time, call } = store;
    if (one.do === 'take') {
      const told = await call<Checkpoint>('s', 'checkpoint', one.label);
      const entries = model.live(time.now);
      const { logicalBytes: bytes } = await engine.health();
      const { version } = await engine.stats();
      expect(told).toEqual({ label: one.label, version, createdAt: time.now, keys: entries.size, bytes });
      kept.delete(one.label);
      kept.set(one.label, { told, entries });
    } else if (one.do === 'remove') await this.#remove(one.label);
    else if (one.do === 'restore') await this.#restore(one.label);
    else if (one.do === 'begin') {
      this.#compacting = engine.compact().catch((error) => {
        if (error.code !== 'LOCKED' && error.code !== 'CLOSED') throw error;
      });
    } else if (one.do === 'close' || one.do === 'kill') await this.#reopen(one.do);
    else if (isTurn(one)) await runTurn(store, model, one);
    else await runWrite(store, model, 's', one as Write);
  }

  /** Everything is as the model says, and so is what each checkpoint keeps. */
  async end(): Promise<void> {
    await this.#compacting;
    await this.compare();
    for (const label of [...this.kept.keys()]) {
      await this.#restore(label);
      await this.compare();
    }
  }

  async compare(): Promise<void> {
    const { engine, time, call } = this.store;
    const live = this.model.live(time.now);
    const found = await scanAll<[string, unknown]>(engine, 'entries');
    expect(found).toEqual(inOrder(live).map(([key, { value }]) => [key, value]));
    for (const [key, { expiresAt }] of live) {
      expect(await engine.ttl(key), key).toBe(expiresAt === Infinity ? null : expiresAt - time.now);
    }
    expect(await engine.count()).toBe(live.size);
    expect(await call('s', 'checkpoints')).toEqual([...this.kept.values()].map(({ told }) => told));
  }

  async #remove(label: string): Promise<void> {
    const removing = this.store.call('s', 'deleteCheckpoint', label);
    if (this.kept.delete(label)) expect(await removing).toBe(true);
    else await expect(removing).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }

  async #restore(label: string): Promise<void> {
    const restoring = this.store.call('s', 'restoreCheckpoint', label);
    const kept = this.kept.get(label);
    if (!kept) return expect(restoring).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await restoring;
    const { now } = this.store.time;
    this.model.entries = new Map([...kept.entries].filter(([, { expiresAt }]) => expiresAt > now));
    return this.compare();
  }

  async #reopen(how: 'close' | 'kill'): Promise<void> {
    const [options, index, imageAfterBytes] = this.opening;
    const { engine, time, disk } = this.store;
    let left = disk;
    if (how === 'close') {
      await this.#compacting;
      await engine.close();
    } else left = copyDisk(disk);
    this.#epoch += 1;
    this.store = await openVersions(options, index, this.#epoch, left, time, imageAfterBytes);
    await this.compare();
  }
}

async function begin(...opening: Opening): Promise<Trial> {
  const [options, index, imageAfterBytes] = opening;
  return new Trial(await openVersions(options, index, 1, undefined, undefined, imageAfterBytes), opening);
}

describe('checkpoints', () => {
  test.each<[string, ...Opening]>([
    ['of a store as it opens by default', {}, {}, undefined],
    ['with images', {}, {}, 1000],
    ['over an index that takes every fourth key for another', {}, { fingerprintBits: 2 }, 5000],
    ['without dedup', { dedup: { mode: 'off' } }, {}, undefined],
    ['with values that are cut into chunks', { dedup: { mode: 'chunked', chunkBytes: 512 } }, {}, 5000],
    ['with a cache for a few records', { cache: { maxBytes: 3000 } }, {}, 1000],
  ])(
    '%s come back whole, whatever becomes of the store',
    async (_, ...opening) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
          const trial = await begin(...opening);
          for (const one of steps) await trial.run(one);
          await trial.end();
        }),
        { numRuns: 60 },
      );
    },
    120_000,
  );
});

/** Keys from `from` on, each with a value of 500 bytes that no other round has. */
function round(number: number, from: number, count: number): [string, string][] {
  return Array.from({ length: count }, (_, i) => [
    `key-${from + i}`,
    `${number}:${from + i}:`.padEnd(500, 'x'),
  ]);
}

describe('a checkpoint', () => {
  test('costs an entry of the log, and after a compaction what was changed since', async () => {
    const store = await openVersions();
    const { engine, call } = store;
    await engine.setMany(round(0, 0, 1000));
    // So that its last keys are sealed, as they will be in the end.
    await call('', 'checkpoint', 'zero');
    await call('', 'deleteCheckpoint', 'zero');
    const whole = (await engine.compact()).after;
    for (const name of ['one', 'two', 'three']) await call('', 'checkpoint', name);
    expect((await engine.health()).storedBytes - whole).toBeLessThan(3 * 120);
    // Much is overwritten, but in the end 50 keys are others than those of the checkpoints.
    for (let i = 1; i <= 20; i++) await engine.setMany(round(i, 100, 50));
    const { after } = await engine.compact();
    expect(after - whole).toBeGreaterThan(50 * 500);
    expect(after - whole).toBeLessThan(50 * 600 + 2000);
    expect((await engine.compact()).after).toBe(after);
    for (const name of ['one', 'two', 'three']) await call('', 'deleteCheckpoint', name);
    const { after: last } = await engine.compact();
    expect(Math.abs(last - whole)).toBeLessThan(2000);
  });

  test('keeps each version between the others, and one that is given up goes', async () => {
    const { engine, call } = await openVersions();
    for (let i = 0; i < 6; i++) {
      await engine.setMany(round(i, 0, 40));
      await call('', 'checkpoint', `${i}`);
      await engine.delete(`key-${i}`);
    }
    await call('', 'deleteCheckpoint', '2');
    await engine.compact();
    await engine.compact();
    for (const i of [4, 0, 5, 1, 3]) {
      await call('', 'restoreCheckpoint', `${i}`);
      expect(await scanAll(engine, 'entries')).toEqual(inOrder(new Map(round(i, 0, 40))));
      expect(await engine.countUnique()).toBe(40);
    }
  });

  test('counts as alive for the log that is rewritten by itself', async () => {
    const store = await openVersions();
    const { engine, call } = store;
    const label = (i: number) => `label ${i}`;
    await engine.setMany(round(0, 0, 2000));
    let compactions = 0;
    let bytes = 0;
    for (let i = 1; i <= 12; i++) {
      await call('', 'checkpoint', label(i));
      await engine.setMany(round(i, 0, 2000));
      for (let pause = 0; pause < 60; pause++) await new Promise(setImmediate);
      const { storedBytes } = await engine.health();
      if (storedBytes < bytes) compactions += 1;
      bytes = storedBytes;
    }
    // All of it is kept by something: there is nothing to gain.
    expect(compactions).toBe(0);
    expect(bytes).toBeGreaterThan(13 * 2000 * 500);
    for (let i = 1; i <= 12; i++) await call('', 'deleteCheckpoint', label(i));
    for (let pause = 0; pause < 300; pause++) await new Promise(setImmediate);
    expect((await engine.health()).storedBytes).toBeLessThan(bytes / 2);
  });

  test('keeps its version while its log is rewritten, whichever calls come between', async () => {
    const store = await openVersions();
    const { engine, call } = store;
    await engine.setMany(round(0, 0, 3000));
    await call('', 'checkpoint', 'before');
    await engine.setMany(round(1, 0, 500));
    const compacting = engine.compact();
    const wanted = new Map<string, Map<string, string>>([['before', new Map(round(0, 0, 3000))]]);
    const now = new Map([...round(0, 0, 3000), ...round(1, 0, 500)]);
    let between = 0;
    let over = false;
    compacting.finally(() => {
      over = true;
    });
    for (let i = 0; i < 12 && !over; i++, between++) {
      const changed = round(i + 2, i * 37, 60);
      await engine.setMany(changed);
      for (const [key, value] of changed) now.set(key, value);
      await engine.delete(`key-${i}`);
      now.delete(`key-${i}`);
      await call('', 'checkpoint', `during ${i % 5}`);
      wanted.set(`during ${i % 5}`, new Map(now));
      if (i === 3) {
        await engine.clear();
        now.clear();
      }
    }
    await compacting;
    expect(between).toBeGreaterThan(4);
    for (let turn = 0; turn < 2; turn++) {
      for (const [label, entries] of wanted) {
        await call('', 'restoreCheckpoint', label);
        expect(await scanAll(engine, 'entries'), label).toEqual(inOrder(entries));
      }
      await engine.compact();
    }
  });

  test('does not bring back what has expired since, and keeps the deadlines of the rest', async () => {
    const { engine, time, call } = await openVersions();
    await engine.set('short', 1, { ttl: 10 });
    await engine.set('long', 2, { ttl: 1000 });
    await engine.set('for ever', 3);
    await engine.set('gone already', 4, { ttl: 1 });
    time.pass(2);
    expect(await call('', 'checkpoint', 'c')).toMatchObject({ keys: 3, bytes: expect.any(Number) });
    await engine.clear();
    await engine.set('long', 'another', { ttl: 5000 });
    time.pass(20);
    await call('', 'restoreCheckpoint', 'c');
    expect(await scanAll(engine, 'entries')).toEqual([
      ['for ever', 3],
      ['long', 2],
    ]);
    expect([await engine.ttl('long'), await engine.ttl('for ever')]).toEqual([978, null]);
  });

  test('that a full disk refuses is not there, and neither is a change that it refuses', async () => {
    const disk = newDisk();
    const { engine, call } = await openVersions({}, {}, 1, disk);
    await engine.set('a', 1);
    await call('', 'checkpoint', 'one');
    const [log] = disk.logs;
    const write = log.write.bind(log);
    log.write = () => {
      throw Object.assign(new Error('no room'), { name: 'QuotaExceededError' });
    };
    await expect(call('', 'checkpoint', 'two')).rejects.toMatchObject({ code: 'QUOTA' });
    await expect(call('', 'checkpoint', 'one')).rejects.toMatchObject({ code: 'QUOTA' });
    await expect(call('', 'deleteCheckpoint', 'one')).rejects.toMatchObject({ code: 'QUOTA' });
    log.write = write;
    expect(await call('', 'checkpoints')).toMatchObject([{ label: 'one', version: 2 }]);
    await engine.set('a', 2);
    await call('', 'restoreCheckpoint', 'one');
    expect(await engine.get('a')).toBe(1);
  });

  test('of a place in the log that is damaged cannot be gone back to, and is told', async () => {
    const disk = newDisk();
    const { engine, call } = await openVersions({}, {}, 1, disk);
    await engine.set('a', 'x'.repeat(100));
    await call('', 'checkpoint', 'one');
    await engine.set('a', 2);
    const [log] = disk.logs;
    const byte = new Uint8Array(1);
    log.read(byte, 100);
    log.write(Uint8Array.of(byte[0]! ^ 1), 100);
    await expect(call('', 'restoreCheckpoint', 'one')).rejects.toMatchObject({ code: 'CORRUPTION' });
    expect(await engine.get('a')).toBe(2);
  });
});
