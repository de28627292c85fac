/**
 * Writes are blind: a `set` does not look whether the key is there already, because
 * looking would read the log. What that leaves open is closed here: for each key
 * that the index may know an older record of, that record is looked at, and if it is
 * of this key it gives up its value and its place in the index.
 *
 * Must run alone: nothing may be applied meanwhile.
 */
import { hashString, lane } from '../base/hash.js';
import type { Contents } from './contents.js';
import type { Lookup } from './lookup.js';
import type { State } from './state.js';

/**
 * Afterwards every entry of the buffer is settled and the totals are exact; with `most`, that many
 * keys are nearer to it.
 */
export async function settle(
  state: State,
  lookup: Lookup,
  contents: Contents,
  most = Infinity,
): Promise<void> {
  const keys = state.unsettled.slice(0, most);
  state.unsettled = state.unsettled.slice(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const slot = state.slot(key);
    if (!slot || slot.settled) continue;
    try {
      const candidates: number[] = [];
      const high = hashString(state.secret, key);
      state.index.candidates(high, lane[0]!, candidates);
      const found = lookup.firstWithKey(key, candidates);
      const older = found instanceof Promise ? await found : found;
      if (older) {
        const content = contents.of(older.entry, older.location);
        state.supersede(key, older.location, content instanceof Promise ? await content : content);
      }
      state.markSettled(key);
    } catch (error) {
      // What was not settled is tried again next time.
      state.unsettled = keys.slice(i).concat(state.unsettled);
      throw error;
    }
  }
}
