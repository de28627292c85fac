/**
 * Keys of an encrypted store.
 *
 *    user's key      AES-GCM or AES-KW, never stored; wraps the secrets
 *    secrets         drawn when the store is made; stand in its header, wrapped
 *       master       32 bytes; data keys are derived from it
 *       hash secret  16 bytes; keys the hashes of keys and contents
 *    data keys       AES-GCM, HKDF-SHA-256 of the master with a salt of 12 random bytes;
 *                    another one for each log and image that is written, at each opening,
 *                    and after each append that failed
 *
 * A *sealed* run of bytes names its data key by the salt:
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0    12  salt
 *        12     6  counter   of what was sealed with this data key, from 0
 *        18     n  cipher    AES-GCM under the data key; the nonce is six zeros and
 *                            the counter
 *    18 + n    16  tag
 *
 * Invariants
 *  1. No counter is used twice under one salt: it is raised before it is used, also where
 *     what is sealed will not be written, and a salt is used by one `Sealer` only.
 *  2. Nothing that has to be remembered between openings keeps nonces apart: salts are
 *     random, so a header or a log that was put back to an older state does no harm.
 */
import { getUint48, putUint48, toHex } from '../../base/bytes.js';
import { CorruptionError, FormatError, KeyError, UnsupportedError } from '../../base/errors.js';
import type { Wrapped } from '../../contract/store-wide.js';

const MASTER_BYTES = 32;
const SECRET_BYTES = 16;
const SALT_BYTES = 12;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const AT = { counter: SALT_BYTES, cipher: SALT_BYTES + 6 } as const;

/** What sealing adds to the bytes. */
export const SEALING_BYTES = AT.cipher + TAG_BYTES;

/** Data keys of older openings that are kept at hand. */
const KNOWN_MAX = 256;

export type Random = (bytes: number) => Uint8Array;
type Bytes = Uint8Array<ArrayBuffer>;

const LABEL = new TextEncoder().encode('rootcellar secrets 1');
const INFO = new TextEncoder().encode('rootcellar data key 1');
/** How the secrets look to `wrapKey`, which takes keys only: as a key of any length. */
const AS_KEY = { name: 'HMAC', hash: 'SHA-256' } as const;

export class Keys {
  readonly #known = new Map<string, Promise<CryptoKey>>();

  private constructor(
    /** Keys the hashes. */
    readonly secret: Uint8Array,
    private readonly master: CryptoKey,
    private readonly random: Random,
  ) {}

  /** Keys of a new store, and what its header has to say. */
  static async make(key: CryptoKey, random: Random): Promise<{ keys: Keys; wrapped: Wrapped }> {
    const secrets = random(MASTER_BYTES + SECRET_BYTES);
    return { keys: await Keys.#of(secrets, random), wrapped: await wrap(key, secrets, random) };
  }

  /** @throws KeyError unless `key` is the one of the store. */
  static async open(key: CryptoKey, wrapped: Wrapped, random: Random): Promise<Keys> {
    return Keys.#of(await unwrap(key, wrapped), random);
  }

  static async #of(secrets: Uint8Array, random: Random): Promise<Keys> {
    const master = secrets.slice(0, MASTER_BYTES);
    const key = await subtle().importKey('raw', master, 'HKDF', false, ['deriveKey']);
    return new Keys(secrets.slice(MASTER_BYTES), key, random);
  }

  /** Seals with a data key of its own. */
  sealer(): Sealer {
    return new Sealer(this.random(SALT_BYTES), (salt) => this.#derive(salt));
  }

  /**
   * What was sealed with this additional data.
   *
   * @throws CorruptionError when any bit of either is another.
   */
  async open(sealed: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
    if (sealed.length < SEALING_BYTES) throw altered();
    const bytes = sealed as Bytes;
    const key = await this.#derive(bytes.subarray(0, SALT_BYTES));
    try {
      const parameters = parametersOf(counterOf(bytes), data);
      return new Uint8Array(await subtle().decrypt(parameters, key, bytes.subarray(AT.cipher)));
    } catch {
      throw altered();
    }
  }

  #derive(salt: Uint8Array): Promise<CryptoKey> {
    const name = saltOf(salt);
    let key = this.#known.get(name);
    if (!key) {
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      const parameters = { name: 'HKDF', hash: 'SHA-256', salt: salt.slice(), info: INFO };
      key = subtle().deriveKey(parameters, this.master, { name: 'AES-GCM', length: 256 }, false, [
        'encrypt',
        'decrypt',
      ]);
      this.#known.set(name, key);
    }
    return key;
  }
}

/** Seals runs of bytes with one data key, each under the next counter. */
export class Sealer {
  #counter = 0;

  constructor(
    private readonly salt: Uint8Array,
    private readonly derive: (salt: Uint8Array) => Promise<CryptoKey>,
  ) {}

  async seal(bytes: Uint8Array, data: Uint8Array): Promise<Uint8Array> {
    const counter = this.#counter;
    this.#counter += 1;
    const sealed = new Uint8Array(bytes.length + SEALING_BYTES);
    sealed.set(this.salt);
    putUint48(new DataView(sealed.buffer), AT.counter, counter);
    const key = await this.derive(this.salt);
    const cipher = await subtle().encrypt(parametersOf(counter, data), key, bytes as Bytes);
    sealed.set(new Uint8Array(cipher), AT.cipher);
    return sealed;
  }
}

/** Names the data key of what is sealed. */
export function saltOf(sealed: Uint8Array): string {
  return toHex(sealed.subarray(0, SALT_BYTES));
}

export function counterOf(sealed: Uint8Array): number {
  return getUint48(new DataView(sealed.buffer, sealed.byteOffset), AT.counter);
}

function parametersOf(counter: number, data: Uint8Array): AesGcmParams {
  const iv = new Uint8Array(NONCE_BYTES);
  putUint48(new DataView(iv.buffer), NONCE_BYTES - 6, counter);
  return { name: 'AES-GCM', iv, additionalData: data as Bytes };
}

function altered(): CorruptionError {
  return new CorruptionError('encrypted bytes are not as they were written, or not where');
}

/** @throws UnsupportedError in an insecure context. */
function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle;
  if (found) return found;
  throw new UnsupportedError('encryption needs a secure context: https, localhost or Node');
}

async function wrap(key: CryptoKey, secrets: Uint8Array, random: Random): Promise<Wrapped> {
  const algorithm = key.algorithm.name;
  const iv = random(algorithm === 'AES-GCM' ? NONCE_BYTES : 0);
  const parameters = wrapping(algorithm, iv);
  const bytes = key.usages.includes('encrypt')
    ? await subtle().encrypt(parameters, key, secrets as Bytes)
    : await subtle().wrapKey(
        'raw',
        await subtle().importKey('raw', secrets as Bytes, AS_KEY, true, ['sign']),
        key,
        parameters,
      );
  return { version: 1, algorithm, secrets: toHex(iv) + toHex(new Uint8Array(bytes)) };
}

async function unwrap(key: CryptoKey, { version, algorithm, secrets }: Wrapped): Promise<Uint8Array> {
  if (version !== 1) {
    throw new FormatError(`the store was encrypted in format ${version}; this release reads 1`, {
      detail: { version },
    });
  }
  const bytes = Uint8Array.from(secrets.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const ivBytes = algorithm === 'AES-GCM' ? NONCE_BYTES : 0;
  const parameters = wrapping(algorithm, bytes.slice(0, ivBytes));
  const cipher = bytes.slice(ivBytes);
  try {
    if (key.usages.includes('decrypt')) {
      return new Uint8Array(await subtle().decrypt(parameters, key, cipher));
    }
    const inside = await subtle().unwrapKey('raw', cipher, key, parameters, AS_KEY, true, ['sign']);
    return new Uint8Array(await subtle().exportKey('raw', inside));
  } catch (cause) {
    throw new KeyError('the key is not the one that the store was made with; nothing was changed', { cause });
  }
}

function wrapping(name: string, iv: Uint8Array): AesGcmParams {
  return { name, iv: iv as Bytes, additionalData: LABEL };
}
