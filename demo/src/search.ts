/**
 * Look-ups over the keys of the store: by prefix, one level of the path at a time.
 *
 * `css.properties.gri` completes to `css.properties.grid`, `...grid-area` and so on,
 * each once, however many records lie below it. That is a *loose scan*: take a few
 * keys, and where one level fills the whole take, go on behind it. Below the level
 * `g` lie the keys from `g.` up to, but not with, `g0`: `.` and `/` are the two
 * characters that may follow a level, and `0` is the next after them.
 *
 * Few people know the path of a feature by heart, so what has no known beginning
 * is tried below the usual places too: `grid` finds `css.properties.grid`.
 */
import type { Store } from 'rootcellar';
import type { Support } from './support.js';

/** Where names begin with a capital, or may. */
const CAPITAL_PLACES = ['api.', 'javascript.builtins.', 'http.headers.'];

const PLACES = [
  'css.properties.',
  'css.selectors.',
  'css.at-rules.',
  'css.types.',
  'html.elements.',
  'html.global_attributes.',
  'javascript.operators.',
  'javascript.statements.',
  'svg.elements.',
  'mathml.elements.',
  'webextensions.api.',
];

/** Keys of the page's own, not of the data set. */
export const RECENT = 'recent/';

const TAKE = 32;

export interface Completions {
  readonly paths: readonly string[];
  /** How many prefix scans it took. */
  readonly scans: number;
}

/** Paths that begin with `prefix`, cut after the level that `prefix` is in; at most `limit`, in order. */
export async function completions(store: Store, prefix: string, limit: number): Promise<Completions> {
  const paths: string[] = [];
  let start = prefix;
  let scans = 0;
  while (paths.length < limit) {
    const keys = await store.keys({ prefix, start, limit: TAKE });
    scans++;
    for (const key of keys) {
      const path = key.slice(0, levelEnd(key, prefix.length));
      if (path !== paths.at(-1) && !key.startsWith(RECENT) && paths.length < limit) paths.push(path);
    }
    const last = keys.at(-1);
    if (last === undefined || keys.length < TAKE) break;
    start = `${last.slice(0, levelEnd(last, prefix.length))}0`;
  }
  return { paths, scans };
}

/** What someone may mean who typed `text`: exact paths first, then by place. */
export async function suggest(store: Store, text: string, limit: number): Promise<Completions> {
  const typed = text.trim().split('/', 1)[0] ?? '';
  if (typed === '') return { paths: [], scans: 0 };
  const small = typed[0]!.toLowerCase() + typed.slice(1);
  const capital = typed[0]!.toUpperCase() + typed.slice(1);
  const prefixes = [
    ...new Set([
      typed,
      ...CAPITAL_PLACES.flatMap((place) => [place + capital, place + typed]),
      ...PLACES.map((place) => place + small),
    ]),
  ];
  // Asked in one turn, so they travel to the worker as one message.
  const found = await Promise.all(prefixes.map((prefix) => completions(store, prefix, limit)));
  const fruitful = prefixes.filter((_, i) => found[i]!.paths.length > 0);
  const exact = await Promise.all(fruitful.map((path) => hasLevel(store, path)));
  const paths = new Set(fruitful.filter((_, i) => exact[i]));
  // In turns, one of each place: no place crowds out another.
  for (let rank = 0; rank < limit; rank++) {
    for (const { paths: own } of found) {
      const path = own[rank];
      if (path !== undefined) paths.add(path);
    }
  }
  return {
    paths: [...paths].slice(0, limit),
    scans: found.reduce((sum, { scans }) => sum + scans, fruitful.length),
  };
}

/** Whether the path is a level of the data set: a feature, or a group of them. */
async function hasLevel(store: Store, path: string): Promise<boolean> {
  const keys = await store.keys({ start: `${path}.`, end: `${path}0`, limit: 1 });
  return keys.length > 0;
}

/** The records of each path: browser -> support. A path that is no feature has none. */
export async function readFeatures(
  store: Store,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Map<string, Support>>> {
  const scans = paths.map((path) => store.entries<Support>({ prefix: `${path}/` }));
  const found = await Promise.all(scans);
  return new Map(
    paths.map((path, i) => [
      path,
      new Map((found[i] ?? []).map(([key, support]) => [key.slice(path.length + 1), support])),
    ]),
  );
}

function levelEnd(key: string, from: number): number {
  for (let i = from; i < key.length; i++) if (key[i] === '.' || key[i] === '/') return i;
  return key.length;
}
