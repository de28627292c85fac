/** Keys of the buffer by the first lane of their hash, for those who know keys by hash alone. */
export class KeysByHash {
  readonly #keys = new Map<number, string[]>();

  add(key: string, high: number): void {
    const keys = this.#keys.get(high);
    if (!keys) this.#keys.set(high, [key]);
    else if (!keys.includes(key)) keys.push(key);
  }

  /** Those that were added; some may be gone by now. */
  of(high: number): readonly string[] {
    return this.#keys.get(high) ?? [];
  }

  clear(): void {
    this.#keys.clear();
  }
}
