/**
 * A feature and what lies below it, as elements.
 *
 * The feature itself is shown in full: a table for desktop, mobile and server
 * browsers each, then remarks and notes. A feature below it is one line: its name
 * and a bar for each browser, full where it is supported, half where in part, low
 * where not, so that colour is never the only sign.
 */
import { element, mark } from './dom.js';
import { count, plural } from './format.js';
import { renderNote } from './notes.js';
import type { Browser } from './pieces.js';
import { type Description, describeAll, KIND_WORDS, type Support } from './support.js';

export type Rows = ReadonlyMap<string, Support>;

const GROUPS: readonly { title: string; types: readonly Browser['type'][] }[] = [
  { title: 'Desktop', types: ['desktop'] },
  { title: 'Mobile and headset', types: ['mobile', 'xr'] },
  { title: 'Server', types: ['server'] },
];

/** Where the path leads, each level a link; then the tables, if it is a feature. */
export function renderFeature(path: string, rows: Rows, browsers: readonly Browser[]): HTMLElement {
  const article = element('article', { class: 'feature card' }, renderTrail(path));
  article.append(element('h2', { tabindex: '-1' }, path.slice(path.lastIndexOf('.') + 1)));
  if (rows.size === 0) {
    article.append(element('p', { class: 'quiet' }, 'A group of features, with no support data of its own.'));
    return article;
  }
  const tables = element('div', { class: 'tables' });
  const remarks = element('dl', { class: 'remarks' });
  for (const { title, types } of GROUPS) {
    const members = browsers.filter(({ id, type }) => types.includes(type) && rows.has(id));
    if (members.length > 0) tables.append(renderTable(title, members, rows));
    for (const { id, name } of members) appendRemarks(remarks, name, describeAll(rows.get(id)!));
  }
  article.append(tables);
  if (remarks.childElementCount > 0) article.append(element('h3', {}, 'Restrictions and notes'), remarks);
  return article;
}

function renderTrail(path: string): HTMLElement {
  const levels = path.split('.');
  const trail = element('nav', { class: 'trail', 'aria-label': 'Path of the feature' });
  levels.slice(0, -1).forEach((level, i) => {
    trail.append(element('a', { href: hashOf(levels.slice(0, i + 1).join('.')) }, level), ' › ');
  });
  if (levels.length === 1) trail.append('Part of the data set');
  return trail;
}

function renderTable(title: string, browsers: readonly Browser[], rows: Rows): HTMLElement {
  const body = element('tbody');
  for (const { id, name } of browsers) {
    const [current, ...others] = describeAll(rows.get(id)!);
    const { kind, short, remarks, notes } = current!;
    const cell = element('td', { class: kind }, mark(kind), element('span', { class: 'short' }, short));
    if (kind !== 'no') cell.append(element('span', { class: 'unseen' }, `, ${KIND_WORDS[kind]}`));
    if (remarks.length + notes.length + others.length > 0) {
      cell.append(element('abbr', { class: 'more', title: 'See restrictions and notes below' }, '*'));
    }
    body.append(element('tr', {}, element('th', { scope: 'row' }, name), cell));
  }
  return element('table', {}, element('caption', {}, title), body);
}

function appendRemarks(list: HTMLElement, browser: string, statements: readonly Description[]): void {
  const lines: HTMLElement[] = [];
  statements.forEach(({ short, remarks, notes, kind }, i) => {
    if (i === 0 && remarks.length + notes.length === 0 && statements.length === 1) return;
    // A note says it better than the bare word.
    const words = remarks.length + notes.length > 0 ? remarks : [KIND_WORDS[kind]];
    const line = element('dd', {}, element('span', { class: 'version' }, short), ' ');
    if (words.length > 0) line.append(`${words.join('; ')}. `);
    for (const note of notes) line.append(renderNote(note), ' ');
    lines.push(line);
  });
  if (lines.length > 0) list.append(element('div', {}, element('dt', {}, browser), ...lines));
}

/** The features below a path, a line each. `more`: there are others, not shown. */
export function renderBelow(
  features: ReadonlyMap<string, Rows>,
  browsers: readonly Browser[],
  more: boolean,
): HTMLElement {
  const list = element('ul', { class: 'below' });
  for (const [path, rows] of features) {
    const link = element('a', { href: hashOf(path) }, path.slice(path.lastIndexOf('.') + 1));
    list.append(element('li', {}, link, ...(rows.size > 0 ? renderBars(rows, browsers) : [groupWords()])));
  }
  const section = element('section', { class: 'card' });
  section.append(
    element(
      'h3',
      {},
      `Below it: ${more ? 'the first ' : ''}${plural(features.size, 'feature')}, each with the browsers that support it`,
    ),
    list,
  );
  return section;
}

function groupWords(): HTMLElement {
  return element('span', { class: 'quiet' }, 'a group');
}

function renderBars(rows: Rows, browsers: readonly Browser[]): readonly HTMLElement[] {
  const bars = element('span', { class: 'bars', 'aria-hidden': 'true' });
  let supported = 0;
  for (const { id, name } of browsers) {
    const support = rows.get(id);
    if (!support) continue;
    const { kind, short } = describeAll(support)[0]!;
    if (kind === 'yes' || kind === 'partial') supported++;
    bars.append(element('span', { class: kind, title: `${name}: ${short}` }));
  }
  return [bars, element('span', { class: 'quiet total' }, `${count(supported)} of ${count(rows.size)}`)];
}

/** The part of the address that shows this feature. */
export function hashOf(path: string): string {
  return `#${encodeURIComponent(path)}`;
}
