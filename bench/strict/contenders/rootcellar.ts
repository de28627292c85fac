/** rootcellar over a log in OPFS, and over IndexedDB. */
import { type Commit, open } from 'rootcellar';
import type { Contender } from './contender.js';

function contender(persistence: 'hybrid' | 'disk', name: string, durability: string): Contender {
  return {
    name,
    durability,
    async open() {
      const store = await open(`strict ${persistence}`, { persistence, durability: 'strict' });
      const durable = (commit: Commit) => {
        if (commit.durability !== 'durable') throw new Error(`a write of ${name} was ${commit.durability}`);
      };
      return {
        set: (key, value) => store.set(key, value).then(durable),
        setMany: (entries) => store.setMany(entries).then(durable),
        get: (key) => store.get(key),
        close: () => store.close(),
      };
    },
  };
}

export const rootcellar = contender(
  'hybrid',
  'rootcellar',
  'a power cut; it says so itself, of each write (Commit.durability)',
);
export const rootcellarDisk = contender(
  'disk',
  'rootcellar, disk',
  'a power cut, as far as IndexedDB keeps what a strict transaction promises',
);
