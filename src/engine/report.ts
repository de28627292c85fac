/** Figures of an engine, for `stats()`, `health()` and `memoryUsage()`. */
import type { Health, Stats } from '../contract/stats.js';
import type { CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import type { Expired } from './expirer.js';
import type { Probes } from './lookup.js';
import type { State } from './state.js';

/** What has happened since the store was opened. */
export interface Counters {
  readonly openedAt: number;
  openedIn: number;
  recovered: number;
  tornBytes: number;
  operations: number;
  hits: number;
  misses: number;
  expired: number;
  evicted: number;
}

/** A slot of the buffer with its key, measured in Node for keys of 40 characters. */
const BUFFERED_KEY_BYTES = 330;
/** An entry of a `Map` from number to number. */
const MAP_ENTRY_BYTES = 40;

export class Report {
  constructor(
    private readonly environment: Environment,
    private readonly state: State,
    private readonly records: CurrentRecords,
    private readonly probes: Probes,
    private readonly counters: Counters,
  ) {}

  /** REQUIRES: the state is settled. */
  health(now: number, expired: Expired): Health {
    const { state } = this;
    const { log } = this.environment;
    const totalKeys = state.keys - expired.keys;
    const totalObjects = state.objectCount - expired.objects;
    return {
      totalKeys,
      totalObjects,
      totalBytes: state.objectBytes - expired.objectBytes,
      logicalBytes: state.logicalBytes - expired.logicalBytes,
      storedBytes: log.bytes,
      expiredObjects: expired.keys,
      orphanedObjects: 0,
      oldestObjectAge: state.firstTime === 0 ? 0 : now - state.firstTime,
      newestAccessAge: state.time === 0 ? 0 : now - state.time,
      dedupRatio: totalObjects === 0 ? 1 : totalKeys / totalObjects,
    };
  }

  /** REQUIRES: the state is settled. */
  stats(now: number, expired: Expired): Omit<Stats, 'rpc' | 'leader'> {
    const { state, counters, environment } = this;
    const { log, settings, mode } = environment;
    const health = this.health(now, expired);
    const index = state.index.stats();
    const { absent, falsePositives } = this.probes;
    const next = state.deadlines.next();
    return {
      ...health,
      mode,
      version: state.version,
      uptime: now - counters.openedAt,
      openedIn: counters.openedIn,
      totalOperations: counters.operations,
      hits: counters.hits,
      misses: counters.misses,
      maplet: {
        capacity: Math.max(settings.maplet.capacity, index.slots),
        length: index.length,
        load: index.load,
        bitsPerKey: index.bitsPerKey,
        bytes: index.bytes,
        targetFalsePositiveRate: settings.maplet.falsePositiveRate,
        measuredFalsePositiveRate: absent === 0 ? 0 : falsePositives / absent,
        absentLookups: absent,
      },
      storage: {
        backend: log.backend,
        bytes: log.bytes,
        extents: log.extents,
        runs: state.runs.length,
        batches: log.batches,
        flushes: log.flushes,
        cacheBytes: this.records.cachedBytes,
        recovered: counters.recovered,
        tornBytes: counters.tornBytes,
        losses: environment.losses ?? [],
      },
      ttl: {
        keys: state.deadlines.size,
        next: next === Infinity ? null : next,
        expired: counters.expired,
        bytes: state.deadlines.bytes(),
      },
      eviction: {
        policy: state.policy ? settings.budget.policy : 'none',
        evicted: counters.evicted,
        pinned: state.policy?.pinned ?? 0,
        bytes: state.policy?.bytes ?? 0,
      },
      dedup: {
        mode: settings.dedup.mode,
        bytesBefore: health.logicalBytes,
        bytesAfter: health.totalBytes,
        saved: health.logicalBytes - health.totalBytes,
      },
    };
  }

  /** Buffers are counted, objects of the buffer and the maps are estimated by measured sizes. */
  memoryUsage(): number {
    const { state, environment } = this;
    let fences = 0;
    for (const run of state.runs) for (const { firstKey } of run) fences += 2 * firstKey.length + 48;
    return (
      state.index.stats().bytes +
      state.objects.stats().bytes +
      state.references.size * MAP_ENTRY_BYTES +
      state.buffered * BUFFERED_KEY_BYTES +
      state.deadlines.bytes() +
      (state.policy?.bytes ?? 0) +
      this.records.cachedBytes +
      fences +
      (environment.log.backend === 'memory' ? environment.log.bytes : 0)
    );
  }
}
