/**
 * Whether a quotient table that was read from bytes keeps its rules. One that does
 * not could be walked for ever, so this is asked before anything else is. One pass.
 */
import { nextBit, readField } from './bits.js';
import type { QuotientTable } from './quotient-table.js';

export function isSound(table: QuotientTable): boolean {
  const { occupied, ends, spills, slots } = table;
  let end = -1;
  let block = 0;
  let used = 0;
  let entries = 0;
  for (let home = next(occupied, 0, slots); ; home = next(occupied, home + 1, slots)) {
    // Runs of homes before a block are what may spill into it.
    const reached = home < 0 ? slots >>> 6 : (home >>> 6) + 1;
    for (; block < reached; block++) {
      if (spills[block] !== Math.min(255, Math.max(0, end + 1 - block * 64))) return false;
    }
    if (home < 0) break;
    const start = Math.max(home, end + 1);
    end = next(ends, end + 1, slots);
    if (home >= table.homes || end < start) return false;
    const groups = groupsOf(table, home, start, end);
    if (groups === 0) return false;
    used += end - start + 1;
    entries += groups;
  }
  return next(ends, end + 1, slots) < 0 && used === table.used && entries === table.entries;
}

/** How many groups the run of `home` has; 0 when one is none. */
function groupsOf(table: QuotientTable, home: number, start: number, end: number): number {
  const { remainders, remainderBits: width, step } = table;
  const remainderAt = (slot: number) => readField(remainders, slot * width, width);
  let groups = 0;
  let first = start;
  for (let slot = start; slot <= end; slot++) {
    const remainder = remainderAt(slot);
    if (slot < end && remainderAt(slot + 1) === remainder) continue;
    const fingerprint = home * step + remainder;
    if (remainder >= step || fingerprint >= 2 ** table.bits || !Number.isInteger(fingerprint)) return 0;
    if (slot > first + 1 && table.valueAt(slot) === 0) return 0;
    groups++;
    first = slot + 1;
  }
  return groups;
}

function next(words: Uint32Array, at: number, slots: number): number {
  return at < slots ? nextBit(words, at) : -1;
}
