/** A pause between two slices of long work, in which others run. One at a time. */
import type { Environment } from './environment.js';

export class Pause {
  #resume: (() => void) | undefined;

  constructor(private readonly environment: Pick<Environment, 'after'>) {}

  wait(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.environment.after(0, resolve);
      this.#resume = () => {
        cancel();
        resolve();
      };
    });
  }

  /** The one that is under way is over. */
  end(): void {
    this.#resume?.();
  }
}
