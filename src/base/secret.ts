/**
 * The secret of this process: seeds the hashes of structures that were given none.
 *
 * Drawn once, when first asked for, and never written anywhere. It is what keeps
 * keys chosen by somebody else from colliding in a `new PersistentMap()`. What is
 * kept beyond the process (a maplet, a store) has a secret of its own. This is
 * the one file of `base` and `structures` that asks for randomness.
 */
import type { Secret } from './hash.js';

let secret: Secret | undefined;

/** The secret of this process, drawn at the first call unless one was set. */
export function processSecret(): Secret {
  return (secret ??= crypto.getRandomValues(new Int32Array(2)));
}

/** @throws TypeError unless `secret` is one. */
export function checkSecret(secret: Secret): Secret {
  if (!(secret instanceof Int32Array) || secret.length !== 2) {
    throw new TypeError(`secret: expected an Int32Array of two words, got ${String(secret)}`);
  }
  return secret;
}

/**
 * Sets the secret of what is made without one from now on: for runs that must
 * repeat exactly, and where there is no `crypto`. What exists keeps its own.
 */
export function setProcessSecret(words: Secret): void {
  secret = checkSecret(words).slice();
}
