/**
 * Keys of three priorities, each with a policy of its own, and those that are pinned.
 *
 * A key of low priority goes before any normal one, and a normal one before any of high
 * priority. A pinned one is never named. The policies know nothing of that.
 *
 * A use costs a look-up for each priority in use; mostly there is one.
 */
import type { Budget, Hash, Policy, PolicyRows } from './policy.js';
import { Lru } from './queues.js';

export const PRIORITIES = ['low', 'normal', 'high'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a key asks of eviction. */
export interface Terms {
  readonly priority: Priority;
  readonly pinned: boolean;
  /** Of getting the value again, where 1 is the usual one. */
  readonly cost: number;
}

/** Those of a key that asks for nothing. */
export const PLAIN: Terms = { priority: 'normal', pinned: false, cost: 1 };

/** Rows with the place of each among the policies, for a restart. */
export interface RankedRows {
  readonly rank: number;
  readonly rows: PolicyRows;
}

/** Place of pinned keys, behind the priorities. */
const PINNED = PRIORITIES.length;
const NORMAL = PRIORITIES.indexOf('normal');
/** Times of use are known to this, and to the share of the marks. */
const MARK_MS = 1000;
const MARKS_MAX = 512;

/** Uses beyond `clock` were at `time` or later. */
interface Mark {
  readonly clock: number;
  readonly time: number;
}

export class Ranked {
  /** By place, made when first needed. */
  readonly #policies: (Policy | undefined)[] = [];
  readonly #marks: Mark[][] = [];
  #marked = 0;
  /** A key had a cost of its own once. */
  #priced = false;

  constructor(
    private readonly budget: Budget,
    private readonly make: (budget: Budget) => Policy,
  ) {}

  get size(): number {
    return this.#sum(({ size }) => size);
  }

  /** Keys that are never named. */
  get pinned(): number {
    return this.#policies[PINNED]?.size ?? 0;
  }

  get bytes(): number {
    return this.#sum(({ bytes }) => bytes);
  }

  add(high: number, low: number, size: number, { priority, pinned, cost }: Terms): void {
    this.move(high, low, size, pinned ? PINNED : PRIORITIES.indexOf(priority), cost);
  }

  /** The key has another value, on the terms that it has; a new one on plain terms. */
  keep(high: number, low: number, size: number): void {
    const rank = this.#policies.findIndex((policy) => policy?.has(high, low));
    this.#at(rank < 0 ? NORMAL : rank).add(high, low, size);
  }

  access(high: number, low: number): boolean {
    return this.#policies.some((policy) => policy?.access(high, low));
  }

  remove(high: number, low: number): boolean {
    return this.#policies.some((policy) => policy?.remove(high, low));
  }

  victims(limit: number): Hash[] {
    const named: Hash[] = [];
    for (const policy of this.#policies.slice(0, PINNED)) {
      if (policy && named.length < limit) named.push(...policy.victims(limit - named.length));
    }
    return named;
  }

  withdraw(): void {
    for (const policy of this.#policies) policy?.withdraw();
  }

  clear(): void {
    for (const policy of this.#policies) policy?.clear();
    this.#priced = false;
  }

  has(high: number, low: number): boolean {
    return this.#policies.some((policy) => policy?.has(high, low));
  }

  /** The key asks for something else now, or its cost is another. */
  move(high: number, low: number, size: number, rank: number, cost: number): void {
    for (const [other, policy] of this.#policies.entries()) if (other !== rank) policy?.remove(high, low);
    this.#priced ||= cost !== 1;
    this.#at(rank).add(high, low, size, cost);
  }

  /** Whether the key asks for anything. */
  isSpecial(high: number, low: number): boolean {
    return this.#policies.some((policy, rank) => {
      if (!policy?.has(high, low)) return false;
      return rank !== NORMAL || this.#priced;
    });
  }

  /** Uses from now on are at `time` or later. */
  mark(time: number): void {
    if (time - this.#marked < MARK_MS) return;
    this.#marked = time;
    for (const [rank, policy] of this.#policies.entries()) {
      if (!policy?.memory) continue;
      const marks = (this.#marks[rank] ??= []);
      marks.push({ clock: policy.memory.clock, time });
      // Of the older half every second one is enough.
      if (marks.length > MARKS_MAX) {
        this.#marks[rank] = marks.filter((_, i) => i % 2 === 0 || i > MARKS_MAX / 2);
      }
    }
  }

  /** When the key was used last, about; `undefined` where the policy keeps no order of use. */
  usedAt(high: number, low: number): number | undefined {
    for (const [rank, policy] of this.#policies.entries()) {
      const used = policy?.memory?.usedAt(high, low);
      if (used === undefined) continue;
      return this.#marks[rank]?.findLast(({ clock }) => clock < used)?.time;
    }
    return undefined;
  }

  /** Copies of what survives a restart. */
  rows(): RankedRows[] {
    const all: RankedRows[] = [];
    for (const [rank, policy] of this.#policies.entries()) {
      if (policy?.memory && policy.size > 0) all.push({ rank, rows: policy.memory.rows() });
    }
    return all;
  }

  restore(all: readonly RankedRows[]): void {
    for (const { rank, rows } of all) this.#at(rank).memory?.restore(rows);
  }

  #at(rank: number): Policy {
    // Pinned keys are only kept in mind: any policy does.
    const there = this.#policies[rank];
    if (there) return there;
    const made = rank === PINNED ? new Lru() : this.make(this.budget);
    this.#policies[rank] = made;
    this.#marks[rank] = [{ clock: 0, time: this.#marked }];
    return made;
  }

  #sum(figure: (policy: Policy) => number): number {
    return this.#policies.reduce((sum, policy) => sum + (policy ? figure(policy) : 0), 0);
  }
}
