/**
 * Reading a log over a file, from its start or from the end of a batch: where each
 * whole batch lies, where the log ends, and whether what lies behind is a torn tail or
 * damage.
 */
import type { Eventually } from '../../base/bytes.js';
import { crc32c } from '../../base/crc32c.js';
import { CorruptionError, FormatError } from '../../base/errors.js';
import { EntryView, entryLength } from './entry.js';
import { readWhole, type SyncFile, sizeOf } from './file.js';
import {
  COMMIT_AT,
  COMMIT_BYTES,
  ENTRY_AT,
  EXTENT_AT,
  EXTENT_BYTES,
  EXTENT_MAGIC,
  padded,
  TYPE_SHIFT,
  Type,
  UNIT,
  VERSION,
} from './format.js';
import type { Visit } from './log.js';

const STRETCH_BYTES = 2 ** 20;
/** A commit has no optional field and no key. */
const COMMIT_TOTAL = ENTRY_AT.optional + COMMIT_BYTES;

/** The part of a file that is in memory. Moves forward only. */
class Stretch {
  bytes = new Uint8Array(STRETCH_BYTES);
  view = new DataView(this.bytes.buffer);
  #start: number;
  #end: number;

  constructor(
    private readonly file: SyncFile,
    readonly size: number,
    start: number,
  ) {
    this.#start = start;
    this.#end = start;
  }

  /** Offset in `bytes` of the file's byte `at`. */
  offset(at: number): number {
    return at - this.#start;
  }

  /** Brings `keep .. until` of the file into memory; false where the file is shorter. */
  load(keep: number, until: number): boolean {
    if (until <= this.#end) return true;
    if (until > this.size) return false;
    const kept = this.bytes.subarray(this.offset(keep), this.#end - this.#start);
    if (until - keep > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.bytes.length * 2, until - keep));
      grown.set(kept);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    } else {
      this.bytes.copyWithin(0, this.offset(keep), this.#end - this.#start);
    }
    const had = this.#end - keep;
    this.#start = keep;
    const wanted = Math.min(this.bytes.length - had, this.size - this.#end);
    readWhole(this.file, this.bytes.subarray(had, had + wanted), this.#end);
    this.#end += wanted;
    return true;
  }
}

/** Where a log ends, or ended. */
export interface End {
  /** Where the next batch goes. */
  readonly end: number;
  /** Where the extent in use begins. */
  readonly extentStart: number;
  readonly extents: number;
  readonly batches: number;
}

export interface Found extends End {
  readonly entries: number;
  /** As far as the last batch knew the log to be flushed. */
  readonly flushedTo: number;
}

export const START: End = { end: 0, extentStart: 0, extents: 0, batches: 0 };

/** Visits every entry of every whole batch of `file` behind `from`, in order, and says where the log ends. */
export async function replayFile(
  file: SyncFile,
  generation: number,
  visit: Visit,
  endBatch: () => void | Promise<void>,
  from: End,
): Promise<Found> {
  let { end, extentStart, extents, batches } = from;
  const stretch = new Stretch(file, sizeOf(file), end);
  let entries = 0;
  // Whoever goes on from a place has seen to it that the log was flushed up to there.
  let flushedTo = from.end;
  const places: number[] = [];
  while (end < stretch.size) {
    const header = readExtentHeader(stretch, end, extents);
    const start = header ? end + EXTENT_BYTES : end;
    const next = findBatch(stretch, start, generation, places);
    if (next === 0) break;
    if (header) {
      extentStart = end;
      extents += 1;
    }
    const known = flushedByCommit(stretch, next - padded(COMMIT_TOTAL), generation);
    flushedTo = Math.max(flushedTo, known);
    const visiting = visitAll(stretch, places, visit);
    if (visiting) await visiting;
    const waiting = endBatch();
    if (waiting) await waiting;
    entries += places.length;
    batches += 1;
    end = next;
  }
  refuseDamage(stretch, end, generation);
  return { end, extentStart, extents, batches, entries, flushedTo };
}

/** The same from the batch at `start` to the one that holds the byte `last`, of a log that was replayed. */
export async function walkFile(
  file: SyncFile,
  generation: number,
  visit: Visit,
  endBatch: () => Eventually<void>,
  start: number,
  last: number,
): Promise<void> {
  const stretch = new Stretch(file, sizeOf(file), start);
  const places: number[] = [];
  for (let end = start; end <= last; ) {
    const header = readExtentHeader(stretch, end, undefined);
    const next = findBatch(stretch, header ? end + EXTENT_BYTES : end, generation, places);
    if (next === 0) {
      throw new CorruptionError(`the batch at byte ${end} of the log fails its check`, {
        detail: { start: end, end: last + 1 },
      });
    }
    const visiting = visitAll(stretch, places, visit);
    if (visiting) await visiting;
    const waiting = endBatch();
    if (waiting) await waiting;
    end = next;
  }
}

/** Visits one after the other, from the `i`th on; answers at once where the visits do. */
function visitAll(stretch: Stretch, places: readonly number[], visit: Visit, i = 0): Eventually<void> {
  for (let next = i; next < places.length; next++) {
    const place = places[next]!;
    const entry = new EntryView(stretch.bytes, stretch.view, stretch.offset(place));
    const visiting = visit(entry, place / UNIT);
    if (visiting) return visiting.then(() => visitAll(stretch, places, visit, next + 1));
  }
}

/** Whether a COMMIT lies right before `end`. */
export function endsBatch(file: SyncFile, end: number, generation: number): boolean {
  const bytes = new Uint8Array(padded(COMMIT_TOTAL));
  const start = end - bytes.length;
  if (start < 0 || start % UNIT !== 0 || end > sizeOf(file)) return false;
  readWhole(file, bytes, start);
  const view = new DataView(bytes.buffer);
  if (view.getInt32(ENTRY_AT.head, true) >>> TYPE_SHIFT !== Type.Commit) return false;
  return entryLength(bytes, view, 0, bytes.length, generation) === COMMIT_TOTAL;
}

/** Whether the header of extent `number`, or of any, lies at `at`. */
function readExtentHeader(stretch: Stretch, at: number, number: number | undefined): boolean {
  if (!stretch.load(at, at + EXTENT_BYTES)) return false;
  const { bytes, view } = stretch;
  const start = stretch.offset(at);
  if (view.getUint32(start + EXTENT_AT.magic, true) !== EXTENT_MAGIC) return false;
  const check = crc32c(bytes, start + EXTENT_AT.version, start + EXTENT_BYTES);
  if (check !== view.getUint32(start + EXTENT_AT.check, true)) return false;
  const version = view.getUint16(start + EXTENT_AT.version, true);
  if (version !== VERSION) {
    throw new FormatError(`the log was written in format ${version}; this release reads ${VERSION}`, {
      detail: { version },
    });
  }
  return number === undefined || view.getUint32(start + EXTENT_AT.number, true) === number;
}

/** Fills `places` with the entries of the batch at `start` and gives its end; 0 where no batch counts. */
function findBatch(stretch: Stretch, start: number, generation: number, places: number[]): number {
  places.length = 0;
  let at = start;
  while (stretch.load(start, at + ENTRY_AT.optional)) {
    const claimed = stretch.view.getUint32(stretch.offset(at), true);
    if (claimed < ENTRY_AT.optional || !stretch.load(start, at + claimed)) return 0;
    const { bytes, view } = stretch;
    const from = stretch.offset(at);
    const length = entryLength(bytes, view, from, from + claimed, generation);
    if (length === 0) return 0;
    const next = at + padded(length);
    if (view.getInt32(from + ENTRY_AT.head, true) >>> TYPE_SHIFT !== Type.Commit) {
      places.push(at);
      at = next;
      continue;
    }
    const value = from + ENTRY_AT.optional;
    const whole =
      view.getUint32(value + COMMIT_AT.bytes, true) === next - start &&
      view.getUint32(value + COMMIT_AT.entries, true) === places.length;
    return whole && next <= stretch.size ? next : 0;
  }
  return 0;
}

/**
 * A tail that was being written holds nothing that was flushed. If a commit follows
 * that knows of a flush beyond `end`, bytes before it were damaged. That more of the log
 * follows is no proof: what was not flushed reaches the disk in any order.
 */
function refuseDamage(stretch: Stretch, end: number, generation: number): void {
  for (let at = end; at + ENTRY_AT.optional <= stretch.size; at += UNIT) {
    if (!stretch.load(at, at + Math.min(COMMIT_TOTAL, stretch.size - at))) return;
    const first = stretch.view.getUint32(stretch.offset(at), true);
    if (first !== COMMIT_TOTAL || flushedByCommit(stretch, at, generation) <= end) continue;
    throw new CorruptionError(
      `bytes ${end} to ${at} of the log fail their check and had been flushed; nothing was changed`,
      { detail: { start: end, end: at } },
    );
  }
}

/** Up to where the log had been flushed when the commit at `at` was written; 0 where there is no commit. */
function flushedByCommit(stretch: Stretch, at: number, generation: number): number {
  const { bytes, view } = stretch;
  const from = stretch.offset(at);
  if (view.getInt32(from + ENTRY_AT.head, true) >>> TYPE_SHIFT !== Type.Commit) return 0;
  if (entryLength(bytes, view, from, from + COMMIT_TOTAL, generation) === 0) return 0;
  return view.getUint32(from + ENTRY_AT.optional + COMMIT_AT.flushed, true) * UNIT;
}
