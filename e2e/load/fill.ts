/** The page's side of a store that runs out of room. */
import type { Store, StoreError } from 'rootcellar';
import { callAt, type Shape } from './script.js';

export interface Filled {
  /** Number of the last call that was answered. */
  readonly acknowledged: number;
  readonly refused: {
    readonly name: string;
    readonly code: string;
    readonly message: string;
    /** What the medium said. */
    readonly cause: string;
  };
}

/** Makes calls from number `from` on, one after the other, until one is refused. */
export async function fill(store: Store, seed: number, from: number, shape: Shape): Promise<Filled> {
  for (let n = from; ; n++) {
    try {
      await store.batch(callAt(seed, n, shape));
    } catch (error) {
      const { name, code, message, cause } = error as StoreError;
      return { acknowledged: n - 1, refused: { name, code, message, cause: String(cause) } };
    }
  }
}

/** Makes the calls `from` to `to`. @throws what the first that is refused throws. */
export async function write(
  store: Store,
  seed: number,
  from: number,
  to: number,
  shape: Shape,
): Promise<void> {
  for (let n = from; n <= to; n++) await store.batch(callAt(seed, n, shape));
}
