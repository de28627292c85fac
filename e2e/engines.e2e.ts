/** The same store in the other engines, as far as each has a place for it. */
import { afterAll, beforeAll, describe } from 'vitest';
import { DrivenBrowser } from './engines/driven-browser.js';
import { findEngines } from './engines/engine.js';
import { keepsAndShares } from './keeps-and-shares.js';

// Chromium runs all of it in `store.e2e.ts`; here it shows that driving by the page tells the same.
describe.each(await findEngines())('in $name', (engine) => {
  const browser = new DrivenBrowser(engine);
  beforeAll(() => browser.start());
  afterAll(() => browser.stop());

  const all = engine.name === 'chromium' ? (['hybrid'] as const) : ([...engine.modes, 'auto'] as const);
  keepsAndShares(browser, all, engine.modes.at(-1));
});
