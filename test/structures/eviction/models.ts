/** The policies written plainly, slow and with arrays, to compare with. Keys are numbers. */

export interface Model {
  add(key: number, size: number): void;
  access(key: number): void;
  remove(key: number): void;
  /** Who goes first; `undefined` when there is nobody. */
  victim(): number | undefined;
}

export class FifoModel implements Model {
  protected keys: number[] = [];

  add(key: number, _size = 1): void {
    if (this.keys.includes(key)) this.access(key);
    else this.keys.push(key);
  }

  access(_key: number): void {}

  remove(key: number): void {
    this.keys = this.keys.filter((other) => other !== key);
  }

  victim(): number | undefined {
    return this.keys[0];
  }
}

export class LruModel extends FifoModel {
  override access(key: number): void {
    if (!this.keys.includes(key)) return;
    this.remove(key);
    this.keys.push(key);
  }
}

export class LfuModel implements Model {
  readonly #uses = new Map<number, { count: number; order: number }>();
  #order = 0;

  add(key: number): void {
    if (this.#uses.has(key)) this.access(key);
    else this.#uses.set(key, { count: 0, order: this.#order++ });
  }

  access(key: number): void {
    const use = this.#uses.get(key);
    if (use) this.#uses.set(key, { count: Math.min(255, use.count + 1), order: this.#order++ });
  }

  remove(key: number): void {
    this.#uses.delete(key);
  }

  victim(): number | undefined {
    const rank = ([, a]: [number, { count: number; order: number }]) => a.count * 1e9 + a.order;
    return [...this.#uses].sort((a, b) => rank(a) - rank(b))[0]?.[0];
  }
}

/** The hand stands on a key; it goes towards newer ones. */
export class SieveModel implements Model {
  #keys: { key: number; used: boolean }[] = [];
  #hand: number | undefined;

  add(key: number): void {
    const known = this.#keys.find((one) => one.key === key);
    if (known) known.used = true;
    else this.#keys.push({ key, used: false });
  }

  access(key: number): void {
    const known = this.#keys.find((one) => one.key === key);
    if (known) known.used = true;
  }

  remove(key: number): void {
    const at = this.#keys.findIndex((one) => one.key === key);
    if (at < 0) return;
    if (this.#hand === key) this.#hand = this.#keys[at + 1]?.key;
    this.#keys.splice(at, 1);
  }

  victim(): number | undefined {
    if (this.#keys.length === 0) return undefined;
    let at = Math.max(
      0,
      this.#keys.findIndex((one) => one.key === this.#hand),
    );
    while (this.#keys[at]!.used) {
      this.#keys[at]!.used = false;
      at = (at + 1) % this.#keys.length;
    }
    this.#hand = this.#keys[at + 1]?.key;
    return this.#keys[at]!.key;
  }
}

/** Two queues of arrays and a ghost that is a list; sizes count. `victim` is followed by `remove` of it. */
export class S3FifoModel implements Model {
  #small: { key: number; size: number; uses: number }[] = [];
  #main: { key: number; size: number; uses: number }[] = [];
  #ghost: number[] = [];
  #named: number | undefined;
  #evicted = false;

  constructor(private readonly bySize: boolean) {}

  add(key: number, size: number): void {
    const known = [...this.#small, ...this.#main].find((one) => one.key === key);
    if (known) {
      known.uses = Math.min(3, known.uses + 1);
      known.size = size;
      return;
    }
    const count = this.#small.length + this.#main.length + 1;
    // One that went is remembered while not more than 0.9 of the keys have gone since.
    const at = this.#ghost.lastIndexOf(key);
    const ghost = at >= 0 && this.#ghost.length - 1 - at < 0.9 * count;
    // It is remembered once, by when it went last.
    if (ghost) this.#ghost = this.#ghost.map((other) => (other === key ? -1 : other));
    const filling = !this.#evicted && this.#weight(this.#small) >= 0.1 * this.#weight(this.#all());
    (ghost || filling ? this.#main : this.#small).push({ key, size, uses: 0 });
  }

  access(key: number): void {
    const known = this.#all().find((one) => one.key === key);
    if (known) known.uses = Math.min(3, known.uses + 1);
  }

  remove(key: number): void {
    if (key === this.#named && this.#small.some((one) => one.key === key)) this.#ghost.push(key);
    this.#named = undefined;
    this.#small = this.#small.filter((one) => one.key !== key);
    this.#main = this.#main.filter((one) => one.key !== key);
  }

  victim(): number | undefined {
    if (this.#all().length === 0) return undefined;
    this.#evicted = true;
    for (;;) {
      const fromSmall =
        this.#small.length > 0 && this.#weight(this.#small) >= 0.1 * this.#weight(this.#all());
      if (this.#main.length === 0 || fromSmall) {
        const first = this.#small[0]!;
        if (first.uses < 2) {
          this.#named = first.key;
          return first.key;
        }
        this.#main.push({ ...this.#small.shift()!, uses: 0 });
      } else {
        const first = this.#main.shift()!;
        if (first.uses === 0) {
          this.#main.unshift(first);
          this.#named = first.key;
          return first.key;
        }
        this.#main.push({ ...first, uses: first.uses - 1 });
      }
    }
  }

  #all() {
    return [...this.#small, ...this.#main];
  }

  #weight(keys: readonly { size: number }[]): number {
    return keys.reduce((sum, { size }) => sum + (this.bySize ? size : 1), 0);
  }
}
