/**
 * Keys of three priorities, each with a policy of its own, and those that are pinned.
 *
 * A key of low priority goes before any normal one, and a normal one before any of high
 * priority. A pinned one is never named. The policies know nothing of that.
 *
 * A use costs a look-up for each priority in use; mostly there is one.
 */
import type { Budget, Hash, Policy, PolicyRows } from './policy.js';
import { Fifo } from './queues.js';

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

export class Ranked {
  /** By place, made when first needed. */
  readonly #policies: (Policy | undefined)[] = [];

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
    const rank = pinned ? PINNED : PRIORITIES.indexOf(priority);
    for (const [other, policy] of this.#policies.entries()) if (other !== rank) policy?.remove(high, low);
    this.#at(rank).add(high, low, size, cost);
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
    this.#policies[rank] ??= rank === PINNED ? new Fifo() : this.make(this.budget);
    return this.#policies[rank];
  }

  #sum(figure: (policy: Policy) => number): number {
    return this.#policies.reduce((sum, policy) => sum + (policy ? figure(policy) : 0), 0);
  }
}
