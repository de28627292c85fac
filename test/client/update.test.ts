/** `update` over a real engine, with waits that pass no time. */
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../../src/base/errors.js';
import type { Remote } from '../../src/client/remote.js';
import { Updates } from '../../src/client/update.js';
import type { Engine } from '../../src/engine/index.js';
import { runCalls } from '../../src/host/calls.js';
import { unpackError } from '../../src/wire/errors.js';
import { openBench } from '../engine/bench-store.js';

/** What the page sends, by name, in its order. */
function remoteOf(engine: Engine): { remote: Pick<Remote, 'call'>; sent: string[] } {
  const sent: string[] = [];
  const call = async (method: string, args: readonly unknown[], signal?: AbortSignal) => {
    signal?.throwIfAborted();
    sent.push(method);
    const [answer] = await runCalls(engine, [{ method, args: structuredClone(args) }]);
    if ('error' in answer!) throw unpackError(answer.error);
    return structuredClone(answer!.value);
  };
  return { remote: { call: call as Remote['call'] }, sent };
}

async function openUpdates(random = () => 1) {
  const { engine, time } = await openBench();
  const { remote, sent } = remoteOf(engine);
  const waited: number[] = [];
  const pause = async (ms: number) => waited.push(ms);
  const updates = new Updates(remote, { random, pause });
  const update = <T>(
    key: string,
    change: (old: T | undefined) => T | Promise<T>,
    options?: object,
    signal?: AbortSignal,
  ) => updates.run(key, change, signal, options);
  return { engine, time, remote, sent, waited, update };
}

const plusOne = (old: number | undefined) => (old ?? 0) + 1;

describe('update', () => {
  test('stores what the function makes and resolves to it', async () => {
    const { engine, update, sent } = await openUpdates();
    expect(await update('n', plusOne)).toBe(1);
    expect(await update('n', plusOne)).toBe(2);
    expect(await update<number[]>('list', async (old = []) => [...old, 7])).toEqual([7]);
    expect(await update<unknown>('n', () => undefined)).toBeUndefined();
    expect(await engine.has('n')).toBe(true);
    expect(sent).toEqual(Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 'beginUpdate' : 'set')));
  });

  test('keeps the expiry, unless ttl gives another', async () => {
    const { engine, time, update } = await openUpdates();
    await engine.set('n', 1, { ttl: 100 });
    time.now += 30;
    await update('n', plusOne);
    expect(await engine.ttl('n')).toBe(70);
    await update('n', plusOne, { ttl: '1s' });
    expect(await engine.ttl('n')).toBe(1000);
    time.now += 1000;
    expect(await update('n', plusOne)).toBe(1);
    expect(await engine.ttl('n')).toBeNull();
  });

  test('asks the function again when somebody else has written, removed or made the key', async () => {
    const { engine, update, waited } = await openUpdates(() => 0.5);
    const others = [
      () => engine.set('n', 10),
      () => engine.delete('n'),
      () => engine.set('n', 20),
      () => engine.expire('n', 50),
      () => undefined,
    ];
    const seen: unknown[] = [];
    const value = await update<number>('n', async (old) => {
      seen.push(old);
      await others[seen.length - 1]!();
      return (old ?? 0) + 1;
    });
    expect(value).toBe(21);
    expect(seen).toEqual([undefined, 10, undefined, 20, 20]);
    expect(waited).toEqual([4, 8, 16, 32]);
    expect(await engine.ttl('n')).toBe(50);
  });

  test('gives up with ConflictError after its retries, each waited for longer, up to a second', async () => {
    const { engine, update, waited } = await openUpdates();
    let ran = 0;
    const contended = async () => {
      ran += 1;
      await engine.merge('n', 1, 'counter');
      return -1;
    };
    await expect(update('n', contended)).rejects.toMatchObject({
      code: 'CONFLICT',
      detail: { key: 'n', attempts: 17 },
      cause: expect.any(ConflictError),
    });
    expect([ran, await engine.get('n')]).toEqual([17, 17]);
    expect(waited).toEqual([8, 16, 32, 64, 128, 256, 512, ...Array.from({ length: 9 }, () => 1000)]);
    ran = 0;
    await expect(update('n', contended, { retries: 0 })).rejects.toMatchObject({ detail: { attempts: 1 } });
    expect(ran).toBe(1);
  });

  test('lets what the function throws pass, even a ConflictError, and changes nothing', async () => {
    const { engine, update, sent } = await openUpdates();
    for (const error of [new Error('no'), new ConflictError('its own')]) {
      const throws = () => {
        throw error;
      };
      await expect(update('n', throws)).rejects.toBe(error);
      await expect(update('n', () => Promise.reject(error))).rejects.toBe(error);
    }
    expect(await engine.has('n')).toBe(false);
    expect(sent).toEqual(Array.from({ length: 4 }, () => 'beginUpdate'));
    expect(await update('n', plusOne)).toBe(1);
  });

  test('does not try again what is refused for another reason than a conflict', async () => {
    const { engine, update, waited } = await openUpdates();
    await expect(update<unknown>('n', () => () => 1)).rejects.toThrow(/cloned/);
    await expect(update('n', plusOne, { ttl: 8.64e15 })).rejects.toThrow(RangeError);
    expect(waited).toEqual([]);
    expect(await engine.has('n')).toBe(false);
  });

  test('checks its arguments before the function runs', async () => {
    const { update } = await openUpdates();
    let ran = 0;
    const change = () => (ran += 1);
    const wrong: [unknown, object | undefined, RegExp][] = [
      [7, undefined, /key: expected a string, got 7/],
      ['n', { tll: 5 }, /update: unknown option tll: expected one of ttl, durability, retries/],
      ['n', { ifAbsent: true }, /update: unknown option ifAbsent/],
      ['n', { ttl: 0 }, /ttl/],
      ['n', { durability: 'very' }, /durability/],
      ['n', { retries: -1 }, /update: retries: expected a whole number from 0/],
      ['n', { retries: 1.5 }, /retries/],
    ];
    for (const [key, options, message] of wrong) {
      await expect(update(key as string, change, options)).rejects.toThrow(message);
    }
    await expect(update('n', 'change' as unknown as () => 1)).rejects.toThrow(
      /expected a function, got string/,
    );
    expect(ran).toBe(0);
  });

  test('hands the durability on', async () => {
    const { engine, update } = await openUpdates();
    const flushes = async () => (await engine.stats()).storage.flushes;
    await update('n', plusOne);
    const before = await flushes();
    await update('n', plusOne, { durability: 'strict' });
    expect(await flushes()).toBe(before + 1);
  });
});

describe('updates of one key at once', () => {
  test('by synchronous functions take turns, in the order of the calls', async () => {
    const { engine, update, waited } = await openUpdates();
    const calls = Array.from({ length: 100 }, (_, i) => update<number[]>('list', (old = []) => [...old, i]));
    expect(await Promise.all(calls)).toHaveLength(100);
    expect(await engine.get('list')).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(waited).toEqual([]);
  });

  test('by asynchronous functions lose none', async () => {
    const { engine, update } = await openUpdates();
    const slow = async (old: number | undefined) => {
      await new Promise((resolve) => setImmediate(resolve));
      return plusOne(old);
    };
    await Promise.all(Array.from({ length: 15 }, () => update('n', slow)));
    expect(await engine.get('n')).toBe(15);
  });

  test('go on when one of them fails or is aborted', async () => {
    const { engine, update } = await openUpdates();
    const controller = new AbortController();
    const outcomes = Promise.allSettled([
      update('n', plusOne),
      update('n', () => {
        throw new Error('no');
      }),
      update('n', plusOne, undefined, controller.signal),
      update('n', plusOne),
    ]);
    controller.abort('enough');
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(await engine.get('n')).toBe(2);
  });

  test('may be nested in an asynchronous function: the outer one runs again, and nobody waits for ever', async () => {
    const { engine, update } = await openUpdates();
    let outer = 0;
    const value = await update<number>('n', async (old) => {
      outer += 1;
      if (outer === 1) await update('n', plusOne);
      return (old ?? 0) + 10;
    });
    expect([value, outer, await engine.get('n')]).toEqual([11, 2, 11]);
  });

  test('of other keys do not wait', async () => {
    const { update } = await openUpdates();
    const order: string[] = [];
    const note = (name: string) => (old: number | undefined) => {
      order.push(name);
      return plusOne(old);
    };
    await Promise.all([update('a', note('a1')), update('a', note('a2')), update('b', note('b'))]);
    expect(order).toEqual(['a1', 'b', 'a2']);
  });
});

describe('an update whose signal is aborted', () => {
  const reason = new Error('enough');

  test('before it begins sends nothing', async () => {
    const { update, sent } = await openUpdates();
    await expect(update('n', plusOne, undefined, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(sent).toEqual([]);
  });

  test('while the function works rejects at once and stores nothing', async () => {
    const { engine, update } = await openUpdates();
    const controller = new AbortController();
    let finish: (value: number) => void = () => {};
    const updating = update<number>(
      'n',
      () => {
        queueMicrotask(() => controller.abort(reason));
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
      undefined,
      controller.signal,
    );
    await expect(updating).rejects.toBe(reason);
    finish(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await engine.has('n')).toBe(false);
    expect(await update('n', plusOne)).toBe(1);
  });

  test('by the function itself stores nothing', async () => {
    const { engine, update } = await openUpdates();
    const controller = new AbortController();
    const change = () => {
      controller.abort(reason);
      return 1;
    };
    await expect(update('n', change, undefined, controller.signal)).rejects.toBe(reason);
    expect(await engine.has('n')).toBe(false);
  });

  test('while it waits to try again rejects at once', async () => {
    const { engine } = await openBench();
    const { remote } = remoteOf(engine);
    const controller = new AbortController();
    const pause = () => {
      controller.abort(reason);
      return new Promise<never>(() => {});
    };
    const updates = new Updates(remote, { random: () => 1, pause });
    const contended = async () => {
      await engine.set('n', 'theirs');
      return 'mine';
    };
    await expect(updates.run('n', contended, controller.signal, undefined)).rejects.toBe(reason);
    expect(await engine.get('n')).toBe('theirs');
  });
});
