/** Keys: how the secrets stand in the header, what a wrong key gives, and how bytes are sealed. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.js';
import { CorruptionError, FormatError, KeyError, UnsupportedError } from '../../../src/base/errors.js';
import { counterOf, Keys, SEALING_BYTES, saltOf } from '../../../src/storage/encryption/keys.js';
import { expectGolden } from '../../structures/golden.js';
import { counting, makeKeys, userKey } from './log-store.js';

const { subtle } = crypto;
const DATA = Uint8Array.of(1, 2, 3);
const raw = (byte: number) => new Uint8Array(32).fill(byte);

const KINDS: Record<string, (byte: number) => Promise<CryptoKey>> = {
  'AES-GCM for encrypt and decrypt': userKey,
  'AES-GCM for wrapKey and unwrapKey': (byte) =>
    subtle.importKey('raw', raw(byte), 'AES-GCM', false, ['wrapKey', 'unwrapKey']),
  'AES-KW': (byte) => subtle.importKey('raw', raw(byte), 'AES-KW', false, ['wrapKey', 'unwrapKey']),
  'AES-GCM of 128 bits': (byte) =>
    subtle.importKey('raw', raw(byte).slice(16), 'AES-GCM', false, ['encrypt', 'decrypt']),
};

describe.each(Object.keys(KINDS))('with a key that is %s', (kind) => {
  const make = KINDS[kind]!;

  test('what was sealed is opened later, with what stands in the header', async () => {
    const { keys, wrapped } = await Keys.make(await make(1), counting());
    const sealed = await keys.sealer().seal(Uint8Array.of(9, 8, 7), DATA);
    const again = await Keys.open(await make(1), JSON.parse(JSON.stringify(wrapped)), counting(99));
    expect(await again.open(sealed, DATA)).toEqual(Uint8Array.of(9, 8, 7));
    expect(again.secret).toEqual(keys.secret);
    expect(again.secret).toHaveLength(16);
    expect(JSON.stringify(wrapped).length).toBeLessThan(250);
  });

  test('another key, or secrets of which any bit is another, is a KeyError', async () => {
    const { wrapped } = await Keys.make(await make(1), counting());
    await expect(Keys.open(await make(2), wrapped, counting())).rejects.toBeInstanceOf(KeyError);
    const key = await make(1);
    for (let at = 0; at < wrapped.secrets.length; at++) {
      const digit = (Number.parseInt(wrapped.secrets[at]!, 16) ^ (1 << (at % 4))).toString(16);
      const secrets = wrapped.secrets.slice(0, at) + digit + wrapped.secrets.slice(at + 1);
      await expect(Keys.open(key, { ...wrapped, secrets }, counting()), `digit ${at}`).rejects.toMatchObject({
        code: 'KEY',
      });
    }
    for (const secrets of ['', wrapped.secrets.slice(2), `${wrapped.secrets}00`]) {
      await expect(Keys.open(key, { ...wrapped, secrets }, counting())).rejects.toBeInstanceOf(KeyError);
    }
    for (const other of Object.values(KINDS)) {
      if ((await other(1)).algorithm.name === wrapped.algorithm) continue;
      await expect(Keys.open(await other(1), wrapped, counting())).rejects.toBeInstanceOf(KeyError);
    }
  });
});

test('secrets of another format are refused as such', async () => {
  const { wrapped } = await Keys.make(await userKey(), counting());
  const newer = { ...wrapped, version: 2 as unknown as 1 };
  await expect(Keys.open(await userKey(), newer, counting())).rejects.toBeInstanceOf(FormatError);
});

test('AES-GCM keys of either use open what the other has wrapped', async () => {
  const { wrapped } = await Keys.make(await userKey(), counting());
  const other = await KINDS['AES-GCM for wrapKey and unwrapKey']!(1);
  await expect(Keys.open(other, wrapped, counting())).resolves.toBeInstanceOf(Keys);
  const { wrapped: back } = await Keys.make(other, counting());
  await expect(Keys.open(await userKey(), back, counting())).resolves.toBeInstanceOf(Keys);
});

test('sealed bytes are what the comment says, by hand', async () => {
  const keys = await makeKeys();
  const sealer = keys.sealer();
  await sealer.seal(Uint8Array.of(), DATA);
  const sealed = await sealer.seal(Uint8Array.of(9, 8, 7), DATA);
  expect(sealed).toHaveLength(3 + SEALING_BYTES);
  // The first 48 bytes are the secrets, then a nonce of 12 to wrap them, then the salt.
  const salt = counting(48 + 12 + 1)(12);
  expect(saltOf(sealed)).toBe(toHex(salt));
  expect(counterOf(sealed)).toBe(1);
  const master = await subtle.importKey('raw', counting()(32) as BufferSource, 'HKDF', false, ['deriveKey']);
  const info = new TextEncoder().encode('rootcellar data key 1');
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: salt as BufferSource, info };
  const key = await subtle.deriveKey(parameters, master, { name: 'AES-GCM', length: 256 }, false, [
    'decrypt',
  ]);
  const iv = Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0);
  const plain = await subtle.decrypt({ name: 'AES-GCM', iv, additionalData: DATA }, key, sealed.slice(18));
  expect([...new Uint8Array(plain)]).toEqual([9, 8, 7]);
  const { wrapped } = await Keys.make(await userKey(), counting());
  expectGolden('encrypted-v1/keys.json', { sealed, secrets: new TextEncoder().encode(wrapped.secrets) });
});

test('what is sealed opens with no bit of it or of its data altered, cut or longer', async () => {
  const keys = await makeKeys();
  const sealed = await keys.sealer().seal(Uint8Array.of(9, 8, 7), DATA);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = sealed.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    await expect(keys.open(altered, DATA), `bit ${bit}`).rejects.toBeInstanceOf(CorruptionError);
  }
  for (let length = 0; length < sealed.length; length++) {
    await expect(keys.open(sealed.subarray(0, length), DATA), `${length} bytes`).rejects.toBeInstanceOf(
      CorruptionError,
    );
  }
  await expect(keys.open(Uint8Array.of(...sealed, 0), DATA)).rejects.toBeInstanceOf(CorruptionError);
  for (const data of [[], [1, 2], [1, 2, 3, 0], [1, 2, 2]]) {
    await expect(keys.open(sealed, Uint8Array.from(data))).rejects.toBeInstanceOf(CorruptionError);
  }
});

test('each sealer has a salt of its own, and counts', async () => {
  const keys = (await Keys.make(await userKey(), (n) => crypto.getRandomValues(new Uint8Array(n)))).keys;
  const names = new Set<string>();
  for (let i = 0; i < 300; i++) {
    const sealer = keys.sealer();
    const sealed = await Promise.all([1, 2, 3].map((n) => sealer.seal(Uint8Array.of(n), DATA)));
    for (const [n, one] of sealed.entries()) {
      expect(counterOf(one)).toBe(n);
      names.add(`${saltOf(one)} ${counterOf(one)}`);
      expect(await keys.open(one, DATA)).toEqual(Uint8Array.of(n + 1));
    }
  }
  expect(names.size).toBe(900);
});

test('where there is no secure context it says so', async () => {
  const key = await userKey();
  const crypto_ = Object.getOwnPropertyDescriptor(globalThis, 'crypto')!;
  Object.defineProperty(globalThis, 'crypto', { value: {}, configurable: true });
  try {
    await expect(Keys.make(key, counting())).rejects.toBeInstanceOf(UnsupportedError);
  } finally {
    Object.defineProperty(globalThis, 'crypto', crypto_);
  }
});
