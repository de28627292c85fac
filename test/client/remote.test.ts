import { describe, expect, test } from 'vitest';
import { ConflictError, WorkerError } from '../../src/base/errors.js';
import { Remote } from '../../src/client/remote.js';
import { packError } from '../../src/wire/errors.js';
import type { Answer, Call } from '../../src/wire/messages.js';

const NEVER = new Promise<never>(() => {});

/** A session that records what it is sent and answers as the test says. */
function session(answer: (call: Call) => Answer | Promise<Answer>) {
  const messages: (readonly Call[])[] = [];
  const api = async (calls: readonly Call[]) => {
    messages.push(structuredClone(calls));
    return Promise.all(calls.map(answer));
  };
  return { messages, api };
}

const echo = ({ args }: Call): Answer => ({ value: args[0] });

describe('calls', () => {
  test('of one turn go in one message and are answered in one', async () => {
    const { messages, api } = session(echo);
    const remote = new Remote(api, 1000, NEVER);
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => remote.call('get', [i])));
    expect(answers).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(messages).toHaveLength(1);
  });

  test('that may take long go alone, in their place', async () => {
    const { messages, api } = session(echo);
    const remote = new Remote(api, 1000, NEVER);
    await Promise.all(['get', 'sweep', 'get', 'get'].map((method) => remote.call(method, [])));
    expect(messages.map((calls) => calls.map(({ method }) => method))).toEqual([
      ['get'],
      ['sweep'],
      ['get', 'get'],
    ]);
  });

  test('carry what their arguments were when they were made', async () => {
    const { messages, api } = session(echo);
    const remote = new Remote(api, 1000, NEVER);
    const bytes = new Uint8Array([1]);
    const object = { deep: { value: 1 } };
    const calls = [remote.call('set', ['k', bytes]), remote.call('set', ['k', object])];
    bytes[0] = 2;
    object.deep.value = 2;
    await Promise.all(calls);
    expect(messages[0]!.map(({ args }) => args[1])).toEqual([new Uint8Array([1]), { deep: { value: 1 } }]);
  });

  test('with a value that cannot be cloned are refused alone', async () => {
    const { messages, api } = session(echo);
    const remote = new Remote(api, 1000, NEVER);
    const calls = [
      remote.call('set', ['a', 1]),
      remote.call('set', ['b', { f: () => 1 }]),
      remote.call('set', ['c', 3]),
    ];
    const outcomes = await Promise.allSettled(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((outcomes[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'SERIALIZATION' });
    expect(messages[0]).toHaveLength(2);
  });

  test('get errors with class, code, detail and cause', async () => {
    const error = new ConflictError('no', { detail: { key: 'k' }, cause: new RangeError('below') });
    const { api } = session(() => ({ error: packError(error) }));
    const remote = new Remote(api, 1000, NEVER);
    const refused = await remote.call('set', []).catch((caught: unknown) => caught);
    expect(refused).toBeInstanceOf(ConflictError);
    expect(refused).toMatchObject({
      name: 'ConflictError',
      code: 'CONFLICT',
      message: 'no',
      detail: { key: 'k' },
    });
    expect((refused as Error).cause).toBeInstanceOf(RangeError);
  });
});

describe('a call that gets no answer', () => {
  test('rejects with TimeoutError when its time is over, and the next one is answered', async () => {
    const { api } = session((call) => (call.method === 'get' ? NEVER : echo(call)));
    const remote = new Remote(api, 20, NEVER);
    await expect(remote.call('get', [])).rejects.toMatchObject({
      code: 'TIMEOUT',
      detail: { method: 'get' },
    });
    expect(await remote.call('has', [true])).toBe(true);
  });

  test('rejects when the worker dies, and so does every later one', async () => {
    let die: (error: Error) => void = () => {};
    const death = new Promise<never>((_, reject) => {
      die = reject;
    });
    const { api } = session(() => NEVER);
    const remote = new Remote(api, Number.POSITIVE_INFINITY, death);
    const calls = [remote.call('get', []), remote.callAtOnce('setMany', [[]])];
    die(new WorkerError('the worker of the store died'));
    for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected');
    await expect(remote.call('get', [])).rejects.toMatchObject({ code: 'WORKER' });
  });

  test('rejects with the reason of its signal, at once when it was aborted before', async () => {
    const { messages, api } = session(() => NEVER);
    const remote = new Remote(api, 1000, NEVER);
    const controller = new AbortController();
    const call = remote.call('get', [], controller.signal);
    controller.abort('enough');
    await expect(call).rejects.toBe('enough');
    await expect(remote.call('get', [], controller.signal)).rejects.toBe('enough');
    expect(messages).toHaveLength(1);
  });
});
