/**
 * What an open store does by itself: flushing a relaxed store every so often, and
 * removing keys that have expired. Everything goes through the queue.
 */
import { StoreError } from '../base/errors.js';
import type { Committer } from './commit.js';
import type { Environment } from './environment.js';
import type { Expirer, Proposal } from './expirer.js';
import type { Counters } from './report.js';
import type { State } from './state.js';

/** The longest a timer of the platform can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export class Maintenance {
  #stopped = false;
  #flushTimer: (() => void) | undefined;
  #sweepTimer: (() => void) | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly state: State,
    private readonly committer: Committer,
    private readonly expirer: Expirer,
    private readonly counters: Counters,
  ) {}

  start(): void {
    this.#armSweep();
  }

  stop(): void {
    this.#stopped = true;
    this.#flushTimer?.();
    this.#sweepTimer?.();
  }

  afterCommit(): void {
    const { strict, syncIntervalMs } = this.environment.settings;
    if (!this.#stopped && !strict && !this.#flushTimer && syncIntervalMs <= TIMER_MAX_MS) {
      this.#flushTimer = this.environment.after(syncIntervalMs, () => {
        this.#flushTimer = undefined;
        // A failed flush makes the log refuse to write, which the next caller is told.
        this.flush().catch(ignoreStoreError);
      });
    }
    this.#armSweep();
  }

  async flush(): Promise<void> {
    this.#flushTimer?.();
    this.#flushTimer = undefined;
    await this.committer.exclusive(async () => {
      await this.environment.log.flush();
    });
  }

  /** Removes every key that has expired; how many they were. */
  async reapAll(): Promise<number> {
    return this.#reap(Infinity);
  }

  async #reap(limit: number): Promise<number> {
    if (this.state.deadlines.size === 0) return 0;
    const now = Math.max(this.environment.now(), this.state.time);
    let proposal: Proposal | undefined;
    const propose = async () => {
      proposal = await this.expirer.due(now, limit);
      return proposal.mutations;
    };
    try {
      const { changed } = await this.committer.submit(propose, false);
      this.counters.expired += changed;
      return changed;
    } catch (error) {
      if (proposal) this.expirer.restore(proposal.hashes, now);
      throw error;
    }
  }

  /** The next sweep: when the first deadline has passed, but not sooner than the interval. */
  #armSweep(): void {
    const { sweepIntervalMs, sweepLimit } = this.environment.settings.ttl;
    if (this.#stopped || this.#sweepTimer || sweepIntervalMs === Infinity) return;
    const next = this.state.deadlines.next();
    if (next === Infinity) return;
    const wait = Math.min(TIMER_MAX_MS, Math.max(next - this.environment.now(), sweepIntervalMs));
    this.#sweepTimer = this.environment.after(wait, () => {
      this.#sweepTimer = undefined;
      this.#reap(sweepLimit)
        .catch(ignoreStoreError)
        .finally(() => this.#armSweep());
    });
  }
}

function ignoreStoreError(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}
