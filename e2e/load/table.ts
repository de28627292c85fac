/** Results for people. */

/** Numbers are added up; of `{ most }` the largest counts. */
export type Row = Readonly<Record<string, string | number | { readonly most: number }>>;

/** Rows that agree in their words become one. */
export function summed(rows: readonly Row[]): Record<string, string | number>[] {
  const sums = new Map<string, Record<string, string | number>>();
  for (const row of rows) {
    const words = JSON.stringify(Object.values(row).filter((cell) => typeof cell === 'string'));
    const sum = sums.get(words) ?? {};
    sums.set(words, sum);
    for (const [name, cell] of Object.entries(row)) {
      if (typeof cell === 'string') sum[name] = cell;
      else if (typeof cell === 'number') sum[name] = Number(sum[name] ?? 0) + cell;
      else sum[name] = Math.max(Number(sum[name] ?? cell.most), cell.most);
    }
  }
  return [...sums.values()];
}

export function printTable(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  console.table(summed(rows));
}
