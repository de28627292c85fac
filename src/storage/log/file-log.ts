/**
 * The log over one file that grows: OPFS in a browser, a file in Node, RAM in tests
 * and for stores that live in memory. Format and rules in `format.ts`.
 *
 * Invariants
 *  1. Bytes before `#end` are whole batches and never change.
 *  2. Between calls the file is no longer than `#end`, or `#ragged` is set and nothing is
 *     written before the rest is cut off.
 *  3. Where bytes were cut off, the cut is flushed before others are written there: a
 *     power cut would leave pieces of both, and pieces of equal length fit together.
 */
import type { Eventually } from '../../base/bytes.js';
import { CorruptionError, DataLossError, IoError, StoreError } from '../../base/errors.js';
import { BatchBuffer } from './batch.js';
import { type EntryFields, EntryView, entryLength } from './entry.js';
import { mediumError, notWhole, readWhole, type SyncFile, sizeOf } from './file.js';
import { ENTRY_AT, EXTENT_BYTES, fullExtentBytes, UNIT } from './format.js';
import type { Batch, Level, Log, Position, Replayed, Visit } from './log.js';
import { type End, endsBatch, replayFile, START, walkFile } from './replay.js';

/** Most entries are shorter than this, so one read brings header and rest. */
const GUESS_BYTES = 512;
/** Locations are 32 bits. */
const LOG_BYTES_MAX = 2 ** 32 * UNIT;

export interface FileLogOptions {
  readonly backend: string;
  /** Seeds every check, so that another log's bytes never count in this one. */
  readonly generation: number;
  /** What a write reaches without a flush. */
  readonly written: Level;
  /** What a write reaches with a flush, as of now, which went up to byte `end`. */
  readonly flushed: (end: number) => Eventually<Level>;
  /** Milliseconds until a flush will be durable that could not be made so now. */
  readonly settlesIn?: () => number;
  /** Bytes that had been flushed for certain when the store was closed. */
  readonly flushedTo?: number;
  /** A torn tail is an error instead of being cut. */
  readonly absolute?: boolean;
}

export class FileLog implements Log {
  readonly #file: SyncFile;
  readonly #options: FileLogOptions;
  readonly #batch = new BatchBuffer();
  readonly #guess = new Uint8Array(GUESS_BYTES);
  readonly #guessView = new DataView(this.#guess.buffer);
  #end = 0;
  #flushedTo = 0;
  #extentStart = 0;
  #extents = 0;
  #batches = 0;
  #flushes = 0;
  /** Where in the buffer the batch begins: behind an extent's header, if it has one. */
  #batchStart = 0;
  #last: { sequence: number; time: number } = { sequence: 0, time: 0 };
  /** A flush that failed. */
  #broken: unknown;
  /** Bytes of a failed append may lie behind `#end`. */
  #ragged = false;

  constructor(file: SyncFile, options: FileLogOptions) {
    this.#file = file;
    this.#options = options;
  }

  get backend(): string {
    return this.#options.backend;
  }

  get generation(): number {
    return this.#options.generation;
  }

  get bytes(): number {
    return this.#end;
  }

  get extents(): number {
    return this.#extents;
  }

  get batches(): number {
    return this.#batches;
  }

  get flushes(): number {
    return this.#flushes;
  }

  get settlesIn(): number {
    return this.#options.settlesIn?.() ?? 0;
  }

  get full(): boolean {
    return this.#end - this.#extentStart >= fullExtentBytes(this.#end);
  }

  get position(): Position {
    const end: End = {
      end: this.#end,
      extentStart: this.#extentStart,
      extents: this.#extents,
      batches: this.#batches,
    };
    return { ...end };
  }

  reaches(position: Position): boolean {
    return endsBatch(this.#file, endOf(position).end, this.#options.generation);
  }

  async replay(visit: Visit, endBatch: () => void | Promise<void>, from?: Position): Promise<Replayed> {
    const size = sizeOf(this.#file);
    // Sealing reads older records while the log is still being read.
    this.#end = size;
    const start = from ? endOf(from) : START;
    const found = await replayFile(this.#file, this.#options.generation, visit, endBatch, start);
    const { flushedTo = 0 } = this.#options;
    if (found.end < flushedTo) {
      throw new DataLossError(
        `the log ends at byte ${found.end}; up to ${flushedTo} had been flushed. Nothing was changed`,
        {
          detail: { start: found.end, end: flushedTo },
        },
      );
    }
    const tornBytes = size - found.end;
    if (tornBytes > 0) {
      if (this.#options.absolute) {
        throw new CorruptionError(`the log ends in ${tornBytes} bytes that are no whole batch`, {
          detail: { start: found.end, end: size },
        });
      }
    }
    this.#end = found.end;
    this.#flushedTo = Math.max(flushedTo, found.flushedTo);
    if (tornBytes > 0) this.#cutBack();
    this.#extentStart = found.extentStart;
    this.#extents = found.extents;
    this.#batches = found.batches;
    return { entries: found.entries, tornBytes };
  }

  walk(visit: Visit, endBatch: () => Eventually<void>, from = 0, to = Infinity): Promise<void> {
    const last = Math.min(to * UNIT, this.#end - 1);
    return walkFile(this.#file, this.#options.generation, visit, endBatch, from * UNIT, last);
  }

  begin(seal = false): Batch {
    const batch = this.#batch;
    batch.reset(this.#end, this.#options.generation);
    if (seal || this.#extents === 0) batch.addExtentHeader(this.#extents);
    this.#batchStart = batch.bytes;
    return {
      get entries() {
        return batch.entries;
      },
      get bytes() {
        return batch.bytes;
      },
      get next() {
        return batch.next;
      },
      fill: (location, value) => batch.fill(location, value),
      add: (fields: EntryFields) => {
        this.#last = fields;
        return batch.add(fields);
      },
    };
  }

  append(_batch: Batch, strict: boolean): Eventually<Level> {
    this.#refuseBroken();
    if (this.#ragged) this.#cutBack();
    this.#batch.addCommit(this.#batchStart, this.#last.sequence, this.#last.time, this.#flushedTo);
    const bytes = this.#batch.written;
    if (this.#end + bytes.length > LOG_BYTES_MAX) {
      throw new IoError(`the log has reached its largest size, ${LOG_BYTES_MAX} bytes`);
    }
    this.#write(bytes);
    if (strict) {
      try {
        this.#flushFile(this.#end + bytes.length);
      } catch (error) {
        this.#tryCutBack();
        throw error;
      }
    }
    if (this.#batchStart === EXTENT_BYTES) {
      this.#extentStart = this.#end;
      this.#extents += 1;
    }
    this.#end += bytes.length;
    this.#batches += 1;
    return strict ? this.#reached() : this.#options.written;
  }

  /** One write, believed only when the file has grown by it: a full disk lies in some browsers. */
  #write(bytes: Uint8Array): void {
    const end = this.#end + bytes.length;
    let cause: unknown;
    try {
      const written = this.#file.write(bytes, this.#end);
      if (written === bytes.length && this.#file.size() === end) return;
      cause = notWhole(written, bytes.length);
    } catch (error) {
      cause = error;
    }
    this.#tryCutBack();
    throw mediumError('writing to the log', cause);
  }

  /** Takes back what a failed append may have left; where that fails too, the next one tries again. */
  #tryCutBack(): void {
    try {
      this.#cutBack();
    } catch {
      // The caller is told why the append failed; `#ragged` stays.
    }
  }

  #cutBack(): void {
    this.#ragged = true;
    try {
      this.#file.truncate(this.#end);
    } catch (error) {
      throw mediumError('cutting the log back', error);
    }
    if (!this.#broken) this.#flushFile(this.#end);
    this.#ragged = false;
  }

  flush(): Eventually<Level> {
    this.#refuseBroken();
    if (this.#ragged) this.#tryCutBack();
    this.#flushFile(this.#end);
    return this.#reached();
  }

  /** Takes no more writes, which would be lost. */
  breakOff(cause: StoreError): void {
    this.#broken ??= cause;
  }

  #refuseBroken(): void {
    if (this.#broken instanceof StoreError) throw this.#broken;
    if (this.#broken === undefined) return;
    throw new IoError(
      'the log could not be flushed before; it takes no more writes until it is opened again',
      {
        cause: this.#broken,
      },
    );
  }

  /** Asked when all is flushed and counts; what is refused now comes too late to be taken back. */
  #reached(): Eventually<Level> {
    this.#flushes += 1;
    const level = this.#options.flushed(this.#end);
    if (!(level instanceof Promise)) return level;
    return level.catch((error) => {
      this.#broken ??= error;
      throw error;
    });
  }

  /** A flush that failed is never tried again: the next would succeed without having written. */
  #flushFile(end: number): void {
    if (this.#broken) throw mediumError('flushing the log', this.#broken);
    try {
      this.#file.flush();
    } catch (error) {
      this.#broken = error;
      throw mediumError('flushing the log', error);
    }
    this.#flushedTo = end;
  }

  read(location: number): EntryView {
    const at = location * UNIT;
    let bytes = this.#guess;
    let view = this.#guessView;
    let got = this.#readInto(bytes, at);
    const claimed = got < ENTRY_AT.optional ? 0 : view.getUint32(ENTRY_AT.length, true);
    if (claimed > got && claimed <= this.#end - at) {
      bytes = new Uint8Array(claimed);
      view = new DataView(bytes.buffer);
      got = this.#readInto(bytes, at);
    }
    if (entryLength(bytes, view, 0, got, this.#options.generation) === 0) {
      throw new CorruptionError(`the record at byte ${at} of the log fails its check`, {
        detail: { start: at, end: at + claimed },
      });
    }
    const entry = new EntryView(bytes, view, 0);
    return bytes === this.#guess ? entry.own() : entry;
  }

  #readInto(bytes: Uint8Array, at: number): number {
    const room = Math.max(0, Math.min(bytes.length, this.#end - at));
    readWhole(this.#file, room === bytes.length ? bytes : bytes.subarray(0, room), at);
    return room;
  }

  close(): void {
    this.#file.close();
  }
}

function endOf({ end = 0, extentStart = 0, extents = 0, batches = 0 }: Position): End {
  return { end, extentStart, extents, batches };
}
