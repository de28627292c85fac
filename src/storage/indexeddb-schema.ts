/** What a database of a store holds; `indexeddb.ts` has it in words. */
import type { DBSchema, IDBPDatabase } from 'idb';

/** The object stores of the two places for a log. */
export const LOGS = ['log', 'log-1'] as const;
export type LogName = (typeof LOGS)[number];
/** Where in `meta` it stands up to where the log of a place was flushed. */
export const FLUSHED = ['flushed', 'flushed-1'] as const;

export interface Schema extends DBSchema {
  log: { key: number; value: Uint8Array };
  'log-1': { key: number; value: Uint8Array };
  meta: { key: string; value: Uint8Array | number };
}

export type Database = IDBPDatabase<Schema>;

/** Puts a value in the store `meta`, flushed. */
export async function putMeta(db: Database, key: string, value: Uint8Array | number): Promise<void> {
  const transaction = db.transaction('meta', 'readwrite', { durability: 'strict' });
  const { done } = transaction;
  done.catch(() => {});
  // The end of the transaction says why a request was refused; the request may not.
  transaction.store.put(value, key).catch(() => {});
  await done;
}

/** For one request, which tells how it went; nobody asks its transaction. */
export function reading<Name extends 'log' | 'log-1' | 'meta'>(db: Database, name: Name) {
  const transaction = db.transaction(name);
  transaction.done.catch(() => {});
  return transaction.store;
}
