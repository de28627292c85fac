/**
 * The keys of the buffer, in order, for scans and for sealing.
 */
import { compareKeys } from '../base/bytes.js';
import type { RunKey } from '../structures/runs/index.js';
import { type Bounds, within } from './bounds.js';

/** A key of the buffer that is there. */
export interface BufferedKey {
  readonly key: string;
  readonly location: number;
  readonly expiresAt: number;
}

/** What of the buffer is needed here. */
type Slots = Iterable<readonly [string, Omit<BufferedKey, 'key'> & { readonly content: unknown }]>;

interface Buffer {
  /** In order, where somebody has sorted them. */
  readonly sorted: readonly BufferedKey[] | undefined;
  readonly buffer: Slots;
}

/** Keys of the buffer that are there, in order. */
export function sortedKeys(slots: Slots): BufferedKey[] {
  const keys: BufferedKey[] = [];
  for (const [key, { content, location, expiresAt }] of slots) {
    if (content) keys.push({ key, location, expiresAt });
  }
  return keys.sort((a, b) => compareKeys(a.key, b.key));
}

/** Those of a range that had not expired at `now`. */
export function bufferedKeys(view: Buffer, bounds: Bounds, now: number): RunKey[] {
  if (view.sorted) return sortedWithin(view.sorted, bounds, now);
  const keys: RunKey[] = [];
  for (const [key, { content, location, expiresAt }] of view.buffer) {
    if (content && expiresAt > now && within(bounds, key)) {
      keys.push({ key, location, hasDeadline: expiresAt !== Infinity });
    }
  }
  return keys.sort((a, b) => compareKeys(a.key, b.key));
}

function sortedWithin(sorted: readonly BufferedKey[], { low, high }: Bounds, now: number): RunKey[] {
  const keys: RunKey[] = [];
  for (let i = firstFrom(sorted, low); i < sorted.length; i++) {
    const { key, location, expiresAt } = sorted[i]!;
    if (high !== undefined && key >= high) break;
    if (expiresAt > now) keys.push({ key, location, hasDeadline: expiresAt !== Infinity });
  }
  return keys;
}

/** Index of the first key that is not before `low`. */
function firstFrom(sorted: readonly BufferedKey[], low: string): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]!.key < low) from = middle + 1;
    else to = middle;
  }
  return from;
}
