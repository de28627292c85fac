import { expose, wrap } from 'comlink';
import { describe, expect, test } from 'vitest';
import * as errors from '../../src/base/errors.js';
import { installHandlers } from '../../src/wire/comlink.js';
import { packError, unpackError } from '../../src/wire/errors.js';

describe('an error that crosses the wire', () => {
  test.each(Object.keys(errors.STORE_ERRORS))('%s keeps class, name, code, detail and cause', (name) => {
    const Class = errors.STORE_ERRORS[name]!;
    const error = new Class('what happened', { detail: { at: 7 }, cause: new TypeError('below') });
    const back = unpackError(structuredClone(packError(error)));
    expect(back).toBeInstanceOf(Class);
    expect(back).toBeInstanceOf(errors.StoreError);
    expect(back).toMatchObject({ name, code: error.code, message: 'what happened', detail: { at: 7 } });
    expect(back.cause).toBeInstanceOf(TypeError);
    expect(error.code).toMatch(/^[A-Z_]+$/);
  });

  test('has a code that is its name in capitals with underscores', () => {
    expect(new errors.DataLossError('').code).toBe('DATA_LOSS');
    expect(new errors.LeaderUnresponsiveError('').code).toBe('LEADER_UNRESPONSIVE');
    expect(new errors.IoError('').code).toBe('IO');
  });

  test('that is built in, or of an unknown class, or no error at all, stays what it can be', () => {
    expect(unpackError(packError(new RangeError('r')))).toBeInstanceOf(RangeError);
    const foreign = unpackError(packError(Object.assign(new Error('q'), { name: 'QuotaExceededError' })));
    expect(foreign).toMatchObject({ name: 'QuotaExceededError', message: 'q' });
    expect(unpackError(packError('just a string'))).toMatchObject({
      name: 'Error',
      message: 'just a string',
    });
  });

  test('is thrown as it was by Comlink, once the handlers are installed', async () => {
    const { port1, port2 } = new MessageChannel();
    installHandlers();
    expose(
      {
        fail() {
          throw new errors.ConflictError('no', { detail: 5 });
        },
      },
      port1,
    );
    const remote = wrap<{ fail(): void }>(port2);
    await expect(remote.fail()).rejects.toMatchObject({ name: 'ConflictError', code: 'CONFLICT', detail: 5 });
    await expect(remote.fail()).rejects.toBeInstanceOf(errors.ConflictError);
    port1.close();
    port2.close();
  });
});
