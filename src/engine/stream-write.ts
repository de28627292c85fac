/**
 * A value on its way in, in pieces: it is cut by its content, and what is cut goes to the
 * log a quarter of a megabyte at a time. At the end the key gets a value that is made of
 * these chunks; until then they are held, and nothing of it can be seen.
 *
 * In memory: the chunks that wait, and for each chunk where it is. A value that is not
 * large, or in a store that keeps nothing once, is put as a whole.
 */
import { Kind } from '../base/codec/index.js';
import { ConflictError } from '../base/errors.js';
import { lane, type Secret } from '../base/hash.js';
import { RunningHash } from '../base/running-hash.js';
import type { Reference } from '../storage/log/index.js';
import { Chunker, chunkSizes, gearSeed } from '../structures/dedup/index.js';
import type { Content } from './change.js';
import { CHUNK_SHARE, encodeMaking, Form, MADE } from './made.js';
import type { Holding } from './objects.js';
import type { Value } from './packing.js';

/** What is written at once. */
const WRITE_BYTES = 256 * 1024;
/** A size takes 32 bits. */
const SIZE_MAX = 2 ** 32 - 1;
const NO_DELTA = new Uint8Array(0);

export interface IncomingParts {
  readonly secret: Secret;
  /** Larger values are cut; `Infinity`: none is. */
  readonly chunkBytes: number;
  /** Stores chunks, or finds those that are there, and holds them. */
  readonly keep: (chunks: readonly Uint8Array[]) => Promise<readonly Holding[]>;
}

export class Incoming {
  readonly #parts: IncomingParts;
  readonly #hash: RunningHash;
  #chunker: Chunker | undefined;
  /** What came before it was known to be large; then the chunks that wait to be written. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #size = 0;
  readonly #references: Reference[] = [];
  /** What is held. */
  readonly contents: Content[] = [];

  constructor(parts: IncomingParts) {
    this.#parts = parts;
    this.#hash = new RunningHash(parts.secret, Kind.Bytes);
  }

  async push(piece: Uint8Array): Promise<void> {
    this.#size += piece.length;
    if (this.#size > SIZE_MAX)
      throw new RangeError(`setStream: expected at most ${SIZE_MAX} bytes, got more`);
    this.#hash.update(piece);
    if (this.#chunker) return this.#cut(piece);
    this.#wait(piece.slice());
    if (this.#size <= this.#parts.chunkBytes) return;
    const { secret, chunkBytes } = this.#parts;
    this.#chunker = new Chunker(chunkSizes(Math.floor(chunkBytes * CHUNK_SHARE)), gearSeed(secret));
    this.#waitingBytes = 0;
    for (const early of this.#waiting.splice(0)) await this.#cut(early);
  }

  /** The value that came. */
  async finish(): Promise<Value> {
    if (!this.#chunker) return { kind: Kind.Bytes, bytes: joined(this.#waiting, this.#size) };
    for (const chunk of this.#chunker.finish()) this.#wait(chunk);
    await this.#flush();
    const parts = this.#references;
    const bytes = encodeMaking({ form: Form.Chunks, depth: 0, parts, delta: NO_DELTA });
    const high = this.#hash.finish();
    return { kind: Kind.Bytes | MADE, bytes, packed: { size: this.#size, high, low: lane[0]! } };
  }

  async #cut(piece: Uint8Array): Promise<void> {
    for (const chunk of this.#chunker!.push(piece)) {
      this.#wait(chunk);
      if (this.#waitingBytes >= WRITE_BYTES) await this.#flush();
    }
  }

  #wait(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  async #flush(): Promise<void> {
    this.#waitingBytes = 0;
    for (const { high, low, size, object } of await this.#parts.keep(this.#waiting.splice(0))) {
      this.#references.push({ high, low, size, birth: object.birth });
      this.contents.push({ high, low, size, object: object.location, brings: false, chunk: true });
    }
  }
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function refuseCleared(before: number, now: number): void {
  if (before === now) return;
  throw new ConflictError('setStream: the store was cleared while the value came in; nothing was stored');
}
