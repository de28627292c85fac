/** idb-keyval, with its own setMany and getMany. */
import { createStore, get, getMany, set, setMany } from 'idb-keyval';
import type { Contender } from './contender.js';

let last = 0;

export const idbKeyval: Contender = {
  name: 'idb-keyval',
  durability: 'killed browser; power cut after some seconds',
  async open() {
    last += 1;
    const name = `bench-idb-keyval-${last}`;
    const store = createStore(name, 'entries');
    return {
      set: (key, value) => set(key, value, store),
      get: (key) => get(key, store),
      setMany: (entries) => setMany(entries, store),
      getMany: (keys) => getMany(keys, store),
      destroy: async () => {
        indexedDB.deleteDatabase(name);
      },
    };
  },
};
