/**
 * How large a quotient table is made for so many keys and such a rate.
 *
 * A key that was never inserted matches with probability entries / 2^bits, so
 * `bits` is the least that keeps this within the rate. The step is the largest
 * that leaves the homes 95 % full at capacity: the longer the steps, the fewer
 * the slots; above 95 % runs get long.
 */
import type { QuotientTable, TableGeometry } from './quotient-table.js';

/** Share of the homes that may be taken. */
export const FULL = 0.95;
/** Fingerprint bits that a number and the planes can cope with. */
const BITS_MAX = 48;
const STEP_MAX = 2 ** 31;

/** The geometry for `capacity` keys at `rate`, with fingerprints of `leastBits` to `mostBits` bits. */
export function geometryFor(
  capacity: number,
  rate: number,
  valueBits: number,
  leastBits = 0,
  mostBits = BITS_MAX,
): TableGeometry {
  const needed = Math.ceil(Math.log2(capacity / rate));
  const bits = Math.min(mostBits, BITS_MAX, Math.max(1, leastBits, needed));
  return { bits, step: stepFor(bits, capacity), valueBits };
}

/** The step at which `capacity` keys fill 95 % of the homes. */
export function stepFor(bits: number, capacity: number): number {
  return Math.max(1, Math.min(STEP_MAX, Math.floor((2 ** bits * FULL) / capacity)));
}

/** Keys that a table has room for. */
export function capacityOf(table: QuotientTable): number {
  return Math.floor(table.homes * FULL);
}

/** `fingerprint` of `from` bits, cut to its first `to`. */
export function cut(fingerprint: number, from: number, to: number): number {
  return from === to ? fingerprint : Math.floor(fingerprint / 2 ** (from - to));
}

/** Probability that a key never inserted matches. The tables match different hashes, so it is a sum. */
export function rateOf(tables: readonly QuotientTable[]): number {
  return tables.reduce((sum, table) => sum + table.entries / 2 ** table.bits, 0);
}
