/** What the buffer holds under a key, and what a version is made of. */
import type { ReadonlyTrieMap } from '../structures/hamt/index.js';
import type { IndexMaplet } from '../structures/maplet/index.js';
import type { Run } from '../structures/runs/index.js';
import type { BufferedKey } from './buffered-keys.js';
import type { Content } from './change.js';

/** What the buffer knows of a key. */
export interface Slot {
  readonly location: number;
  /** `undefined`: the key was deleted. */
  readonly content: Content | undefined;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly version: number;
  readonly settled: boolean;
}

/** The mark of a key that was deleted. */
export function deleted(version: number): Slot {
  return { location: -1, content: undefined, expiresAt: Infinity, createdAt: 0, version, settled: false };
}

/** One version of the store, for scans: nothing in it changes any more. */
export interface View {
  /** The buffer's keys in order, where they were sorted already. */
  readonly sorted: readonly BufferedKey[] | undefined;
  readonly version: number;
  readonly buffer: ReadonlyTrieMap<string, Slot>;
  readonly index: IndexMaplet;
  readonly objects: IndexMaplet;
  readonly runs: readonly Run[];
}
