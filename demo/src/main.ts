/** The page: opens the store, shows what it says about itself, and wires the parts together. */
import { ClosedError } from 'rootcellar';
import { byId, setText } from './dom.js';
import { clearFigures, showFigures } from './figures.js';
import { bytes, count, duration, plural } from './format.js';
import { isLoading, load } from './load.js';
import { Lookup } from './lookup.js';
import { keepOffline } from './offline.js';
import { type DataIndex, fetchIndex } from './pieces.js';
import { readRecent, remember, renderRecent } from './recent.js';
import { explain, Session } from './session.js';
import { loadInWords, StorePanel } from './store-panel.js';

const REFRESH_MS = 1000;
const ABSENT_KEYS = 10_000;

const session = new Session();
let index: DataIndex;
let loading: AbortController | undefined;
/** Records of the data set in the store, as of the last refresh. */
let records = 0;
/** As many as the panel speaks of. */
let shown = 0;

const panel = new StorePanel({
  load: () => void startLoading(),
  cancel: () => loading?.abort(new DOMException('Loading was stopped', 'AbortError')),
  reopen: () => void openStore(),
  'start-over': () => void startOver(),
});

const lookup = new Lookup({
  store: () => (session.isOpen ? session.store : undefined),
  browsers: () => index.browsers,
  onLooked: (path) => void rememberLookup(path),
});

/** Brings the figures, the recent look-ups and the panel up to date. */
async function refresh(): Promise<void> {
  const { store } = session;
  const [stats, memoryBytes, recent] = await Promise.all([
    store.stats(),
    store.memoryUsage(),
    readRecent(store),
  ]);
  records = stats.totalKeys - recent.length;
  const { capabilities } = store;
  showFigures({ stats, memoryBytes, capabilities, openedMs: session.openedMs, recent });
  renderRecent(byId('recent', HTMLElement), recent);
  byId('no-recent', HTMLElement).hidden = recent.length > 0;
  await followOtherTab();
}

/** Another tab may load or delete; this one sees it in the figures. */
async function followOtherTab(): Promise<void> {
  const { state } = panel;
  if (state === 'loading' || state === 'opening' || state === 'failed') return;
  if (await isLoading()) {
    if (state !== 'elsewhere') panel.show('elsewhere', 'Another tab is loading the data', '');
    panel.progress({ done: Math.min(records, index.records) }, index.records);
  } else if (state === 'elsewhere' || stateOf(records) !== state || (state === 'part' && records !== shown)) {
    showContents('Another tab has changed the store.');
  }
}

function stateOf(found: number): 'empty' | 'part' | 'full' {
  return found <= 0 ? 'empty' : found < index.records ? 'part' : 'full';
}

/** The panel as the contents of the store have it. `note`: how it came to be so. */
function showContents(note: string): void {
  const state = stateOf(records);
  shown = records;
  const all = `${count(index.records)} records, ${bytes(index.jsonBytes)} of JSON`;
  if (state === 'full') panel.show(state, `${all}, are in this browser`, note);
  else if (state === 'part') {
    panel.show(state, `${count(records)} of ${count(index.records)} records are stored`, note);
  } else {
    const fetched = index.pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    panel.show(state, 'Nothing is stored yet', `${all}, come as ${bytes(fetched)} of files. ${note}`);
  }
}

async function openStore(): Promise<void> {
  panel.show('opening', 'Opening the store…', '');
  try {
    const { mode } = await session.open();
    await refresh();
    const from = mode === 'memory' ? 'Opened' : 'Opened from disk';
    showContents(records > 0 ? `${from} in ${duration(session.openedMs)}.` : '');
    await lookup.showAddress();
  } catch (error) {
    fail('The store could not be opened', error);
  }
}

async function startLoading(): Promise<void> {
  loading = new AbortController();
  panel.show('loading', 'Loading the data', 'Fetching the first records…');
  const { store } = session;
  // What is there is the beginning of the data set; all of it when it is not complete after all.
  const from = records < index.records ? Math.max(records, 0) : 0;
  try {
    const result = await load(store, index, from, loading.signal, (progress) =>
      panel.progress(progress, index.records),
    );
    panel.show('opening', 'Looking at what is stored…', '');
    await refresh();
    showContents(result ? loadInWords(result) : 'Another tab is loading.');
    await lookup.showAddress();
  } catch (error) {
    await refresh().catch(() => {});
    showContents(loading.signal.aborted ? 'Loading was stopped.' : explain(error));
  } finally {
    loading = undefined;
  }
}

async function startOver(): Promise<void> {
  panel.show('opening', 'Deleting everything…', '');
  try {
    const start = performance.now();
    await session.startOver();
    const ms = performance.now() - start;
    await refresh();
    showContents(`Deleted and opened anew in ${duration(ms)}.`);
    await lookup.showAddress();
  } catch (error) {
    fail('The store could not be deleted', error);
  }
}

async function rememberLookup(path: string): Promise<void> {
  try {
    await remember(session.store, path, byId('ttl', HTMLSelectElement).value);
    await refresh();
  } catch {
    // The look-up itself was answered; the next refresh tells what is wrong with the store.
  }
}

/** Asks for keys that are not there, which is what the false-positive rate is measured by. */
async function askForAbsent(): Promise<void> {
  const button = byId('ask-absent', HTMLButtonElement);
  const answer = byId('absent-answer', HTMLElement);
  button.disabled = true;
  try {
    const keys = Array.from({ length: ABSENT_KEYS }, () => `absent/${crypto.randomUUID()}`);
    const start = performance.now();
    const values = await session.store.getMany(keys);
    const ms = performance.now() - start;
    const wrong = values.filter((value) => value !== undefined).length;
    const found = wrong === 0 ? 'none found' : `${plural(wrong, 'was', 'were')} found, which is wrong`;
    setText(answer, `${count(ABSENT_KEYS)} asked in ${duration(ms)}, ${found}.`);
    await refresh();
  } catch (error) {
    setText(answer, explain(error));
  } finally {
    button.disabled = false;
  }
}

function fail(title: string, error: unknown): void {
  clearFigures();
  panel.show('failed', title, explain(error));
}

/** About once a second while someone may be looking. */
async function keepFresh(): Promise<void> {
  for (;;) {
    await new Promise((done) => setTimeout(done, REFRESH_MS));
    if (document.hidden || panel.state === 'opening' || panel.state === 'failed') continue;
    try {
      await refresh();
    } catch (error) {
      // Deleted by another tab: open what is there now.
      if (error instanceof ClosedError) await openStore();
      else fail('The store does not answer', error);
    }
  }
}

async function start(): Promise<void> {
  keepOffline();
  byId('ask-absent', HTMLButtonElement).addEventListener('click', () => void askForAbsent());
  try {
    index = await fetchIndex();
  } catch (error) {
    return fail('The page could not be loaded whole', error);
  }
  await openStore();
  await keepFresh();
}

void start();
