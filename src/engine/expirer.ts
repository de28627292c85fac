/**
 * Active expiry: asks the wheel what is due, finds the keys behind the hashes, and
 * proposes their removal. It alters nothing itself: the proposal is planned like any
 * other call, and a key that got a new deadline meanwhile stays.
 */
import { hashString, lane } from '../base/hash.js';
import { bytesOf, type Content, chunksOf } from './change.js';
import type { Contents } from './contents.js';
import type { ReapMutation } from './mutation.js';
import type { RecordSource } from './records.js';
import type { State } from './state.js';

/** What expired keys still hold: totals of the state count them until they are removed. */
export interface Expired {
  readonly keys: number;
  readonly logicalBytes: number;
  /** Values that only expired keys have. */
  readonly objects: number;
  readonly objectBytes: number;
}

interface DueKey {
  readonly key: string;
  readonly expiresAt: number;
  readonly content: Content;
}

type Hash = readonly [high: number, low: number, deadline: number];

export interface Proposal {
  readonly mutations: readonly ReapMutation[];
  /** What the wheel gave up for them. */
  readonly hashes: readonly Hash[];
}

export class Expirer {
  constructor(
    private readonly state: State,
    private readonly records: RecordSource,
    private readonly contents: Contents,
  ) {}

  /** Proposals for at most `limit` keys that have expired at `now`. */
  async due(now: number, limit: number): Promise<Proposal> {
    const hashes: Hash[] = [];
    const mutations: ReapMutation[] = [];
    for (const [high, low] of this.state.deadlines.advance(now, limit)) {
      const found = await this.#find(high, low, now);
      if (found) mutations.push({ type: 'reap', key: found.key });
      hashes.push([high, low, found?.expiresAt ?? now]);
    }
    return { mutations, hashes };
  }

  /** The keys behind these hashes were not removed: they are due again. */
  restore(hashes: readonly Hash[]): void {
    const { deadlines } = this.state;
    for (const [high, low, deadline] of hashes) {
      if (deadlines.deadlineOf(high, low) === undefined) deadlines.schedule(high, low, deadline);
    }
  }

  /** What has expired at `now` and was not removed yet. O(those keys). REQUIRES: the state is settled. */
  async expired(now: number): Promise<Expired> {
    const { deadlines } = this.state;
    const due = deadlines.dueCount(now) === 0 ? [] : [...deadlines.advance(now, Infinity)];
    const hashes = due.map(([high, low]): [number, number, number] => [high, low, now]);
    let keys = 0;
    let logicalBytes = 0;
    let objects = 0;
    let objectBytes = 0;
    const released = new Map<number, number>();
    const release = (content: Content): void => {
      const { object, made, chunk } = content;
      const count = (released.get(object) ?? 0) + 1;
      released.set(object, count);
      if (count !== this.state.keysOf(object)) return;
      if (!chunk) objects += 1;
      objectBytes += bytesOf(content);
      if (!made) return;
      for (const part of chunksOf(made)) release(part);
      if (made.base) release(made.base);
    };
    try {
      for (const hash of hashes) {
        const found = await this.#find(hash[0], hash[1], now);
        if (!found) continue;
        // The very deadline: an image is made of these, and the clock may be set back before it is read.
        hash[2] = found.expiresAt;
        keys += 1;
        logicalBytes += found.content.size;
        release(found.content);
      }
    } finally {
      this.restore(hashes);
    }
    return { keys, logicalBytes, objects, objectBytes };
  }

  /** The expired key with this hash, and what it holds. */
  async #find(high: number, low: number, now: number): Promise<DueKey | undefined> {
    const isKey = (key: string) => hashString(this.state.secret, key) === high && lane[0] === low;
    for (const key of this.state.deadlineKeys(high)) {
      const slot = isKey(key) ? this.state.slot(key) : undefined;
      if (slot?.content && slot.expiresAt <= now)
        return { key, expiresAt: slot.expiresAt, content: slot.content };
    }
    const candidates: number[] = [];
    this.state.index.candidates(high, low, candidates);
    for (const location of candidates) {
      const entry = await this.records.read(location);
      const { key, expiresAt } = entry;
      // A key of the buffer hides its older records.
      if (expiresAt > now || !isKey(key) || this.state.slot(key)) continue;
      return { key, expiresAt, content: await this.contents.of(entry, location) };
    }
    return undefined;
  }
}
