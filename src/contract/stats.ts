/** Figures of a store. Every one is measured or counted, none is an estimate unless its comment says so. */
import type { DedupMode, Mode } from './options.js';

/** Costs O(1) once what was written lately has been looked up. */
export interface Health {
  readonly totalKeys: number;
  readonly totalObjects: number;
  /** Bytes of the distinct values. */
  readonly totalBytes: number;
  /** Bytes of all keys' values, as if each were stored. */
  readonly logicalBytes: number;
  /** Bytes on disk. */
  readonly storedBytes: number;
  /** Keys that have expired and were not removed yet. They are not counted anywhere else. */
  readonly expiredObjects: number;
  readonly orphanedObjects: number;
  /** Milliseconds since the oldest record of the log was written. */
  readonly oldestObjectAge: number;
  /** Milliseconds since the newest record of the log was written. */
  readonly newestAccessAge: number;
  /** `totalKeys / totalObjects`, 1 when empty. */
  readonly dedupRatio: number;
}

export interface MapletStats {
  readonly capacity: number;
  readonly length: number;
  readonly load: number;
  readonly bitsPerKey: number;
  readonly bytes: number;
  readonly targetFalsePositiveRate: number;
  /** Of the look-ups of absent keys that the maplet answered, the share that it could not rule out. */
  readonly measuredFalsePositiveRate: number;
  /** How many look-ups of absent keys that rate stands on. */
  readonly absentLookups: number;
}

export interface Stats extends Health {
  readonly mode: Mode;
  readonly version: number;
  /** Milliseconds since the store was opened. */
  readonly uptime: number;
  /** Milliseconds that opening took, recovery included. */
  readonly openedIn: number;
  readonly totalOperations: number;
  readonly hits: number;
  readonly misses: number;
  readonly maplet: MapletStats;
  readonly storage: {
    readonly backend: string;
    readonly bytes: number;
    readonly extents: number;
    /** Rows of sorted keys that a scan has to look into, beside the keys written last. */
    readonly runs: number;
    readonly batches: number;
    readonly flushes: number;
    readonly cacheBytes: number;
    /** Records replayed from the log when the store was opened. */
    readonly recovered: number;
    /** Bytes of a torn tail that were cut when the store was opened. */
    readonly tornBytes: number;
    /** What of the store was missing when it was opened, without which it could go on: a sentence each. */
    readonly losses: readonly string[];
  };
  readonly ttl: {
    readonly keys: number;
    /** No deadline is before it, epoch milliseconds; the first may be later. `null` when no key has one. */
    readonly next: number | null;
    readonly expired: number;
    readonly bytes: number;
  };
  readonly eviction: {
    /** `'none'` where the store has no budget. */
    readonly policy: string;
    readonly evicted: number;
    /** Keys that are never evicted. */
    readonly pinned: number;
    /** Memory of the policy. */
    readonly bytes: number;
  };
  readonly dedup: {
    readonly mode: DedupMode;
    readonly bytesBefore: number;
    readonly bytesAfter: number;
    readonly saved: number;
  };
  readonly rpc: { readonly messages: number; readonly calls: number };
  readonly leader: { readonly role: 'leader' | 'follower'; readonly epoch: number };
}
