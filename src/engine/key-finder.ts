/** The key behind a hash, for those who know keys by hash alone: expiry and eviction. */
import { hashString, lane } from '../base/hash.js';
import type { Content } from './change.js';
import type { Contents } from './contents.js';
import type { RecordSource } from './records.js';
import type { State } from './state.js';

export interface FoundKey {
  readonly key: string;
  readonly expiresAt: number;
  readonly content: Content;
}

export class KeyFinder {
  constructor(
    private readonly state: State,
    private readonly records: RecordSource,
    private readonly contents: Contents,
  ) {}

  /** Expired or not. Reads a record where the key is sealed. REQUIRES: nothing is applied meanwhile. */
  async find(high: number, low: number): Promise<FoundKey | undefined> {
    const isKey = (key: string) => hashString(this.state.secret, key) === high && lane[0] === low;
    for (const key of this.state.bufferedKeys(high)) {
      const slot = isKey(key) ? this.state.slot(key) : undefined;
      if (slot?.content) return { key, expiresAt: slot.expiresAt, content: slot.content };
    }
    const candidates: number[] = [];
    this.state.index.candidates(high, low, candidates);
    for (const location of candidates) {
      const read = this.records.read(location);
      const entry = read instanceof Promise ? await read : read;
      const { key, expiresAt } = entry;
      // A key of the buffer hides its older records.
      if (!isKey(key) || this.state.slot(key)) continue;
      const content = this.contents.of(entry, location);
      return { key, expiresAt, content: content instanceof Promise ? await content : content };
    }
    return undefined;
  }
}
