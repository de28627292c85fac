/** The reader of a published index, which runs in a thread of its own. */
import { mix } from './keys.js';

/** The two lanes of the hash of key `i`, without a string. */
export const lanesOf = (i) => [mix(i * 2 + 1), mix(i ^ 0x5bd1e995)];

/**
 * Asks for absent keys against the time, and for keys never removed besides: none of
 * them may be said to be absent. `now` gives milliseconds; `IndexReader` is the package's.
 */
export function readShared({ buffer, state, present }, IndexReader, now) {
  const reader = new IndexReader(buffer);
  const rounds = 50;
  const times = 100_000;
  let wrong = 0;
  let certain = 0;
  let spent = 0;
  for (let round = 0; round < rounds; round++) {
    const before = now();
    for (let i = 0; i < times; i++) {
      const other = 50_000_000 + round * times + i;
      if (!reader.mayHave(mix(other * 2 + 1), mix(other ^ 0x5bd1e995))) certain++;
    }
    if (round >= 5) spent += now() - before;
    for (let i = 0; i < times; i++) {
      const k = (round * times + i) % present;
      if (!reader.mayHave(mix(k * 2 + 1), mix(k ^ 0x5bd1e995))) wrong++;
    }
  }
  Atomics.store(state, 0, 1);
  return { perSecond: ((rounds - 5) * times) / (spent / 1000), wrong, certain: certain / rounds / times };
}
