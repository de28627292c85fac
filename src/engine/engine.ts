/**
 * One store, opened: the calls of the contract, over a log, a clock and timers that
 * are given. It knows nothing of workers, tabs or messages.
 *
 * Reads answer at once where the log does; a read that comes while writes are in the
 * queue takes its place among them, so that it sees those before it and none after.
 */
import type { Eventually } from '../base/bytes.js';
import type { EvictResult } from '../contract/requests.js';
import type { Health, Stats } from '../contract/stats.js';
import type { Commit, CompactResult, Entry, SweepResult, WouldDedupe } from '../contract/store.js';
import type { Answers, GivenAnswer, Origin } from './answers.js';
import { isEverything, resolveRange } from './bounds.js';
import type { Environment } from './environment.js';
import type { Feed, FeedPlace } from './feed.js';
import { ignoreStoreError } from './maintenance.js';
import { Parts } from './parts.js';
import { requirePolicy } from './policies.js';
import type { ItemKind } from './reader.js';
import { dropOrphans, recover } from './recover.js';

import type { Piece } from './scans.js';
import { seal } from './seal.js';
import type { Streams } from './streams.js';
import type { Transfers } from './transfers.js';
import type { Versions } from './versions.js';

export class Engine {
  readonly #parts: Parts;
  #streams: Promise<Streams> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What calls of other tabs were answered, as long as these may ask again. */
  get answers(): Answers {
    return this.#parts.state.answers;
  }

  /**
   * What the call was answered that has been made already; `undefined`: it is to be made. The
   * answer of a commit says how far it has got by now.
   */
  answered(origin: Origin): Promise<unknown> | undefined {
    const given = this.#parts.state.answers.find(origin);
    return given && this.#answerAgain(given);
  }

  async #answerAgain({ value, isCommit }: GivenAnswer): Promise<unknown> {
    return isCommit ? { ...(value as object), durability: await this.#parts.maintenance.flush() } : value;
  }

  /** What was changed, for who watches. */
  get feed(): Feed {
    return this.#parts.feed;
  }

  /** From the version on that the calls before have made, unless the options say another. */
  beginWatch(options?: unknown): Eventually<FeedPlace> {
    return this.#parts.committer.read(undefined, () => this.#parts.feed.begin(options));
  }

  /** Snapshots, transactions, undo. */
  get versions(): Versions {
    return this.#parts.versions;
  }

  /**
   * Reads the newest image that fits and the log behind it, or all of the log, and is ready then.
   *
   * @throws CorruptionError when bytes are damaged that had been flushed.
   */
  static async open(environment: Environment): Promise<Engine> {
    const { mode, normalization } = environment.settings.dedup;
    const makes = mode === 'chunked' || mode === 'near' || normalization !== 'none';
    const { maxBytes, maxEntries, policy } = environment.settings.budget;
    requirePolicy(policy, environment.policies ?? new Map());
    const limited = maxBytes !== Infinity || maxEntries !== Infinity;
    const [maker, eviction] = await Promise.all([
      makes ? import('./maker.js') : undefined,
      limited ? import('./evictor.js') : undefined,
    ]);
    const engine = new Engine(new Parts(environment, { Maker: maker?.Maker, eviction }));
    const counters = engine.#parts.counters;
    const image = await engine.#parts.images.restore();
    const { state, contents } = engine.#parts;
    const settle = () => engine.#parts.settle();
    const replayed = await recover({ log: environment.log, state, contents, settle }, image?.position);
    await dropOrphans(engine.#parts);
    counters.recovered = replayed.entries;
    counters.tornBytes = replayed.tornBytes;
    counters.openedIn = environment.now() - counters.openedAt;
    engine.#parts.feed.start();
    engine.#parts.maintenance.start();
    return engine;
  }

  // Reading

  get(key: unknown, options?: unknown): Eventually<unknown> {
    return this.#parts.reads.get(key, options);
  }

  getMany(keys: unknown, options?: unknown): Eventually<unknown[]> {
    return this.#parts.reads.getMany(keys, options);
  }

  has(key: unknown): Eventually<boolean> {
    return this.#parts.reads.has(key);
  }

  getEntry(key: unknown, options?: unknown): Eventually<Entry | unknown> {
    return this.#parts.reads.getEntry(key, options);
  }

  /** Milliseconds left, `null` without expiry, `undefined` without key. */
  ttl(key: unknown, options?: unknown): Eventually<number | null | undefined> {
    return this.#parts.reads.ttl(key, options);
  }

  /** Begins a scan; the rest of it is asked for piece by piece. */
  async scan(kind: ItemKind | 'keysWithTtl', range?: unknown): Promise<Piece> {
    const deadlineOnly = kind === 'keysWithTtl';
    const bounds = resolveRange(range, deadlineOnly);
    this.#parts.counters.operations += 1;
    const scan = await this.#parts.beginScan(bounds);
    return this.#parts.scans.begin(scan, deadlineOnly ? 'keys' : kind);
  }

  scanNext(id: number): Promise<Piece> {
    return this.#parts.scans.next(id);
  }

  scanRelease(id: number): void {
    this.#parts.scans.release(id);
  }

  /** Exact; O(1) for the whole store, one pass over the keys for a range. */
  async count(range?: unknown): Promise<number> {
    const bounds = resolveRange(range);
    this.#parts.counters.operations += 1;
    if (!isEverything(bounds)) {
      return (await this.#parts.takeAll(await this.#parts.beginScan(bounds))).length;
    }
    return this.#parts.settled((expired) => this.#parts.state.keys - expired.keys);
  }

  async countUnique(): Promise<number> {
    return this.#parts.settled((expired) => this.#parts.state.objectCount - expired.objects);
  }

  // Writing

  set(key: unknown, value: unknown, options?: unknown): Promise<Commit> {
    return this.#parts.writes.set(key, value, options);
  }

  setMany(entries: unknown, options?: unknown): Promise<Commit> {
    return this.#parts.writes.setMany(entries, options);
  }

  batch(operations: unknown, options?: unknown): Promise<Commit> {
    return this.#parts.writes.batch(operations, options);
  }

  /** Resolves to the merged value, of memory that nobody else has. */
  merge(key: unknown, operand: unknown, operator: unknown, options?: unknown): Promise<unknown> {
    return this.#parts.writes.merge(key, operand, operator, options);
  }

  /** What an `update` begins with: its options are checked before its function runs. */
  beginUpdate(key: unknown, options?: unknown): Eventually<{ version: number; value: unknown }> {
    return this.#parts.writes.beginUpdate(key, options);
  }

  delete(key: unknown, options?: unknown): Promise<boolean> {
    return this.#parts.writes.delete(key, options);
  }

  deleteMany(keys: unknown, options?: unknown): Promise<number> {
    return this.#parts.writes.deleteMany(keys, options);
  }

  clear(range?: unknown, options?: unknown): Promise<number> {
    return this.#parts.writes.clear(range, options);
  }

  expire(key: unknown, ttl: unknown, options?: unknown): Promise<boolean> {
    return this.#parts.writes.expire(key, ttl, options);
  }

  expireMany(keys: unknown, ttl: unknown, options?: unknown): Promise<number> {
    return this.#parts.writes.expireMany(keys, ttl, options);
  }

  persist(key: unknown, options?: unknown): Promise<boolean> {
    return this.#parts.writes.persist(key, options);
  }

  /** Exports and imports, which go piece by piece. */
  /** Whether the value would be kept once with one that is stored; stores nothing. */
  async wouldDedupe(value: unknown): Promise<WouldDedupe> {
    const { wouldDedupe } = await import('./would-dedupe.js');
    return wouldDedupe(value, this.#parts);
  }

  /** Values that come in and go out as streams. */
  streams(): Promise<Streams> {
    this.#streams ??= import('./streams.js').then(({ Streams }) => new Streams(this.#parts));
    return this.#streams;
  }

  get transfers(): Transfers {
    return this.#parts.transfers;
  }

  // Care

  async sweep(): Promise<SweepResult> {
    this.#parts.counters.operations += 1;
    const before = await this.#parts.settled(
      () => [this.#parts.state.objectCount, this.#parts.state.objectBytes] as const,
    );
    const expired = await this.#parts.maintenance.reapAll();
    const after = await this.#parts.settled(
      () => [this.#parts.state.objectCount, this.#parts.state.objectBytes] as const,
    );
    return { expired, orphaned: before[0] - after[0], bytes: before[1] - after[1] };
  }

  /** Removes keys until no more than that is left. */
  async evict(options: unknown): Promise<EvictResult> {
    this.#parts.counters.operations += 1;
    return (await import('./care.js')).evict(this.#parts, options);
  }

  /** Removes keys that have expired, and those that are older or idler than given. */
  async prune(options?: unknown): Promise<number> {
    this.#parts.counters.operations += 1;
    return (await import('./care.js')).prune(this.#parts, options);
  }

  /** Rewrites the log with nothing but what is alive. Calls while it runs share its outcome. */
  compact(): Promise<CompactResult> {
    this.#parts.counters.operations += 1;
    return this.#parts.rewriter.rewrite().finally(() => this.versions.carry());
  }

  flush(): Promise<void> {
    return this.#parts.maintenance.flushLasting();
  }

  async health(): Promise<Health> {
    return this.#parts.settled((expired) => this.#parts.report.health(this.#parts.now(), expired));
  }

  async stats(): Promise<Omit<Stats, 'rpc' | 'leader'>> {
    return this.#parts.settled((expired) => this.#parts.report.stats(this.#parts.now(), expired));
  }

  memoryUsage(): number {
    return this.#parts.report.memoryUsage();
  }

  /** Bytes of the log that are flushed for certain; for the header at a clean close. */
  get logBytes(): number {
    return this.#parts.environment.log.bytes;
  }

  /**
   * Finishes what is in the queue, leaves an image for the next opening unless `image` is
   * false, and flushes. The log is its owner's to close.
   */
  async close({ image = true }: { readonly image?: boolean } = {}): Promise<void> {
    this.#parts.feed.close();
    this.#parts.maintenance.stop();
    await this.#parts.maintenance.tellUse().catch(ignoreStoreError);
    await this.#parts.rewriter.stop();
    await this.#parts.merger.stop();
    const emptyBuffer = async () => {
      await this.#parts.settle();
      if (this.#parts.state.buffered > 0) await seal(this.#parts.environment.log, this.#parts.state);
    };
    await this.#parts.images.close(image ? emptyBuffer : undefined);
    await this.#parts.maintenance.flush().finally(() => this.#parts.committer.close());
    this.#parts.scans.clear();
    this.versions.release();
    this.#parts.transfers.clear();
    (await this.#streams)?.clear();
  }
}
