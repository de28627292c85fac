/** What some calls answer with: plain data. */
import type { Mode } from './options.js';

export interface Entry<T = unknown> {
  readonly key: string;
  readonly value: T;
  /** Version of the store that wrote it. */
  readonly version: number;
  /** Bytes of the encoded value. */
  readonly size: number;
  /** SHA-256 of the encoded value, in hex. Equal ids mean one stored copy. */
  readonly objectId: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Approximate; kept only where a policy needs it, else `updatedAt`. */
  readonly accessedAt: number;
  /** `null`: none. */
  readonly expiresAt: number | null;
  /** Whether `value` is byte for byte what was set. */
  readonly exact: boolean;
}

export interface SweepResult {
  /** Expired keys removed. */
  readonly expired: number;
  /** Values that nothing refers to any more. */
  readonly orphaned: number;
  /** Bytes of those values. */
  readonly bytes: number;
}

/** What this browser or context offers, and why the store lives where it lives. */
export interface Capabilities {
  readonly opfs: boolean;
  readonly syncAccess: boolean;
  readonly indexedDB: boolean;
  readonly locks: boolean;
  readonly broadcastChannel: boolean;
  readonly crossOriginIsolated: boolean;
  /** One sentence for people: why this mode. */
  readonly reason: string;
  /** Where the engine runs. */
  readonly host: 'worker' | 'blob-worker' | 'same-thread';
}

/** One key in which two versions differ. */
export type Difference<T = unknown> =
  | { readonly key: string; readonly kind: 'added'; readonly after: T }
  | { readonly key: string; readonly kind: 'changed'; readonly before: T; readonly after: T }
  | { readonly key: string; readonly kind: 'removed'; readonly before: T };

/** How far a write has got. */
export interface Commit {
  /** Version of the store that the write made. Grows with every write. */
  readonly version: number;
  /** `memory`: in RAM. `os`: survives a killed browser. `durable`: survives a power cut. */
  readonly durability: 'memory' | 'os' | 'durable';
}

export interface ImportResult {
  /** Entries that the import has put. */
  readonly keys: number;
  /** Bytes of all their encoded values. */
  readonly bytes: number;
}

/** Bytes of the log before and after. */
export interface CompactResult {
  readonly before: number;
  readonly after: number;
}

/** A version that is kept under a label until that is given up. */
export interface Checkpoint {
  readonly label: string;
  readonly version: number;
  readonly createdAt: number;
  /** Those that had not expired. */
  readonly keys: number;
  /** Of the encoded values of all these keys. */
  readonly bytes: number;
}

/** One key that was changed, as a watcher is told. */
export interface Change<T = unknown> {
  readonly version: number;
  readonly key: string;
  /** `set`: it has this value, or this value with another deadline; `expire` and `evict`: the store removed it. */
  readonly kind: 'set' | 'delete' | 'expire' | 'evict';
  /** Of a `set`; a large value that came by `setStream` is not told. */
  readonly value?: T;
  /** This store object changed it. */
  readonly local: boolean;
}

/** What `addEventListener` tells of. */
export type StoreEvent =
  /** Any change, in the order of the versions. */
  | { readonly type: 'change'; readonly change: Change }
  | { readonly type: 'expire' | 'evict'; readonly change: Change }
  /** Another tab leads the store. */
  | { readonly type: 'leader' }
  | { readonly type: 'mode'; readonly mode: Mode }
  /** Something of the store was missing when it was opened. */
  | { readonly type: 'dataloss'; readonly reasons: readonly string[] }
  /** A write was refused because there is no room. */
  | { readonly type: 'quota' };

export type StoreEventListener = (event: StoreEvent) => void;

/** What `wouldDedupe` says. */
export interface WouldDedupe {
  /** An equal value is stored, or one with its normal form. */
  readonly duplicate: boolean;
  /** SHA-256 of the encoded value that is stored: the equal one, the one that it resembles; else of the value itself. */
  readonly objectId: string;
  /** Where it resembles a stored value, estimated: the share of what both have, 0 to 1. */
  readonly similarity?: number;
}
