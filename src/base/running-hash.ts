/** `hashBytes` of bytes that come in pieces: the same hash, whatever the pieces. */
import { domainKey, finish, type Secret } from './hash.js';

export class RunningHash {
  #v0: number;
  #v1: number;
  #v2: number;
  #v3: number;
  /** Bytes that make no word yet, and how many there are. */
  #last = 0;
  #held = 0;
  #length = 0;

  constructor(secret: Secret, domain = 0) {
    const k0 = domainKey(secret, domain);
    const k1 = secret[1]!;
    this.#v0 = k0;
    this.#v1 = k1 ^ 0xee;
    this.#v2 = k0 ^ 0x6c796765;
    this.#v3 = k1 ^ 0x74656462;
  }

  update(bytes: Uint8Array): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    let word = this.#last;
    let held = this.#held;
    for (let i = 0; i < bytes.length; i++) {
      word |= bytes[i]! << (8 * held);
      if (++held < 4) continue;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      word = 0;
      held = 0;
    }
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
    this.#last = word;
    this.#held = held;
    this.#length += bytes.length;
  }

  /** First lane of the hash of all that came; the second stands in `lane`. */
  finish(): number {
    return finish(this.#v0, this.#v1, this.#v2, this.#v3, this.#last | (this.#length << 24));
  }
}
