/**
 * Keeps a store within its budget: before a call is written that would pass it, keys are
 * removed, expired ones first and then those that the policy names. It alters nothing
 * itself: what it proposes is written and applied as any other delete.
 *
 * Bytes are those of distinct values that some key has. A value that keys share is freed
 * with the last of them, and each is charged its part of it.
 *
 * Loaded where the options limit the store.
 */
import { CapacityError } from '../base/errors.js';
import { hashString, lane } from '../base/hash.js';
import type { Budgeted } from '../contract/options.js';
import { createPolicy, type PolicyName, Ranked } from '../structures/eviction/index.js';
import { bytesOf, type Cause } from './change.js';

export { Accesses } from './accesses.js';

import type { Expirer } from './expirer.js';
import { Freed } from './freed.js';
import type { KeyFinder } from './key-finder.js';
import type { Lookup } from './lookup.js';
import type { Planned } from './plan.js';
import type { OwnPolicies } from './policies.js';
import type { Counters } from './report.js';
import type { State } from './state.js';

/** Keys that are removed in one batch. */
const SLICE_KEYS = 512;

/** What a call adds to the store. */
export interface Growth {
  readonly keys: number;
  readonly bytes: number;
}

export interface EvictorParts {
  readonly state: State;
  readonly lookup: Lookup;
  readonly finder: KeyFinder;
  readonly expirer: Expirer;
  readonly counters: Counters;
  readonly settle: () => Promise<void>;
  /** Removes these keys, in one batch; nothing else is written meanwhile. */
  readonly remove: (keys: readonly string[], cause: Cause) => Promise<void>;
}

export function rankedBy({ policy, maxBytes, maxEntries }: Budgeted, own: OwnPolicies): Ranked {
  const budget = { maxBytes, maxEntries };
  if (policy === 'reject') return new Ranked(budget, (limits) => createPolicy('fifo', limits));
  const make = own.get(policy);
  if (make) return new Ranked(budget, make);
  return new Ranked(budget, (limits) => createPolicy(policy as PolicyName, limits));
}

export class Evictor {
  constructor(
    private readonly budget: Budgeted,
    private readonly parts: EvictorParts,
  ) {}

  /** What the puts of a call add at most, for all that is known without reading. */
  growthOf(planned: readonly Planned[]): Growth {
    let keys = 0;
    let bytes = 0;
    const brought = new Set<object>();
    for (const one of planned) {
      if (one.type !== 'put') continue;
      if (!this.parts.state.slot(one.key)?.content) keys += 1;
      bytes += newBytes(one, brought);
    }
    return { keys, bytes };
  }

  /** Whether the store has room for that, for all that is known without reading. */
  fits({ keys, bytes }: Growth): boolean {
    const { maxBytes, maxEntries } = this.budget;
    const { state } = this.parts;
    return state.keys + keys <= maxEntries && state.objectBytes + bytes <= maxBytes;
  }

  /**
   * Makes room for a call. The plan may name values that are gone then: it has to be made anew.
   * Whether anything was removed.
   *
   * @throws CapacityError when there is no room to be had. Under `reject` nothing has changed then
   *   but that expired keys are gone.
   */
  async makeRoom(planned: readonly Planned[], now: number): Promise<boolean> {
    await this.parts.settle();
    const growth = await this.#exactGrowthOf(planned);
    const { maxBytes, maxEntries, policy, targetRatio } = this.budget;
    if (growth.bytes > maxBytes || growth.keys > maxEntries) this.#refuse(growth);
    if (this.fits(growth)) return false;
    const written = new Set(planned.map((one) => (one.type === 'put' ? one.key : '')));
    let removed = await this.#removeExpired(now, growth);
    if (this.fits(growth)) return removed;
    if (policy === 'reject') this.#refuse(growth);
    const low = targetRatio * maxBytes;
    const { state } = this.parts;
    const bytes =
      state.objectBytes + growth.bytes <= maxBytes
        ? Infinity
        : Math.max(0, (growth.bytes <= low ? low : maxBytes) - growth.bytes);
    const evicted = await this.evict({ bytes, keys: maxEntries - growth.keys }, written);
    removed ||= evicted.keys > 0;
    if (!this.fits(growth)) this.#refuse(growth);
    return removed;
  }

  /**
   * Removes keys until no more than that is left, or nothing that may go. REQUIRES: it runs
   * alone, and the state is settled.
   */
  async evict(
    left: { readonly bytes: number; readonly keys: number },
    except: ReadonlySet<string> = NONE,
  ): Promise<Growth> {
    const { state, counters } = this.parts;
    const before = { keys: state.keys, bytes: state.objectBytes };
    try {
      while (state.keys > left.keys || state.objectBytes > left.bytes) {
        const keys = await this.#victims(state.keys - left.keys, state.objectBytes - left.bytes, except);
        if (keys.length === 0) break;
        await this.parts.remove(keys, 'evict');
        await this.parts.settle();
        counters.evicted += keys.length;
      }
    } finally {
      state.policy!.withdraw();
    }
    return { keys: before.keys - state.keys, bytes: before.bytes - state.objectBytes };
  }

  /** At most a slice of keys that are enough, if all goes as it seems. */
  async #victims(keysOver: number, bytesOver: number, except: ReadonlySet<string>): Promise<string[]> {
    const { state, finder } = this.parts;
    const freed = new Freed(state);
    const keys: string[] = [];
    while (keys.length < SLICE_KEYS && (keys.length < keysOver || freed.bytes < bytesOver)) {
      const [victim] = state.policy!.victims(1);
      if (!victim) break;
      const found = await finder.find(...victim);
      if (!found) {
        state.policy!.remove(...victim);
        continue;
      }
      if (except.has(found.key)) continue;
      freed.add(found.content);
      keys.push(found.key);
    }
    return keys;
  }

  async #removeExpired(now: number, growth: Growth): Promise<boolean> {
    const { expirer, settle, remove, counters } = this.parts;
    let removed = false;
    while (!this.fits(growth)) {
      const { mutations, hashes } = await expirer.due(now, SLICE_KEYS);
      if (mutations.length === 0) break;
      try {
        await remove(
          mutations.map(({ key }) => key),
          'expire',
        );
      } catch (error) {
        expirer.restore(hashes);
        throw error;
      }
      await settle();
      counters.expired += mutations.length;
      removed = true;
    }
    return removed;
  }

  /** What the call adds, less what it takes away. REQUIRES: the state is settled. */
  async #exactGrowthOf(planned: readonly Planned[]): Promise<Growth> {
    const { state, lookup, finder } = this.parts;
    const brought = new Set<object>();
    let keys = 0;
    let bytes = 0;
    for (const one of planned) {
      if (one.type === 'checkpoint') continue;
      if (one.type === 'clear') return { keys: -state.keys, bytes: -state.objectBytes };
      if (one.type === 'put') {
        keys += 1;
        bytes += newBytes(one, brought);
      }
      const there = lookup.find(one.key);
      if (!(there instanceof Promise ? await there : there)) continue;
      const high = hashString(state.secret, one.key);
      const old = await finder.find(high, lane[0]!);
      keys -= 1;
      // One that others have stays, and so does one that the call has again.
      const again = one.type === 'put' && one.holding.object.location === old?.content.object;
      if (old && !again && state.keysOf(old.content.object) === 1) bytes -= bytesOf(old.content);
    }
    return { keys, bytes };
  }

  #refuse(growth: Growth): never {
    const { maxBytes, maxEntries } = this.budget;
    const { keys, objectBytes: bytes } = this.parts.state;
    throw new CapacityError(
      `the store holds ${keys} keys of ${maxEntries} and ${bytes} bytes of ${maxBytes}, and has no room for ${growth.keys} keys and ${growth.bytes} bytes more`,
      { detail: { keys, bytes, maxEntries, maxBytes, wanted: growth } },
    );
  }
}

const NONE: ReadonlySet<string> = new Set();

/** Bytes of an object that a put brings, once. */
function newBytes(put: Planned & { type: 'put' }, brought: Set<object>): number {
  const { object, size } = put.holding;
  if (object.location !== -1 || brought.has(object)) return 0;
  brought.add(object);
  return size;
}
