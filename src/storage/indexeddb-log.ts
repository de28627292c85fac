/**
 * The log over IndexedDB. Format and rules in `indexeddb-pages.ts`.
 *
 * A batch is one transaction. Reads of one microtask share a transaction, reads of
 * one page a request; what lies in a page that was read lately is answered at once.
 * In memory: one number a page, and the cache.
 */
import type { IDBPTransaction } from 'idb';
import type { Eventually } from '../base/bytes.js';
import { CorruptionError, DataLossError, IoError } from '../base/errors.js';
import { entryAt, noEntry, openPage, type Page, PageCache, PagedBatch } from './indexeddb-pages.js';
import {
  type Database,
  FLUSHED,
  LOGS,
  type LogName,
  putMeta,
  reading,
  type Schema,
} from './indexeddb-schema.js';
import { flushedBy, lastsAtOnce, writeAgain, writePages } from './indexeddb-writing.js';
import { BatchBuffer } from './log/batch.js';
import {
  type Batch,
  EntryView,
  fullExtentBytes,
  type Level,
  type Log,
  mediumError,
  type Position,
  type Replayed,
  Type,
  type Visit,
} from './log/index.js';

/** Locations are 32 bits. */
const LOCATIONS_MAX = 2 ** 32;

/** Replay reads about so much at once; how many pages that is, the step before tells. */
const STEP_BYTES = 2 * 2 ** 20;
const STEP_PAGES_FIRST = 16;
const STEP_PAGES_MAX = 1024;

/** Which log: seeds its checks, and tells its place. */
export interface LogPlace {
  readonly generation: number;
  readonly place: 0 | 1;
  /** A tail that was cut off is an error instead of being dropped. */
  readonly absolute?: boolean;
}

export class IndexedDbLog implements Log {
  readonly backend = 'indexeddb';
  readonly settlesIn = 0;
  bytes = 0;
  extents = 0;
  batches = 0;
  flushes = 0;
  readonly generation: number;
  readonly #db: Database;
  readonly #name: LogName;
  readonly #flushedKey: string;
  readonly #isLost: () => boolean;
  readonly #absolute: boolean;
  /** Locations of the first entries of all pages, in order. */
  readonly #pages: number[];
  readonly #cache = new PageCache();
  readonly #loading = new Map<number, Promise<Page>>();
  readonly #buffer = new BatchBuffer();
  /** What reads until the end of this microtask share. */
  #reading: IDBPTransaction<Schema, [LogName]> | undefined;
  #next = 1;
  #flushed = 1;
  /** What stands in `meta`: nothing has to be written where that is all. */
  #marked = 0;
  #extentBytes = 0;
  #sealing = false;

  private constructor(db: Database, log: LogPlace, pages: number[], isLost: () => boolean) {
    const { generation, place, absolute = false } = log;
    this.#db = db;
    this.#absolute = absolute;
    this.generation = generation;
    this.#name = LOGS[place];
    this.#flushedKey = FLUSHED[place];
    this.#pages = pages;
    this.#isLost = isLost;
  }

  /** Reads the keys of the pages and nothing else. `isLost` tells when the browser has taken the database away. */
  static async open(db: Database, log: LogPlace, isLost: () => boolean): Promise<IndexedDbLog> {
    return new IndexedDbLog(db, log, await db.getAllKeys(LOGS[log.place]), isLost);
  }

  get full(): boolean {
    return this.#extentBytes >= fullExtentBytes(this.bytes);
  }

  get position(): Position {
    const { bytes, extents, batches } = this;
    return { next: this.#next, extentBytes: this.#extentBytes, bytes, extents, batches };
  }

  async reaches({ next = 0 }: Position): Promise<boolean> {
    const first = this.#pageOf(next - 1);
    if (first === undefined) return false;
    const { bytes, view, offsets } = await this.#readPage(first);
    const last = new EntryView(bytes, view, offsets.at(-1)!);
    return first + offsets.length === next && last.type === Type.Commit;
  }

  async replay(visit: Visit, endBatch: () => Eventually<void>, position?: Position): Promise<Replayed> {
    let entries = 0;
    let gap: DataLossError | undefined;
    let whole = this.position;
    // A batch is told when all of it was found: a power cut may leave parts.
    let batch: [EntryView, number][] = [];
    for await (const page of this.#opened(this.#goOnFrom(position), this.#pages.length)) {
      if (page.first !== this.#next) {
        gap = lost(this.#next, page.first);
        break;
      }
      this.#count(page);
      for (const [entry, location] of entriesOf(page)) {
        if (entry.type !== Type.Commit) {
          batch.push([entry, location]);
          continue;
        }
        for (const [held, at] of batch) {
          const visiting = visit(held, at);
          if (visiting) await visiting;
        }
        entries += batch.length;
        batch = [];
        this.batches += 1;
        whole = this.position;
        const waiting = endBatch();
        if (waiting) await waiting;
      }
    }
    const tornBytes = await this.#cutBack(position && entries === 0 ? position : whole, gap);
    // The first extent has no SEAL.
    if (!position && entries > 0) this.extents += 1;
    return { entries, tornBytes };
  }

  async walk(visit: Visit, endBatch: () => Eventually<void>, from = 1, to = Infinity): Promise<void> {
    const last = Math.min(to, this.#next - 1);
    const first = this.#pages.findIndex((page) => page >= from);
    if (first < 0) return;
    for await (const page of this.#opened(first, this.#pages.length)) {
      for (const [entry, location] of entriesOf(page)) {
        if (entry.type !== Type.Commit) {
          const visiting = visit(entry, location);
          if (visiting) await visiting;
          continue;
        }
        const waiting = endBatch();
        if (waiting) await waiting;
        if (location >= last) return;
      }
    }
  }

  /** The pages with these numbers, read many at once. */
  async *#opened(first: number, end: number): AsyncGenerator<Page, void, undefined> {
    let step = STEP_PAGES_FIRST;
    for (let from = first; from < end; ) {
      const to = Math.min(end, from + step);
      const stored = await this.#readPages(from, to);
      let bytes = 0;
      for (let i = from; i < to; i++) {
        const page = openPage(this.#pages[i]!, stored[i - from], this.generation);
        bytes += page.bytes.length;
        yield page;
      }
      const fitting = Math.floor((STEP_BYTES * (to - from)) / bytes);
      step = Math.max(1, Math.min(fitting, step * 2, STEP_PAGES_MAX));
      from = to;
    }
  }

  /** The number of the first page behind `position`. */
  #goOnFrom(position: Position | undefined): number {
    if (!position) return 0;
    const { next = 1, extentBytes = 0, bytes = 0, extents = 0, batches = 0 } = position;
    this.#next = next;
    this.#extentBytes = extentBytes;
    Object.assign(this, { bytes, extents, batches });
    return this.#numberOf(next);
  }

  /** The number of the first page that begins at `location` or behind it. */
  #numberOf(location: number): number {
    return this.#pages.findLastIndex((first) => first < location) + 1;
  }

  async #readPages(from: number, to: number): Promise<Uint8Array[]> {
    const range = IDBKeyRange.bound(this.#pages[from], this.#pages[to - 1]);
    let stored: Uint8Array[];
    try {
      stored = await reading(this.#db, this.#name).getAll(range);
    } catch (error) {
      throw mediumError('reading IndexedDB', error);
    }
    if (stored.length === to - from) return stored;
    throw lost(range.lower, range.upper + 1);
  }

  #count({ first, bytes, view, offsets }: Page): void {
    this.#next = first + offsets.length;
    this.bytes += bytes.length;
    // Nothing but the first entry of a batch, so of a page, can be a SEAL.
    if (new EntryView(bytes, view, 0).type === Type.Seal) {
      this.extents += 1;
      this.#extentBytes = 0;
    }
    this.#extentBytes += bytes.length;
  }

  /**
   * Drops what lies behind the last whole batch, if none of it had been flushed; the bytes of it.
   *
   * @throws DataLossError where it had; CorruptionError where nothing may be dropped.
   */
  async #cutBack(whole: Position, gap: DataLossError | undefined): Promise<number> {
    const behind = this.#goOnFrom(whole);
    const end = this.#next;
    let flushed = 0;
    let bytes = 0;
    for await (const page of this.#opened(behind, this.#pages.length)) {
      flushed = Math.max(flushed, flushedBy(page));
      bytes += page.bytes.length;
    }
    try {
      const marked = await reading(this.#db, 'meta').get(this.#flushedKey);
      if (typeof marked === 'number') this.#marked = marked;
      flushed = Math.max(flushed, this.#marked);
      if (flushed > end) throw gap ?? lost(end, flushed);
      this.#flushed = Math.max(this.#flushed, flushed);
      if (bytes === 0) return 0;
      if (this.#absolute) {
        throw new CorruptionError(`the log ends in ${bytes} bytes that are no whole batch`, {
          detail: { end },
        });
      }
      const range = IDBKeyRange.lowerBound(end);
      const transaction = this.#db.transaction(this.#name, 'readwrite', { durability: 'strict' });
      await Promise.all([transaction.store.delete(range), transaction.done]);
    } catch (error) {
      throw mediumError('reading IndexedDB', error);
    }
    this.#pages.length = behind;
    return bytes;
  }

  begin(seal = false): PagedBatch {
    this.#sealing = seal;
    this.#buffer.reset(0, this.generation);
    return new PagedBatch(this.#next, this.#buffer);
  }

  async append(batch: Batch, strict: boolean): Promise<Level> {
    this.#refuseLost();
    const next = this.#next + batch.entries + 1;
    if (next > LOCATIONS_MAX) {
      throw new IoError(`the log has reached its largest size, ${LOCATIONS_MAX} entries`);
    }
    const pages = (batch as PagedBatch).close(this.#flushed);
    const { bytes } = batch;
    if (strict) await this.#writeAgain(this.#flushed);
    try {
      await writePages(this.#db, this.#name, pages, strict ? 'strict' : 'relaxed');
    } catch (error) {
      this.#refuseLost();
      throw mediumError('writing to IndexedDB', error);
    }
    for (const { first } of pages) this.#pages.push(first);
    this.#next = next;
    this.#extentBytes = this.#sealing ? bytes : this.#extentBytes + bytes;
    if (this.#sealing || this.extents === 0) this.extents += 1;
    this.bytes += bytes;
    this.batches += 1;
    if (!strict) return 'os';
    if (!lastsAtOnce(pages)) await this.#writeAgain(pages[0]!.first);
    this.#flushed = next;
    this.flushes += 1;
    return 'durable';
  }

  /** Makes the pages from `location` on last, which were written without it. */
  async #writeAgain(location: number): Promise<void> {
    if (location === this.#next) return;
    try {
      await writeAgain(this.#db, this.#name, this.#pages.slice(this.#numberOf(location)));
    } catch (error) {
      this.#refuseLost();
      throw mediumError('flushing IndexedDB', error);
    }
  }

  /** At once where the page is in the cache. */
  read(location: number): Eventually<EntryView> {
    this.#refuseLost();
    const first = this.#pageOf(location);
    if (first === undefined) throw noEntry(location);
    const page = this.#cache.get(first);
    return page ? entryAt(page, location) : this.#load(first).then((loaded) => entryAt(loaded, location));
  }

  /** The page in which `location` lies, if it lies anywhere. */
  #pageOf(location: number): number | undefined {
    const pages = this.#pages;
    let from = 0;
    let to = pages.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (pages[middle]! <= location) from = middle + 1;
      else to = middle;
    }
    return pages[from - 1];
  }

  /** Whoever wants a page that is on its way waits for the same request. */
  #load(first: number): Promise<Page> {
    let loading = this.#loading.get(first);
    if (!loading) {
      loading = this.#readPage(first).finally(() => this.#loading.delete(first));
      this.#loading.set(first, loading);
    }
    return loading;
  }

  async #readPage(first: number): Promise<Page> {
    let stored: Uint8Array | undefined;
    try {
      stored = await this.#shared().store.get(first);
    } catch (error) {
      this.#refuseLost();
      throw mediumError('reading IndexedDB', error);
    }
    const page = openPage(first, stored, this.generation);
    this.#cache.keep(page);
    return page;
  }

  #shared(): IDBPTransaction<Schema, [LogName]> {
    if (!this.#reading) {
      this.#reading = this.#db.transaction(this.#name);
      // Each request tells how it went.
      this.#reading.done.catch(() => {});
      queueMicrotask(() => {
        this.#reading = undefined;
      });
    }
    return this.#reading;
  }

  async flush(): Promise<Level> {
    this.#refuseLost();
    const next = this.#next;
    if (next === this.#marked) return 'durable';
    await this.#writeAgain(this.#flushed);
    try {
      await putMeta(this.#db, this.#flushedKey, next);
    } catch (error) {
      this.#refuseLost();
      throw mediumError('flushing IndexedDB', error);
    }
    this.#flushed = next;
    this.#marked = next;
    this.flushes += 1;
    return 'durable';
  }

  close(): void {
    this.#db.close();
  }

  #refuseLost(): void {
    if (!this.#isLost()) return;
    throw new IoError('the browser closed the database of the store, or somebody deleted it; open it again');
  }
}

function* entriesOf({ first, bytes, view, offsets }: Page): Generator<[EntryView, number], void> {
  for (let n = 0; n < offsets.length; n++) yield [new EntryView(bytes, view, offsets[n]!), first + n];
}

function lost(start: number, end: number): DataLossError {
  return new DataLossError(
    `entries ${start} to ${end - 1} of the log are not all there; nothing was changed`,
    { detail: { start, end } },
  );
}
