/** Figures as people read them. Sizes are decimal: a megabyte is a million bytes. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `286,346` */
export function count(n: number): string {
  return whole.format(n);
}

/** `9.7 MB`: three digits at most, so that a figure that runs does not jump. */
export function bytes(n: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (n >= size) return `${digits(n / size)} ${unit}`;
  }
  return `${count(n)} B`;
}

/** `0.42 ms`, `84 ms`, `1.9 s`, `4 min 12 s` */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${digits(ms / 1000)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `1.2 %` of a share between 0 and 1. */
export function percent(share: number, decimals = 1): string {
  return `${(share * 100).toFixed(decimals)} %`;
}

/** `1 record`, `2 records` */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

export function digits(n: number): string {
  return n >= 100 ? count(n) : n.toFixed(1);
}
