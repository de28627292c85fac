/**
 * Streams on their way in have chunks in the log that no value is made of yet. Only
 * memory knows that they are wanted, so the log is not rewritten meanwhile.
 */
export class StreamGate {
  #open = 0;
  #waiting: (() => void)[] = [];

  get open(): number {
    return this.#open;
  }

  enter(): void {
    this.#open += 1;
  }

  leave(): void {
    this.#open -= 1;
    if (this.#open === 0) for (const go of this.#waiting.splice(0)) go();
  }

  /** Resolves when none is open. */
  async quiet(): Promise<void> {
    while (this.#open > 0) await new Promise<void>((go) => this.#waiting.push(go));
  }
}
