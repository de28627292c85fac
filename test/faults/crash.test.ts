/**
 * A power cut at every call of the disk: the store that is found is one of its
 * versions, whole, none of which was called durable is missing, and it works on.
 */
import { afterAll, describe, expect, test, vi } from 'vitest';
import { DataLossError } from '../../src/base/errors.js';
import type { OpenOptions } from '../../src/contract/options.js';
import { Chance } from './chance.js';
import { Clock } from './clock.js';
import { FakeDisk } from './disk.js';
import { History, type Write } from './history.js';
import {
  closeStore,
  compact,
  expectFound,
  expectVersion,
  flush,
  lasts,
  OPTIONS,
  openStore,
  runTogether,
  SETTLED_MS,
  type Store,
} from './store.js';
import { FakeVault } from './vault.js';

/** Extents are small, so that a short script has many of them. */
const EXTENT_BYTES = 4096;
vi.mock('../../src/storage/log/format.js', async (original) => ({
  ...(await original<typeof import('../../src/storage/log/format.js')>()),
  fullExtentBytes: () => EXTENT_BYTES,
}));

const WAYS = 4;

interface Image {
  readonly disk: FakeDisk;
  readonly vault: FakeVault | undefined;
  readonly durable: number;
  readonly time: Clock;
}

/** A store whose disk is looked at after each of its calls as a power cut would leave it. */
class Trial {
  readonly time = new Clock();
  readonly history = new History();
  readonly #chance: Chance;
  #images: Image[] = [];
  #store!: Store;
  cuts = 0;

  constructor(
    seed: number,
    private readonly options: OpenOptions,
  ) {
    this.#chance = new Chance(seed);
  }

  async begin(settled = true, vault?: FakeVault): Promise<this> {
    await this.#open(new FakeDisk(() => this.time.age), vault);
    if (settled) this.pass(SETTLED_MS);
    return this;
  }

  async #open(disk: FakeDisk, vault: FakeVault | undefined): Promise<void> {
    disk.after = () => this.#cut(disk, vault);
    if (vault) vault.after = disk.after as () => void;
    this.#store = await openStore(disk, this.time, this.options, vault);
    await this.#look();
  }

  pass(ms: number): void {
    this.time.pass(ms);
  }

  async together(...writes: Write[]): Promise<void> {
    await runTogether(this.#store, this.history, writes);
    await this.#look();
  }

  async run(writes: readonly Write[]): Promise<void> {
    for (const write of writes) await this.together(write);
  }

  async flush(): Promise<void> {
    await flush(this.#store, this.history);
    await this.#look();
  }

  /** The interval of a relaxed store goes by: what was written before is durable without being asked for. */
  async passInterval(): Promise<void> {
    this.pass(1000);
    await this.#store.engine.count();
    if (lasts(this.#store)) this.history.durable = this.history.version;
    this.#cut(this.#store.disk, this.#store.vault);
    await this.#look();
  }

  async compact(): Promise<void> {
    await compact(this.#store);
    await this.#look();
  }

  async reopen(): Promise<void> {
    await closeStore(this.#store);
    const { disk, vault } = this.#store;
    if (lasts(this.#store)) this.history.durable = this.history.version;
    this.#cut(disk, vault);
    await this.#look();
    await this.#open(disk, vault);
  }

  /** The power is cut and comes back; the script goes on with what was found. */
  async crash(): Promise<void> {
    const { disk, vault } = this.#store;
    // What was under way goes on in a world that nobody looks at.
    disk.after = undefined;
    if (vault) vault.after = undefined;
    await this.#open(disk.crash(this.#chance), vault?.crash(this.#chance));
    this.history.backTo(await expectFound(this.#store, this.history, this.history.durable));
    await this.#look();
  }

  async end(): Promise<void> {
    this.#cut(this.#store.disk, this.#store.vault);
    await this.#look();
    await expectVersion(this.#store, this.history.version, this.history.current);
  }

  #cut(disk: FakeDisk, vault: FakeVault | undefined): void {
    for (let way = 0; way < WAYS; way++) {
      this.#images.push({
        disk: disk.crash(this.#chance),
        vault: vault?.crash(this.#chance),
        durable: this.history.durable,
        time: this.time.alone(),
      });
    }
  }

  async #look(): Promise<void> {
    const images = this.#images;
    this.#images = [];
    for (const image of images) {
      this.cuts += 1;
      cuts += 1;
      await this.#lookAt(image);
    }
  }

  async #lookAt({ disk, vault, durable, time }: Image): Promise<void> {
    let found: Store;
    try {
      found = await openStore(disk, time, this.options, vault);
    } catch (error) {
      // Files that had not settled are gone: that is told, and nothing was promised.
      if (error instanceof DataLossError && durable === 0) return;
      throw error;
    }
    const history = this.history.copy();
    history.backTo(await expectFound(found, history, durable));
    const next: Write = { do: 'set', key: 'after', value: 'the power came back', strict: true };
    await runTogether(found, history, [next, { do: 'delete', key: 'a' }]);
    for (const label of history.current.marks.keys()) {
      await runTogether(found, history, [{ do: 'restoreCheckpoint', label }]);
      await expectVersion(found, history.version, history.current);
    }
    if (!this.#chance.one(4)) return;
    const copy = vault?.crash(this.#chance);
    const again = await openStore(disk.crash(this.#chance), time, this.options, copy).catch((error) => {
      if (error instanceof DataLossError && history.durable === 0) return undefined;
      throw error;
    });
    if (again) await expectFound(again, history, history.durable);
  }
}

const chance = new Chance(1);
const text = (length: number, letter = 'v') => letter.repeat(length);
const set = (
  key: string,
  value: Write extends infer W ? (W extends { value: infer V } ? V : never) : never,
  more = {},
): Write => ({
  do: 'set',
  key,
  value,
  ...more,
});
const STRICT = { strict: true };

const workloads: Record<string, (trial: Trial) => Promise<void>> = {
  'single sets, strict': async (trial) => {
    for (let i = 0; i < 12; i++)
      await trial.together(set(`key-${i % 5}`, `value ${i} ${text(i * 60)}`, STRICT));
  },
  'relaxed sets with flushes, asked for and by themselves': async (trial) => {
    for (let i = 0; i < 24; i++) {
      await trial.together(set(`key-${i % 7}`, `value ${i} ${text(i * 20)}`));
      if (i % 5 === 4) await trial.flush();
      if (i % 7 === 6) await trial.passInterval();
    }
  },
  'a setMany of more than a MiB': async (trial) => {
    await trial.together(set('a', 'before'));
    const pairs = Array.from({ length: 36 }, (_, i) => [`large-${i}`, chance.bytes(30_000)] as const);
    await trial.together({ do: 'setMany', pairs });
    await trial.together(set('a', 'between'), { do: 'setMany', pairs: pairs.slice(0, 3), strict: true });
  },
  overwrites: async (trial) => {
    for (let i = 0; i < 20; i++) {
      await trial.together(
        set('a', `first ${i} ${text(300)}`),
        set('a', `second ${i}`),
        set('b', `third ${i} ${text(500)}`, i % 3 === 0 ? STRICT : {}),
      );
    }
  },
  deletes: async (trial) => {
    for (let i = 0; i < 10; i++) {
      await trial.together(set('a', `value ${text(i * 100)}`), set(`key-${i}`, text(400)));
      await trial.together({ do: 'delete', key: 'a', strict: i % 2 === 0 }, { do: 'delete', key: 'none' });
      await trial.together({
        do: 'deleteMany',
        keys: [`key-${i - 1}`, 'a', `key-${i}`],
        strict: i % 4 === 0,
      });
    }
  },
  'expiry and sweeps': async (trial) => {
    for (let i = 0; i < 12; i++) {
      await trial.together(
        set(`key-${i}`, text(300, String(i % 3)), { ttl: 50 + i }),
        set('kept', text(200), { ttl: 5000 }),
        { do: 'expire', key: `key-${i - 1}`, ttl: 10 },
      );
      trial.pass(30);
      await trial.together({ do: 'persist', key: `key-${i}` }, { do: 'expire', key: `key-${i}`, ttl: 40 });
      trial.pass(30);
      if (i % 3 === 2) await trial.together({ do: 'sweep' });
      if (i % 4 === 3) await trial.flush();
    }
  },
  'values that keys share': async (trial) => {
    const shared = ['one', 'two', 'three'].map((letter) => text(600, letter));
    for (let i = 0; i < 24; i++) {
      await trial.together(
        set(`key-${i % 5}`, shared[i % 3]!),
        set(`key-${(i + 1) % 5}`, shared[(i + 1) % 3]!, i % 6 === 0 ? STRICT : {}),
        { do: 'delete', key: `key-${(i + 2) % 5}` },
      );
    }
  },
  'many seals': async (trial) => {
    for (let i = 0; i < 40; i++) {
      await trial.together(set(`key-${i % 9}`, chance.bytes(700 + i * 10)), set(`small-${i}`, `${i}`));
      if (i % 15 === 14) await trial.flush();
    }
  },
  clear: async (trial) => {
    for (let i = 0; i < 8; i++) {
      await trial.together(set('a', text(900)), set('p-1', text(700)), set('p-2', 'x'));
      await trial.together({ do: 'clear', prefix: 'p-', strict: i % 3 === 0 });
      await trial.together(set('b', text(900)), { do: 'clear', strict: i % 2 === 0 }, set('c', text(900)));
    }
  },
  'opened anew, cleanly and after power cuts, and going on': async (trial) => {
    for (let i = 0; i < 12; i++) {
      // The same layout again and again, so that pieces of one batch would fit into another.
      await trial.together({
        do: 'setMany',
        pairs: ['a', 'b', 'c', 'd'].map((key) => [key, `${key} ${String(i).padStart(3, '0')} ${text(460)}`]),
      });
      if (i % 4 === 1) await trial.reopen();
      else await trial.crash();
    }
  },
  'checkpoints, gone back to and given up': async (trial) => {
    for (let i = 0; i < 10; i++) {
      await trial.together(
        set(`key-${i % 4}`, text(500, String(i % 3)), { ttl: 20 + i * 40 }),
        { do: 'checkpoint', label: `label-${i % 3}`, strict: i % 3 === 0 },
        set(`key-${(i + 1) % 4}`, text(500, String(i % 2))),
        { do: 'delete', key: `key-${(i + 2) % 4}` },
      );
      trial.pass(30);
      if (i % 4 === 1) await trial.reopen();
      await trial.together({ do: 'restoreCheckpoint', label: `label-${(i + 1) % 3}` });
      if (i % 4 === 2) await trial.together({ do: 'deleteCheckpoint', label: `label-${i % 3}` });
      if (i % 4 === 3) await trial.flush();
    }
  },
  'checkpoints in a log that is rewritten': async (trial) => {
    for (let i = 0; i < 3; i++) {
      await trial.together(set('a', text(300, String(i))), set('b', text(300)), set('c', text(20)));
      await trial.together({ do: 'checkpoint', label: `label-${i % 2}` }, { do: 'delete', key: 'b' });
      await trial.together(set('d', text(300)), i === 1 ? { do: 'clear' } : set('e', text(300, String(i))));
      await trial.compact();
    }
  },
  'values about the length that is written in place': async (trial) => {
    for (let i = 0; i < 24; i++) {
      const value = text(14 + (i % 5), String(i % 2));
      await trial.together(
        set(`key-${i % 6}`, value),
        set(`key-${(i + 3) % 6}`, value, i % 5 === 0 ? STRICT : {}),
      );
    }
  },
};

let cuts = 0;
afterAll(() => {
  if (process.env['REPORT']) console.log(`${cuts} power cuts`);
});

describe('after a power cut at any call of the disk', () => {
  for (const [name, workload] of Object.entries(workloads)) {
    test.each([1, 2])(`every durable write is there, and whole calls only: ${name} (%s)`, async (seed) => {
      const trial = await new Trial(seed, OPTIONS).begin();
      await workload(trial);
      await trial.end();
      expect(trial.cuts).toBeGreaterThanOrEqual(10 * WAYS);
    });
  }

  for (const [name, workload] of Object.entries(workloads)) {
    test.each([3, 4])(
      `the same where the names of files may be lost, with an anchor: ${name} (%s)`,
      async (seed) => {
        const trial = await new Trial(seed, OPTIONS).begin(false, new FakeVault());
        await workload(trial);
        await trial.end();
        expect(trial.cuts).toBeGreaterThanOrEqual(10 * WAYS);
      },
    );
  }

  test.each([5, 6, 7])(
    'an anchored store is durable before it settles, while it does, and after (%s)',
    async (seed) => {
      const trial = await new Trial(seed, { ...OPTIONS, durability: 'strict' }).begin(false, new FakeVault());
      for (let i = 0; i < 24; i++) {
        await trial.together(set(`key-${i % 5}`, `value ${i} ${text(i * 40)}`));
        expect(trial.history.durable).toBe(trial.history.version);
        if (i % 8 === 3) await trial.compact();
        if (i % 8 === 5) await trial.reopen();
        if (i % 8 === 7) await trial.crash();
        trial.pass(4500);
      }
      await trial.end();
    },
  );

  test('a store that has not settled promises nothing, and is a version of itself or told to be lost', async () => {
    const trial = await new Trial(4, { ...OPTIONS, durability: 'strict' }).begin(false);
    for (let i = 0; i < 20; i++) {
      await trial.together(set(`key-${i % 4}`, `value ${i}`));
      expect(trial.history.durable).toBe(0);
      trial.pass(2000);
    }
    await trial.end();
  });
});
