/** The worker's root as one uses it who speaks Comlink himself. */
import { wrap } from 'comlink';
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../../src/base/errors.js';
import { openInline } from '../../src/host/inline.js';
import { installHandlers } from '../../src/host/worker.js';
import type { HostApi } from '../../src/wire/messages.js';

describe('a store opened by Comlink', () => {
  test('answers every call by its own name, with typed errors', async () => {
    installHandlers();
    const port = openInline();
    const root = wrap<HostApi>(port);
    const store = (await root.open('direct', { persistence: 'memory' })) as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >;
    await store['set']!('a', { b: new Set([1]) });
    expect(await store['get']!('a')).toEqual({ b: new Set([1]) });
    expect(await store['count']!()).toBe(1);
    await expect(store['set']!('a', 1, { ifAbsent: true })).rejects.toBeInstanceOf(ConflictError);
    await expect(store['set']!('a', 1, { tll: 1 })).rejects.toThrow(TypeError);
    expect(await store['entries']!({ prefix: 'a' })).toEqual([['a', { b: new Set([1]) }]]);
    await store['close']!();
    await expect(store['get']!('a')).rejects.toMatchObject({ code: 'CLOSED' });
    port.close();
  });
});
