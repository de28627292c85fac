/** Operators of an application, as a worker module of its own registers them. */
import { describe, expect, test } from 'vitest';
import { register } from '../../src/host/worker.js';
import { open } from '../../src/index.js';

const longest = {
  identity: '',
  merge: (a: string, b: string) => (b.length > a.length ? b : a),
  associative: true,
  commutative: false,
};

const codec = {
  compress: (bytes: Uint8Array) => bytes.slice(0, 10),
  decompress: (_: Uint8Array, size: number) => new Uint8Array(size),
};

describe('register', () => {
  test('makes codecs known, and others are refused by name before anything is made', async () => {
    const wrong = open('nowhere', { persistence: 'memory', compression: 'zip' });
    await expect(wrong).rejects.toThrow(/compression: expected 'none' \| 'gzip' \| 'deflate-raw', got "zip"/);
    register({ codecs: { zip: codec } });
    await using store = await open('zipped', { persistence: 'memory', compression: 'zip' });
    await store.set('k', new Uint8Array(10_000));
    expect(await store.get('k')).toEqual(new Uint8Array(10_000));
    expect((await store.stats()).storage.bytes).toBeLessThan(300);
  });

  test('makes operators known to the stores that are opened afterwards', async () => {
    await using before = await open('before', { persistence: 'memory' });
    register({ operators: { longest } });
    await using store = await open('after', { persistence: 'memory' });
    await store.merge('k', 'two', 'longest');
    expect(await store.merge('k', 'three', 'longest')).toBe('three');
    await expect(before.merge('k', 'two', 'longest')).rejects.toThrow(
      /expected one of counter, .*got "longest"/,
    );
    await expect(store.merge('k', 'x', longest as never)).rejects.toThrow(
      /operator: expected one of .*longest, got/,
    );
  });

  test('takes all or nothing', () => {
    const refused: [unknown, RegExp][] = [
      [{ operators: { fresh: longest, counter: longest } }, /the name "counter" is taken/],
      [{ operators: { fresh: longest, other: { merge: longest.merge } } }, /without identity/],
      [{ operators: [longest] }, /operators: expected operators by name, got an array/],
      [{ operatorz: {} }, /register: unknown option operatorz/],
      [{ operators: { fresh: longest }, codecs: [codec] }, /codecs: expected codecs by name, got an array/],
      [{ operators: { fresh: longest }, codecs: { gzip: codec } }, /codecs: the name "gzip" is taken/],
      [{ codecs: { none: codec } }, /codecs: the name "none" is taken/],
      [{ codecs: { fine: codec, Bad: codec } }, /codecs: expected a name of 1 to 32 .*got "Bad"/],
      [
        { codecs: { fine: codec, other: { compress() {} } } },
        /codecs.other: expected { compress, decompress }/,
      ],
      [{ policies: { lru: () => ({}) } }, /policies: lru is taken/],
      [{ policies: { mine: 'lru' } }, /policies.mine: expected a function/],
      [{ policies: { mine: () => ({}) } }, /policies.mine: expected a policy with add/],
    ];
    for (const [registration, message] of refused) {
      expect(() => register(registration as never)).toThrow(message);
    }
    register({ operators: { fresh: longest }, codecs: { fine: codec } });
    expect(() => register({ codecs: { fine: codec } })).toThrow(/the name "fine" is taken/);
    expect(() => register({ operators: { fresh: longest } })).toThrow(/the name "fresh" is taken/);
    register({});
  });
});
