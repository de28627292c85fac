/**
 * Merging of two lists of tables whose fingerprints differ in length.
 *
 * A key's fingerprints in two tables agree in the bits both have. What the other
 * list holds is merged into an entry of ours that is no longer and matches; the
 * rest makes a table of its own, to which our longer entries move that match
 * one of its. So afterwards, as before, no fingerprint matches a shorter one in
 * a table before it, and each key has one entry.
 *
 * Cost: one lookup for each entry of either, in each table of the other.
 */
import type { Cells } from './cells.js';
import { cut, isCrowded, stepFor } from './geometry.js';
import { QuotientTable } from './quotient-table.js';

/** Merges `theirs` into `ours`, which changes, and returns the tables that result. */
export function absorb<V>(
  ours: QuotientTable[],
  cells: Cells<V>,
  theirs: readonly QuotientTable[],
  theirCells: Cells<V>,
): QuotientTable[] {
  let tables = ours;
  for (const their of theirs) {
    if (their.entries === 0) continue;
    const rest = new QuotientTable(their);
    const shorter = tables.filter((table) => table.bits <= their.bits);
    their.forEach((fingerprint, raw, count) => {
      const value = theirCells.unpack(raw);
      const match = shorter.find((table) => table.find(cut(fingerprint, their.bits, table.bits)) >= 0);
      cells.add(match ?? rest, fingerprint, their.bits, value, count);
    });
    for (const table of tables) {
      if (table.bits > their.bits) giveUp(table, rest, cells);
    }
    if (rest.entries > 0) tables = place(rest, tables);
  }
  return tables;
}

/** All of `tables`, whose fingerprints are cut to the first one's, in one table with room for `capacity` keys. */
export function gathered<V>(
  tables: readonly QuotientTable[],
  cells: Cells<V>,
  capacity: number,
): QuotientTable {
  const [{ bits, valueBits }] = tables as readonly [QuotientTable];
  const taken = tables.reduce((sum, { used }) => sum + used, 0);
  const table = new QuotientTable({ bits, valueBits, step: stepFor(bits, Math.max(capacity, taken)) });
  for (const from of tables) {
    from.forEach((fingerprint, raw, count) => {
      const value = cells.unpack(raw);
      cells.free(raw);
      cells.add(table, fingerprint, from.bits, value, count);
    });
  }
  return table;
}

/** Moves the entries of `from` that match one of `to` there. */
function giveUp<V>(from: QuotientTable, to: QuotientTable, cells: Cells<V>): void {
  const leaving: [fingerprint: number, raw: number, count: number][] = [];
  from.forEach((fingerprint, raw, count) => {
    if (to.find(cut(fingerprint, from.bits, to.bits)) >= 0) leaving.push([fingerprint, raw, count]);
  });
  for (const [fingerprint, raw, count] of leaving) {
    from.removeGroup(from.find(fingerprint), Math.floor(fingerprint / from.step));
    const shorter = cut(fingerprint, from.bits, to.bits);
    const slot = to.find(shorter);
    const newer = cells.unpack(to.valueAt(slot));
    const both = count + to.countAt(slot);
    const older = cells.unpack(raw);
    cells.free(raw);
    cells.overwrite(to, slot, older);
    cells.merge(to, slot, newer);
    const value = to.valueAt(slot);
    to.removeGroup(slot, Math.floor(shorter / to.step));
    to.insertGroup(shorter, value, both);
  }
}

/** Puts `rest` into the table of the same length, made larger if need be, or in its place among the others. */
function place(rest: QuotientTable, tables: QuotientTable[]): QuotientTable[] {
  const at = tables.findIndex((table) => table.bits === rest.bits);
  if (at < 0) return [...tables, rest].sort((a, b) => a.bits - b.bits);
  let table = tables[at]!;
  const together = table.used + rest.used;
  if (isCrowded(table, together)) {
    table = table.rebuilt({ ...table.geometry, step: stepFor(table.bits, together) });
  }
  rest.copyInto(table);
  return tables.map((each, index) => (index === at ? table : each));
}
