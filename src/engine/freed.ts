/** What is freed when the keys of some contents go: of a value that keys share, nothing but with the last of them. */
import { bytesOf, type Content } from './change.js';
import type { State } from './state.js';

export class Freed {
  #bytes = 0;
  readonly #gone = new Map<number, number>();

  constructor(private readonly state: State) {}

  get bytes(): number {
    return this.#bytes;
  }

  add(content: Content): void {
    const { object } = content;
    const count = (this.#gone.get(object) ?? 0) + 1;
    this.#gone.set(object, count);
    if (count === this.state.keysOf(object)) this.#bytes += bytesOf(content);
  }
}
