/** Watches what is encrypted: that no nonce is used twice under one key, whoever derived it and when. */
import { vi } from 'vitest';
import { toHex } from '../../src/base/bytes.js';

export interface Nonces {
  /** How often something was encrypted with a data key. */
  readonly sealed: number;
  readonly different: number;
  /** Data keys that were used. */
  readonly keys: number;
  restore(): void;
}

export function watchNonces(): Nonces {
  const { encrypt, deriveKey } = crypto.subtle;
  /** A key that is derived again from its salt is another object, and the same key. */
  const salts = new Map<CryptoKey, string>();
  const nonces = new Set<string>();
  const used = new Set<string>();
  let sealed = 0;
  const deriving = vi.spyOn(crypto.subtle, 'deriveKey').mockImplementation(async (...args) => {
    const key = await deriveKey.apply(crypto.subtle, args);
    salts.set(key, toHex(new Uint8Array((args[0] as HkdfParams).salt as Uint8Array<ArrayBuffer>)));
    return key;
  });
  const encrypting = vi.spyOn(crypto.subtle, 'encrypt').mockImplementation((parameters, key, data) => {
    const salt = salts.get(key);
    if (salt !== undefined) {
      const { iv } = parameters as AesGcmParams;
      nonces.add(`${salt} ${toHex(new Uint8Array(iv as Uint8Array<ArrayBuffer>))}`);
      used.add(salt);
      sealed += 1;
    }
    return encrypt.call(crypto.subtle, parameters, key, data);
  });
  return {
    get sealed() {
      return sealed;
    },
    get different() {
      return nonces.size;
    },
    get keys() {
      return used.size;
    },
    restore() {
      deriving.mockRestore();
      encrypting.mockRestore();
    },
  };
}
