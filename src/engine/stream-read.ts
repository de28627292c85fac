/**
 * A value on its way out, in pieces, of the version in which it was asked for. Of one that
 * is made of chunks only those are read that are wanted.
 */
import { blobStart } from '../base/codec/blobs.js';
import { Kind } from '../base/codec/index.js';
import type { EntryView, Reference } from '../storage/log/index.js';
import { isMade } from './assemble.js';
import type { Lookup } from './lookup.js';
import { decodeMaking, Form, MADE } from './made.js';

/** Bytes of a piece, about. */
const PIECE_BYTES = 256 * 1024;
/** The head of a blob, with its type and name, is looked for in so many. */
const HEAD_BYTES = 64 * 1024;

/** A piece, and whether it is the last. */
export type StreamPiece = readonly [bytes: Uint8Array, isLast: boolean];

export interface Span {
  readonly start: number;
  readonly end: number;
}

export class Outgoing {
  readonly #chunks: readonly Reference[];
  /** Of the chunks: the one that is next, and where in the value it begins. */
  #next = 0;
  #offset = 0;
  #at: number;
  readonly #end: number;

  private constructor(
    private readonly lookup: Lookup,
    /** The value, where it is in memory. */
    private readonly whole: Uint8Array | undefined,
    chunks: readonly Reference[],
    at: number,
    end: number,
  ) {
    this.#chunks = chunks;
    this.#at = at;
    this.#end = end;
  }

  /**
   * The bytes `span` of the value of `record`.
   *
   * @throws TypeError when it is neither bytes, nor text, nor a Blob or File.
   */
  static async of(record: EntryView, lookup: Lookup, { start, end }: Span): Promise<Outgoing> {
    const holder = await lookup.holder(record);
    const kind = holder.kind & ~MADE;
    const making = isMade(holder) ? decodeMaking(holder.value) : undefined;
    const chunks = making?.form === Form.Chunks ? making.parts : [];
    const whole = chunks.length > 0 ? undefined : (await lookup.encoded(record)).bytes;
    const from = kind === Kind.Tagged ? await contentStart(whole, chunks, lookup) : 0;
    if (from === undefined || kind === Kind.String16) {
      throw new TypeError(
        'getStream: expected a value of bytes, text without lone surrogates, a Blob or a File',
      );
    }
    const last = Math.min(holder.size, from + end);
    return new Outgoing(lookup, whole, chunks, Math.min(from + start, last), last);
  }

  async next(): Promise<StreamPiece> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (this.#at < this.#end && length < PIECE_BYTES) {
      const piece = await this.#piece();
      this.#at += piece.length;
      length += piece.length;
      pieces.push(piece);
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return [bytes, this.#at === this.#end];
  }

  /** What is next: of one chunk, or of the whole. */
  async #piece(): Promise<Uint8Array> {
    const end = this.#end;
    if (this.whole) return this.whole.subarray(this.#at, Math.min(end, this.#at + PIECE_BYTES));
    for (;;) {
      const chunk = this.#chunks[this.#next]!;
      const start = this.#offset;
      if (start + chunk.size > this.#at) {
        const bytes = await this.lookup.chunk(chunk);
        return bytes.subarray(this.#at - start, end - start);
      }
      this.#next += 1;
      this.#offset += chunk.size;
    }
  }
}

/** Where the bytes of a Blob or File begin in its encoded value; `undefined`: it is something else. */
async function contentStart(
  whole: Uint8Array | undefined,
  chunks: readonly Reference[],
  lookup: Lookup,
): Promise<number | undefined> {
  if (whole) return blobStart(whole);
  const head: number[] = [];
  for (let i = 0; i < chunks.length && head.length < HEAD_BYTES; i++) {
    for (const byte of await lookup.chunk(chunks[i]!)) head.push(byte);
  }
  return blobStart(Uint8Array.from(head));
}
