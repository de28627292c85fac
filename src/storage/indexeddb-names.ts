/** Which stores there are in IndexedDB, without opening one: a database each, named with a prefix. */
const PREFIX = 'rootcellar:';

/** The name of the database of a store. */
export function databaseOf(name: string): string {
  return PREFIX + name;
}

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

/** Connections of other tabs close at `versionchange`; until then it waits. */
export function destroyInIndexedDb(name: string): Promise<void> {
  const request = indexedDB.deleteDatabase(databaseOf(name));
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
