/**
 * Opening a store that is encrypted, with its key; refusing the wrong one, and none.
 * What encrypts is loaded where there is something to encrypt.
 */
import { KeyError } from '../base/errors.js';
import type { OpenOptions } from '../contract/options.js';
import type { Wrapped } from '../contract/store-wide.js';
import type { Environment } from '../engine/index.js';
import type { Backend } from '../storage/backend.js';
import type { Keys } from '../storage/encryption/index.js';

/** Where a header's settings say how the store is encrypted. */
const SETTING = 'encryption';

type Place = Pick<Environment, 'log' | 'images' | 'successor' | 'secret'>;

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));
const load = () => import('../storage/encryption/index.js');

/** Settings of a new store: with a key, its secrets, wrapped. */
export async function newEncryption({ encryption }: OpenOptions): Promise<Record<string, unknown>> {
  if (!encryption) return {};
  const { Keys } = await load();
  return { [SETTING]: (await Keys.make(encryption.key, random)).wrapped };
}

/** How the store in `backend` is encrypted, if it is. */
export function encryptionOf({ header }: Backend): Wrapped | undefined {
  return header.settings[SETTING] as Wrapped | undefined;
}

/**
 * What the engine works on. Nothing has moved when it throws.
 *
 * @throws KeyError, TypeError as `requireKey`
 */
export async function unlock(backend: Backend, options: OpenOptions): Promise<Place> {
  const keys = await requireKey(encryptionOf(backend), options);
  if (keys) return (await load()).unlocked(backend, keys);
  const { log, images, header } = backend;
  return { log, images, successor: () => backend.successor(), secret: header.secret };
}

/**
 * Checks that the key of this opening is that of the store, which another tab may lead.
 *
 * @throws KeyError for another key, or none; TypeError for a key of a store that has none.
 */
export async function requireKey(
  wrapped: Wrapped | undefined,
  { encryption }: OpenOptions,
): Promise<Keys | undefined> {
  if (!wrapped && !encryption) return undefined;
  if (!wrapped) {
    throw new TypeError(
      'encryption: the store was made without a key; export() it and import() that into a store made with one',
    );
  }
  if (!encryption) throw new KeyError('the store is encrypted: expected encryption: { key }, got none');
  const { Keys } = await load();
  return Keys.open(encryption.key, wrapped, random);
}
