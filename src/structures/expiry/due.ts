/** Key hashes that were due, in no particular order: pairs of their two halves. */
export class Due implements Iterable<[high: number, low: number]> {
  readonly #halves: number[] = [];
  #more = false;

  get length(): number {
    return this.#halves.length / 2;
  }

  /** A limit was reached before all were looked at: there may be more, so call again. */
  get more(): boolean {
    return this.#more;
  }

  *[Symbol.iterator](): Generator<[high: number, low: number], void> {
    for (let i = 0; i < this.#halves.length; i += 2) yield [this.#halves[i]!, this.#halves[i + 1]!];
  }

  /** @internal */
  add(high: number, low: number): void {
    this.#halves.push(high, low);
  }

  /** @internal */
  cut(): this {
    this.#more = true;
    return this;
  }
}
