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

describe('register', () => {
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
      [{ operators: { fresh: longest }, codecs: {} }, /codecs: not in this release/],
      [{ policies: {} }, /policies: not in this release/],
    ];
    for (const [registration, message] of refused) {
      expect(() => register(registration as never)).toThrow(message);
    }
    register({ operators: { fresh: longest } });
    expect(() => register({ operators: { fresh: longest } })).toThrow(/the name "fresh" is taken/);
    register({});
  });
});
