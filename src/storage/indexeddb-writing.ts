/**
 * How pages of a log are written to IndexedDB, and how they are made to last.
 *
 * Chromium keeps databases in LevelDB, whose own log is another file every few megabytes.
 * A strict transaction flushes the file that it is written to, and not the one before: at
 * a power cut pages of relaxed transactions were gone while later ones were there (2 of
 * 21 cuts, with a flush every 10 or 50 ms). So
 *  1. What is to last is written once more, in strict transactions that LevelDB writes in
 *     one go: a transaction of more than a megabyte it writes in several, and flushes the
 *     last.
 *  2. Pages that follow a gap prove nothing. Behind what was flushed, a gap ends the log.
 */
import type { IDBPTransaction } from 'idb';

import type { NewPage, Page } from './indexeddb-pages.js';
import type { Database, LogName, Schema } from './indexeddb-schema.js';
import { COMMIT_AT } from './log/format.js';
import { EntryView, Type } from './log/index.js';

/** Of 32 KiB each, so well under a megabyte. */
const PAGES_AT_ONCE = 8;
/** LevelDB holds values up to this by themselves; longer ones are files of their own, flushed as such. */
const WITHIN_BYTES = 64 * 1024;
const AT_ONCE_BYTES = 512 * 1024;

/** Writes pages in one transaction. @throws why it was not written, as the medium says it. */
export async function writePages(
  db: Database,
  name: LogName,
  pages: readonly NewPage[],
  durability: 'strict' | 'relaxed',
): Promise<void> {
  let refused: unknown;
  const transaction = db.transaction(name, 'readwrite', { durability });
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
  await done.catch((error) => {
    throw refused ?? error;
  });
}

/** Whether a strict transaction of these pages is written and flushed in one go. */
export function lastsAtOnce(pages: readonly NewPage[]): boolean {
  let bytes = 0;
  for (const page of pages) if (page.bytes.length <= WITHIN_BYTES) bytes += page.bytes.length;
  return bytes <= AT_ONCE_BYTES;
}

/** Makes pages last that are there already; `keys` are theirs, in order. */
export async function writeAgain(db: Database, name: LogName, keys: readonly number[]): Promise<void> {
  for (let from = 0; from < keys.length; from += PAGES_AT_ONCE) {
    const some = keys.slice(from, from + PAGES_AT_ONCE);
    const transaction = db.transaction(name, 'readwrite', { durability: 'strict' });
    const { done, store } = transaction;
    done.catch(() => {});
    await putBack(store, some);
    await done;
  }
}

async function putBack(
  store: IDBPTransaction<Schema, [LogName], 'readwrite'>['store'],
  keys: readonly number[],
): Promise<void> {
  const stored = await store.getAll(IDBKeyRange.bound(keys[0]!, keys.at(-1)!));
  // The end of the transaction says why one was refused.
  stored.forEach((bytes, i) => void store.put(bytes, keys[i]!).catch(() => {}));
}

/** Up to where the log had been flushed when the batch was written that ends with `page`; 0 where none does. */
export function flushedBy({ bytes, view, offsets }: Page): number {
  const last = new EntryView(bytes, view, offsets.at(-1)!);
  if (last.type !== Type.Commit) return 0;
  const { value } = last;
  return new DataView(value.buffer, value.byteOffset).getUint32(COMMIT_AT.flushed, true);
}
