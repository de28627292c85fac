/**
 * Active expiry: asks the wheel what is due, finds the keys behind the hashes, and
 * proposes their removal. It alters nothing itself: the proposal is planned like any
 * other call, and a key that got a new deadline meanwhile stays.
 */
import { bytesOf, type Content, chunksOf } from './change.js';
import type { KeyFinder } from './key-finder.js';
import type { ReapMutation } from './mutation.js';
import type { State } from './state.js';

/** What expired keys still hold: totals of the state count them until they are removed. */
export interface Expired {
  readonly keys: number;
  readonly logicalBytes: number;
  /** Values that only expired keys have. */
  readonly objects: number;
  readonly objectBytes: number;
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
    private readonly finder: KeyFinder,
  ) {}

  /** Proposals for at most `limit` keys that have expired at `now`. */
  async due(now: number, limit: number): Promise<Proposal> {
    const hashes: Hash[] = [];
    const mutations: ReapMutation[] = [];
    const due = [...this.state.deadlines.advance(now, limit)];
    try {
      for (const [high, low] of due) {
        const found = await this.finder.find(high, low);
        if (!found) continue;
        const hash: Hash = [high, low, found.expiresAt];
        // The wheel may have been shown a later time than this.
        if (found.expiresAt > now) this.restore([hash]);
        else {
          mutations.push({ type: 'reap', key: found.key });
          hashes.push(hash);
        }
      }
    } catch (error) {
      // Those behind the one that could not be read are due still, and so are those before.
      this.restore([...hashes, ...due.map(([high, low]): Hash => [high, low, now])]);
      throw error;
    }
    return { mutations, hashes };
  }

  /** The keys behind these hashes were not removed: they are due again. */
  restore(hashes: readonly Hash[]): void {
    const { deadlines } = this.state;
    for (const [high, low, deadline] of hashes) {
      const none = deadlines.deadlineOf(high, low) === undefined && deadline !== Infinity;
      if (none) deadlines.schedule(high, low, deadline);
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
        const found = await this.finder.find(hash[0], hash[1]);
        if (!found) continue;
        // The very deadline: an image is made of these, and the clock may be set back before it is read.
        hash[2] = found.expiresAt;
        if (found.expiresAt > now) continue;
        keys += 1;
        logicalBytes += found.content.size;
        release(found.content);
      }
    } finally {
      this.restore(hashes);
    }
    return { keys, logicalBytes, objects, objectBytes };
  }
}
