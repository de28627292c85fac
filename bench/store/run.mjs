/**
 * The store benchmark: rootcellar beside idb-keyval and IndexedDB by hand, in
 * Chromium, in one run. The contenders take turns, each with a new store and in
 * another order each round; medians and spread over the rounds.
 *
 *    npm run bench -- store [--rounds 5]
 */
import { measureInTurns, report, roundsAsked } from '../in-turns.mjs';

const measured = await measureInTurns({ directory: import.meta.dirname, rounds: roundsAsked(5) });
report('100,000 records of 100 bytes', 'store.json', measured);
