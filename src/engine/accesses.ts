/**
 * Which keys were read lately. Reads write nothing: they leave their key in a ring, and the
 * policy is told before the next write, or when the ring is full. For a restart the log is
 * told now and then, of each key once.
 */
import { hashString, lane } from '../base/hash.js';
import type { State } from './state.js';
import { encodeUse, USED, type UseRow } from './use.js';

const RING_KEYS = 1024;
/** Times of use are known to this. */
const MARK_MS = 1000;
/** Keys that were read since the log was told: so many are worth an entry. */
export const TELL_KEYS = 1024;

export class Accesses {
  #ring: string[] = [];
  /** When the first of the ring was read. */
  #since = 0;
  /** In order of their last use. */
  #untold = new Map<string, UseRow>();

  constructor(
    private readonly state: State,
    private readonly now: () => number,
  ) {}

  note(key: string): void {
    const now = this.now();
    if (this.#ring.length === 0) this.#since = now;
    else if (now - this.#since >= MARK_MS) {
      this.drain();
      this.#since = now;
    }
    this.#ring.push(key);
    if (this.#ring.length >= RING_KEYS) this.drain();
  }

  /** Tells the policy. */
  drain(): void {
    if (this.#ring.length === 0) return;
    const ring = this.#ring;
    this.#ring = [];
    this.state.policy!.mark(this.#since);
    for (const key of ring) {
      const high = hashString(this.state.secret, key);
      const low = lane[0]!;
      if (!this.state.policy!.access(high, low)) continue;
      const name = `${high} ${low}`;
      this.#untold.delete(name);
      this.#untold.set(name, { high, low, rank: USED, cost: 1, size: 0 });
    }
  }

  /** How many keys the log was not told of. */
  get untold(): number {
    return this.#untold.size;
  }

  /** What the log has to be told. */
  takeUntold(): Uint8Array {
    this.drain();
    const rows = encodeUse([...this.#untold.values()]);
    this.#untold.clear();
    return rows;
  }

  /** When the key was used last, about; `undefined`: nobody knows. */
  usedAt(key: string): number | undefined {
    this.drain();
    const high = hashString(this.state.secret, key);
    return this.state.policy!.usedAt(high, lane[0]!);
  }
}
