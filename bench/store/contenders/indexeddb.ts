/** IndexedDB by hand, relaxed: one transaction for each call, also for a call of many. */
import { openDB } from 'idb';
import type { Contender } from './contender.js';

let last = 0;

export const indexedDb: Contender = {
  name: 'IndexedDB',
  durability: 'killed browser; power cut after some seconds',
  async open() {
    last += 1;
    const name = `bench-indexeddb-${last}`;
    const db = await openDB(name, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('entries');
      },
    });
    const writing = () => db.transaction('entries', 'readwrite', { durability: 'relaxed' });
    return {
      set: (key, value) => db.put('entries', value, key),
      get: (key) => db.get('entries', key),
      async setMany(entries) {
        const transaction = writing();
        for (const [key, value] of entries) transaction.store.put(value, key);
        await transaction.done;
      },
      getMany(keys) {
        const { store } = db.transaction('entries');
        return Promise.all(keys.map((key) => store.get(key)));
      },
      async destroy() {
        db.close();
        indexedDB.deleteDatabase(name);
      },
    };
  },
};
