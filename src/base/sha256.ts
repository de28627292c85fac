/** SHA-256 by the platform's own implementation, which needs a secure context (https, localhost or Node). */
import { toHex } from './bytes.js';
import { UnsupportedError } from './errors.js';

export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) {
    throw new UnsupportedError('objectId needs a secure context: https, localhost or Node');
  }
  return toHex(new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));
}
