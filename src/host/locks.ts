/**
 * The Web Locks of a store. The browser frees a lock when the worker that holds it dies,
 * however it dies; so a lock tells who leads, and who is still there.
 */
import type { Tabs } from './platform.js';

/** Who holds it leads. Another tab may take it away from a leader that does not answer. */
export class StoreLock {
  #release: (() => void) | undefined;
  #waiting: AbortController | undefined;

  constructor(
    private readonly locks: Tabs['locks'],
    private readonly name: string,
    /** Another tab has it now. */
    private readonly onStolen: () => void,
  ) {}

  /** Takes the lock if it is free; whether it was. */
  try(): Promise<boolean> {
    return this.#request({ ifAvailable: true });
  }

  /** Waits until the lock is this tab's; `false`: the wait was called off. */
  async wait(): Promise<boolean> {
    this.#waiting = new AbortController();
    const { signal } = this.#waiting;
    try {
      return await this.#request({ signal });
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  /** Takes the lock away from whoever has it. */
  steal(): Promise<boolean> {
    return this.#request({ steal: true });
  }

  /** Ends a wait. */
  callOff(): void {
    this.#waiting?.abort();
  }

  release(): void {
    this.#release?.();
    this.#release = undefined;
  }

  #request(options: LockOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let release: (() => void) | undefined;
      this.locks
        .request(this.name, options, (lock) => {
          resolve(lock !== null);
          if (lock === null) return undefined;
          return new Promise<void>((end) => {
            release = end;
            this.#release = end;
          });
        })
        .catch((error) => {
          if (!release) return reject(error);
          // It was stolen: by another tab, or by this one, which was given it while it lost patience.
          if (this.#release !== release) return;
          this.#release = undefined;
          this.onStolen();
        });
    });
  }
}

/** A lock of somebody's own: whoever else asks for it gets it when that one is gone, however it went. */
export class LifeLock {
  #end: (() => void) | undefined;

  constructor(
    private readonly locks: Tabs['locks'],
    readonly name: string,
  ) {}

  async hold(): Promise<void> {
    this.#end ??= await new Promise<() => void>((held, failed) => {
      this.locks.request(this.name, () => new Promise<void>((end) => held(end))).catch(failed);
    });
  }

  release(): void {
    this.#end?.();
    this.#end = undefined;
  }
}
