/**
 * A store in IndexedDB, for where synchronous file access is missing.
 *
 * A location is a record id that is never used again; a batch is one transaction,
 * so it is never torn. Each record is an entry as `log/format.ts` has it, check and
 * all, because what the browser gives back is not taken on trust; the last one of a
 * batch is a COMMIT without a value.
 *
 *    object store `log`    record id -> bytes of the entry
 *    object store `meta`   'header' -> bytes of the header; 'flushed' -> a number
 *
 * The version of the database stays 1 for ever: raising it needs every other tab to
 * let go. What is inside is told by the header.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import { CorruptionError, DataLossError, IoError, LockedError } from '../base/errors.js';
import { type Backend, type BackendOptions, newHeader } from './backend.js';
import { entryBytesMax } from './log/entry.js';
import {
  type Batch,
  decodeHeader,
  type EntryFields,
  EntryView,
  encodeHeader,
  entryLength,
  type Header,
  type Level,
  type Log,
  mediumError,
  entry as newEntry,
  putEntry,
  type Replayed,
  Type,
  type Visit,
} from './log/index.js';

const DATABASE_VERSION = 1;
const PREFIX = 'rootcellar:';
const EXTENT_BYTES_LEAST = 256 * 1024;
const EXTENT_BYTES_MOST = 16 * 2 ** 20;
/** Records read at once when the log is replayed. */
const REPLAY_RECORDS = 4096;

interface Schema extends DBSchema {
  log: { key: number; value: Uint8Array };
  meta: { key: string; value: Uint8Array | number };
}

type Database = IDBPDatabase<Schema>;

export function hasIndexedDb(): boolean {
  return typeof indexedDB !== 'undefined' && indexedDB !== null;
}

export async function existsInIndexedDb(name: string): Promise<boolean> {
  return (await listIndexedDb()).includes(name);
}

export async function listIndexedDb(): Promise<string[]> {
  if (!hasIndexedDb() || !indexedDB.databases) return [];
  const names = (await indexedDB.databases()).map(({ name = '' }) => name);
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
}

export async function destroyInIndexedDb(name: string): Promise<void> {
  await deleteDB(PREFIX + name, {
    blocked() {
      // The connections of other tabs close at `versionchange`; the deletion then goes on by itself.
    },
  });
}

export async function openIndexedDb(name: string, options: BackendOptions): Promise<Backend> {
  let lost = false;
  const db = await openDatabase(name, () => {
    lost = true;
  });
  try {
    const stored = await db.get('meta', 'header');
    const found = stored instanceof Uint8Array ? decodeHeader(stored) : undefined;
    const last = await lastId(db);
    if (!found && last > 0) {
      throw new DataLossError('the header of the store is gone while its log is there; nothing was changed', {
        detail: { records: last },
      });
    }
    let header = found ?? newHeader(options);
    const writeHeader = async (next: Header) => {
      await put(db, 'header', encodeHeader(next));
      header = next;
    };
    if (!found) await writeHeader(header);
    return {
      created: !found,
      get header() {
        return header;
      },
      log: new IndexedDbLog(db, header.generation, last, () => lost),
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
    const db: Database = await openDB<Schema>(PREFIX + name, DATABASE_VERSION, {
      upgrade(fresh) {
        fresh.createObjectStore('log');
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

async function lastId(db: Database): Promise<number> {
  const cursor = await db.transaction('log').store.openKeyCursor(null, 'prev');
  return (cursor?.key as number | undefined) ?? 0;
}

async function put(db: Database, key: string, value: Uint8Array | number): Promise<void> {
  const transaction = db.transaction('meta', 'readwrite', { durability: 'strict' });
  await Promise.all([transaction.store.put(value, key), transaction.done]);
}

class RecordBatch implements Batch {
  readonly records: Uint8Array[] = [];
  bytes = 0;
  #last = { sequence: 0, time: 0 };

  constructor(
    readonly first: number,
    private readonly generation: number,
  ) {}

  get entries(): number {
    return this.records.length;
  }

  /** Adds the COMMIT. */
  close(): void {
    const { sequence, time } = this.#last;
    this.add(newEntry({ type: Type.Commit, sequence, time }));
  }

  add(fields: EntryFields): number {
    this.#last = fields;
    const bytes = new Uint8Array(entryBytesMax(fields));
    const end = putEntry(bytes, new DataView(bytes.buffer), 0, fields, this.generation);
    this.records.push(bytes.subarray(0, end));
    this.bytes += end;
    return this.first + this.records.length - 1;
  }
}

class IndexedDbLog implements Log {
  readonly backend = 'indexeddb';
  bytes = 0;
  extents = 0;
  batches = 0;
  flushes = 0;
  #next: number;
  #extentBytes = 0;
  #sealing = false;

  constructor(
    private readonly db: Database,
    private readonly generation: number,
    last: number,
    private readonly lost: () => boolean,
  ) {
    this.#next = last + 1;
  }

  get full(): boolean {
    return this.#extentBytes >= Math.min(EXTENT_BYTES_MOST, Math.max(EXTENT_BYTES_LEAST, this.bytes / 8));
  }

  async replay(visit: Visit, endBatch: () => void | Promise<void>): Promise<Replayed> {
    const end = this.#next;
    let entries = 0;
    for (let from = 1; from < end; from += REPLAY_RECORDS) {
      const range = IDBKeyRange.bound(from, Math.min(end, from + REPLAY_RECORDS) - 1);
      const { store } = this.db.transaction('log');
      const [ids, records] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
      if (ids.length !== (range.upper as number) - from + 1) {
        throw new DataLossError(`records ${from} to ${range.upper} of the log are not all there`, {
          detail: { start: from, end: range.upper, found: ids.length },
        });
      }
      for (let i = 0; i < ids.length; i++) {
        const entry = this.#view(ids[i]!, records[i]);
        const { length } = records[i]!;
        this.bytes += length;
        if (entry.type === Type.Seal) {
          this.extents += 1;
          this.#extentBytes = 0;
        }
        this.#extentBytes += length;
        if (entry.type !== Type.Commit) {
          visit(entry, ids[i]!);
          entries += 1;
          continue;
        }
        this.batches += 1;
        await endBatch();
      }
    }
    if (entries > 0) this.extents += 1;
    return { entries, tornBytes: 0 };
  }

  begin(seal = false): RecordBatch {
    this.#sealing = seal;
    return new RecordBatch(this.#next, this.generation);
  }

  async append(batch: Batch, strict: boolean): Promise<Level> {
    const { first, records } = batch as RecordBatch;
    this.#refuseLost();
    (batch as RecordBatch).close();
    const { bytes } = batch;
    try {
      const transaction = this.db.transaction('log', 'readwrite', {
        durability: strict ? 'strict' : 'relaxed',
      });
      const { store } = transaction;
      // Only the end of the transaction says that it was written, and it waits for all of them.
      for (let i = 0; i < records.length; i++) store.add(records[i]!.slice(), first + i).catch(() => {});
      await transaction.done;
    } catch (error) {
      this.#refuseLost();
      throw mediumError('writing to IndexedDB', error);
    }
    this.#next = first + records.length;
    this.#extentBytes = this.#sealing ? bytes : this.#extentBytes + bytes;
    if (this.#sealing || this.extents === 0) this.extents += 1;
    this.bytes += bytes;
    this.batches += 1;
    if (strict) this.flushes += 1;
    return strict ? 'durable' : 'os';
  }

  async read(location: number): Promise<EntryView> {
    this.#refuseLost();
    let record: Uint8Array | undefined;
    try {
      record = await this.db.get('log', location);
    } catch (error) {
      throw mediumError('reading IndexedDB', error);
    }
    return this.#view(location, record);
  }

  /** A strict transaction makes those before it durable too. */
  async flush(): Promise<Level> {
    this.#refuseLost();
    try {
      await put(this.db, 'flushed', this.#next);
    } catch (error) {
      throw mediumError('flushing IndexedDB', error);
    }
    this.flushes += 1;
    return 'durable';
  }

  close(): void {
    this.db.close();
  }

  #view(id: number, record: Uint8Array | undefined): EntryView {
    if (record instanceof Uint8Array) {
      const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
      const length = entryLength(record, view, 0, record.length, this.generation);
      if (length === record.length) return new EntryView(record, view, 0);
    }
    throw new CorruptionError(`record ${id} of the log fails its check`, { detail: { record: id } });
  }

  #refuseLost(): void {
    if (this.lost()) {
      throw new IoError(
        'the browser closed the database of the store, or somebody deleted it; open it again',
      );
    }
  }
}
