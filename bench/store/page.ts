/** The page that is measured: one contender at a time, asked for by the runner. */
import type { Contender } from './contenders/contender.js';
import { idbKeyval } from './contenders/idb-keyval.js';
import { indexedDb } from './contenders/indexeddb.js';
import { rootcellar } from './contenders/rootcellar.js';
import { type Figure, measure } from './workloads.js';

const contenders: readonly Contender[] = [rootcellar, idbKeyval, indexedDb];

declare global {
  interface Window {
    contenders: { name: string; durability: string }[];
    measure(name: string): Promise<Figure[]>;
  }
}

window.contenders = contenders.map(({ name, durability }) => ({ name, durability }));
window.measure = async (name) => {
  const store = await contenders.find((contender) => contender.name === name)!.open();
  try {
    return await measure(store);
  } finally {
    await store.destroy();
  }
};
document.title = 'ready';
