/**
 * What an eviction policy is: it knows hashes of keys, their sizes and the order of their
 * use, and says who should go first. It evicts nothing: whoever asks reads the key behind
 * a hash, decides, and tells what became of it.
 *
 *    add, access, remove    what happens to keys
 *    victims                who should go: they are set aside and stay in
 *    withdraw               who was set aside and is still in is as the others again
 *
 * A policy reads no clock and draws no randomness.
 */

/** A hash of a key, in two halves of 32 bits. */
export type Hash = readonly [high: number, low: number];

/** What a store may hold; a policy shapes itself by it. `Infinity`: no limit. */
export interface Budget {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

export interface Policy {
  /** Keys that it knows, those set aside too. */
  readonly size: number;
  /** Memory in bytes. */
  readonly bytes: number;
  /**
   * A key has this value now; where the key is known already it counts as use. `size` in
   * bytes; `cost` of getting the value again, where 1 is the usual one; without it, as before.
   */
  add(high: number, low: number, size: number, cost?: number): void;
  /** Whether the key is in. */
  has(high: number, low: number): boolean;
  /** The key was read. Whether it was known. */
  access(high: number, low: number): boolean;
  /** The key is gone. Whether it was known. */
  remove(high: number, low: number): boolean;
  /**
   * At most `limit` keys that should go, the first to go first. They stay in until they are
   * removed, and are not named again before `withdraw`. Fewer than `limit`: there are no more.
   */
  victims(limit: number): Hash[];
  /** Those that were named and are still in take their place among the others again. */
  withdraw(): void;
  /** Forgets all. */
  clear(): void;
  /** What a restart may know of the order of use; without it, the order of writing is all. */
  readonly memory?: PolicyMemory;
}

/** The part of a policy that survives a restart. */
export interface PolicyMemory {
  /** Uses that were counted so far. */
  readonly clock: number;
  /** `clock` at the last use of a key. */
  usedAt(high: number, low: number): number | undefined;
  /** Copies of the columns, at the cost of copying memory. A row whose size is 0 is none. */
  rows(): PolicyRows;
  /** Takes in rows, those used last as the last ones. REQUIRES: the policy is empty. */
  restore(rows: PolicyRows): void;
}

/** Keys, in no order. */
export interface PolicyRows {
  readonly high: Int32Array;
  readonly low: Int32Array;
  readonly size: Uint32Array;
  /** The clock at the last use. */
  readonly used: Uint32Array;
  /** How often it was used, about: what the policy makes of it. */
  readonly level: Uint8Array;
  /** 128 + 8 * log2(cost). */
  readonly cost: Uint8Array;
}
