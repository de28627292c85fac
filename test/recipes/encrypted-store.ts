import { type ClientOptions, KeyError, open, type Store } from 'rootcellar';

/**
 * A key made of a pass phrase. `salt` is 16 random bytes, drawn once for the store; it is no secret
 * and must be kept (`localStorage` will do): without it the pass phrase opens nothing.
 */
export async function keyFrom(passPhrase: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const text = new TextEncoder().encode(passPhrase.normalize('NFKC'));
  const material = await crypto.subtle.importKey('raw', text, 'PBKDF2', false, ['deriveKey']);
  const slow = { name: 'PBKDF2', hash: 'SHA-256', iterations: 600_000, salt };
  const key = { name: 'AES-GCM', length: 256 };
  return crypto.subtle.deriveKey(slow, material, key, false, ['encrypt', 'decrypt']);
}

/** The store, or `undefined` where the pass phrase is another. */
export async function unlock(
  name: string,
  key: CryptoKey,
  options: ClientOptions = {},
): Promise<Store | undefined> {
  try {
    return await open(name, { ...options, encryption: { key } });
  } catch (error) {
    if (error instanceof KeyError) return undefined;
    throw error;
  }
}

/** Another pass phrase is another store: everything moves there, and the old one goes. */
export async function moveTo(next: Store, old: Store): Promise<void> {
  await next.import(old.export(), { mode: 'replace' });
  await next.flush();
  await old.destroy();
}
