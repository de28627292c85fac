/** The page's side of a check: opens a store and compares all of it with what its lives must have left. */
import type { Store } from 'rootcellar';
import { LAST, type Life, type Shape, show, stateAfter } from './script.js';

export interface Found {
  /** Number of the last call that is there; one below the first where there is none. */
  readonly last: number;
  /** What is not as it must be, in words; at most ten of them. */
  readonly wrong: readonly string[];
  /** Bytes that were cut off as a torn tail. */
  readonly torn: number;
}

const AT_ONCE = 200;
const WORDS_MAX = 10;

/** `lives` are those before, whole, and the latest, whose `to` does not count: `last` says it. */
export async function check(store: Store, lives: readonly Life[], shape: Shape): Promise<Found> {
  const latest = lives.at(-1)!;
  const last = (await store.get<number>(LAST)) ?? latest.from - 1;
  const wanted = stateAfter([...lives.slice(0, -1), { ...latest, to: last }], shape);
  const wrong: string[] = [];
  const keys = await store.keys();
  if (!isSorted(keys)) wrong.push('the scan is not in order');
  for (const key of keys) if (!wanted.has(key)) wrong.push(`${key} is there`);
  const all = [...wanted.keys()];
  for (let from = 0; from < all.length; from += AT_ONCE) {
    const some = all.slice(from, from + AT_ONCE);
    const values = await store.getMany(some);
    some.forEach((key, i) => {
      const [got, want] = [show(values[i]), show(wanted.get(key))];
      if (got !== want) wrong.push(`${key}: expected ${want.slice(0, 40)}, got ${got.slice(0, 40)}`);
    });
  }
  const unique = new Set([...wanted.values()].map(show)).size;
  const { totalKeys, totalObjects } = await store.health();
  const counts = { keys: keys.length, count: await store.count(), totalKeys };
  for (const [name, count] of Object.entries(counts)) {
    if (count !== wanted.size) wrong.push(`${name} is ${count}, expected ${wanted.size}`);
  }
  const uniques = { countUnique: await store.countUnique(), totalObjects };
  for (const [name, count] of Object.entries(uniques)) {
    if (count !== unique) wrong.push(`${name} is ${count}, expected ${unique}`);
  }
  const { storage } = await store.stats();
  return { last, wrong: wrong.slice(0, WORDS_MAX), torn: storage.tornBytes };
}

function isSorted(keys: readonly string[]): boolean {
  return keys.every((key, i) => i === 0 || keys[i - 1]! < key);
}
