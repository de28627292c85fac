/** Older versions: held as snapshots, kept under labels, committed against by transactions, gone back to by `undo`. */
import { Checkpoints, type CheckpointsParts } from './checkpoints.js';
import type { Lookup } from './lookup.js';
import { Snapshots } from './snapshots.js';
import { Transactions } from './transaction.js';
import { Undo } from './undo.js';

export class Versions {
  readonly snapshots: Snapshots;
  readonly checkpoints: Checkpoints;
  readonly transactions: Transactions;
  readonly undo: Undo;

  constructor(
    private readonly parts: CheckpointsParts,
    lookup: Lookup,
  ) {
    this.snapshots = new Snapshots(parts);
    this.checkpoints = new Checkpoints(parts, this.snapshots);
    this.transactions = new Transactions(parts, this.snapshots, lookup);
    this.undo = new Undo(parts, this.snapshots);
  }

  /**
   * Runs `call`; what it submits before it returns is the session's, and can be taken back by it.
   * With `number` its answer is kept with what it changes.
   */
  by<T>(session: string, number: number | undefined, call: () => T): T {
    const { committer } = this.parts;
    committer.session = session;
    committer.author = this.undo.author(session);
    committer.origin = number === undefined ? undefined : { client: session, number };
    try {
      return call();
    } finally {
      committer.session = '';
      committer.author = undefined;
      committer.origin = undefined;
    }
  }

  /** Lets go of the log before the current one, where only `undo` needs it. */
  async carry(): Promise<void> {
    if (this.undo.stale) await this.parts.committer.exclusive(() => this.undo.carry());
  }

  /** A session is over, or without one, all are. */
  release(session?: string): void {
    this.snapshots.release(session);
    this.undo.release(session);
  }
}
