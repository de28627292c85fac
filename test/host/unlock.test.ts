/** What an engine is given of an encrypted store. */
import { expect, test } from 'vitest';
import type { OpenOptions } from '../../src/contract/options.js';
import { encryptionOf, newEncryption, unlock } from '../../src/host/unlock.js';
import { openMemory } from '../../src/storage/memory.js';

const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);

async function backendFor(options: OpenOptions) {
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
  return openMemory({
    surroundings: { now: () => 1e12, elapsed: () => 0, random },
    absolute: false,
    settings: await newEncryption(options),
  });
}

test('the hashes of an encrypted store are keyed by what its header does not show', async () => {
  const backend = await backendFor({ encryption: { key } });
  const { secret } = await unlock(backend, { encryption: { key } });
  expect(secret).toHaveLength(16);
  expect(secret).not.toEqual(backend.header.secret);
  expect((await unlock(backend, { encryption: { key } })).secret).toEqual(secret);
  const plain = await backendFor({});
  expect((await unlock(plain, {})).secret).toBe(plain.header.secret);
  expect(encryptionOf(plain)).toBeUndefined();
});

test('no two stores have the same secrets, wrapped or not', async () => {
  const stores = await Promise.all([1, 2, 3].map(() => backendFor({ encryption: { key } })));
  const secrets = await Promise.all(
    stores.map(async (backend) => `${(await unlock(backend, { encryption: { key } })).secret}`),
  );
  expect(new Set(secrets).size).toBe(3);
  expect(new Set(stores.map((backend) => encryptionOf(backend)!.secrets)).size).toBe(3);
});
