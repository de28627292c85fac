/** IndexedDB by hand, a strict transaction for each call. */
import { openDB } from 'idb';
import type { Contender } from './contender.js';

export const indexedDb: Contender = {
  name: 'IndexedDB',
  durability: 'a power cut (durability: strict)',
  async open() {
    const db = await openDB('strict', 1, {
      upgrade(fresh) {
        fresh.createObjectStore('entries');
      },
    });
    const setMany = (entries: readonly (readonly [string, string])[]) => {
      const transaction = db.transaction('entries', 'readwrite', { durability: 'strict' });
      for (const [key, value] of entries) transaction.store.put(value, key);
      return transaction.done;
    };
    return {
      set: (key, value) => setMany([[key, value]]),
      setMany,
      get: (key) => db.get('entries', key),
      close: async () => db.close(),
    };
  },
};
