/**
 * Active expiry: asks the wheel what is due, finds the keys behind the hashes, and
 * proposes their removal. It alters nothing itself: the proposal is planned like any
 * other call, and a key that got a new deadline meanwhile stays.
 */
import { hashString, lane } from '../base/hash.js';
import type { Lookup } from './lookup.js';
import type { ReapMutation } from './mutation.js';
import type { Records } from './records.js';
import type { State } from './state.js';

export class Expirer {
  constructor(
    private readonly state: State,
    private readonly lookup: Lookup,
    private readonly records: Records,
  ) {}

  /** Proposals for at most `limit` keys that have expired at `now`. */
  async due(now: number, limit: number): Promise<ReapMutation[]> {
    const mutations: ReapMutation[] = [];
    for (const [high, low] of this.state.deadlines.advance(now, limit)) {
      const key = await this.#keyOf(high, low, now);
      if (key !== undefined) mutations.push({ type: 'reap', key });
    }
    return mutations;
  }

  async #keyOf(high: number, low: number, now: number): Promise<string | undefined> {
    for (const key of this.state.deadlineKeys(high)) {
      if (hashString(this.state.secret, key) !== high || lane[0] !== low) continue;
      const found = await this.lookup.find(key);
      if (found && found.expiresAt <= now) return key;
    }
    const candidates: number[] = [];
    this.state.index.candidates(high, low, candidates);
    for (const location of candidates) {
      const { key, expiresAt } = await this.records.read(location);
      if (expiresAt > now || hashString(this.state.secret, key) !== high || lane[0] !== low) continue;
      return key;
    }
    return undefined;
  }
}
