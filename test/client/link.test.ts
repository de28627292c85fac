/** The page's end of the wire, with Comlink itself at the other. */
import { expose } from 'comlink';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConflictError } from '../../src/base/errors.js';
import { type Ask, linkTo } from '../../src/client/link.js';
import { installHandlers } from '../../src/wire/comlink.js';
import type { Answer, Call, HostApi } from '../../src/wire/messages.js';

let ports: MessageChannel;
let ask: Ask;
const seen: unknown[][] = [];
let slow: () => void;

const root: Partial<HostApi> = {
  async run(session: number, calls: readonly Call[]): Promise<Answer[]> {
    seen.push([session, calls]);
    const { method, args } = calls[0]!;
    if (method === 'fail')
      throw new ConflictError('no', { detail: { key: 'k' }, cause: new TypeError('below') });
    if (method === 'throw') throw args[0];
    if (method === 'slow') await new Promise<void>((resolve) => (slow = resolve));
    return calls.map((call) => ({ value: call.args[0] }));
  },
  list: async () => ['a'],
};

beforeEach(() => {
  seen.length = 0;
  ports = new MessageChannel();
  installHandlers();
  expose(root, ports.port1);
  ask = linkTo(ports.port2);
});

afterEach(() => {
  ports.port1.close();
  ports.port2.close();
});

const run = (method: string, ...args: unknown[]) => ask('run', [3, [{ method, args }]]);

describe('the wire to a worker', () => {
  test('calls a method by name with its arguments and brings what it answers', async () => {
    expect(await ask('list', [])).toEqual(['a']);
    expect(await run('get', new Map([['k', 1n]]))).toEqual([{ value: new Map([['k', 1n]]) }]);
    expect(seen).toEqual([[3, [{ method: 'get', args: [new Map([['k', 1n]])] }]]]);
    expect(await run('get', undefined)).toEqual([{ value: undefined }]);
    expect(await run('get', null)).toEqual([{ value: null }]);
  });

  test('gives each call its own answer, in whatever order they come', async () => {
    const [first, second] = [run('slow', 1), run('get', 2)];
    expect(await second).toEqual([{ value: 2 }]);
    slow();
    expect(await first).toEqual([{ value: 1 }]);
  });

  test('rejects with what was thrown: class, code, detail and cause', async () => {
    const error = (await run('fail').catch((caught: unknown) => caught)) as ConflictError;
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ code: 'CONFLICT', message: 'no', detail: { key: 'k' } });
    expect(error.cause).toBeInstanceOf(TypeError);
    await expect(run('throw', 'text')).rejects.toMatchObject({ message: 'text' });
    await expect(ask('nothing' as 'list', [])).rejects.toBeInstanceOf(TypeError);
  });

  test('hands buffers over, and refuses what cannot be cloned without losing the next call', async () => {
    const { buffer } = new Uint8Array([1, 2, 3]);
    const answer = await ask('run', [3, [{ method: 'set', args: [buffer] }]], [buffer]);
    expect(buffer.byteLength).toBe(0);
    expect(new Uint8Array((answer[0] as { value: ArrayBuffer }).value)).toEqual(Uint8Array.of(1, 2, 3));
    await expect(run('set', () => 1)).rejects.toMatchObject({ name: 'DataCloneError' });
    expect(await run('get', 5)).toEqual([{ value: 5 }]);
  });

  test('shared by two pages of one worker brings each its own answers', async () => {
    const other = linkTo(ports.port2);
    const mine = run('slow', 1);
    expect(await other('run', [3, [{ method: 'get', args: [2] }]])).toEqual([{ value: 2 }]);
    slow();
    expect(await mine).toEqual([{ value: 1 }]);
  });

  test('passes over messages that answer nothing it asked', async () => {
    const answered = run('get', 6);
    for (const message of [null, 'text', { id: '99', type: 'RAW', value: 1 }, { type: 'RAW' }]) {
      ports.port1.postMessage(message);
    }
    expect(await answered).toEqual([{ value: 6 }]);
    expect(await run('get', 7)).toEqual([{ value: 7 }]);
  });
});
