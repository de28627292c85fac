/** The page that is measured: one contender at a time, asked for by the runner. Each answer is checked outside the clock. */
import type { Contender, Opened } from './contenders/contender.js';
import { indexedDb } from './contenders/indexeddb.js';
import { rootcellar, rootcellarDisk } from './contenders/rootcellar.js';
import { sqlite } from './contenders/sqlite.js';

const contenders: readonly Contender[] = [rootcellar, rootcellarDisk, indexedDb, sqlite];

interface Figure {
  readonly workload: string;
  /** Writes a second. */
  readonly rate: number;
}

declare global {
  interface Window {
    contenders: { name: string; durability: string }[];
    /** Makes the stores, so that their files can grow old. */
    make(): Promise<void>;
    measure(name: string): Promise<Figure[]>;
  }
}

const ONE_BY_ONE = 300;
const AT_ONCE = 1000;

window.contenders = contenders.map(({ name, durability }) => ({ name, durability }));
window.make = async () => {
  for (const contender of contenders) await (await contender.open()).close();
};
window.measure = async (name) => {
  const store = await contenders.find((contender) => contender.name === name)!.open();
  try {
    return [
      await clocked(store, 'one at a time', ONE_BY_ONE, async (entries) => {
        for (const [key, value] of entries) await store.set(key, value);
      }),
      await clocked(store, '1,000 at once', AT_ONCE, (entries) =>
        Promise.all(entries.map(([key, value]) => store.set(key, value))),
      ),
      await clocked(store, '1,000 in one call', AT_ONCE, (entries) => store.setMany(entries)),
    ];
  } finally {
    await store.close();
  }
};

type Entries = readonly (readonly [string, string])[];

/** Writes `count` entries that differ from all before, and looks that they are there. */
async function clocked(
  store: Opened,
  workload: string,
  count: number,
  write: (entries: Entries) => Promise<unknown>,
): Promise<Figure> {
  const run = crypto.randomUUID();
  const entries = Array.from({ length: count }, (_, i) => [`key ${i}`, valueAt(run, i)] as const);
  const start = performance.now();
  await write(entries);
  const seconds = (performance.now() - start) / 1000;
  for (const [key, value] of entries) {
    const got = await store.get(key);
    if (got !== value) throw new Error(`expected ${value}, got ${String(got)}`);
  }
  return { workload, rate: count / seconds };
}

/** 100 characters. */
function valueAt(run: string, i: number): string {
  return `${run} ${i} `.padEnd(100, 'lorem ipsum dolor sit amet ');
}

document.title = 'ready';
