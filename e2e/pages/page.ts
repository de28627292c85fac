/** The page under test: gives the tests the package as an application has it. */
import * as rootcellar from 'rootcellar';
import { leads, play } from '../histories/play.js';
import { check } from '../load/check.js';
import { fill, write } from '../load/fill.js';
import { makeStore, startLoad } from '../load/load.js';

declare global {
  interface Window {
    rootcellar: typeof rootcellar;
    store: rootcellar.Store;
    /** What a promise of a store came to: its value, or the name and code of its error. */
    outcome(promise: PromiseLike<unknown>): Promise<unknown>;
    fill: typeof fill;
    write: typeof write;
    makeStore: typeof makeStore;
    startLoad: typeof startLoad;
    check: typeof check;
    play: typeof play;
    leads: typeof leads;
  }
}

window.rootcellar = rootcellar;
window.fill = fill;
window.write = write;
window.makeStore = makeStore;
window.startLoad = startLoad;
window.check = check;
window.play = play;
window.leads = leads;
window.outcome = async (promise) => {
  try {
    return await promise;
  } catch (error) {
    const { name, code, message } = error as rootcellar.StoreError;
    return { name, code, message, isStoreError: error instanceof rootcellar.StoreError };
  }
};
document.title = 'ready';

const tab = new URLSearchParams(location.search).get('tab');
if (tab !== null) void import('./driven.js').then(({ drive }) => drive(tab));
