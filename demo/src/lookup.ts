/**
 * The look-up: suggestions while one types, then the feature with what lies below
 * it. The address holds the feature (`#css.properties.grid`), so that links, the
 * back button and a reload lead to it.
 */
import type { Store } from 'rootcellar';
import { Combobox } from './combobox.js';
import { byId, element, setText } from './dom.js';
import { renderBelow, renderFeature } from './feature-view.js';
import { duration, plural } from './format.js';
import type { Browser } from './pieces.js';
import { completions, readFeatures, suggest } from './search.js';
import { explain } from './session.js';

const SUGGESTIONS = 10;
const BELOW = 24;

export interface LookupHooks {
  /** The store to ask, or nothing while there is none. */
  store(): Store | undefined;
  browsers(): readonly Browser[];
  /** A feature was looked at. */
  onLooked(path: string): void;
}

export class Lookup {
  #hooks: LookupHooks;
  #box: Combobox;
  #status = byId('search-status', HTMLElement);
  #results = byId('results', HTMLElement);
  #empty = byId('no-results', HTMLElement);
  /** Raised by each question; an answer to an older one is dropped. */
  #asked = 0;

  constructor(hooks: LookupHooks) {
    this.#hooks = hooks;
    this.#box = new Combobox(byId('search', HTMLInputElement), byId('suggestions', HTMLElement), {
      onType: (text) => void this.#type(text),
      onTake: (path) => {
        if (pathInAddress() === path) void this.showAddress(true);
        else location.hash = encodeURIComponent(path);
      },
    });
    addEventListener('hashchange', () => void this.showAddress(true));
  }

  /** Shows the feature that the address names. */
  async showAddress(moveFocus = false): Promise<void> {
    const path = pathInAddress();
    const store = this.#hooks.store();
    this.#empty.hidden = path !== '';
    if (path === '') this.#results.replaceChildren();
    if (path === '' || !store) return;
    const asked = ++this.#asked;
    try {
      const start = performance.now();
      const [own, below] = await Promise.all([
        readFeatures(store, [path]),
        completions(store, `${path}.`, BELOW + 1),
      ]);
      const shown = below.paths.slice(0, BELOW);
      const features = await readFeatures(store, shown);
      const ms = performance.now() - start;
      if (asked !== this.#asked) return;
      const rows = own.get(path) ?? new Map();
      let records = rows.size;
      for (const { size } of features.values()) records += size;
      this.#render(path, rows, features, below.paths.length > BELOW);
      this.#box.text = path;
      this.#box.show([], '');
      setText(this.#status, `${plural(records, 'record')} read in ${duration(ms)}`);
      // From a link that is gone now, the focus goes to what it led to. Who types keeps it.
      if (moveFocus && document.activeElement === document.body) this.#results.querySelector('h2')?.focus();
      if (records > 0) this.#hooks.onLooked(path);
    } catch (error) {
      setText(this.#status, explain(error));
    }
  }

  async #type(text: string): Promise<void> {
    const asked = ++this.#asked;
    const store = this.#hooks.store();
    if (!store) return;
    try {
      const start = performance.now();
      const { paths, scans } = await suggest(store, text, SUGGESTIONS);
      const ms = performance.now() - start;
      if (asked !== this.#asked) return;
      this.#box.show(paths, text.trim());
      setText(this.#status, text.trim() === '' ? ' ' : suggestionsInWords(paths.length, scans, ms));
    } catch (error) {
      if (asked === this.#asked) setText(this.#status, explain(error));
    }
  }

  #render(path: string, ...[rows, features, more]: [RowsOf, ReadonlyMap<string, RowsOf>, boolean]): void {
    if (rows.size === 0 && features.size === 0) {
      this.#results.replaceChildren(
        element('p', { class: 'card quiet' }, `There is no feature ${path} in the store.`),
      );
      return;
    }
    const browsers = this.#hooks.browsers();
    this.#results.replaceChildren(renderFeature(path, rows, browsers));
    if (features.size > 0) this.#results.append(renderBelow(features, browsers, more));
  }
}

type RowsOf = Parameters<typeof renderFeature>[1];

function suggestionsInWords(found: number, scans: number, ms: number): string {
  const what =
    found === 0 ? 'Nothing begins like that' : found === 1 ? '1 suggestion' : `${found} suggestions`;
  return `${what}: ${plural(scans, 'prefix scan')} in ${duration(ms)}`;
}

function pathInAddress(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}
