/**
 * Things of one value by number, in the order in which they were met.
 *
 * Most values have a handful: those are looked through one by one. A `Map` would
 * take memory for every value, and give every object a hash: a small object as a
 * whole takes 2.9 times as long to encode with one.
 */
const LISTED_MAX = 12;

export class Numbers<T extends object | string> {
  readonly #listed: (T | undefined)[] = new Array<undefined>(LISTED_MAX).fill(undefined);
  #count = 0;
  readonly #others = new Map<T, number>();

  /** The number of `thing`; -1 when it is new, and numbered now. */
  find(thing: T): number {
    const listed = this.#listed;
    const count = this.#count;
    for (let i = 0; i < count; i++) if (listed[i] === thing) return i;
    if (count < LISTED_MAX) {
      listed[this.#count++] = thing;
      return -1;
    }
    const known = this.#others.get(thing);
    if (known !== undefined) return known;
    this.#others.set(thing, LISTED_MAX + this.#others.size);
    return -1;
  }

  /** Forgets them: what was encoded must not be kept alive from here. */
  clear(): void {
    for (let i = 0; i < this.#count; i++) this.#listed[i] = undefined;
    this.#count = 0;
    if (this.#others.size > 0) this.#others.clear();
  }
}
