/**
 * Format of the log over IndexedDB, version 1: entries lie in *pages*, and a page is
 * one record. One record an entry would cost a request and a clone for each of them.
 *
 * A location is the number of an entry: 1, 2, 3 ..., never used again, but for those of
 * a tail that was dropped (5).
 *
 *    object store `log`     record
 *    ------------------     ------------------------------------------------------
 *    key                    location of the page's first entry
 *    value, a Uint8Array    its entries one behind the other, each as
 *                           `log/format.ts` has it, padded to 8 bytes with zeros
 *
 * Rules
 *  1. Locations have no gap: a page's entries are numbered on from its key, and the
 *     next page's key is the number behind its last entry.
 *  2. A page holds entries of one batch. An entry that would take it over
 *     `PAGE_BYTES` begins the next page, so a longer one has a page to itself.
 *  3. A batch is one transaction and ends with its COMMIT, which never begins a page.
 *     It counts when all of it is there and nothing before it is missing.
 *  4. A page counts when each of its entries agrees with its check and its padding is
 *     zeros. Anything else is damage, wherever it lies. No entry is taken from such a
 *     page, since where the later ones begin is told by the lengths of those before.
 *  5. `flushed` in the store `meta` is a location: those below it were flushed. Each
 *     COMMIT names one as well. Pages behind the last batch that counts are dropped; if
 *     one of these locations lies behind it, pages are lost and nothing is changed.
 *
 * The first write of a log, `set('a', 'hi')` as version 1 at 1,700,000,000,000,
 * generation 7, is the page 1 of 72 bytes, an entry of 27 and a COMMIT of 36:
 *
 *    1b 00 00 00  CRC          01 00 40 10  01 00 00 00 00 00  00 68 e5 cf 8b 01
 *    61 68 69 00 00 00 00 00
 *    24 00 00 00  CRC          00 00 00 60  01 00 00 00 00 00  00 68 e5 cf 8b 01
 *    48 00 00 00  01 00 00 00  01 00 00 00  00 00 00 00
 */
import { CorruptionError } from '../base/errors.js';
import type { BatchBuffer } from './log/batch.js';
import { type Batch, type EntryFields, EntryView, entryLength, padded, UNIT } from './log/index.js';

/** Large enough that requests do not count, small enough that one entry of it is cheap to read. */
export const PAGE_BYTES = 32 * 1024;

const CACHE_BYTES = 2 * 2 ** 20;
/** A page larger than this is not kept: it would push out too many others. */
const CACHED_PAGE_BYTES_MAX = CACHE_BYTES / 8;

export interface Page {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where each entry begins. */
  readonly offsets: readonly number[];
}

/** @throws CorruptionError when any bit of the page is not as it was written. */
export function openPage(first: number, stored: unknown, generation: number): Page {
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

export function entryAt({ first, bytes, view, offsets }: Page, location: number): EntryView {
  const at = offsets[location - first];
  if (at === undefined) throw noEntry(location);
  const entry = new EntryView(bytes, view, at);
  // A page that is not kept is its one entry and little else: nothing to copy out of.
  return bytes.length > CACHED_PAGE_BYTES_MAX ? entry : entry.own();
}

export function noEntry(location: number): CorruptionError {
  return new CorruptionError(`there is no entry ${location} in the log`, { detail: { location } });
}

/**
 * Pages that were read last, in two generations: when the young one has half of the
 * bytes it becomes the old one, which is dropped whole. `engine/records.ts` says why.
 */
export class PageCache {
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

export interface NewPage {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** Entries as in a file's batch, with marks where a page begins. */
export class PagedBatch implements Batch {
  readonly #marks: { readonly first: number; readonly at: number }[];
  /** Where each entry begins. */
  readonly #offsets: number[] = [];
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

  get next(): number {
    return this.first + this.buffer.entries;
  }

  fill(location: number, value: Uint8Array): void {
    this.buffer.fillAt(this.#offsets[location - this.first]!, value);
  }

  add(fields: EntryFields): number {
    const { buffer, next: location } = this;
    const at = buffer.bytes;
    this.#offsets.push(at);
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
