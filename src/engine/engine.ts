/**
 * One store, opened: the calls of the contract, over a log, a clock and timers that
 * are given. It knows nothing of workers, tabs or messages.
 *
 * Reads answer at once where the log does; a read that comes while writes are in the
 * queue takes its place among them, so that it sees those before it and none after.
 */
import type { Eventually } from '../base/bytes.js';
import { secretFrom } from '../base/hash.js';
import type { Health, Stats } from '../contract/stats.js';
import type { Commit, CompactResult, Entry, SweepResult } from '../contract/store.js';
import type { RunKey } from '../structures/runs/index.js';
import { Committer } from './commit.js';
import { Contents } from './contents.js';
import { CurrentLog, CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import { type Expired, Expirer } from './expirer.js';
import { ImageKeeper } from './image-keeper.js';
import { Lookup } from './lookup.js';
import { Maintenance } from './maintenance.js';
import { Planner } from './plan.js';
import { type ItemKind, Reader } from './reader.js';
import { Reads } from './reads.js';
import { recover } from './recover.js';
import { type Counters, Report } from './report.js';
import { Rewriter } from './rewrite.js';
import { type Bounds, KeyScan, resolveRange } from './scan.js';
import { type Piece, Scans } from './scans.js';
import { seal } from './seal.js';
import { settle } from './settle.js';
import { State } from './state.js';
import { Transfers } from './transfers.js';
import { Versions } from './versions.js';
import { Writes } from './writes.js';

/** Modes whose reads would otherwise go to the log each time keep the cache of the options. */
const UNCACHED_MODES = new Set(['memory', 'aof']);
/** Even without a cache, comparing a value with a stored one needs the last few at hand. */
const LEAST_CACHE_BYTES = 2 ** 20;

export class Engine {
  readonly #environment: Environment;
  readonly #state: State;
  readonly #records: CurrentRecords;
  readonly #contents: Contents;
  readonly #lookup: Lookup;
  readonly #reads: Reads;
  readonly #writes: Writes;
  readonly #planner: Planner;
  readonly #committer: Committer;
  readonly #expirer: Expirer;
  readonly #rewriter: Rewriter;
  readonly #images: ImageKeeper;
  readonly #maintenance: Maintenance;
  readonly #scans: Scans;
  readonly #transfers: Transfers;
  /** Snapshots, transactions, undo. */
  readonly versions: Versions;
  readonly #report: Report;
  readonly #counters: Counters;

  private constructor(given: Environment) {
    const log = new CurrentLog(given.log);
    const environment = { ...given, log };
    const { settings, mode } = environment;
    const openedAt = environment.now();
    const cacheBytes = UNCACHED_MODES.has(mode)
      ? Math.min(LEAST_CACHE_BYTES, settings.cacheMaxBytes)
      : settings.cacheMaxBytes;
    const state = new State(secretFrom(environment.secret), settings.dedup, openedAt, environment.index);
    this.#environment = environment;
    this.#state = state;
    this.#records = new CurrentRecords(given.log, cacheBytes);
    this.#contents = new Contents(state, this.#records);
    this.#lookup = new Lookup(state, this.#records, this.#contents);
    const reader = new Reader(this.#lookup, this.#records);
    this.#scans = new Scans(state.secret, environment.epoch);
    this.#transfers = new Transfers({
      secret: state.secret,
      settings,
      now: () => this.#now(),
      after: environment.after,
      beginScan: () => this.#beginScan(resolveRange(undefined)),
      scanNow: () => this.#scanNow(resolveRange(undefined)),
      submit: (mutations, strict) => {
        this.#counters.operations += 1;
        return this.#committer.submit(mutations, strict);
      },
    });
    this.#counters = {
      openedAt,
      openedIn: 0,
      recovered: 0,
      tornBytes: 0,
      operations: 0,
      hits: 0,
      misses: 0,
      expired: 0,
    };
    this.#report = new Report(environment, state, this.#records, this.#lookup.probes, this.#counters);
    this.#planner = new Planner(state, this.#lookup, this.#contents, settings);
    this.#committer = new Committer({
      log,
      state,
      planner: this.#planner,
      growing: settings.maplet.autoResize,
      now: environment.now,
      settle: () => this.#settle(),
      seal: async () => {
        await this.#settle();
        await seal(log, state);
        this.#images.afterSeal();
      },
      onCommit: (changes) => {
        this.#rewriter.note(changes);
        this.#maintenance.afterCommit();
        this.versions.carry().catch(() => {});
      },
    });
    this.#images = new ImageKeeper(environment, log, state, this.#committer);
    this.#rewriter = new Rewriter({
      environment,
      log,
      state,
      records: this.#records,
      committer: this.#committer,
      settle: () => this.#settle(),
    });
    this.#reads = new Reads({
      state,
      committer: this.#committer,
      lookup: this.#lookup,
      reader,
      records: this.#records,
      counters: this.#counters,
      now: () => this.#now(),
    });
    this.#writes = new Writes({
      environment,
      state,
      committer: this.#committer,
      planner: this.#planner,
      reads: this.#reads,
      counters: this.#counters,
      now: () => this.#now(),
      settle: () => this.#settle(),
      expired: () => this.#expirer.expired(this.#now()),
      keysIn: (bounds) => this.#takeAll(this.#scanNow(bounds)),
    });
    this.versions = new Versions(
      {
        environment,
        state,
        records: this.#records,
        committer: this.#committer,
        planner: this.#planner,
        scans: this.#scans,
        counters: this.#counters,
        now: () => this.#now(),
      },
      this.#lookup,
    );
    this.#expirer = new Expirer(state, this.#records, this.#contents);
    this.#maintenance = new Maintenance({
      environment,
      state,
      committer: this.#committer,
      expirer: this.#expirer,
      rewriter: this.#rewriter,
      counters: this.#counters,
    });
  }

  /**
   * Reads the newest image that fits and the log behind it, or all of the log, and is ready then.
   *
   * @throws CorruptionError when bytes are damaged that had been flushed.
   */
  static async open(environment: Environment): Promise<Engine> {
    const engine = new Engine(environment);
    const counters = engine.#counters;
    const image = await engine.#images.restore();
    const settleAll = () => engine.#settle();
    const replayed = await recover(
      environment.log,
      engine.#state,
      engine.#contents,
      settleAll,
      image?.position,
    );
    counters.recovered = replayed.entries;
    counters.tornBytes = replayed.tornBytes;
    counters.openedIn = environment.now() - counters.openedAt;
    engine.#maintenance.start();
    return engine;
  }

  // Reading

  get(key: unknown, options?: unknown): Eventually<unknown> {
    return this.#reads.get(key, options);
  }

  getMany(keys: unknown, options?: unknown): Eventually<unknown[]> {
    return this.#reads.getMany(keys, options);
  }

  has(key: unknown): Eventually<boolean> {
    return this.#reads.has(key);
  }

  getEntry(key: unknown, options?: unknown): Eventually<Entry | unknown> {
    return this.#reads.getEntry(key, options);
  }

  /** Milliseconds left, `null` without expiry, `undefined` without key. */
  ttl(key: unknown, options?: unknown): Eventually<number | null | undefined> {
    return this.#reads.ttl(key, options);
  }

  /** Begins a scan; the rest of it is asked for piece by piece. */
  async scan(kind: ItemKind | 'keysWithTtl', range?: unknown): Promise<Piece> {
    const deadlineOnly = kind === 'keysWithTtl';
    const bounds = resolveRange(range, deadlineOnly);
    this.#counters.operations += 1;
    const scan = await this.#beginScan(bounds);
    return this.#scans.begin(scan, deadlineOnly ? 'keys' : kind);
  }

  scanNext(id: number): Promise<Piece> {
    return this.#scans.next(id);
  }

  scanRelease(id: number): void {
    this.#scans.release(id);
  }

  /** Exact; O(1) for the whole store, one pass over the keys for a range. */
  async count(range?: unknown): Promise<number> {
    const bounds = resolveRange(range);
    this.#counters.operations += 1;
    if (bounds.low !== '' || bounds.high !== undefined || bounds.limit !== Infinity) {
      return (await this.#takeAll(await this.#beginScan(bounds))).length;
    }
    return this.#settled((expired) => this.#state.keys - expired.keys);
  }

  async countUnique(): Promise<number> {
    return this.#settled((expired) => this.#state.objectCount - expired.objects);
  }

  // Writing

  set(key: unknown, value: unknown, options?: unknown): Promise<Commit> {
    return this.#writes.set(key, value, options);
  }

  setMany(entries: unknown, options?: unknown): Promise<Commit> {
    return this.#writes.setMany(entries, options);
  }

  batch(operations: unknown, options?: unknown): Promise<Commit> {
    return this.#writes.batch(operations, options);
  }

  /** Resolves to the merged value, of memory that nobody else has. */
  merge(key: unknown, operand: unknown, operator: unknown, options?: unknown): Promise<unknown> {
    return this.#writes.merge(key, operand, operator, options);
  }

  /** What an `update` begins with: its options are checked before its function runs. */
  beginUpdate(key: unknown, options?: unknown): Eventually<{ version: number; value: unknown }> {
    return this.#writes.beginUpdate(key, options);
  }

  delete(key: unknown, options?: unknown): Promise<boolean> {
    return this.#writes.delete(key, options);
  }

  deleteMany(keys: unknown, options?: unknown): Promise<number> {
    return this.#writes.deleteMany(keys, options);
  }

  clear(range?: unknown, options?: unknown): Promise<number> {
    return this.#writes.clear(range, options);
  }

  expire(key: unknown, ttl: unknown, options?: unknown): Promise<boolean> {
    return this.#writes.expire(key, ttl, options);
  }

  expireMany(keys: unknown, ttl: unknown, options?: unknown): Promise<number> {
    return this.#writes.expireMany(keys, ttl, options);
  }

  persist(key: unknown, options?: unknown): Promise<boolean> {
    return this.#writes.persist(key, options);
  }

  /** Exports and imports, which go piece by piece. */
  get transfers(): Transfers {
    return this.#transfers;
  }

  // Care

  async sweep(): Promise<SweepResult> {
    this.#counters.operations += 1;
    const before = await this.#settled(() => [this.#state.objectCount, this.#state.objectBytes] as const);
    const expired = await this.#maintenance.reapAll();
    const after = await this.#settled(() => [this.#state.objectCount, this.#state.objectBytes] as const);
    return { expired, orphaned: before[0] - after[0], bytes: before[1] - after[1] };
  }

  /** Rewrites the log with nothing but what is alive. Calls while it runs share its outcome. */
  compact(): Promise<CompactResult> {
    this.#counters.operations += 1;
    return this.#rewriter.rewrite().finally(() => this.versions.carry());
  }

  flush(): Promise<void> {
    return this.#maintenance.flush();
  }

  async health(): Promise<Health> {
    return this.#settled((expired) => this.#report.health(this.#now(), expired));
  }

  async stats(): Promise<Omit<Stats, 'rpc' | 'leader'>> {
    return this.#settled((expired) => this.#report.stats(this.#now(), expired));
  }

  memoryUsage(): number {
    return this.#report.memoryUsage();
  }

  /** Bytes of the log that are flushed for certain; for the header at a clean close. */
  get logBytes(): number {
    return this.#environment.log.bytes;
  }

  /**
   * Finishes what is in the queue, leaves an image for the next opening unless `image` is
   * false, and flushes. The log is its owner's to close.
   */
  async close({ image = true }: { readonly image?: boolean } = {}): Promise<void> {
    this.#maintenance.stop();
    await this.#rewriter.stop();
    const emptyBuffer = async () => {
      await this.#settle();
      if (this.#state.buffered > 0) await seal(this.#environment.log, this.#state);
    };
    await this.#images.close(image ? emptyBuffer : undefined);
    await this.#maintenance.flush().finally(() => this.#committer.close());
    this.#scans.clear();
    this.versions.release();
    this.#transfers.clear();
  }

  #now(): number {
    return Math.max(this.#environment.now(), this.#state.time);
  }

  #settle(): Promise<void> {
    return settle(this.#state, this.#lookup, this.#contents);
  }

  /** `figure` of the state when its totals are exact, given what in them has expired. */
  async #settled<T>(figure: (expired: Expired) => T): Promise<T> {
    return this.#committer.exclusive(async () => {
      await this.#settle();
      return figure(await this.#expirer.expired(this.#now()));
    });
  }

  /** A scan of the version that the calls before it have made. */
  #beginScan(bounds: Bounds): Eventually<KeyScan> {
    return this.#committer.read(undefined, () => this.#scanNow(bounds));
  }

  /** Whoever asks for it must release its records at the end. */
  #scanNow(bounds: Bounds): KeyScan {
    this.#records.era.retain();
    return new KeyScan(this.#state, this.#state.view(), bounds, this.#records.era, this.#now());
  }

  async #takeAll(scan: KeyScan): Promise<RunKey[]> {
    try {
      return await scan.take(Infinity);
    } finally {
      scan.records.release();
    }
  }
}
