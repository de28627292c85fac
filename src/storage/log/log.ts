/**
 * What the engine asks of a log, wherever it lies: one batch at a time is written
 * whole, and any entry is read back by its location. A location is a number up to
 * 2^32 - 1 that is never used for another entry.
 *
 * Logs over files answer at once, a log over IndexedDB with a promise; the engine
 * waits only for promises.
 */
import type { Eventually } from '../../base/bytes.js';
import type { EntryFields, EntryView } from './entry.js';

/** How far written bytes have got: RAM, the system (survives a killed browser), the disk (survives a power cut). */
export type Level = 'memory' | 'os' | 'durable';

export interface Batch {
  readonly entries: number;
  readonly bytes: number;
  /** Location that the next entry will have. */
  readonly next: number;
  /** Adds an entry and gives the location that it will have. */
  add(fields: EntryFields): number;
  /** Puts another value, as long as the one that it has, into the entry at `location` of this batch. */
  fill(location: number, value: Uint8Array): void;
}

/** What was found when a log was read from its start. */
export interface Replayed {
  readonly entries: number;
  /** Bytes behind the last whole batch, cut off. */
  readonly tornBytes: number;
}

/** Where a log ended once, in its own words: for that log alone, by way of JSON. */
export type Position = Readonly<Record<string, number>>;

/** Told of each entry, one after the other. An entry is good until the end of its batch is over. */
export type Visit = (entry: EntryView, location: number) => Eventually<void>;

export interface Log {
  readonly backend: string;
  /** Seeds its checks; no other log of the store has it. */
  readonly generation: number;
  /** Where it ends now. */
  readonly position: Position;
  /** Bytes on the medium. */
  readonly bytes: number;
  readonly extents: number;
  readonly batches: number;
  readonly flushes: number;
  /** Whether the extent in use has its full size, so that the next batch is to be a seal. */
  readonly full: boolean;

  /** An empty batch; `seal` starts a new extent with it. One batch at a time. */
  begin(seal?: boolean): Batch;
  /**
   * Writes the batch whole, with a flush when `strict`. After an error nothing has
   * changed, on the medium either.
   *
   * @throws QuotaError when there is no room, IoError when the medium fails otherwise.
   */
  append(batch: Batch, strict: boolean): Eventually<Level>;
  /**
   * The entry at `location`, over bytes of its own.
   *
   * @throws CorruptionError when there is none or its check fails.
   */
  read(location: number): Eventually<EntryView>;
  flush(): Eventually<Level>;
  /** Milliseconds until a flush will be durable that could not be made so now; 0 where that will not change. */
  readonly settlesIn: number;
  /** Whether the log has a batch that ends at `position`, which a log of this generation gave. For before `replay`. */
  reaches(position: Position): Eventually<boolean>;
  /**
   * Visits the entries of every whole batch from the start, or from a position that it
   * reaches and up to which it was flushed, then `endBatch` after each. For once, before the first append.
   */
  replay(visit: Visit, endBatch: () => Eventually<void>, from?: Position): Eventually<Replayed>;
  /**
   * The same while the log is in use, and changing nothing: from the start, or from the batch
   * whose first entry lies at `from`, to the one that `to` lies in, or that is the last now.
   */
  walk(visit: Visit, endBatch: () => Eventually<void>, from?: number, to?: number): Promise<void>;
  close(): Eventually<void>;
}
