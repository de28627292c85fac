/** SQLite with a table of keys and values. `synchronous` is FULL: a transaction ends with a flush. */
import sqlite3InitModule from '@sqlite.org/sqlite-wasm';

export type Request =
  | { readonly open: string }
  | { readonly set: readonly (readonly [string, string])[] }
  | { readonly get: string }
  | { readonly close: true };

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

type Pool = Awaited<ReturnType<Awaited<ReturnType<typeof sqlite3InitModule>>['installOpfsSAHPoolVfs']>>;
type Database = InstanceType<Pool['OpfsSAHPoolDb']>;
type Statement = ReturnType<Database['prepare']>;

let database: Database;
let put: Statement;
let find: Statement;

async function answer(request: Request): Promise<unknown> {
  if ('open' in request) return open(request.open);
  if ('set' in request) return set(request.set);
  if ('get' in request) return get(request.get);
  put.finalize();
  find.finalize();
  return database.close();
}

async function open(name: string): Promise<void> {
  const sqlite = await sqlite3InitModule();
  const pool = await sqlite.installOpfsSAHPoolVfs({ name: `pool-${name}` });
  database = new pool.OpfsSAHPoolDb(`/${name}`);
  database.exec(`
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  `);
  put = database.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)');
  find = database.prepare('SELECT value FROM entries WHERE key = ?');
}

function set(entries: readonly (readonly [string, string])[]): void {
  // A single statement is a transaction by itself.
  if (entries.length > 1) database.exec('BEGIN');
  for (const [key, value] of entries) put.bind([key, value]).stepReset();
  if (entries.length > 1) database.exec('COMMIT');
}

function get(key: string): unknown {
  find.bind([key]);
  const value = find.step() ? find.get(0) : undefined;
  find.reset();
  return value;
}

addEventListener('message', async ({ data: { id, ...request } }: MessageEvent<{ id: number } & Request>) => {
  try {
    postMessage({ id, value: await answer(request as Request) } satisfies Answer);
  } catch (error) {
    postMessage({ id, error: String(error) } satisfies Answer);
  }
});
