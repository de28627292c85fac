/**
 * Options of `open()`, their defaults, and the one place that checks them.
 *
 * `resolveOptions` runs where the engine runs, so that the page need not carry
 * it; what it throws crosses back with its class. The inside works with
 * `Settings`: every option present, every time in milliseconds, and never
 * `undefined`.
 */
import { UnsupportedError } from '../base/errors.js';
import { type Duration, isRecord, requirePositive, requireWhole, show, toMilliseconds } from './arguments.js';

export type Persistence = 'auto' | 'memory' | 'disk' | 'aof' | 'hybrid';
export type Mode = Exclude<Persistence, 'auto'>;
export type Durability = 'relaxed' | 'strict';
export type Recovery = 'tolerate-tail' | 'absolute' | 'salvage';
export type DedupMode = 'off' | 'exact' | 'chunked' | 'near';
export type Normalization = 'none' | 'whitespace' | 'lowercase' | 'ascii' | 'unicode' | 'full';

export interface OpenOptions {
  /** Where the store lives. Default: `'auto'`: where it is already, else the best there is. */
  readonly persistence?: Persistence;
  /**
   * When a write counts as done. Default: `'relaxed'`: it survives a killed browser at once, and a power
   * cut after at most a second. `'strict'`: flushed before it resolves. `{ syncInterval }`: flushed that often.
   */
  readonly durability?: Durability | { readonly syncInterval: Duration };
  /** Default: `'linearizable'`. */
  readonly consistency?: 'linearizable' | 'session';
  readonly maplet?: {
    /** Keys to make room for. Default: 10,000. */
    readonly capacity?: number;
    /**
     * Upper bound, above 0 and below 1. Default: 0.01. The index of a store stays below 0.001 up to ten
     * million keys by its own shape; a smaller bound than that changes nothing.
     */
    readonly falsePositiveRate?: number;
    /** `false`: a store with `capacity` keys refuses new ones with `CapacityError`. Default: `true`. */
    readonly autoResize?: boolean;
  };
  readonly cache?: {
    /** Bytes of values kept in the worker's memory. Default: 16 MiB. */
    readonly maxBytes?: number;
    /** Bytes of the near cache on the page. Default: 1 MiB. */
    readonly nearMaxBytes?: number;
  };
  readonly ttl?: {
    /** Time to live of a `set` that names none. Default: `Infinity`. */
    readonly default?: Duration;
    readonly sliding?: boolean;
    /** How often expired keys are removed. `Infinity`: only when they are met. Default: one second. */
    readonly sweepInterval?: Duration;
    /** Most keys that one sweep removes. Default: 1,000. */
    readonly sweepLimit?: number;
  };
  readonly budget?: {
    /**
     * Bytes of distinct values that the store may hold. What would pass it evicts first, down to
     * `targetRatio` of it. On disk the log takes up to twice that, and three extents. Default: `Infinity`.
     */
    readonly maxBytes?: number;
    /** Keys that the store may hold; just enough are evicted. Default: `Infinity`. */
    readonly maxEntries?: number;
    /**
     * Who goes, after those that have expired: `'tinylfu'`, `'lru'`, `'lfu'`, `'fifo'`, `'s3-fifo'`, `'sieve'`,
     * or one that the worker has registered. `'reject'`: nobody, and the write is refused with
     * `CapacityError`. Default: `'tinylfu'`.
     */
    readonly policy?: string;
    /** Share of `maxBytes` that is left after eviction, above 0 and up to 1. Default: 0.8. */
    readonly targetRatio?: number;
  };
  readonly dedup?: {
    /**
     * `'exact'` keeps equal values once; `'off'` keeps each. `'chunked'` besides cuts large values where their
     * bytes say so, and keeps equal pieces once: versions of one value share all but what differs. `'near'` besides
     * finds a stored value that resembles a new one, and keeps what differs where that is less; the first write
     * after opening reads all values for it. Nothing is ever lost by it. Default: `'exact'`.
     */
    readonly mode?: DedupMode;
    /** Larger values are cut, into pieces of a quarter of it on average. 256 to 64 MiB. Default: 32 KiB. */
    readonly chunkBytes?: number;
    /**
     * Strings that are the same in this form are kept as one and what differs: `'whitespace'` (runs of ASCII
     * white space), `'lowercase'` (A-Z), `'ascii'` (both), `'unicode'` (NFKC, full case folding, Unicode white
     * space), `'full'` (all of them). What is read is what was set all the same. Default: `'none'`.
     */
    readonly normalization?: Normalization;
    /** Longer strings are not compared so. Default: 1 MiB. */
    readonly normalizationMaxBytes?: number;
    /** Of strings that are the same in that form the first one is kept for all. Default: `false`. */
    readonly canonical?: boolean;
  };
  readonly undo?: {
    /**
     * Commits of a store object that `undo` can take back, as the tab that leads the store was opened.
     * 0: none, and nothing is noted. They name at most 16,384 keys in all beside the last. Default: 100.
     */
    readonly depth?: number;
  };
  /** What to do about a log that does not end cleanly. Default: `'tolerate-tail'`. */
  readonly recovery?: Recovery;
  /** Milliseconds to wait for an answer before a call rejects with `TimeoutError`. Default: 30,000. */
  readonly timeout?: Duration;
  /**
   * `'none'`, `'gzip'`, `'deflate-raw'`, or a codec that the worker has registered. Values of 512 bytes
   * and more are compressed where it shortens them by a sixteenth. Default: `'none'`.
   */
  readonly compression?: string;
  /**
   * Encrypts everything that is stored: keys, values, index, times of entries. `key` is an AES-GCM or AES-KW
   * key and is never stored; without it the store is lost. A store is encrypted from its making or never.
   * Needs a secure context. Docs: `docs/encryption.md`.
   */
  readonly encryption?: { readonly key: CryptoKey } | undefined;
  /**
   * Lets store-wide options change the store: `dedup`, `compression`, `ttl.default`, `ttl.sliding`, `maplet`,
   * `budget`. They are kept with it; without this, one that differs is a `TypeError`. While another tab has
   * the store open nothing can be changed (`LockedError`).
   */
  readonly reconfigure?: boolean;
}

const DEFAULTS = {
  persistence: 'auto',
  durability: 'relaxed',
  consistency: 'linearizable',
  maplet: { capacity: 10_000, falsePositiveRate: 0.01, autoResize: true },
  cache: { maxBytes: 16 * 2 ** 20, nearMaxBytes: 2 ** 20 },
  ttl: { default: Infinity, sliding: false, sweepInterval: 1000, sweepLimit: 1000 },
  budget: { maxBytes: Infinity, maxEntries: Infinity, policy: 'tinylfu', targetRatio: 0.8 },
  dedup: {
    mode: 'exact',
    chunkBytes: 32 * 1024,
    normalization: 'none',
    normalizationMaxBytes: 2 ** 20,
    canonical: false,
  },
  undo: { depth: 100 },
  recovery: 'tolerate-tail',
  timeout: 30_000,
  compression: 'none',
  encryption: undefined,
  reconfigure: false,
} as const;

/** `durability: 'relaxed'` is a flush this often. */
const RELAXED_SYNC_MS = 1000;

/** What a store may hold, and who goes where it would hold more. */
export interface Budgeted {
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly policy: string;
  readonly targetRatio: number;
}

/** Every option checked and present. Times in milliseconds, sizes in bytes. */
export interface Settings {
  readonly persistence: Persistence;
  readonly strict: boolean;
  readonly syncIntervalMs: number;
  readonly maplet: {
    readonly capacity: number;
    readonly falsePositiveRate: number;
    readonly autoResize: boolean;
  };
  readonly cacheMaxBytes: number;
  readonly ttl: { readonly defaultMs: number; readonly sweepIntervalMs: number; readonly sweepLimit: number };
  readonly dedup: {
    readonly mode: DedupMode;
    /** Larger values are cut where `mode` says so. */
    readonly chunkBytes: number;
    readonly normalization: Normalization;
    readonly normalizationMaxBytes: number;
    readonly canonical: boolean;
  };
  readonly budget: Budgeted;
  readonly compression: string;
  readonly recovery: Recovery;
  readonly undoDepth: number;
}

/**
 * Checks `options` and fills in what is missing.
 *
 * @throws TypeError for an unknown option, named with its path, or a value of the wrong type.
 * @throws RangeError for a number or time out of range.
 * @throws UnsupportedError for an option that this release does not implement.
 */
export function resolveOptions(options: unknown = {}): Settings {
  const given = withDefaults('options', options, DEFAULTS);
  const { maplet, cache, ttl, budget, dedup, undo } = given;
  oneOf('persistence', given.persistence, ['auto', 'memory', 'disk', 'aof', 'hybrid']);
  oneOf('recovery', given.recovery, ['tolerate-tail', 'absolute', 'salvage']);
  oneOf('consistency', given.consistency, ['linearizable', 'session']);
  oneOf('dedup.mode', dedup.mode, ['off', 'exact', 'chunked', 'near']);
  oneOf('dedup.normalization', dedup.normalization, [
    'none',
    'whitespace',
    'lowercase',
    'ascii',
    'unicode',
    'full',
  ]);
  for (const [name, flag] of Object.entries({
    'maplet.autoResize': maplet.autoResize,
    'ttl.sliding': ttl.sliding,
    'dedup.canonical': dedup.canonical,
    reconfigure: given.reconfigure,
  })) {
    if (typeof flag !== 'boolean') throw new TypeError(`${name}: expected true or false, got ${show(flag)}`);
  }
  const rate = maplet.falsePositiveRate as number;
  if (typeof rate !== 'number') {
    throw new TypeError(`maplet.falsePositiveRate: expected a number, got ${show(rate)}`);
  }
  if (!(rate > 0 && rate < 1)) {
    throw new RangeError(`maplet.falsePositiveRate: expected above 0 and below 1, got ${rate}`);
  }
  requirePositive('cache.nearMaxBytes', cache.nearMaxBytes, 0);
  toMilliseconds('timeout', given.timeout);
  if (given.encryption !== undefined) requireEncryption(given.encryption);
  refuseUnsupported(given);
  return {
    persistence: given.persistence as Persistence,
    ...resolveDurability(given.durability),
    maplet: {
      capacity: requireWhole('maplet.capacity', maplet.capacity, 1),
      falsePositiveRate: rate,
      autoResize: maplet.autoResize as boolean,
    },
    cacheMaxBytes: requirePositive('cache.maxBytes', cache.maxBytes, 0),
    ttl: {
      defaultMs: toMilliseconds('ttl.default', ttl.default),
      sweepIntervalMs: toMilliseconds('ttl.sweepInterval', ttl.sweepInterval),
      sweepLimit: requireWhole('ttl.sweepLimit', ttl.sweepLimit, 1),
    },
    dedup: {
      mode: dedup.mode as DedupMode,
      chunkBytes: requireChunkBytes(dedup.chunkBytes),
      normalization: dedup.normalization as Normalization,
      normalizationMaxBytes: requirePositive('dedup.normalizationMaxBytes', dedup.normalizationMaxBytes, 0),
      canonical: dedup.canonical as boolean,
    },
    budget: requireBudget(budget),
    compression: requireText('compression', given.compression),
    recovery: given.recovery as Recovery,
    undoDepth: undo.depth === Infinity ? Infinity : requireWhole('undo.depth', undo.depth, 0),
  };
}

/** A write may ask for another durability than its store: whether it is strict. */
export function resolveWriteDurability(durability: unknown, settings: Settings): boolean {
  return durability === undefined ? settings.strict : resolveDurability(durability).strict;
}

function resolveDurability(durability: unknown): { strict: boolean; syncIntervalMs: number } {
  if (durability === 'strict') return { strict: true, syncIntervalMs: RELAXED_SYNC_MS };
  if (durability === 'relaxed') return { strict: false, syncIntervalMs: RELAXED_SYNC_MS };
  if (isRecord(durability)) {
    const { syncInterval } = withDefaults('durability', durability, { syncInterval: RELAXED_SYNC_MS });
    return { strict: false, syncIntervalMs: toMilliseconds('durability.syncInterval', syncInterval) };
  }
  throw new TypeError(
    `durability: expected 'relaxed', 'strict' or { syncInterval }, got ${show(durability)}`,
  );
}

type Filled<T> = { readonly [K in keyof T]: T[K] extends Record<string, unknown> ? Filled<T[K]> : unknown };

/** `value` over `defaults`, group by group. An unknown name is a TypeError. */
function withDefaults<T extends object>(path: string, value: unknown, defaults: T): Filled<T> {
  if (!isRecord(value)) throw new TypeError(`${path}: expected an object, got ${show(value)}`);
  const at = path === 'options' ? '' : `${path}.`;
  const known = defaults as Record<string, unknown>;
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(known, name)) {
      throw new TypeError(`unknown option ${at}${name}: expected one of ${Object.keys(known).join(', ')}`);
    }
  }
  const filled: Record<string, unknown> = {};
  for (const [name, fallback] of Object.entries(known)) {
    const own = value[name];
    if (own === undefined) filled[name] = fallback;
    else filled[name] = isRecord(fallback) ? withDefaults(`${at}${name}`, own, fallback) : own;
  }
  return filled as Filled<T>;
}

/** How a key may be used to wrap the secrets of a store: with all of one row. */
const WRAPPING: readonly (readonly [algorithm: string, ...usages: KeyUsage[]])[] = [
  ['AES-GCM', 'encrypt', 'decrypt'],
  ['AES-GCM', 'wrapKey', 'unwrapKey'],
  ['AES-KW', 'wrapKey', 'unwrapKey'],
];

function requireEncryption(value: unknown): void {
  const { key } = withDefaults('encryption', value, { key: undefined });
  const { algorithm, usages = [] } = Object(key) as Partial<CryptoKey>;
  const name = algorithm?.name;
  const fits = WRAPPING.some(([of, ...all]) => of === name && all.every((one) => usages.includes(one)));
  if (fits) return;
  const got = name === undefined ? show(key) : `${name} for ${usages.join(', ') || 'nothing'}`;
  throw new TypeError(
    `encryption.key: expected a CryptoKey, AES-GCM for encrypt and decrypt, or AES-GCM or AES-KW for wrapKey and unwrapKey; got ${got}`,
  );
}

function requireText(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`${name}: expected a string, got ${show(value)}`);
}

function requireBudget({
  maxBytes,
  maxEntries,
  policy,
  targetRatio,
}: Filled<typeof DEFAULTS.budget>): Budgeted {
  const ratio = requirePositive('budget.targetRatio', targetRatio);
  if (ratio > 1) throw new RangeError(`budget.targetRatio: expected at most 1, got ${ratio}`);
  return {
    maxBytes: requirePositive('budget.maxBytes', maxBytes),
    maxEntries: maxEntries === Infinity ? Infinity : requireWhole('budget.maxEntries', maxEntries, 1),
    policy: requireText('budget.policy', policy),
    targetRatio: ratio,
  };
}

const CHUNK_BYTES_MIN = 256;
const CHUNK_BYTES_MAX = 2 ** 26;

function requireChunkBytes(value: unknown): number {
  const bytes = requireWhole('dedup.chunkBytes', value, CHUNK_BYTES_MIN);
  if (bytes <= CHUNK_BYTES_MAX) return bytes;
  throw new RangeError(`dedup.chunkBytes: expected at most ${CHUNK_BYTES_MAX}, got ${bytes}`);
}

function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return;
  throw new TypeError(`${name}: expected ${allowed.map((a) => `'${a}'`).join(' | ')}, got ${show(value)}`);
}

/** Options that may only be left at their default. */
const NOT_YET = ['consistency', 'cache.nearMaxBytes', 'ttl.sliding'];

/** Better a clear refusal than an option that is silently without effect. */
function refuseUnsupported(given: Filled<typeof DEFAULTS>): void {
  const { recovery } = given;
  const refused = NOT_YET.filter((path) => optionAt(given, path) !== optionAt(DEFAULTS, path));
  if (recovery === 'salvage') refused.push(`recovery: 'salvage'`);
  if (refused.length === 0) return;
  throw new UnsupportedError(`${refused.join(', ')}: not in this release yet`, {
    detail: { options: refused },
  });
}

function optionAt(options: object, path: string): unknown {
  return path.split('.').reduce((group: unknown, name) => (group as Record<string, unknown>)[name], options);
}
