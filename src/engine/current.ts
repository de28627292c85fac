/**
 * The log of a store is rewritten now and then, and another one follows it. Whoever
 * works on the newest version holds these two, which always are of the current log;
 * whoever reads an older version holds the `Records` that were current then.
 */
import type { Eventually } from '../base/bytes.js';
import { IoError } from '../base/errors.js';
import type { Batch, EntryView, Level, Log, Position, Replayed, Visit } from '../storage/log/index.js';
import { type RecordSource, Records } from './records.js';

export class CurrentLog implements Log {
  #uncertain: unknown;

  constructor(private log: Log) {}

  /** It is not known which of two logs the store will be opened with: nothing more may be written. */
  breakOff(cause: unknown): void {
    this.#uncertain = cause;
  }

  /** From now on everything goes to `log`. REQUIRES: no batch is begun. */
  follow(log: Log): void {
    this.log = log;
  }

  get backend(): string {
    return this.log.backend;
  }

  get generation(): number {
    return this.log.generation;
  }

  get position(): Position {
    return this.log.position;
  }

  get bytes(): number {
    return this.log.bytes;
  }

  get extents(): number {
    return this.log.extents;
  }

  get batches(): number {
    return this.log.batches;
  }

  get flushes(): number {
    return this.log.flushes;
  }

  get settlesIn(): number {
    return this.log.settlesIn;
  }

  get full(): boolean {
    return this.log.full;
  }

  begin(seal?: boolean): Batch {
    return this.log.begin(seal);
  }

  append(batch: Batch, strict: boolean): Eventually<Level> {
    if (this.#uncertain !== undefined) {
      throw new IoError('the header could not be written; open the store again', { cause: this.#uncertain });
    }
    return this.log.append(batch, strict);
  }

  read(location: number): Eventually<EntryView> {
    return this.log.read(location);
  }

  flush(): Eventually<Level> {
    return this.log.flush();
  }

  reaches(position: Position): Eventually<boolean> {
    return this.log.reaches(position);
  }

  replay(visit: Visit, endBatch: () => Eventually<void>, from?: Position): Eventually<Replayed> {
    return this.log.replay(visit, endBatch, from);
  }

  walk(visit: Visit, endBatch: () => Eventually<void>, from?: number, to?: number): Promise<void> {
    return this.log.walk(visit, endBatch, from, to);
  }

  close(): Eventually<void> {
    return this.log.close();
  }
}

export class CurrentRecords implements RecordSource {
  #era: Records;

  constructor(
    log: Log,
    private readonly cacheBytes: number,
  ) {
    this.#era = new Records(log, cacheBytes);
  }

  /** The records of the log that is current now; they stay those of that log. */
  get era(): Records {
    return this.#era;
  }

  get cachedBytes(): number {
    return this.#era.cachedBytes;
  }

  read(location: number): Eventually<EntryView> {
    return this.#era.read(location);
  }

  /** From now on records are those of `log`; gives those of the log before. */
  follow(log: Log): Records {
    const before = this.#era;
    this.#era = new Records(log, this.cacheBytes);
    return before;
  }
}
