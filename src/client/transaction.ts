/**
 * Transactions: what one writes stays on the page, over a snapshot, until all of it goes
 * to the worker as one call, which is refused when somebody else has written one of its
 * keys meanwhile. Then the function runs again, over a new snapshot.
 */
import { ConflictError, SnapshotTooOldError } from '../base/errors.js';
import { requireOptions, requireWhole } from '../contract/arguments.js';
import type { Transaction, TransactionOptions } from '../contract/store.js';
import { RemoteTransaction } from './open-transaction.js';
import { orAbort, type Remote } from './remote.js';
import type { Taken } from './snapshot.js';
import { backOff, RETRIES, WAITS } from './update.js';

/** Runs `work` until its writes go through. */
export async function runTransaction<R>(
  remote: Remote,
  work: (tx: Transaction) => R | Promise<R>,
  options: TransactionOptions | undefined,
  waits = WAITS,
): Promise<R> {
  if (typeof work !== 'function') throw new TypeError(`transaction: expected a function, got ${typeof work}`);
  const {
    signal,
    retries = RETRIES,
    ...terms
  } = requireOptions<TransactionOptions>('transaction', options, ['signal', 'retries', 'durability']);
  requireWhole('transaction: retries', retries, 0);
  for (let failed = 0; ; ) {
    const taken = await remote.call<Taken>('snapshot', [], signal);
    const tx = new RemoteTransaction(remote, taken);
    let committing = false;
    try {
      const result = await orAbort(Promise.resolve(work(tx)), signal);
      const operations = await tx.end();
      committing = true;
      if (operations.length > 0) await remote.call('commit', [taken.id, operations, terms], signal);
      return result;
    } catch (error) {
      // What the function itself throws is its own affair; a snapshot that is gone has written nothing.
      const again = committing && error instanceof ConflictError;
      if (!again && !(error instanceof SnapshotTooOldError)) throw error;
      failed += 1;
      if (failed > retries) {
        throw new ConflictError(`transaction: others changed its keys each of ${failed} times`, {
          detail: { attempts: failed },
          cause: error,
        });
      }
    } finally {
      tx.close();
    }
    await backOff(waits, failed, signal);
  }
}
