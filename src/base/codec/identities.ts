/**
 * The numbers of the objects of one value, in the order in which they were met.
 *
 * Most values have a handful: those are looked through one by one, which is
 * faster than a `Map` that must first give every object a hash.
 */
const LISTED_MAX = 12;

export class Identities {
  readonly #listed: object[] = [];
  readonly #numbers = new Map<object, number>();

  /** The number of `object`; -1 when it is new, and numbered now. */
  find(object: object): number {
    const listed = this.#listed;
    for (let i = 0; i < listed.length; i++) if (listed[i] === object) return i;
    if (listed.length < LISTED_MAX) {
      listed.push(object);
      return -1;
    }
    const known = this.#numbers.get(object);
    if (known !== undefined) return known;
    this.#numbers.set(object, LISTED_MAX + this.#numbers.size);
    return -1;
  }

  clear(): void {
    this.#listed.length = 0;
    if (this.#numbers.size > 0) this.#numbers.clear();
  }
}
