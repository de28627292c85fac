/**
 * Values that are made of others, version 1: what the bytes of an entry are when its kind
 * has the bit `MADE`. The rest of the kind is the value's own; its size and the hash of
 * its content stand in the entry as those of a packed value do.
 *
 *    offset  size  field
 *    ------  ----  ------------------------------------------------------------------
 *         0     1  form     1 CHUNKS, 2 DELTA
 *         1     1  depth    DELTA: how many deltas lie one over the other, with this one;
 *                           CHUNKS: 0
 *         2   18n  parts    references as in `storage/log/format.ts`: the chunks in their
 *                           order, or the base
 *               d  delta    DELTA: `structures/dedup/delta.ts`; CHUNKS: nothing
 *
 * Rules
 *  1. Parts are stored before what is made of them, and stay while it does.
 *  2. A chunk is an OBJECT of the kind `CHUNK`: plain bytes, never the value of a key.
 *  3. A base is a whole value, which may be made itself.
 *
 * A value of one chunk, hash 1 and 2, brought by version 3, of 4 bytes:
 *
 *    01 00  01 00 00 00 02 00 00 00  03 00 00 00 00 00  04 00 00 00
 */
import { CorruptionError } from '../base/errors.js';
import { getReference, putReference, REFERENCE_BYTES, type Reference } from '../storage/log/index.js';

// On disk: kinds of `base/codec` are below 6.
export const MADE = 8;
export const CHUNK = 7;
/** Of an entry that refers to a value: it is not the one that was set, but one with its normal form. */
export const CANONICAL = 6;

export const Form = { Chunks: 1, Delta: 2 } as const;
/** A chunk has on average so much of the size from which on values are cut. */
export const CHUNK_SHARE = 1 / 4;
const HEAD_BYTES = 2;
/** What a delta takes beside itself: the head, its base, size and hash of the value. */
export const DELTA_HEAD_BYTES = HEAD_BYTES + REFERENCE_BYTES + 12;
const NO_DELTA = new Uint8Array(0);

/** What an entry says. */
export interface Making {
  readonly form: number;
  readonly depth: number;
  readonly parts: readonly Reference[];
  readonly delta: Uint8Array;
}

export function encodeMaking({ form, depth, parts, delta }: Making): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + parts.length * REFERENCE_BYTES + delta.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = form;
  bytes[1] = depth;
  let at = HEAD_BYTES;
  for (const part of parts) {
    putReference(view, at, part);
    at += REFERENCE_BYTES;
  }
  bytes.set(delta, at);
  return bytes;
}

/** @throws CorruptionError when the bytes are no such thing. */
export function decodeMaking(bytes: Uint8Array): Making {
  const form = bytes[0]!;
  const depth = bytes[1]!;
  const rest = bytes.length - HEAD_BYTES;
  const count = form === Form.Chunks ? rest / REFERENCE_BYTES : 1;
  const sound =
    form === Form.Chunks
      ? depth === 0 && count >= 1 && Number.isInteger(count)
      : form === Form.Delta && depth > 0 && rest >= REFERENCE_BYTES;
  if (!sound) {
    throw new CorruptionError('an entry does not say what its value is made of', { detail: { form, depth } });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Reference[] = [];
  for (let i = 0; i < count; i++) parts.push(getReference(view, HEAD_BYTES + i * REFERENCE_BYTES));
  const delta = form === Form.Delta ? bytes.subarray(HEAD_BYTES + REFERENCE_BYTES) : NO_DELTA;
  return { form, depth, parts, delta };
}
