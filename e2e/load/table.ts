/** Results for people. */

export type Row = Readonly<Record<string, string | number>>;

/** Rows that agree in their words become one, with the sums of their numbers. */
export function summed(rows: readonly Row[]): Row[] {
  const sums = new Map<string, Record<string, string | number>>();
  for (const row of rows) {
    const words = JSON.stringify(Object.values(row).filter((cell) => typeof cell === 'string'));
    const sum = sums.get(words) ?? {};
    sums.set(words, sum);
    for (const [name, cell] of Object.entries(row)) {
      sum[name] = typeof cell === 'number' ? Number(sum[name] ?? 0) + cell : cell;
    }
  }
  return [...sums.values()];
}

export function printTable(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  console.table(summed(rows));
}
