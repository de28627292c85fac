/**
 * The benchmark of strict writes, those that resolve when they were flushed: rootcellar
 * beside IndexedDB with strict transactions and SQLite compiled to WASM, in Chromium, in
 * one run. The contenders take turns, each on the store that it had before, which is more
 * than a minute old when the first round begins: from then on each keeps its promise.
 *
 *    npm run bench -- strict [--rounds 9]
 */
import { setTimeout as delay } from 'node:timers/promises';
import { measureInTurns, report, roundsAsked } from '../in-turns.mjs';

const SETTLED_MS = 61_000;

const measured = await measureInTurns({
  directory: import.meta.dirname,
  rounds: roundsAsked(9),
  // SQLite is WASM.
  headers: { 'content-security-policy': "default-src 'self' 'wasm-unsafe-eval'" },
  async prepare(page) {
    await page.evaluate(() => window.make());
    await delay(SETTLED_MS);
  },
});
report('Strict writes of 100 bytes', 'strict.json', measured);
