/**
 * What an open store does by itself: flushing a relaxed store every so often, removing
 * keys that have expired, and rewriting a log that is mostly dead. Everything goes
 * through the queue.
 */
import { ClosedError, StoreError } from '../base/errors.js';
import type { Level } from '../storage/log/index.js';
import { type Accesses, TELL_KEYS } from './accesses.js';
import type { Committer } from './commit.js';
import type { Environment } from './environment.js';
import type { Expirer, Proposal } from './expirer.js';
import type { Counters } from './report.js';
import type { Rewriter } from './rewrite.js';
import { aliveIn, REWRITE_AT, spaceFor } from './space.js';
import type { State } from './state.js';

/** By so much the log must have grown before it is rewritten again, however much of it seems dead. */
const REWRITE_AGAIN = 1.5;
/** Expired keys that are removed at once. */
const REAP_KEYS = 1000;
/** The longest a timer of the platform can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface MaintenanceParts {
  readonly environment: Environment;
  readonly state: State;
  readonly committer: Committer;
  readonly expirer: Expirer;
  readonly rewriter: Rewriter;
  readonly counters: Counters;
  /** The store's clock. */
  readonly now: () => number;
  /** Where the store has a budget. */
  readonly accesses: Accesses | undefined;
}

export class Maintenance {
  #stopped = false;
  #flushTimer: (() => void) | undefined;
  #sweepTimer: (() => void) | undefined;
  /** Ends the waits for files that have to settle. */
  readonly #waiting = new Set<() => void>();

  /** A rewriting that gained little, or failed, is not tried again before the log has this size. */
  #rewriteFrom = 0;

  constructor(private readonly parts: MaintenanceParts) {}

  start(): void {
    this.#armSweep();
  }

  stop(): void {
    this.#stopped = true;
    this.#flushTimer?.();
    this.#sweepTimer?.();
    for (const end of this.#waiting) end();
  }

  afterCommit(): void {
    const { strict, syncIntervalMs } = this.parts.environment.settings;
    if (!this.#stopped && !strict && !this.#flushTimer && syncIntervalMs <= TIMER_MAX_MS) {
      this.#flushTimer = this.parts.environment.after(syncIntervalMs, () => {
        this.#flushTimer = undefined;
        // A failed flush makes the log refuse to write, which the next caller is told.
        if ((this.parts.accesses?.untold ?? 0) >= TELL_KEYS) this.tellUse().catch(ignoreStoreError);
        this.flush().catch(ignoreStoreError);
      });
    }
    this.#armSweep();
    this.#rewriteIfDead();
  }

  /** The log is kept small, by `space.ts`. */
  #rewriteIfDead(): void {
    const { environment, rewriter, state } = this.parts;
    const { log } = environment;
    if (this.#stopped || !rewriter.free) return;
    const alive = aliveIn(state, log.bytes);
    if (log.bytes < this.#rewriteFrom || log.bytes <= spaceFor(REWRITE_AT, alive, log.bytes)) return;
    if (rewriter.held) {
      // The next commit finds its place empty.
      rewriter.giveUpBefore();
      return;
    }
    const later = () => {
      this.#rewriteFrom = log.bytes * REWRITE_AGAIN;
    };
    rewriter.rewrite().then(later, (error) => {
      later();
      ignoreStoreError(error);
    });
  }

  /** How far everything has got that was written before. */
  async flush(): Promise<Level> {
    this.#flushTimer?.();
    this.#flushTimer = undefined;
    return this.parts.committer.exclusive(() => this.parts.environment.log.flush());
  }

  /** Flushes, and where a flush cannot be durable yet, waits until it can. Writes go on meanwhile. */
  async flushLasting(): Promise<void> {
    const { environment } = this.parts;
    while ((await this.flush()) === 'os' && environment.log.settlesIn > 0) {
      await this.#wait(environment.log.settlesIn);
      if (this.#stopped)
        throw new ClosedError('the store was closed before what it holds could be made durable');
    }
  }

  /** Writes down which keys were read, for the next opening. */
  async tellUse(): Promise<void> {
    const { accesses, committer } = this.parts;
    if (!accesses) return;
    accesses.drain();
    if (accesses.untold === 0) return;
    await committer.exclusive(() => committer.tellUse(accesses.takeUntold()));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const cancel = this.parts.environment.after(ms, end);
      this.#waiting.add(end);
    });
  }

  /** Removes every key that has expired; how many they were. */
  async reapAll(): Promise<number> {
    // In slices, so that others run between.
    let all = 0;
    for (;;) {
      const reaped = await this.#reap(REAP_KEYS);
      if (reaped === 0 && this.parts.state.deadlines.dueCount(this.parts.now()) === 0) return all;
      all += reaped;
    }
  }

  async #reap(limit: number): Promise<number> {
    if (this.parts.state.deadlines.size === 0) return 0;
    let proposal: Proposal | undefined;
    const propose = async () => {
      proposal = await this.parts.expirer.due(this.parts.now(), limit);
      return proposal.mutations;
    };
    try {
      const { changed } = await this.parts.committer.submit(propose, false);
      this.parts.counters.expired += changed;
      return changed;
    } catch (error) {
      if (proposal) this.parts.expirer.restore(proposal.hashes);
      throw error;
    }
  }

  /** The next sweep: when the first deadline has passed, but not sooner than the interval. */
  #armSweep(): void {
    const { sweepIntervalMs, sweepLimit } = this.parts.environment.settings.ttl;
    if (this.#stopped || this.#sweepTimer || sweepIntervalMs === Infinity) return;
    const next = this.parts.state.deadlines.next();
    if (next === Infinity) return;
    const wait = Math.min(TIMER_MAX_MS, Math.max(next - this.parts.environment.now(), sweepIntervalMs));
    this.#sweepTimer = this.parts.environment.after(wait, () => {
      this.#sweepTimer = undefined;
      this.#reap(sweepLimit)
        .catch(ignoreStoreError)
        .finally(() => this.#armSweep());
    });
  }
}

/** For work that nobody waits for: what is wrong with the store its next caller is told. */
export function ignoreStoreError(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}
