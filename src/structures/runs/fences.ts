/**
 * Fences: what of a run stands in memory, the first key of each block and where the block
 * lies. On disk they are rows of
 *
 *    4        location, little-endian
 *    4        2 * (code units of the first key) + (they take two bytes each)
 *    n        the first key
 */
import { getUnits, isLatin1, putUnits } from '../../base/bytes.js';

export interface Fence {
  readonly firstKey: string;
  /** Of the entry that holds the block. */
  readonly location: number;
}

/** In order of their first keys. */
export type Run = readonly Fence[];

/** Index of the block of `run` in which `key` stands if it stands anywhere; -1 where it is before them all. */
export function blockOf(run: Run, key: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (run[middle]!.firstKey <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export function encodeFences(run: Run): Uint8Array {
  const bytes = new Uint8Array(run.reduce((sum, { firstKey }) => sum + 8 + firstKey.length * 2, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { firstKey, location } of run) {
    const wide = !isLatin1(firstKey);
    view.setUint32(at, location, true);
    view.setUint32(at + 4, firstKey.length * 2 + Number(wide), true);
    at = putUnits(bytes, at + 8, firstKey, wide);
  }
  return bytes.subarray(0, at);
}

/** @throws RangeError when `bytes` end within a row. */
export function decodeFences(bytes: Uint8Array): Run {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const run: Fence[] = [];
  for (let at = 0; at < bytes.length; ) {
    const location = view.getUint32(at, true);
    const units = view.getUint32(at + 4, true);
    const wide = (units & 1) === 1;
    const end = at + 8 + (units >>> 1) * (wide ? 2 : 1);
    if (end > bytes.length) throw new RangeError('fences: a row is cut short');
    run.push({ firstKey: getUnits(bytes, at + 8, end, wide), location });
    at = end;
  }
  return run;
}
