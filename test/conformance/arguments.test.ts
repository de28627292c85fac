/** Bad input: a typed error that says what was expected and what came; nothing changed; the store works on. */

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { open, type Store, version } from '../../src/index.js';
import { newPlace } from './open-each.js';

/** A store without its types, as JavaScript has it. */
type Untyped = Record<keyof Store, (...args: unknown[]) => Promise<unknown>>;

describe('a wrong argument', () => {
  let store: Store;
  beforeAll(async () => {
    store = await newPlace('memory').open();
    await store.set('kept', 'as it was');
  });
  afterAll(() => store.close());

  const wrong: [string, (store: Untyped) => unknown, string, RegExp][] = [
    ['a key that is a number', (s) => s.set(7, 1), 'TypeError', /key: expected a string, got 7/],
    ['a key that is missing', (s) => s.get(), 'TypeError', /key: expected a string, got undefined/],
    ['a key that is an object', (s) => s.has({}), 'TypeError', /expected a string, got an object/],
    [
      'a key of 64 KiB and one',
      (s) => s.get('x'.repeat(65_537)),
      'RangeError',
      /at most 65536 encoded bytes, got 65537/,
    ],
    ['a wide key over 64 KiB', (s) => s.set('漢'.repeat(32_769), 1), 'RangeError', /got 65538/],
    ['keys that are no array', (s) => s.getMany('abc'), 'TypeError', /keys: expected an array/],
    ['a key among keys that is none', (s) => s.deleteMany(['a', null]), 'TypeError', /got null/],
    ['a function', (s) => s.set('kept', () => 1), 'SerializationError', /could not be cloned|function/],
    [
      'a function inside',
      (s) => s.set('kept', { on: { click: () => 1 } }),
      'SerializationError',
      /click|cloned/,
    ],
    ['a symbol', (s) => s.set('kept', Symbol('x')), 'SerializationError', /symbol|cloned/i],
    [
      'a value among many',
      (s) =>
        s.setMany([
          ['new', 1],
          ['kept', () => 1],
        ]),
      'SerializationError',
      /function|cloned/,
    ],
    ['entries that are no pairs', (s) => s.setMany(['ab']), 'TypeError', /\[key, value\]/],
    ['entries that are no iterable', (s) => s.setMany(7), 'TypeError', /iterable/],
    ['entries that are null', (s) => s.setMany(null), 'TypeError', /iterable/],
    ['options of setMany that are a number', (s) => s.setMany([['kept', 1]], 5), 'TypeError', /got 5/],
    [
      'a ttl of 0',
      (s) => s.set('kept', 1, { ttl: 0 }),
      'RangeError',
      /ttl: expected milliseconds above 0.*got 0/,
    ],
    ['a ttl of -1', (s) => s.set('kept', 1, { ttl: -1 }), 'RangeError', /got -1/],
    ['a ttl of NaN', (s) => s.set('kept', 1, { ttl: Number.NaN }), 'RangeError', /got NaN/],
    [
      'a ttl without unit',
      (s) => s.set('kept', 1, { ttl: '5' }),
      'RangeError',
      /units: ms, s, m, h, d.*got "5"/,
    ],
    ['a ttl that is an object', (s) => s.set('kept', 1, { ttl: {} }), 'TypeError', /ttl/],
    ['a ttl beyond all time', (s) => s.set('kept', 1, { ttl: 8.64e15 }), 'RangeError', /deadline/],
    ['an expire of 0', (s) => s.expire('kept', 0), 'RangeError', /got 0/],
    [
      'an option misspelt',
      (s) => s.set('kept', 1, { tll: 5 }),
      'TypeError',
      /unknown option tll: expected one of ttl/,
    ],
    [
      'options that are a number',
      (s) => s.set('kept', 1, 5),
      'TypeError',
      /expected an object of options, got 5/,
    ],
    ['a durability that is none', (s) => s.set('kept', 1, { durability: 'very' }), 'TypeError', /durability/],
    ['ifAbsent that is a string', (s) => s.set('kept', 1, { ifAbsent: 'yes' }), 'TypeError', /ifAbsent/],
    ['ifVersion below 0', (s) => s.set('kept', 1, { ifVersion: -1 }), 'RangeError', /ifVersion/],
    ['a range with a name that is none', (s) => s.keys({ prefixx: 'a' }).then(), 'TypeError', /prefixx/],
    ['a limit of -1', (s) => s.keys({ limit: -1 }).then(), 'RangeError', /limit/],
    ['a prefix that is a number', (s) => s.count({ prefix: 1 }), 'TypeError', /got 1/],
  ];

  test.each(wrong)('%s', async (_, call, name, message) => {
    await expect((async () => call(store as unknown as Untyped))()).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
    expect(await store.get('kept')).toBe('as it was');
    expect(await store.keys()).toEqual(['kept']);
    await store.set('works', 'on');
    expect(await store.delete('works')).toBe(true);
  });

  test('takes nothing from the calls of the same turn', async () => {
    const calls = [store.set('a', 1), store.set('b', () => 1), store.set('c', 3), store.get('a')];
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(await store.deleteMany(['a', 'b', 'c'])).toBe(2);
  });
});

describe('open', () => {
  const wrong: [string, unknown[], string, RegExp][] = [
    ['without a name', [], 'TypeError', /name: expected a string, got undefined/],
    ['with an empty name', [''], 'RangeError', /name/],
    [
      'with an option misspelt',
      ['x', { presistence: 'memory' }],
      'TypeError',
      /unknown option presistence: expected one of persistence/,
    ],
    [
      'with a group misspelt',
      ['x', { maplet: { kapacity: 1 } }],
      'TypeError',
      /unknown option maplet.kapacity/,
    ],
    [
      'with a mode that is none',
      ['x', { persistence: 'floppy' }],
      'TypeError',
      /persistence: expected 'auto'.*got "floppy"/,
    ],
    ['with a capacity of 0 [M12]', ['x', { maplet: { capacity: 0 } }], 'RangeError', /maplet.capacity/],
    [
      'with a rate of 0 [M12]',
      ['x', { maplet: { falsePositiveRate: 0 } }],
      'RangeError',
      /falsePositiveRate/,
    ],
    [
      'with a rate of 1 [M12]',
      ['x', { maplet: { falsePositiveRate: 1 } }],
      'RangeError',
      /falsePositiveRate/,
    ],
    ['with a sweep interval of 0', ['x', { ttl: { sweepInterval: 0 } }], 'RangeError', /ttl.sweepInterval/],
    ['with a timeout in words', ['x', { timeout: 'soon' }], 'RangeError', /timeout/],
    ['with a group that is a number', ['x', { ttl: 5 }], 'TypeError', /ttl: expected an object/],
    ['with options that are a string', ['x', 'memory'], 'TypeError', /options/],
    [
      'with a mode that is not to be had',
      ['x', { persistence: 'aof' }],
      'UnsupportedError',
      /OPFS.*directory/,
    ],
    [
      'with a policy that there is not',
      ['x', { budget: { policy: 'clock' } }],
      'TypeError',
      /budget.policy: expected one of tinylfu, .*, reject, got 'clock'/,
    ],
    ['with a budget of nothing', ['x', { budget: { maxBytes: 0 } }], 'RangeError', /budget.maxBytes/],
    [
      'with a budget of half a key',
      ['x', { budget: { maxEntries: 1.5 } }],
      'RangeError',
      /budget.maxEntries/,
    ],
    [
      'with a ratio of more than all',
      ['x', { budget: { targetRatio: 1.1 } }],
      'RangeError',
      /budget.targetRatio/,
    ],
    [
      'with an undo of no depth that there can be',
      ['x', { undo: { depth: -1 } }],
      'RangeError',
      /undo.depth/,
    ],
    ['with what is not there yet', ['x', { ttl: { sliding: true } }], 'UnsupportedError', /ttl.sliding/],
    ['with an unknown codec', ['x', { compression: 'zip' }], 'TypeError', /compression: expected 'none'/],
    [
      'with a codec that is no name',
      ['x', { compression: 9 }],
      'TypeError',
      /compression: expected a string/,
    ],
  ];

  test.each(wrong)('%s is refused', async (_, args, name, message) => {
    const opening = (open as (...args: unknown[]) => Promise<Store>)(...args);
    await expect(opening).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  test('is given up when its signal is aborted', async () => {
    const reason = new Error('changed my mind');
    await expect(open('x', { persistence: 'memory', signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });
});

describe('a call', () => {
  test('with strict says what is missing', async () => {
    await using store = await newPlace('memory').open();
    for (const call of [
      store.get('none', { strict: true }),
      store.getEntry('none', { strict: true }),
      store.delete('none', { strict: true }),
      store.expire('none', '1s', { strict: true }),
      store.persist('none', { strict: true }),
      store.ttl('none', { strict: true }),
    ]) {
      await expect(call).rejects.toMatchObject({
        name: 'NotFoundError',
        code: 'NOT_FOUND',
        detail: { key: 'none' },
      });
    }
  });

  test('is given up when its signal is aborted, with the reason of the signal', async () => {
    await using store = await newPlace('memory').open();
    const controller = new AbortController();
    const reason = new Error('enough');
    const call = store.get('a', { signal: controller.signal });
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(store.set('a', 1, { signal: controller.signal })).rejects.toBe(reason);
    expect(await store.has('a')).toBe(false);
  });

  test('is refused with CapacityError when the maplet is full and may not grow', async () => {
    await using store = await newPlace('memory').open({ maplet: { capacity: 3, autoResize: false } });
    await store.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    const outcomes = await Promise.allSettled([store.set('c', 3), store.set('d', 4), store.set('a', 5)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(store.set('e', 1)).rejects.toMatchObject({
      code: 'CAPACITY',
      detail: { keys: 3, capacity: 3 },
    });
    expect(await store.keys()).toEqual(['a', 'b', 'c']);
    await store.delete('b');
    await store.set('e', 1);
    expect(await store.count()).toBe(3);
  });
});

test('version is the one of the package', () => {
  const { version: wanted } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  expect(version).toBe(wanted);
});
