/** Placeholder of the lead, to be replaced by the timer wheel as soon as it works. */
export class TimerWheel {
  readonly #deadlines = new Map<string, number>();
  constructor(_now: number) {}
  get size(): number { return this.#deadlines.size; }
  schedule(high: number, low: number, deadline: number): void { this.#deadlines.set(`${high} ${low}`, deadline); }
  cancel(high: number, low: number): boolean { return this.#deadlines.delete(`${high} ${low}`); }
  deadlineOf(high: number, low: number): number | undefined { return this.#deadlines.get(`${high} ${low}`); }
  *advance(now: number, limit: number): Generator<[number, number]> {
    for (const [key, deadline] of this.#deadlines) {
      if (deadline > now) continue;
      if (limit-- <= 0) return;
      this.#deadlines.delete(key);
      yield key.split(' ').map(Number) as [number, number];
    }
  }
  dueCount(now: number): number { let n = 0; for (const d of this.#deadlines.values()) if (d <= now) n += 1; return n; }
  next(): number { let n = Infinity; for (const d of this.#deadlines.values()) n = Math.min(n, d); return n; }
  clear(): void { this.#deadlines.clear(); }
  bytes(): number { return 0; }
}
