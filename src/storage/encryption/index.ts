/**
 * What makes a store an encrypted one: everything that the engine writes goes through here,
 * and the places where it lies see sealed bytes alone. Loaded where a key is given.
 */

import type { Backend, Successor } from '../backend.js';
import type { ImageStore } from '../images.js';
import type { Header, Log } from '../log/index.js';
import { EncryptedImages } from './images.js';
import { Keys } from './keys.js';
import { EncryptedLog } from './log.js';

export { EncryptedLog, Keys };

/** What the engine is given of a place where a store lives. */
export interface Unlocked {
  readonly log: Log;
  readonly images: ImageStore | undefined;
  readonly successor: () => Promise<Successor>;
  /** Keys the hashes. */
  readonly secret: Uint8Array;
}

export function unlocked(backend: Backend, keys: Keys): Unlocked {
  const store = publicName(backend.header);
  const encrypted = (log: Log) => new EncryptedLog(log, keys, store);
  const { images } = backend;
  return {
    log: encrypted(backend.log),
    images: images && new EncryptedImages(images, keys, store),
    async successor() {
      const { log, ...next } = await backend.successor();
      return { log: encrypted(log), ...next };
    },
    secret: keys.secret,
  };
}

/** In an encrypted store the header's secret keys nothing: it tells stores apart. */
function publicName({ secret }: Header): Uint8Array {
  return secret;
}
