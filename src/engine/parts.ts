/**
 * What an engine is made of, and how its parts know each other. Decides nothing: each part
 * is given what it works on, and the calls of the contract are in `engine.ts`.
 */
import type { Eventually } from '../base/bytes.js';
import { secretFrom } from '../base/hash.js';
import type { RunKey } from '../structures/runs/index.js';
import type { Accesses } from './accesses.js';
import { type Bounds, resolveRange } from './bounds.js';
import { Committer } from './commit.js';
import { Contents } from './contents.js';
import { CurrentLog, CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import type { Evictor } from './evictor.js';
import { type Expired, Expirer } from './expirer.js';
import { Feed } from './feed.js';
import { ImageKeeper } from './image-keeper.js';
import { KeyFinder } from './key-finder.js';
import { Lookup } from './lookup.js';
import { Maintenance } from './maintenance.js';
import type { Maker } from './maker.js';
import { RunMerger } from './merging.js';
import { Placer } from './objects.js';
import { Packing } from './packing.js';
import { Planner } from './plan.js';
import { Reader } from './reader.js';
import { Reads } from './reads.js';
import { type Counters, Report } from './report.js';
import { Rewriter } from './rewrite.js';
import { KeyScan } from './scan.js';
import { Scans } from './scans.js';
import { seal } from './seal.js';
import { settle } from './settle.js';
import { State } from './state.js';
import { StreamGate } from './stream-gate.js';
import { Transfers } from './transfers.js';
import { Versions } from './versions.js';
import { Writes } from './writes.js';

/** Modes whose reads would otherwise go to the log each time keep the cache of the options. */
const UNCACHED_MODES = new Set(['memory', 'aof']);
/** Even without a cache, comparing a value with a stored one needs the last few at hand. */
const LEAST_CACHE_BYTES = 2 ** 20;

/** Code that not every store needs. */
export interface Loaded {
  readonly Maker?: typeof Maker | undefined;
  readonly eviction?: typeof import('./evictor.js') | undefined;
}

export class Parts {
  readonly environment: Environment;
  /** What comes in as a stream. */
  readonly gate = new StreamGate();
  readonly state: State;
  readonly records: CurrentRecords;
  readonly contents: Contents;
  readonly lookup: Lookup;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly packing: Packing;
  readonly placer: Placer;
  readonly maker: Maker | undefined;
  readonly planner: Planner;
  readonly committer: Committer;
  readonly expirer: Expirer;
  /** Where the store has a budget. */
  readonly evictor: Evictor | undefined;
  readonly accesses: Accesses | undefined;
  readonly rewriter: Rewriter;
  readonly images: ImageKeeper;
  readonly merger: RunMerger;
  readonly maintenance: Maintenance;
  readonly scans: Scans;
  readonly transfers: Transfers;
  /** Snapshots, transactions, undo. */
  readonly versions: Versions;
  readonly feed: Feed;
  readonly report: Report;
  readonly counters: Counters;
  #latest = 0;

  /** `loaded`: what the options ask for, since its code is loaded then. */
  constructor(given: Environment, loaded: Loaded = {}) {
    const log = new CurrentLog(given.log);
    const environment = { ...given, log };
    const { settings, mode } = environment;
    const openedAt = environment.now();
    const cacheBytes = UNCACHED_MODES.has(mode)
      ? Math.min(LEAST_CACHE_BYTES, settings.cacheMaxBytes)
      : settings.cacheMaxBytes;
    const state = new State(
      secretFrom(environment.secret),
      settings.dedup.mode !== 'off',
      openedAt,
      environment.index,
    );
    this.#latest = openedAt;
    this.environment = environment;
    this.state = state;
    this.records = new CurrentRecords(given.log, cacheBytes);
    const packing = new Packing({
      codec: settings.compression,
      own: environment.codecs ?? new Map(),
      secret: state.secret,
    });
    this.packing = packing;
    this.contents = new Contents(state, this.records, packing);
    this.lookup = new Lookup(state, this.records, this.contents);
    const reader = new Reader(this.lookup, this.records, packing);
    this.scans = new Scans(state.secret, packing, environment.epoch);
    this.transfers = new Transfers({
      packing,
      settings,
      now: () => this.now(),
      after: environment.after,
      beginScan: () => this.beginScan(resolveRange(undefined)),
      scanNow: () => this.scanNow(resolveRange(undefined)),
      submit: (mutations, strict, answer) => {
        this.counters.operations += 1;
        return this.committer.submit(mutations, strict, answer);
      },
    });
    this.counters = {
      openedAt,
      openedIn: 0,
      recovered: 0,
      tornBytes: 0,
      operations: 0,
      hits: 0,
      misses: 0,
      expired: 0,
      evicted: 0,
    };
    this.report = new Report(environment, state, this.records, this.lookup.probes, this.counters);
    const placer = new Placer(this.contents, packing);
    this.placer = placer;
    const pause = () => new Promise<void>((resolve) => environment.after(0, resolve));
    const { contents, records } = this;
    const kin = { state, records, contents, packing, pause };
    this.maker = loaded.Maker && new loaded.Maker(settings.dedup, placer, kin);
    this.planner = new Planner(state, this.lookup, placer, settings, packing, this.maker);
    this.feed = new Feed({ state, packing, environment, now: () => this.now() });
    this.committer = new Committer({
      log,
      state,
      planner: this.planner,
      growing: settings.maplet.autoResize,
      now: () => this.now(),
      evictor: () => this.evictor,
      drain: () => this.accesses?.drain(),
      settle: () => this.settle(),
      seal: () => this.seal(),
      brake: () => this.rewriter.brake(),
      onFull: () => this.feed.noteRefused(),
      onCommit: (changes, published) => {
        this.rewriter.note(changes);
        this.feed.note(published);
        this.maintenance.afterCommit();
        this.versions.carry().catch(() => {});
      },
    });
    this.merger = new RunMerger({
      environment,
      log,
      state,
      records: this.records,
      committer: this.committer,
    });
    this.images = new ImageKeeper(environment, log, state, this.committer);
    this.rewriter = new Rewriter({
      environment,
      log,
      state,
      records: this.records,
      committer: this.committer,
      packing,
      gate: this.gate,
      settle: () => this.settle(),
      onFollow: () => this.merger.followed(),
    });
    this.accesses = loaded.eviction && new loaded.eviction.Accesses(state, () => this.now());
    this.reads = new Reads({
      accesses: this.accesses,
      state,
      committer: this.committer,
      lookup: this.lookup,
      reader,
      records: this.records,
      counters: this.counters,
      now: () => this.now(),
    });
    this.writes = new Writes({
      environment,
      state,
      committer: this.committer,
      planner: this.planner,
      packing,
      reads: this.reads,
      counters: this.counters,
      now: () => this.now(),
      settle: () => this.settle(),
      expired: () => this.expirer.expired(this.now()),
      watched: () => this.feed.watched,
      keysIn: (bounds) => this.takeAll(this.scanNow(bounds)),
    });
    this.versions = new Versions(
      {
        environment,
        state,
        records: this.records,
        committer: this.committer,
        planner: this.planner,
        packing,
        scans: this.scans,
        counters: this.counters,
        now: () => this.now(),
        settle: () => this.settle(),
        expired: () => this.expirer.expired(this.now()),
      },
      this.lookup,
    );
    const finder = new KeyFinder(state, this.records, this.contents);
    this.expirer = new Expirer(state, finder);
    if (loaded.eviction) {
      const { Evictor, rankedBy } = loaded.eviction;
      state.policy = rankedBy(settings.budget, environment.policies ?? new Map());
      this.evictor = new Evictor(settings.budget, {
        state,
        lookup: this.lookup,
        finder,
        expirer: this.expirer,
        counters: this.counters,
        settle: () => this.settle(),
        remove: (keys, cause) => this.committer.removeNow(keys, cause),
      });
    }
    this.maintenance = new Maintenance({
      environment,
      state,
      committer: this.committer,
      expirer: this.expirer,
      rewriter: this.rewriter,
      counters: this.counters,
      now: () => this.now(),
      accesses: this.accesses,
    });
  }

  /** The store's clock: never before what was logged, nor before what it has shown. */
  now(): number {
    this.#latest = Math.max(this.#latest, this.environment.now(), this.state.time);
    return this.#latest;
  }

  settle(): Promise<void> {
    return settle(this.state, this.lookup, this.contents);
  }

  /** REQUIRES: nothing is applied meanwhile. */
  async seal(): Promise<void> {
    await this.settle();
    await seal(this.environment.log, this.state);
    this.images.afterSeal();
    this.merger.start();
  }

  /** `figure` of the state when its totals are exact, given what in them has expired. */
  async settled<T>(figure: (expired: Expired) => T): Promise<T> {
    return this.committer.exclusive(async () => {
      await this.settle();
      return figure(await this.expirer.expired(this.now()));
    });
  }

  /** A scan of the version that the calls before it have made. */
  beginScan(bounds: Bounds): Eventually<KeyScan> {
    return this.committer.read(undefined, () => this.scanNow(bounds));
  }

  /** Whoever asks for it must release its records at the end. */
  scanNow(bounds: Bounds): KeyScan {
    this.records.era.retain();
    return new KeyScan(this.state, this.state.view(), bounds, this.records.era, this.now());
  }

  async takeAll(scan: KeyScan): Promise<RunKey[]> {
    try {
      return await scan.take(Infinity);
    } finally {
      scan.records.release();
    }
  }
}
