/**
 * A store in IndexedDB, for where synchronous file access is missing.
 *
 *    object store `log`     pages of the log; `indexeddb-log.ts` has the format
 *    object store `log-1`   the other place for the log; one of the two is empty
 *    object store `meta`    'header' -> bytes of the header; 'flushed', 'flushed-1' -> a location
 *
 * The version of the database stays 1 for ever: raising it needs every other tab to
 * let go. What is inside is told by the header.
 */
import { openDB } from 'idb';
import { DataLossError, LockedError } from '../base/errors.js';
import {
  type Backend,
  type BackendOptions,
  headerFor,
  newGeneration,
  newHeader,
  type Successor,
} from './backend.js';
import { IndexedDbImages } from './indexeddb-images.js';
import { IndexedDbLog } from './indexeddb-log.js';
import { databaseOf, destroyInIndexedDb } from './indexeddb-names.js';
import { type Database, FLUSHED, LOGS, putMeta, type Schema } from './indexeddb-schema.js';
import { decodeHeader, encodeHeader, type Header, mediumError } from './log/index.js';

const DATABASE_VERSION = 1;

export async function openIndexedDb(name: string, options: BackendOptions): Promise<Backend> {
  let lost = false;
  const db = await openDatabase(name, () => {
    lost = true;
  });
  try {
    const stored = await db.get('meta', 'header');
    const found = stored instanceof Uint8Array ? decodeHeader(stored) : undefined;
    const pages = found ? 0 : (await db.count('log')) + (await db.count('log-1'));
    if (pages > 0) {
      throw new DataLossError('the header of the store is gone while its log is there; nothing was changed', {
        detail: { pages },
      });
    }
    let header = found ?? newHeader(options);
    const writeHeader = async (next: Header) => {
      try {
        await putMeta(db, 'header', encodeHeader(next));
      } catch (error) {
        throw mediumError('writing the header', error);
      }
      header = next;
    };
    if (!found) await writeHeader(header);
    let log = await IndexedDbLog.open(db, { ...header, absolute: options.absolute }, () => lost);
    const empty = async (place: number) => {
      await db.delete('meta', FLUSHED[place]!);
      await db.clear(LOGS[place]!);
    };
    // A rewriting that was cut off, or the log from before one: nobody will read it.
    if ((await db.count(LOGS[1 - header.place]!)) > 0) await empty(1 - header.place);
    const successor = async (): Promise<Successor> => {
      const next = headerFor(header, newGeneration(options.surroundings));
      await empty(next.place);
      const fresh = await IndexedDbLog.open(db, next, () => lost);
      return {
        log: fresh,
        async adopt() {
          await writeHeader({ ...next, epoch: header.epoch + 1 });
          log = fresh;
          return () => empty(1 - next.place);
        },
        discard: () => empty(next.place),
      };
    };
    return {
      created: !found,
      losses: [],
      get header() {
        return header;
      },
      get log() {
        return log;
      },
      images: await IndexedDbImages.open(db),
      successor,
      writeHeader,
      close: () => db.close(),
      destroy: () => {
        db.close();
        return destroyInIndexedDb(name);
      },
    };
  } catch (error) {
    db.close();
    throw mediumError('opening the store', error);
  }
}

async function openDatabase(name: string, onLost: () => void): Promise<Database> {
  try {
    const db: Database = await openDB<Schema>(databaseOf(name), DATABASE_VERSION, {
      upgrade(fresh) {
        for (const log of LOGS) fresh.createObjectStore(log);
        fresh.createObjectStore('meta');
      },
      // Somebody deletes the store: not letting go would make him wait for ever.
      blocking: () => {
        onLost();
        db.close();
      },
      terminated: onLost,
    });
    return db;
  } catch (error) {
    if ((error as DOMException).name === 'VersionError') {
      throw new LockedError('the database of the store was made by another program', { cause: error });
    }
    throw mediumError('opening IndexedDB', error);
  }
}
