/** A store in IndexedDB whose medium takes not even a header any more. */
import 'fake-indexeddb/auto';
import { afterEach, describe, expect, test } from 'vitest';
import { IoError, QuotaError } from '../../src/base/errors.js';
import { Lead } from '../../src/host/lead.js';

const { put } = IDBObjectStore.prototype;
/** Every `put` fails so from now on. */
function failing(name: string, message = ''): void {
  IDBObjectStore.prototype.put = () => {
    throw new DOMException(message, name);
  };
}
const heal = () => {
  IDBObjectStore.prototype.put = put;
};
afterEach(heal);

const read = async (lead: Lead, key: string) =>
  (await lead.run([{ method: 'get', args: [key] }], 'leader', 'me'))[0];

let stores = 0;
async function storeWithKey(): Promise<string> {
  const name = `full ${++stores}`;
  const lead = await Lead.open({ name, options: { persistence: 'disk' }, directory: undefined });
  await lead.run([{ method: 'set', args: ['key', 'value'] }], 'leader', 'me');
  await lead.close();
  return name;
}

describe('a store in IndexedDB without room for a header', () => {
  test.each([
    ['QuotaExceededError', ''],
    ['UnknownError', 'Connection is closing because of: IO error: 000100.log: FILE_ERROR_NO_SPACE'],
  ])('can be opened, read and closed (%s)', async (error, message) => {
    const name = await storeWithKey();
    failing(error, message);
    const lead = await Lead.open({ name, options: { persistence: 'disk' }, directory: undefined });
    expect(await read(lead, 'key')).toEqual({ value: 'value' });
    await lead.close();
    heal();
    const again = await Lead.open({ name, options: { persistence: 'disk' }, directory: undefined });
    expect(await read(again, 'key')).toEqual({ value: 'value' });
    await again.close();
  });

  test('has numbers for what it holds that the next leader does not use', async () => {
    const name = await storeWithKey();
    const idOfSnapshot = async () => {
      const lead = await Lead.open({ name, options: { persistence: 'disk' }, directory: undefined });
      const [answer] = await lead.run([{ method: 'snapshot', args: [] }], 'leader', 'me');
      await lead.close();
      return JSON.stringify(answer);
    };
    failing('QuotaExceededError');
    const ids = [await idOfSnapshot(), await idOfSnapshot()];
    expect(ids[0]).toMatch(/"id"/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('is not changed, and that is said', async () => {
    const name = await storeWithKey();
    failing('QuotaExceededError');
    const wanted = { persistence: 'disk', ttl: { default: 1000 }, reconfigure: true } as const;
    await expect(Lead.open({ name, options: wanted, directory: undefined })).rejects.toThrow(QuotaError);
  });

  test('that fails otherwise is not opened', async () => {
    const name = await storeWithKey();
    failing('UnknownError', 'something broke');
    await expect(Lead.open({ name, options: { persistence: 'disk' }, directory: undefined })).rejects.toThrow(
      IoError,
    );
  });
});
