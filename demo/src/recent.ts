/**
 * Recent look-ups: what was looked at is stored with a time to live, and vanishes
 * by itself. Not a list that the page trims: the store forgets them.
 */
import type { Store } from 'rootcellar';
import { element } from './dom.js';
import { hashOf } from './feature-view.js';
import { RECENT } from './search.js';

const SHOWN = 5;

export interface Recent {
  readonly path: string;
  readonly leftMs: number;
}

export async function remember(store: Store, path: string, ttl: string): Promise<void> {
  await store.set(RECENT + path, { lookedAt: new Date() }, { ttl });
}

/** Those that are left, the one with the longest to live first. */
export async function readRecent(store: Store): Promise<Recent[]> {
  const keys = await store.keysWithTtl({ prefix: RECENT });
  const left = await Promise.all(keys.map((key) => store.ttl(key)));
  return keys
    .map((key, i) => ({ path: key.slice(RECENT.length), leftMs: left[i] ?? 0 }))
    .filter(({ leftMs }) => leftMs > 0) // expired between the two questions
    .sort((a, b) => b.leftMs - a.leftMs);
}

export function renderRecent(list: HTMLElement, recent: readonly Recent[]): void {
  const shown = recent.slice(0, SHOWN);
  // Rows are changed in place: a link that has the focus keeps it.
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  shown.forEach(({ path, leftMs }, i) => {
    let row = list.children[i];
    if (!row) list.append((row = element('li', {}, element('a'), element('span', { class: 'left' }))));
    const [link, left] = row.children;
    link!.textContent = path;
    link!.setAttribute('href', hashOf(path));
    left!.textContent = `${Math.ceil(leftMs / 1000)} s left`;
  });
}
