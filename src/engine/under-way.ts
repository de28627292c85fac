/**
 * What goes on over many calls, by id. What nobody has asked anything of for ten minutes
 * is given up: a tab that died cannot say so.
 */
import { LeaderUnresponsiveError } from '../base/errors.js';

const IDLE_MS = 10 * 60_000;

export class UnderWay<T> {
  readonly #open = new Map<string, { readonly what: T; stopIdle: () => void }>();
  #last = 0;

  constructor(
    /** No other engine over the same store gives ids that begin so. */
    private readonly era: string,
    private readonly after: (ms: number, task: () => void) => () => void,
    /** Told once of each, when it is over or given up. */
    private readonly onEnd: (what: T) => void,
    private readonly goneMessage: string,
  ) {}

  add(what: T): string {
    this.#last += 1;
    const id = `${this.era}.${this.#last}`;
    this.#open.set(id, { what, stopIdle: this.#idle(id) });
    return id;
  }

  /** @throws LeaderUnresponsiveError when it is not under way. */
  find(id: string): T {
    const found = this.#open.get(id);
    if (!found) throw new LeaderUnresponsiveError(this.goneMessage);
    found.stopIdle();
    found.stopIdle = this.#idle(id);
    return found.what;
  }

  /** Safe to call twice. */
  release(id: string): void {
    const found = this.#open.get(id);
    if (!found) return;
    this.#open.delete(id);
    found.stopIdle();
    this.onEnd(found.what);
  }

  clear(): void {
    for (const id of this.#open.keys()) this.release(id);
  }

  #idle(id: string): () => void {
    return this.after(IDLE_MS, () => this.release(id));
  }
}
