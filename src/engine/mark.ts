/**
 * What a checkpoint leaves in memory: that there is one, and where in the log. Its keys
 * and values are what the log makes of itself up to there (`past.ts`), so one costs an
 * entry, however many keys there are.
 *
 * Of 10 keys with 1,000 bytes, in a log of 2,000 bytes of which 1,500 are alive, the value
 * of the entry is (`storage/log/format.ts`)
 *
 *    0a 00 00 00 00 00  e8 03 00 00 00 00  dc 05 00 00 00 00  d0 07 00 00 00 00
 */
import { getUint48, putUint48 } from '../base/bytes.js';
import type { Checkpoint } from '../contract/store.js';
import { CHECKPOINT_AT, CHECKPOINT_BYTES, type EntryView } from '../storage/log/index.js';

/** What is written of a checkpoint beside its label. */
export interface MarkFigures {
  readonly keys: number;
  /** Of the values of all keys. */
  readonly bytes: number;
  /** Of the log that were alive. */
  readonly alive: number;
  /** Of the log, before the checkpoint. */
  readonly before: number;
}

export interface Mark extends Checkpoint, MarkFigures {
  /** Of its entry. */
  readonly location: number;
}

export type Marks = ReadonlyMap<string, Mark>;

/** The figures of a mark that is copied into another log. */
export function figuresIn({ keys, bytes, alive }: Mark, before: number): MarkFigures {
  return { keys, bytes, alive, before };
}

/** A label that is taken again goes behind the others: they are in the order of the log. */
export function withMark(marks: Marks, label: string, mark: Mark | undefined): Marks {
  const all = new Map(marks);
  all.delete(label);
  if (mark) all.set(label, mark);
  return all;
}

export function encodeFigures(figures: MarkFigures): Uint8Array {
  const bytes = new Uint8Array(CHECKPOINT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const name of ['keys', 'bytes', 'alive', 'before'] as const) {
    putUint48(view, CHECKPOINT_AT[name], figures[name]);
  }
  return bytes;
}

/** What the entry at `location` keeps; `undefined`: it gives its label up. */
export function markOf({ key: label, value, sequence, time }: EntryView, location: number): Mark | undefined {
  if (value.length === 0) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  return {
    label,
    version: sequence,
    createdAt: time,
    keys: getUint48(view, CHECKPOINT_AT.keys),
    bytes: getUint48(view, CHECKPOINT_AT.bytes),
    alive: getUint48(view, CHECKPOINT_AT.alive),
    before: getUint48(view, CHECKPOINT_AT.before),
    location,
  };
}

/**
 * About what of a log of `logBytes` is alive, in its last version, of which that much is
 * `alive`, or in one that is kept. What lives in a version and not in the one kept before
 * it was written between them.
 */
export function bytesAlive(marks: Marks, alive: number, logBytes: number): number {
  let sum = 0;
  let from = 0;
  for (const mark of marks.values()) {
    sum += Math.min(mark.alive, mark.before - from);
    from = mark.before;
  }
  return sum + Math.min(alive, logBytes - from);
}
