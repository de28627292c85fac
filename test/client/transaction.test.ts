/** Transactions: what one sees, and what becomes of several at the same time. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConflictError } from '../../src/base/errors.js';
import { runTransaction } from '../../src/client/transaction.js';
import type { Transaction } from '../../src/contract/store.js';
import { key, openVersions, ttl, type VersionsStore, value } from '../engine/versions-store.js';
import { openPage, type Page } from './pages.js';

let versions: VersionsStore;
let page: Page;
let waits: number[];
const quiet = {
  random: () => 0.5,
  pause: async (ms: number) => waits.push(ms),
};

/** With a clock and chance of the test's own. */
function transaction<R>(
  work: (tx: Transaction) => R | Promise<R>,
  options?: object,
  on: Page = page,
): Promise<R> {
  return runTransaction(on.remote, work, options, quiet);
}

beforeEach(async () => {
  waits = [];
  versions = await openVersions();
  page = openPage(() => versions.engine, 'a');
});

describe('a transaction', () => {
  test('sees its own writes in every read, and nobody else does before it commits', async () => {
    const { store } = page;
    await store.setMany([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ]);
    const result = await transaction(async (tx) => {
      const object = { deep: [1] };
      await tx.set('b', object);
      object.deep[0] = 2;
      await tx.set('e', 'new', { ttl: 500 });
      expect(await tx.delete('c')).toBe(true);
      expect(await tx.delete('c')).toBe(false);
      expect(await tx.get('b')).toEqual({ deep: [1] });
      ((await tx.get('b')) as typeof object).deep.push(9);
      expect(await tx.getMany(['a', 'b', 'c', 'e', 'x'])).toEqual([
        1,
        { deep: [1] },
        undefined,
        'new',
        undefined,
      ]);
      expect(await tx.has('c')).toBe(false);
      expect(await tx.has('e')).toBe(true);
      expect(await tx.keys()).toEqual(['a', 'b', 'd', 'e']);
      expect(await tx.keys({ reverse: true, limit: 2 })).toEqual(['e', 'd']);
      expect(await tx.values({ start: 'b', end: 'e' })).toEqual([{ deep: [1] }, 4]);
      expect(await tx.entries({ prefix: 'e' })).toEqual([['e', 'new']]);
      expect(await tx.count()).toBe(4);
      expect(await tx.ttl('e')).toBe(500);
      expect(await store.keys()).toEqual(['a', 'b', 'c', 'd']);
      expect(await store.get('b')).toBe(2);
      return 'done';
    });
    expect(result).toBe('done');
    expect(await store.entries()).toEqual([
      ['a', 1],
      ['b', { deep: [1] }],
      ['d', 4],
      ['e', 'new'],
    ]);
    expect(await store.ttl('e')).toBe(500);
    expect((await store.set('x', 1)).version).toBe(3);
  });

  test('reads one version, whatever others write', async () => {
    await page.store.set('a', 1);
    await transaction(async (tx) => {
      await page.store.set('a', 2);
      await page.store.set('b', 2);
      expect(await tx.get('a')).toBe(1);
      expect(await tx.keys()).toEqual(['a']);
      await tx.set('c', 3);
    });
    expect(await page.store.entries()).toEqual([
      ['a', 2],
      ['b', 2],
      ['c', 3],
    ]);
  });

  test('that throws changes nothing, and is not run again', async () => {
    let runs = 0;
    const work = async (tx: Transaction) => {
      runs += 1;
      await tx.set('a', 1);
      throw new ConflictError('its own');
    };
    await expect(transaction(work)).rejects.toThrow('its own');
    await expect(
      transaction(() => {
        throw new RangeError('at once');
      }),
    ).rejects.toThrow('at once');
    expect(runs).toBe(1);
    expect(await page.store.count()).toBe(0);
    expect(page.sent).not.toContain('commit');
  });

  test('runs again over what others wrote, after longer and longer waits', async () => {
    const { store } = page;
    await store.set('n', 0);
    let disturb = 3;
    await transaction(async (tx) => {
      const n = (await tx.get<number>('n'))!;
      if (disturb-- > 0) await store.set('n', n + 10);
      await tx.set('n', n + 1);
    });
    expect(await store.get('n')).toBe(31);
    expect(waits).toEqual([4, 8, 16]);
  });

  test('gives up with ConflictError after its retries, having changed nothing', async () => {
    const { store } = page;
    let runs = 0;
    const work = async (tx: Transaction) => {
      runs += 1;
      await store.set('n', runs);
      await tx.set('n', 'mine');
      await tx.set('other', 'mine');
    };
    const refused = await transaction(work, { retries: 2 }).catch((error) => error);
    expect(refused).toBeInstanceOf(ConflictError);
    expect(refused).toMatchObject({ detail: { attempts: 3 }, cause: { detail: { key: 'n' } } });
    expect(runs).toBe(3);
    expect(await store.entries()).toEqual([['n', 3]]);
    await expect(transaction(work, { retries: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(runs).toBe(4);
  });

  test.each([
    ['written', (page: Page) => page.store.set('k', 'other')],
    ['written with the same value', (page: Page) => page.store.set('k', 1)],
    ['deleted', (page: Page) => page.store.delete('k')],
    ['given another deadline', (page: Page) => page.store.expire('k', 5)],
    ['made', (page: Page) => page.store.set('absent', 1)],
  ])('is refused when a key of its own was %s since', async (_, disturb) => {
    await page.store.set('k', 1, { ttl: 100 });
    for (const write of [
      (tx: Transaction) =>
        tx.setMany([
          ['k', 2],
          ['absent', 2],
        ]),
      (tx: Transaction) => Promise.all([tx.delete('k'), tx.set('absent', 3)]),
      (tx: Transaction) => Promise.all([tx.expire('k', 50), tx.set('absent', 3)]),
    ]) {
      await page.store.delete('absent');
      await page.store.set('k', 1, { ttl: 100 });
      const run = transaction(
        async (tx) => {
          await disturb(page);
          await write(tx);
        },
        { retries: 0 },
      );
      await expect(run).rejects.toMatchObject({ code: 'CONFLICT' });
    }
  });

  test('is refused when a key of its own has expired since, and not when it was made and removed', async () => {
    await page.store.set('k', 1, { ttl: 100 });
    const late = async (tx: Transaction) => {
      if ((await tx.get('k')) !== undefined) versions.time.pass(100);
      await tx.set('k', 2);
    };
    await expect(transaction(late, { retries: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
    await transaction(async (tx) => {
      await page.store.set('fleeting', 1);
      await page.store.delete('fleeting');
      await tx.set('fleeting', 2);
    });
    expect(await page.store.get('fleeting')).toBe(2);
  });

  test('changes deadlines as the store does, from the time of its commit', async () => {
    const { store } = page;
    await store.set('a', 'a', { ttl: 1000 });
    await store.set('b', 'b', { ttl: 1000 });
    await store.set('c', 'c', { ttl: 1000 });
    versions.time.pass(100);
    await transaction(async (tx) => {
      expect(await tx.ttl('a')).toBe(900);
      expect(await tx.expire('a', '5s')).toBe(true);
      expect(await tx.get('a')).toBe('a');
      expect(await tx.ttl('a')).toBe(5000);
      expect(await tx.persist('b')).toBe(true);
      expect(await tx.persist('b')).toBe(false);
      expect(await tx.ttl('b')).toBe(null);
      await tx.set('c', 'cc', { keepTtl: true });
      expect(await tx.ttl('c')).toBe(900);
      await tx.set('d', 'd', { ttl: 7 });
      await tx.set('d', 'dd', { keepTtl: true });
      expect(await tx.ttl('d')).toBe(7);
      expect(await tx.expireMany(['a', 'x'], 3000)).toBe(1);
      expect(await tx.expire('x', 1)).toBe(false);
      expect(await tx.ttl('x')).toBe(undefined);
      expect(await tx.expire('b', Infinity)).toBe(false);
      versions.time.pass(10);
    });
    const left = await Promise.all(['a', 'b', 'c', 'd'].map((key) => store.ttl(key)));
    expect(left).toEqual([3000, null, 890, 7]);
    expect(await store.get('c')).toBe('cc');
  });

  test('gives keys the time to live of the store', async () => {
    versions = await openVersions({ ttl: { default: 50 } });
    await transaction(async (tx) => {
      await tx.set('a', 1);
      expect(await tx.ttl('a')).toBe(50);
    });
    expect(await page.store.ttl('a')).toBe(50);
  });

  test('applies conditions, updates, clears, and is strict when asked', async () => {
    const { store } = page;
    const { version } = await store.set('a', 1);
    await store.setMany([
      ['p1', 1],
      ['p2', 2],
    ]);
    await transaction(async (tx) => {
      await expect(tx.set('a', 2, { ifAbsent: true })).rejects.toMatchObject({ code: 'CONFLICT' });
      await expect(tx.set('a', 2, { ifVersion: 7 })).rejects.toMatchObject({ code: 'CONFLICT' });
      await tx.set('a', 2, { ifVersion: version });
      await expect(tx.set('a', 3, { ifVersion: version })).rejects.toMatchObject({ code: 'CONFLICT' });
      await tx.set('n', 1, { ifAbsent: true });
      await tx.delete('n');
      await tx.set('n', 1, { ifVersion: 0 });
      expect(await tx.update<number>('n', (old = 0) => old + 1)).toBe(2);
      await tx.set('p3', 3);
      expect(await tx.clear({ prefix: 'p' })).toBe(3);
      expect(await tx.deleteMany(['a', 'a', 'x'])).toBe(1);
      for (const call of [
        tx.get('p1', { strict: true }),
        tx.delete('p1', { strict: true }),
        tx.expire('p1', 1, { strict: true }),
        tx.persist('p1', { strict: true }),
        tx.ttl('p1', { strict: true }),
      ]) {
        await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      expect(await tx.get('p1', { default: 'none' })).toBe('none');
    });
    expect(await store.entries()).toEqual([['n', 2]]);
  });

  test('takes its calls in the order in which they were made, awaited or not', async () => {
    await page.store.set('a', 0);
    const seen = await transaction(async (tx) => {
      const calls = [tx.get('a'), tx.set('a', 1, { ifVersion: 1 }), tx.get('a'), tx.delete('a'), tx.has('a')];
      tx.set('b', 'not awaited').catch(() => {});
      return Promise.all(calls);
    });
    expect(seen).toEqual([0, undefined, 1, true, false]);
    expect(await page.store.entries()).toEqual([['b', 'not awaited']]);
  });

  test('is over when its function has returned', async () => {
    let leaked: Transaction | undefined;
    await transaction(async (tx) => {
      leaked = tx;
    });
    await expect(leaked!.set('a', 1)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(leaked!.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
    expect(page.sent.filter((method) => method === 'snapshotClose')).toHaveLength(1);
    expect(await page.store.count()).toBe(0);
  });

  test('runs again when its snapshot went with the engine that led', async () => {
    const first = versions;
    const next = await openVersions({}, {}, 2);
    await transaction(async (tx) => {
      await tx.get('a');
      if (versions === first) versions = next;
      await tx.set('a', await tx.get('b', { default: 'second' }));
    });
    expect(await page.store.get('a')).toBe('second');
    expect(await first.engine.get('a')).toBeUndefined();
  });

  test('refuses wrong arguments before or with its commit, and nothing has changed', async () => {
    const wrong = (work: (tx: Transaction) => unknown) => expect(transaction(work)).rejects;
    await expect(transaction(7 as never)).rejects.toThrow(TypeError);
    await expect(transaction(() => 1, { retries: -1 })).rejects.toThrow(RangeError);
    await expect(transaction(() => 1, { retires: 1 })).rejects.toThrow(TypeError);
    await wrong((tx) => tx.set(7 as never, 1)).toThrow(TypeError);
    await wrong((tx) => tx.set('a', () => 1)).toMatchObject({ code: 'SERIALIZATION' });
    await wrong((tx) => tx.set('a', 1, { ttl: 0 })).toThrow(RangeError);
    await wrong((tx) => tx.set('a', 1, { tll: 1 } as never)).toThrow(TypeError);
    await wrong((tx) => tx.set('a', 1, { ttl: 1, keepTtl: true })).toThrow(TypeError);
    await wrong((tx) => tx.expire('a', -1)).toThrow(RangeError);
    await wrong((tx) => tx.keys({ from: 'a' } as never)).toThrow(TypeError);
    await wrong((tx) => tx.getMany('ab' as never)).toThrow(TypeError);
    const aborted = AbortSignal.abort('enough');
    await expect(transaction(() => 1, { signal: aborted })).rejects.toBe('enough');
    expect(await page.store.count()).toBe(0);
  });

  test('is made durable when asked', async () => {
    const { flushes } = (await page.store.stats()).storage;
    await transaction((tx) => tx.set('a', 1), { durability: 'strict' });
    expect((await page.store.stats()).storage.flushes).toBe(flushes + 1);
  });
});

describe('the reads of a transaction', () => {
  const range = fc.record(
    {
      prefix: fc.constantFrom('', 'a', 'k'),
      start: fc.constantFrom('', 'ab', 'b'),
      end: fc.constantFrom('b', 'key-2', '\ud800'),
      limit: fc.nat({ max: 6 }),
      reverse: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  const write = fc.oneof(
    fc.record({ do: fc.constant('set' as const), key, value, ttl: fc.option(ttl, { nil: undefined }) }),
    fc.record({ do: fc.constant('delete' as const), key }),
    fc.record({ do: fc.constant('expire' as const), key, ttl }),
    fc.record({ do: fc.constant('clear' as const), prefix: fc.constantFrom('a', 'k') }),
  );

  test('are those of the store after its commit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write), fc.array(write), fc.array(range), async (before, writes, ranges) => {
        versions = await openVersions();
        const apply = async (to: Transaction | Page['store'], all: typeof writes) => {
          for (const one of all) {
            if (one.do === 'set')
              await to.set(one.key, one.value, one.ttl === undefined ? {} : { ttl: one.ttl });
            else if (one.do === 'delete') await to.delete(one.key);
            else if (one.do === 'expire') await to.expire(one.key, one.ttl);
            else await to.clear({ prefix: one.prefix });
          }
        };
        const look = async (at: Transaction | Page['store']) => {
          const seen: unknown[] = [];
          for (const range of [{}, ...ranges]) {
            seen.push(
              await at.keys(range),
              await at.values(range),
              await at.entries(range),
              await at.count(range),
            );
          }
          for (const key of await at.keys())
            seen.push(await at.get(key), await at.ttl(key), await at.has(key));
          return seen;
        };
        await apply(page.store, before);
        const within = await transaction(async (tx) => {
          await apply(tx, writes);
          return look(tx);
        });
        expect(within).toEqual(await look(page.store));
      }),
      { numRuns: 150 },
    );
  });
});

describe('transactions of several clients at the same time', () => {
  const step = fc.record({ read: key, write: key, kind: fc.constantFrom('add', 'delete', 'throw', 'plain') });

  test('each happen as if alone for the keys they write, in the order of their commits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 }),
        fc.scheduler(),
        async (scripts, scheduler) => {
          versions = await openVersions();
          const pages = scripts.map((_, i) => openPage(() => versions.engine, `page ${i}`));
          /** What each key was before and after, by who committed. */
          const commits: { before: Map<string, unknown>; after: Map<string, unknown> }[] = [];
          const runs = scripts.map(async (steps, i) => {
            for (const { write, kind } of steps) {
              await scheduler.schedule(Promise.resolve());
              if (kind === 'plain') {
                await pages[i]!.store.update<unknown[]>(write, (old = []) => [...old, `plain ${i}`]);
                continue;
              }
              const outcome = transaction(
                async (tx) => {
                  const before = new Map<string, unknown>();
                  const after = new Map<string, unknown>();
                  for (const key of new Set([write, steps[0]!.write])) {
                    const old = await tx.get<unknown[]>(key);
                    before.set(key, old);
                    await scheduler.schedule(Promise.resolve());
                    const next = kind === 'delete' ? undefined : [...(old ?? []), i];
                    if (next) await tx.set(key, next);
                    else await tx.delete(key);
                    after.set(key, next);
                  }
                  if (kind === 'throw') throw new Error('rolled back');
                  return { before, after };
                },
                { retries: 100 },
                pages[i],
              );
              await outcome.then(
                (commit) => commits.push(commit),
                (error) => expect(error.message).toBe('rolled back'),
              );
            }
          });
          await scheduler.waitFor(Promise.all(runs));
          // A lost update would leave fewer entries than were added: what a commit replaced is what was there.
          const added = commits.flatMap(({ after, before }) =>
            [...after].map(([key, list]) => ({ key, list, old: before.get(key) })),
          );
          for (const { key } of added) {
            const final = (await pages[0]!.store.get<unknown[]>(key)) ?? [];
            const chains = added.filter((one) => one.key === key).map(({ list }) => JSON.stringify(list));
            const olds = added.filter((one) => one.key === key).map(({ old }) => JSON.stringify(old));
            const plain = scripts.flat().some((one) => one.kind === 'plain' && one.write === key);
            const deletes = scripts.flat().some((one) => one.kind === 'delete');
            if (plain || deletes) continue;
            // Without deletes and other writers, each state was the start of one commit at most.
            expect(new Set(olds).size).toBe(olds.length);
            expect(chains).toContain(JSON.stringify(final));
            expect(final.length).toBe(chains.length);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('lose no increment of counters that they move between', async () => {
    const pages = Array.from({ length: 5 }, (_, i) => openPage(() => versions.engine, `page ${i}`));
    await page.store.setMany([
      ['x', 100],
      ['y', 0],
    ]);
    await Promise.all(
      pages.flatMap((on) =>
        Array.from({ length: 6 }, () =>
          transaction(
            async (tx) => {
              const [x, y] = (await tx.getMany<number>(['x', 'y'])) as [number, number];
              await tx.set('x', x - 1);
              await tx.set('y', y + 1);
            },
            { retries: 1000 },
            on,
          ),
        ),
      ),
    );
    expect(await page.store.getMany(['x', 'y'])).toEqual([70, 30]);
  });
});
