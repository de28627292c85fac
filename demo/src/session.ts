/**
 * The store of this page: opened, opened again, deleted, and what that took.
 *
 * `?persistence=disk` in the address asks for one way to store (`memory`, `disk`,
 * `aof`, `hybrid`); each has a store of its own, so that they can be compared.
 * `#path` names a feature to show.
 */
import { destroy, type OpenOptions, open, type Store } from 'rootcellar';

type Persistence = NonNullable<OpenOptions['persistence']>;

const CHOICES: readonly Persistence[] = ['auto', 'memory', 'disk', 'aof', 'hybrid'];

export class Session {
  #store: Store | undefined;
  /** Milliseconds from the call of `open` to its answer, as the page saw it. */
  openedMs = 0;

  #persistence = askedFor();
  #name = this.#persistence === 'auto' ? 'compat' : `compat-${this.#persistence}`;

  /** The open store. */
  get store(): Store {
    if (!this.#store) throw new Error('the store is not open');
    return this.#store;
  }

  get isOpen(): boolean {
    return this.#store !== undefined && !this.#store.closed;
  }

  /** Opens the store; one that is open already is closed first, so that the next read comes from disk. */
  async open(): Promise<Store> {
    await this.#store?.close();
    this.#store = undefined;
    const start = performance.now();
    this.#store = await open(this.#name, { persistence: this.#persistence });
    this.openedMs = performance.now() - start;
    // For the console of the browser: `await cellar.get('css.properties.gap/chrome')`.
    Object.assign(globalThis, { cellar: this.#store });
    return this.#store;
  }

  /** Deletes what is stored, in every tab, and opens an empty store. */
  async startOver(): Promise<Store> {
    // A store that could not be opened is deleted by its name.
    await (this.#store?.destroy() ?? destroy(this.#name));
    return this.open();
  }
}

function askedFor(): Persistence {
  const asked = new URLSearchParams(location.search).get('persistence');
  return CHOICES.find((choice) => choice === asked) ?? 'auto';
}

/** What went wrong and what to do about it, as a sentence for people. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const advice = ADVICE[code];
  return advice ? `${advice} (${error.name}: ${error.message})` : `${error.name}: ${error.message}`;
}

const ADVICE: Readonly<Record<string, string>> = {
  CAPACITY: 'The store is full and may not grow.',
  CLOSED: 'The store was closed, perhaps by another tab.',
  CORRUPTION: 'Stored data fails its check. Deleting everything and loading again repairs it.',
  DATA_LOSS: 'The browser has removed data that was stored. Loading again brings it back.',
  FORMAT: 'This store was written by a newer version of rootcellar. Reload the page to get that version.',
  IO: 'The browser could not read or write its storage.',
  LEADER_UNRESPONSIVE: 'Another tab holds the store and does not answer. Close the other tabs of this page.',
  LOCKED: 'Another tab holds the store. Close the other tabs of this page.',
  QUOTA: 'The browser refuses more space. Nothing was changed; free some space and try again.',
  TIMEOUT: 'The store did not answer in time.',
  UNSUPPORTED: 'This browser or window lacks what the store needs.',
  WORKER: 'The worker that holds the store could not start, or it died. Reload the page.',
};
