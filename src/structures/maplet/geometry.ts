/**
 * How large a quotient table is made for so many keys and such a rate.
 *
 * A key that was never inserted matches with probability entries / 2^bits, so
 * `bits` is the least that keeps this within the rate. The step is the largest
 * that leaves the homes 95 % full at capacity: the longer the steps, the fewer
 * the slots; above 95 % runs get long.
 *
 * The tables of a maplet match different hashes, so their rates add up: the first
 * gets 15/16 of what is allowed, each later one half of what is left.
 */
import type { QuotientTable, TableGeometry } from './quotient-table.js';

/** Share of the homes that may be taken. */
const FULL = 0.95;
/** Fingerprint bits that a number and the planes can cope with. */
const BITS_MAX = 48;
const STEP_MAX = 2 ** 31;

/** What the table number `at` of a maplet may take of its `rate`. */
export function shareOf(rate: number, at: number): number {
  return at === 0 ? (rate * 15) / 16 : rate / 2 ** (4 + at);
}

/** The geometry for `capacity` keys at `rate`, with fingerprints of `leastBits` bits at least. */
export function geometryFor(capacity: number, rate: number, valueBits: number, leastBits = 0): TableGeometry {
  const needed = Math.ceil(Math.log2(capacity / rate));
  const bits = Math.min(BITS_MAX, Math.max(1, leastBits, needed));
  return { bits, step: stepFor(bits, capacity), valueBits };
}

/** The step at which so many taken slots fill 95 % of the homes. Below 1 it is a power of two, so that division is exact. */
export function stepFor(bits: number, taken: number): number {
  const step = (2 ** bits * FULL) / taken;
  return step >= 1 ? Math.min(STEP_MAX, Math.floor(step)) : 2 ** Math.floor(Math.log2(step));
}

/** Whether a step is one that `stepFor` gives. */
export function isStep(step: number): boolean {
  return step >= 1
    ? Number.isInteger(step) && step <= STEP_MAX
    : step > 0 && Number.isInteger(Math.log2(step));
}

/** Whether a table with so many slots taken is too full to be quick. */
export function isCrowded(table: QuotientTable, taken: number): boolean {
  return taken > table.homes * FULL + 1;
}

/** Keys that fit in a table, by its homes and by `rate`; where fingerprints cannot be longer, by its homes alone. */
export function capacityOf(table: QuotientTable, rate: number): number {
  const byRate = table.bits < BITS_MAX ? rate * 2 ** table.bits : Number.POSITIVE_INFINITY;
  return Math.floor(Math.min(table.homes * FULL, byRate));
}

/** `fingerprint` of `from` bits, cut to its first `to`. */
export function cut(fingerprint: number, from: number, to: number): number {
  return from === to ? fingerprint : Math.floor(fingerprint / 2 ** (from - to));
}

/** Probability that a key never inserted matches. The tables match different hashes, so it is a sum. */
export function rateOf(tables: readonly QuotientTable[]): number {
  return tables.reduce((sum, table) => sum + table.entries / 2 ** table.bits, 0);
}
