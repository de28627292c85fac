/**
 * The false-positive rate as it is, not as it should be: found by asking.
 *
 * The questions are hashes from a fixed sequence. That they are not those of
 * any key is as good as certain, so every answer is a false one.
 */
import { cut } from './geometry.js';
import type { QuotientTable } from './quotient-table.js';

const BITS = 48;

/** The share of `samples` hashes that some table answers for. */
export function measuredRate(tables: readonly QuotientTable[], samples: number): number {
  let answered = 0;
  for (let i = 0; i < samples; i++) {
    const hash = (scatter(2 * i) >>> 0) * 2 ** (BITS - 32) + (scatter(2 * i + 1) >>> (64 - BITS));
    if (tables.some((table) => table.find(cut(hash, BITS, table.bits)) >= 0)) answered++;
  }
  return samples === 0 ? 0 : answered / samples;
}

/** A bijection of 32-bit numbers without visible pattern (the finalizer of lowbias32). */
function scatter(n: number): number {
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b);
  return n ^ (n >>> 16);
}
