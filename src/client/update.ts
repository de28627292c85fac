/**
 * `update`: read, let the caller change, write if the version is still the same, and
 * begin again where it is not.
 *
 * Updates of one key by one store object take turns, so that the common case, a
 * synchronous function, meets no conflict at home. A turn ends early where the
 * function turns out to be asynchronous: it may update the same key itself, and would
 * wait for its own end.
 */
import { ConflictError } from '../base/errors.js';
import type { UpdateOptions } from '../contract/store.js';
import { orAbort, type Remote } from './remote.js';

export const RETRIES = 16;
const FIRST_WAIT_MS = 4;
const LONGEST_WAIT_MS = 1000;

/** Where the page's clock and chance come from. */
export interface Waits {
  random(): number;
  pause(ms: number): Promise<unknown>;
}

export const WAITS: Waits = {
  random: Math.random,
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export class Updates {
  /** The last one in line for each key. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(
    private readonly remote: Pick<Remote, 'call'>,
    private readonly waits = WAITS,
  ) {}

  async run<T>(
    key: string,
    change: (old: T | undefined) => T | Promise<T>,
    signal: AbortSignal | undefined,
    options: UpdateOptions | undefined,
  ): Promise<T> {
    if (typeof change !== 'function')
      throw new TypeError(`update: expected a function, got ${typeof change}`);
    const before = this.#turns.get(key);
    let endTurn = () => {};
    const turn = new Promise<void>((resolve) => {
      endTurn = resolve;
    });
    this.#turns.set(key, turn);
    try {
      if (before) await orAbort(before, signal);
      return await this.#tryOften(key, change, signal, options, endTurn);
    } finally {
      endTurn();
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  async #tryOften<T>(
    key: string,
    change: (old: T | undefined) => T | Promise<T>,
    signal: AbortSignal | undefined,
    options: UpdateOptions | undefined,
    endTurn: () => void,
  ): Promise<T> {
    for (let failed = 0; ; ) {
      const { version, value } = await this.remote.call<{ version: number; value: T }>(
        'beginUpdate',
        [key, options],
        signal,
      );
      let next = change(value);
      if (isPromise(next)) {
        endTurn();
        next = await orAbort(Promise.resolve(next), signal);
      }
      const { retries = RETRIES, ...terms } = options ?? {};
      const given = { ...terms, keepTtl: terms.ttl === undefined, ifVersion: version };
      try {
        await this.remote.call('set', [key, next, given], signal);
        return next;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        failed += 1;
        if (failed > retries) {
          throw new ConflictError(`update: others changed the key each of ${failed} times`, {
            detail: { key, attempts: failed },
            cause: error,
          });
        }
      }
      await backOff(this.waits, failed, signal);
    }
  }
}

/** Waits before the attempt that follows so many failed ones, up to twice as long each time. */
export async function backOff(waits: Waits, failed: number, signal: AbortSignal | undefined): Promise<void> {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failed);
  await orAbort(waits.pause(waits.random() * longest), signal);
}

/** A value that can be stored has no function `then`. */
function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | undefined | null)?.then === 'function';
}
