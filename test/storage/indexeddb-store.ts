/** A log in IndexedDB with nothing around it: filled, read, and changed behind its back. */
import 'fake-indexeddb/auto';
import { expect } from 'vitest';
import type { Backend } from '../../src/storage/backend.js';
import { openIndexedDb } from '../../src/storage/indexeddb.js';
import { type EntryFields, entry, Type } from '../../src/storage/log/index.js';

export const TIME = 1_700_000_000_000;
/** Strings are compared a hundred times as fast as arrays of bytes. */
export const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

let stores = 0;
const open: Backend[] = [];

/** What makes a store's header has 7 for the generation. */
function random(length: number): Uint8Array {
  return length === 4 ? Uint8Array.of(7, 0, 0, 0) : Uint8Array.from({ length }, (_, i) => i);
}

export async function openStore(name = `store ${++stores}`): Promise<Backend & { readonly name: string }> {
  const backend = await openIndexedDb(name, {
    surroundings: { now: () => TIME, elapsed: () => 0, random },
    absolute: false,
    settings: { some: 'setting' },
  });
  open.push(backend);
  return Object.assign(backend, { name });
}

/** Closes what was opened. For after each test. */
export async function closeStores(): Promise<void> {
  for (const backend of open.splice(0)) await backend.close();
}

export function put(version: number, key: string, value: Uint8Array): EntryFields {
  return entry({ type: Type.Put, sequence: version, time: TIME + version, key, value, brings: true });
}

export interface Seen {
  readonly key: string;
  readonly value: string;
  readonly location: number;
}

/** What replay gives, batch by batch, taken at the end of each batch. */
export async function replay({ log }: Backend): Promise<Seen[][]> {
  const batches: Seen[][] = [];
  let batch: (() => Seen)[] = [];
  await log.replay(
    (found, location) => {
      batch.push(() => ({ key: found.key, value: textOf(found.value), location }));
    },
    async () => {
      await Promise.resolve();
      batches.push(batch.map((take) => take()));
      batch = [];
    },
  );
  expect(batch, 'entries after the last batch').toEqual([]);
  return batches;
}

/** Appends a batch of values of these sizes; gives what replay is to give for it. */
export async function append({ log }: Backend, sizes: readonly number[], strict = false): Promise<Seen[]> {
  const batch = log.begin();
  const seen = sizes.map((size, i) => {
    const key = `key ${i} ü`;
    const value = Uint8Array.from({ length: size }, (_, at) => (at * 31 + i + size) & 0xff);
    return { key, value: textOf(value), location: batch.add(put(1, key, value)) };
  });
  expect(await log.append(batch, strict)).toBe(strict ? 'durable' : 'os');
  return seen;
}

export async function expectAll({ log }: Backend, seen: readonly Seen[]): Promise<void> {
  const found = await Promise.all(seen.map(({ location }) => log.read(location)));
  expect(found.map(({ key, value }) => [key, textOf(value)])).toEqual(
    seen.map(({ key, value }) => [key, value]),
  );
}

/** The pages of the store as another program sees them, and a way to change them. */
export async function raw<T>(
  name: string,
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => IDBRequest<T>,
) {
  const asked = indexedDB.open(`rootcellar:${name}`);
  const db = await new Promise<IDBDatabase>((resolve) => {
    asked.onsuccess = () => resolve(asked.result);
  });
  const request = use(db.transaction('log', mode).objectStore('log'));
  const result = await new Promise<T>((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  db.close();
  return result;
}

export const pageKeys = (name: string) =>
  raw(name, 'readonly', (store) => store.getAllKeys()) as Promise<number[]>;
export const pageBytes = (name: string, key: number) =>
  raw(name, 'readonly', (store) => store.get(key)) as Promise<Uint8Array>;

export const HUNDREDS = Array.from({ length: 1500 }, (_, i) => i % 200);
export const SMALL = [3, 5];
