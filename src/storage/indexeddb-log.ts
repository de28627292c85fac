/**
 * The log over IndexedDB: entries lie in *pages*, and a page is one record. One
 * record an entry would cost a request and a clone for each of them.
 *
 * A location is the number of an entry: 1, 2, 3 ..., never used again.
 *
 *    object store `log`     record
 *    ------------------     ------------------------------------------------------
 *    key                    location of the page's first entry
 *    value, a Uint8Array    its entries one behind the other, each as
 *                           `log/format.ts` has it, padded to 8 bytes with zeros
 *
 * Rules
 *  1. Locations have no gap: a page's entries are numbered on from its key, and the
 *     next page's key is the number behind its last entry. Otherwise pages are lost.
 *  2. A page holds entries of one batch. An entry that would take it over
 *     `PAGE_BYTES` begins the next page, so a longer one has a page to itself.
 *  3. A batch is one transaction and ends with its COMMIT, which never begins a page.
 *     It is there whole or not at all: nothing is ever torn, and a log that ends
 *     without a COMMIT has lost its end.
 *  4. A page counts when each of its entries agrees with its check and its padding is
 *     zeros. Anything else is damage, wherever it lies. No entry is taken from such a
 *     page, since where the later ones begin is told by the lengths of those before.
 *  5. `flushed` in the store `meta` is a location: those below it were flushed. A log
 *     that ends before it has lost its end.
 *
 * The first write of a log, `set('a', 'hi')` as version 1 at 1,700,000,000,000,
 * generation 7, is the page 1 of 72 bytes, an entry of 27 and a COMMIT of 36:
 *
 *    1b 00 00 00  CRC          01 00 40 10  01 00 00 00 00 00  00 68 e5 cf 8b 01
 *    61 68 69 00 00 00 00 00
 *    24 00 00 00  CRC          00 00 00 60  01 00 00 00 00 00  00 68 e5 cf 8b 01
 *    48 00 00 00  01 00 00 00  01 00 00 00  00 00 00 00
 *
 * In memory: one number a page, and `PageCache`.
 */
import type { DBSchema, IDBPDatabase, IDBPTransaction } from 'idb';
import type { Eventually } from '../base/bytes.js';
import { CorruptionError, DataLossError, IoError } from '../base/errors.js';
import { BatchBuffer } from './log/batch.js';
import {
  type Batch,
  type EntryFields,
  EntryView,
  entryLength,
  type Level,
  type Log,
  mediumError,
  padded,
  type Replayed,
  Type,
  UNIT,
  type Visit,
} from './log/index.js';

export interface Schema extends DBSchema {
  log: { key: number; value: Uint8Array };
  meta: { key: string; value: Uint8Array | number };
}

export type Database = IDBPDatabase<Schema>;

/** Large enough that requests do not count, small enough that one entry of it is cheap to read. */
export const PAGE_BYTES = 32 * 1024;
const EXTENT_BYTES_LEAST = 256 * 1024;
const EXTENT_BYTES_MOST = 16 * 2 ** 20;
/** Locations are 32 bits. */
const LOCATIONS_MAX = 2 ** 32;

/** Replay reads about so much at once; how many pages that is, the step before tells. */
const STEP_BYTES = 2 * 2 ** 20;
const STEP_PAGES_FIRST = 16;
const STEP_PAGES_MAX = 1024;

const CACHE_BYTES = 2 * 2 ** 20;
/** A page larger than this is not kept: it would push out too many others. */
const CACHED_PAGE_BYTES_MAX = CACHE_BYTES / 8;

interface Page {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where each entry begins. */
  readonly offsets: readonly number[];
}

/** @throws CorruptionError when any bit of the page is not as it was written. */
function openPage(first: number, stored: unknown, generation: number): Page {
  if (!(stored instanceof Uint8Array)) {
    throw new CorruptionError(`page ${first} of the log is not there`, { detail: { page: first } });
  }
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  const offsets: number[] = [];
  let at = 0;
  do {
    const length = entryLength(stored, view, at, stored.length, generation);
    const next = at + padded(length);
    if (length === 0 || !areZeros(stored, at + length, next)) {
      throw new CorruptionError(`page ${first} of the log fails its check at byte ${at}`, {
        detail: { page: first, offset: at },
      });
    }
    offsets.push(at);
    at = next;
  } while (at < stored.length);
  return { first, bytes: stored, view, offsets };
}

function areZeros(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] !== 0) return false;
  return true;
}

function entryAt({ first, bytes, view, offsets }: Page, location: number): EntryView {
  const at = offsets[location - first];
  if (at === undefined) throw noEntry(location);
  const entry = new EntryView(bytes, view, at);
  // A page that is not kept is its one entry and little else: nothing to copy out of.
  return bytes.length > CACHED_PAGE_BYTES_MAX ? entry : entry.own();
}

function noEntry(location: number): CorruptionError {
  return new CorruptionError(`there is no entry ${location} in the log`, { detail: { location } });
}

/**
 * Pages that were read last, in two generations: when the young one has half of the
 * bytes it becomes the old one, which is dropped whole. `engine/records.ts` says why.
 */
class PageCache {
  #young = new Map<number, Page>();
  #old = new Map<number, Page>();
  #youngBytes = 0;

  get(first: number): Page | undefined {
    const young = this.#young.get(first);
    if (young) return young;
    const old = this.#old.get(first);
    if (old) this.keep(old);
    return old;
  }

  keep(page: Page): void {
    const { length } = page.bytes;
    if (length > CACHED_PAGE_BYTES_MAX) return;
    if (this.#youngBytes + length > CACHE_BYTES / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(page.first, page);
    this.#youngBytes += length;
  }
}

interface NewPage {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** Entries as in a file's batch, with marks where a page begins. */
class PagedBatch implements Batch {
  readonly #marks: { readonly first: number; readonly at: number }[];
  #pageStart = 0;
  #last = { sequence: 0, time: 0 };

  constructor(
    readonly first: number,
    private readonly buffer: BatchBuffer,
  ) {
    this.#marks = [{ first, at: 0 }];
  }

  get entries(): number {
    return this.buffer.entries;
  }

  get bytes(): number {
    return this.buffer.bytes;
  }

  add(fields: EntryFields): number {
    const { buffer } = this;
    const location = this.first + buffer.entries;
    const at = buffer.bytes;
    buffer.add(fields);
    if (buffer.bytes - this.#pageStart > PAGE_BYTES && at > this.#pageStart) {
      this.#marks.push({ first: location, at });
      this.#pageStart = at;
    }
    this.#last = fields;
    return location;
  }

  /** Adds the COMMIT and gives the pages, over bytes of their own: a clone of a view clones all that is behind it. */
  close(flushed: number): NewPage[] {
    const { buffer } = this;
    buffer.addCommit(0, this.#last.sequence, this.#last.time, flushed * UNIT);
    const ends = this.#marks.slice(1).map(({ at }) => at);
    ends.push(buffer.bytes);
    return this.#marks.map(({ first, at }, i) => ({ first, bytes: buffer.written.slice(at, ends[i]) }));
  }
}

export class IndexedDbLog implements Log {
  readonly backend = 'indexeddb';
  bytes = 0;
  extents = 0;
  batches = 0;
  flushes = 0;
  readonly #db: Database;
  readonly #generation: number;
  readonly #isLost: () => boolean;
  /** Locations of the first entries of all pages, in order. */
  readonly #pages: number[];
  readonly #cache = new PageCache();
  readonly #loading = new Map<number, Promise<Page>>();
  readonly #buffer = new BatchBuffer();
  /** What reads until the end of this microtask share. */
  #reading: IDBPTransaction<Schema, ['log']> | undefined;
  #next = 1;
  #flushed = 1;
  #extentBytes = 0;
  #sealing = false;

  private constructor(db: Database, generation: number, pages: number[], isLost: () => boolean) {
    this.#db = db;
    this.#generation = generation;
    this.#pages = pages;
    this.#isLost = isLost;
  }

  /** Reads the keys of the pages and nothing else. `isLost` tells when the browser has taken the database away. */
  static async open(db: Database, generation: number, isLost: () => boolean): Promise<IndexedDbLog> {
    return new IndexedDbLog(db, generation, await db.getAllKeys('log'), isLost);
  }

  get full(): boolean {
    return this.#extentBytes >= Math.min(EXTENT_BYTES_MOST, Math.max(EXTENT_BYTES_LEAST, this.bytes / 8));
  }

  async replay(visit: Visit, endBatch: () => Eventually<void>): Promise<Replayed> {
    const count = this.#pages.length;
    let entries = 0;
    let inBatch = 0;
    let step = STEP_PAGES_FIRST;
    for (let from = 0; from < count; ) {
      const to = Math.min(count, from + step);
      const stored = await this.#readPages(from, to);
      let bytes = 0;
      for (let i = from; i < to; i++) {
        const page = openPage(this.#pages[i]!, stored[i - from], this.#generation);
        bytes += page.bytes.length;
        this.#count(page);
        for (let n = 0; n < page.offsets.length; n++) {
          const entry = new EntryView(page.bytes, page.view, page.offsets[n]!);
          if (entry.type !== Type.Commit) {
            visit(entry, page.first + n);
            inBatch += 1;
            continue;
          }
          entries += inBatch;
          inBatch = 0;
          this.batches += 1;
          const waiting = endBatch();
          if (waiting) await waiting;
        }
      }
      const fitting = Math.floor((STEP_BYTES * (to - from)) / bytes);
      step = Math.max(1, Math.min(fitting, step * 2, STEP_PAGES_MAX));
      from = to;
    }
    await this.#refuseShorter(inBatch > 0);
    if (entries > 0) this.extents += 1;
    return { entries, tornBytes: 0 };
  }

  async #readPages(from: number, to: number): Promise<Uint8Array[]> {
    const range = IDBKeyRange.bound(this.#pages[from], this.#pages[to - 1]);
    let stored: Uint8Array[];
    try {
      stored = await this.#db.getAll('log', range);
    } catch (error) {
      throw mediumError('reading IndexedDB', error);
    }
    if (stored.length === to - from) return stored;
    throw lost(range.lower, range.upper + 1);
  }

  /** REQUIRES: pages come in order, each once. */
  #count({ first, bytes, view, offsets }: Page): void {
    if (first !== this.#next) throw lost(this.#next, first);
    this.#next = first + offsets.length;
    this.bytes += bytes.length;
    // Nothing but the first entry of a batch, so of a page, can be a SEAL.
    if (new EntryView(bytes, view, 0).type === Type.Seal) {
      this.extents += 1;
      this.#extentBytes = 0;
    }
    this.#extentBytes += bytes.length;
  }

  async #refuseShorter(inBatch: boolean): Promise<void> {
    if (inBatch) throw lost(this.#next, this.#next + 1);
    const flushed = await this.#db.get('meta', 'flushed');
    if (typeof flushed !== 'number') return;
    if (flushed > this.#next) throw lost(this.#next, flushed);
    this.#flushed = flushed;
  }

  begin(seal = false): PagedBatch {
    this.#sealing = seal;
    this.#buffer.reset(0, this.#generation);
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
    await this.#write(pages, strict ? 'strict' : 'relaxed');
    for (const { first } of pages) this.#pages.push(first);
    this.#next = next;
    this.#extentBytes = this.#sealing ? bytes : this.#extentBytes + bytes;
    if (this.#sealing || this.extents === 0) this.extents += 1;
    this.bytes += bytes;
    this.batches += 1;
    if (!strict) return 'os';
    this.#flushed = next;
    this.flushes += 1;
    return 'durable';
  }

  async #write(pages: readonly NewPage[], durability: 'strict' | 'relaxed'): Promise<void> {
    let refused: unknown;
    try {
      const transaction = this.#db.transaction('log', 'readwrite', { durability });
      const { store, done } = transaction;
      // Only the end of the transaction says that it was written; a request may say why it was not.
      const note = (error: DOMException) => {
        if (error.name !== 'AbortError') refused ??= error;
      };
      try {
        for (const { first, bytes } of pages) store.add(bytes, first).catch(note);
      } catch (error) {
        refused = error;
        transaction.abort();
      }
      await done;
    } catch (error) {
      this.#refuseLost();
      throw mediumError('writing to IndexedDB', refused ?? error);
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
    const page = openPage(first, stored, this.#generation);
    this.#cache.keep(page);
    return page;
  }

  #shared(): IDBPTransaction<Schema, ['log']> {
    if (!this.#reading) {
      this.#reading = this.#db.transaction('log');
      // Each request tells how it went.
      this.#reading.done.catch(() => {});
      queueMicrotask(() => {
        this.#reading = undefined;
      });
    }
    return this.#reading;
  }

  /** A strict transaction makes those before it durable too. */
  async flush(): Promise<Level> {
    this.#refuseLost();
    const next = this.#next;
    try {
      await putMeta(this.#db, 'flushed', next);
    } catch (error) {
      this.#refuseLost();
      throw mediumError('flushing IndexedDB', error);
    }
    this.#flushed = next;
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

/** Puts a value in the store `meta`, flushed. */
export async function putMeta(db: Database, key: string, value: Uint8Array | number): Promise<void> {
  const transaction = db.transaction('meta', 'readwrite', { durability: 'strict' });
  await Promise.all([transaction.store.put(value, key), transaction.done]);
}

function lost(start: number, end: number): DataLossError {
  return new DataLossError(
    `entries ${start} to ${end - 1} of the log are not all there; nothing was changed`,
    { detail: { start, end } },
  );
}
