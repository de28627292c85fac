/**
 * Where a store lives: where it is already, else the best place there is. Nothing
 * falls back from a place that was asked for, and no empty store is made beside one
 * that cannot be reached.
 *
 * IndexedDB and Node's files are loaded where a store lives in them.
 */
import { UnsupportedError } from '../base/errors.js';
import type { Mode, Persistence } from '../contract/options.js';
import type { Backend, BackendOptions } from './backend.js';
import { destroyInIndexedDb, existsInIndexedDb, hasIndexedDb, listIndexedDb } from './indexeddb-names.js';
import { openMemory } from './memory.js';
import { destroyInOpfs, existsInOpfs, hasSyncAccess, listOpfs, openOpfs } from './opfs.js';

export interface Place {
  readonly mode: Mode;
  /** One sentence for people: why here. */
  readonly reason: string;
}

/** What this context has, found by trying. */
export interface Found {
  readonly opfs: boolean;
  readonly syncAccess: boolean;
  readonly indexedDB: boolean;
}

export async function findStorage(): Promise<Found> {
  return {
    opfs: typeof navigator !== 'undefined' && typeof navigator.storage?.getDirectory === 'function',
    syncAccess: await hasSyncAccess(),
    indexedDB: hasIndexedDb(),
  };
}

/** @throws UnsupportedError when the mode that was asked for, or the place where the store is, cannot be reached. */
export async function choosePlace(
  name: string,
  persistence: Persistence,
  directory: string | undefined,
  found: Found,
): Promise<Place> {
  const files = directory !== undefined || found.syncAccess;
  const medium = directory === undefined ? 'OPFS' : 'a folder';
  if (persistence === 'memory') return { mode: 'memory', reason: 'memory was asked for; nothing survives' };
  if (persistence === 'disk') {
    if (found.indexedDB) return { mode: 'disk', reason: 'disk was asked for: IndexedDB' };
    throw new UnsupportedError(`persistence 'disk' needs IndexedDB, which is missing here`, {
      detail: found,
    });
  }
  if (persistence !== 'auto') {
    if (files) return { mode: persistence, reason: `${persistence} was asked for: a log in ${medium}` };
    throw new UnsupportedError(
      `persistence '${persistence}' needs synchronous access to OPFS, which exists in dedicated workers of current browsers (in Node: give a directory)`,
      { detail: found },
    );
  }
  if (directory !== undefined)
    return { mode: 'hybrid', reason: 'a directory was given: a log in that folder' };
  if (found.opfs && (await existsInOpfs(name))) {
    if (found.syncAccess) return { mode: 'hybrid', reason: 'the store lives in OPFS already' };
    throw new UnsupportedError('the store lives in OPFS, which cannot be reached from here', {
      detail: found,
    });
  }
  if (await existsInIndexedDb(name)) return { mode: 'disk', reason: 'the store lives in IndexedDB already' };
  if (found.syncAccess)
    return { mode: 'hybrid', reason: 'OPFS with synchronous access is the fastest place here' };
  if (found.indexedDB) return { mode: 'disk', reason: 'no synchronous access to OPFS here, so IndexedDB' };
  return { mode: 'memory', reason: 'neither OPFS nor IndexedDB here, so memory; nothing survives' };
}

export async function openPlace(
  name: string,
  { mode }: Place,
  directory: string | undefined,
  options: BackendOptions,
): Promise<Backend> {
  if (mode === 'memory') return openMemory(options);
  if (mode === 'disk') return (await import('./indexeddb.js')).openIndexedDb(name, options);
  if (directory === undefined) return openOpfs(name, options);
  return (await import('./node.js')).openNode(directory, name, options);
}

/** Names of the stores of this origin, in order. */
export async function listStores(found: Found): Promise<string[]> {
  const names = [...(found.opfs ? await listOpfs() : []), ...(found.indexedDB ? await listIndexedDb() : [])];
  return [...new Set(names)].sort();
}

/** Removes what a store that nobody has open left on disk. */
export async function destroyStore(name: string, found: Found): Promise<void> {
  if (found.opfs) await destroyInOpfs(name);
  if (found.indexedDB) await destroyInIndexedDb(name);
}
