/**
 * The vault of a store in files, in a database of its own:
 *
 *    object store `meta`    'header' -> bytes of the header; `log/header.ts` has the format
 *    object store `log`     [generation, place in the log] -> a piece; `vault.ts` has the format
 *
 * Every transaction is strict. A connection that died is opened again for the next one.
 */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from 'idb';
import { mediumError } from './log/index.js';
import type { Piece, Vault, VaultChange } from './vault.js';

interface Schema extends DBSchema {
  meta: { key: string; value: Uint8Array };
  log: { key: [generation: number, at: number]; value: Uint8Array };
}

const PREFIX = 'rootcellar-files:';

export async function listVaults(): Promise<string[]> {
  if (typeof indexedDB === 'undefined' || !indexedDB?.databases) return [];
  const names = (await indexedDB.databases()).map(({ name = '' }) => name);
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
}

export async function destroyVault(name: string): Promise<void> {
  await deleteDB(PREFIX + name);
}

export class IndexedDbVault implements Vault {
  #db: Promise<IDBPDatabase<Schema>> | undefined;
  /** Told when the browser has closed the connection, as it does when it clears the data of the site. */
  onLost: () => void = () => {};

  constructor(private readonly name: string) {}

  async header(): Promise<Uint8Array | undefined> {
    const bytes = await (await this.#open()).get('meta', 'header');
    return bytes instanceof Uint8Array ? bytes : undefined;
  }

  async pieces(generation: number): Promise<Piece[]> {
    const { store } = (await this.#open()).transaction('log');
    const range = piecesOf(generation);
    const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range)]);
    return keys.map(([, at], i) => ({ at, sealed: values[i]! }));
  }

  async write(check: (header: Uint8Array | undefined) => void, change: VaultChange): Promise<void> {
    const { header, pieces, keepOnly } = change;
    const db = await this.#open();
    const transaction = db.transaction(['meta', 'log'], 'readwrite', { durability: 'strict' });
    // Only its end says that it was written; why it was not, a request may know.
    transaction.done.catch(() => {});
    const meta = transaction.objectStore('meta');
    const log = transaction.objectStore('log');
    const asked: Promise<unknown>[] = [];
    const ask = (request: Promise<unknown>) => {
      // Those behind one that is refused are refused as well, and nobody waits for them.
      request.catch(() => {});
      asked.push(request);
    };
    try {
      check(await meta.get('header'));
      if (header) ask(meta.put(header, 'header'));
      if (keepOnly !== undefined) for (const range of othersThan(keepOnly)) ask(log.delete(range));
      for (const { at, sealed } of pieces?.put ?? []) ask(log.put(sealed, [pieces!.generation, at]));
      await Promise.all(asked);
    } catch (error) {
      abort(transaction);
      throw error;
    }
    await transaction.done;
  }

  close(): void {
    this.onLost = () => {};
    this.#db?.then((db) => db.close()).catch(() => {});
  }

  async destroy(): Promise<void> {
    this.close();
    await destroyVault(this.name);
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    const forget = () => {
      this.#db = undefined;
    };
    const lost = () => {
      forget();
      this.onLost();
    };
    this.#db ??= openDB<Schema>(PREFIX + this.name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('meta');
        fresh.createObjectStore('log');
      },
      // Somebody deletes it: not letting go would make him wait for ever.
      blocking(_old, _new, event) {
        (event.target as IDBDatabase).close();
        lost();
      },
      terminated: lost,
    }).catch((error) => {
      forget();
      throw mediumError('opening IndexedDB', error);
    });
    return this.#db;
  }
}

function piecesOf(generation: number): IDBKeyRange {
  return IDBKeyRange.bound([generation, 0], [generation, Infinity]);
}

function othersThan(generation: number): IDBKeyRange[] {
  return [
    IDBKeyRange.upperBound([generation, 0], true),
    IDBKeyRange.lowerBound([generation, Infinity], true),
  ];
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch {
    // It has ended already.
  }
}
