/**
 * Options that belong to the store and not to a tab: they are kept in its header, and
 * every opening has those that were given once. What differs is refused, unless
 * `reconfigure` says that the store is to change.
 *
 * They say how values are kept and what calls do, whoever makes them. The others, such as
 * `cache` and `durability`, are those of the tab that leads.
 */
import { show, toMilliseconds } from './arguments.js';
import type { OpenOptions } from './options.js';

/** By the path of an option, what was given for it. One that never was is not there. */
export type StoreWide = Readonly<Record<string, unknown>>;

/** Secrets of an encrypted store as its header has them: wrapped by the user's key. */
export interface Wrapped {
  readonly version: 1;
  readonly algorithm: string;
  /** Hex: with AES-GCM the nonce first. */
  readonly secrets: string;
}

/** What an opening asks of the store. */
export interface Wish {
  readonly storeWide: StoreWide;
  /** What differs from what the store has is to change it. */
  readonly reconfigure: boolean;
}

/** Path -> what holds where nothing was given. */
const STORE_WIDE: StoreWide = {
  compression: 'none',
  'dedup.mode': 'exact',
  'dedup.chunkBytes': 32 * 1024,
  'dedup.normalization': 'none',
  'dedup.normalizationMaxBytes': 2 ** 20,
  'dedup.canonical': false,
  'ttl.default': Infinity,
  'ttl.sliding': false,
  'maplet.capacity': 10_000,
  'maplet.autoResize': true,
  'budget.maxBytes': Infinity,
  'budget.maxEntries': Infinity,
  'budget.policy': 'tinylfu',
  'budget.targetRatio': 0.8,
};

const DURATIONS: ReadonlySet<string> = new Set(['ttl.default']);

/** What `options`, which were checked, ask of the store. */
export function wishOf(options: OpenOptions): Wish {
  const given: Record<string, unknown> = {};
  for (const path of Object.keys(STORE_WIDE)) {
    const value = at(options, path);
    if (value !== undefined) given[path] = DURATIONS.has(path) ? toMilliseconds(path, value) : value;
  }
  return { storeWide: given, reconfigure: options.reconfigure === true };
}

/**
 * What the store will have, of what it has and what is wanted.
 *
 * @throws TypeError for a difference, unless it is to change the store, and for one that no store can make.
 */
export function reconcile(stored: StoreWide, { storeWide: wanted, reconfigure }: Wish): StoreWide {
  for (const path of differences(stored, wanted)) {
    const [has, gets] = [valueAt(stored, path), wanted[path]];
    if (!reconfigure) {
      throw new TypeError(
        `${path}: the store has ${show(has)}, got ${show(gets)}; leave it out, or change the store with reconfigure: true`,
      );
    }
    if (path === 'dedup.mode' && (has === 'off' || gets === 'off')) {
      throw new TypeError(
        `dedup.mode: the store has ${show(has)} and cannot become ${show(gets)}; export() it and import() that into a store made so`,
      );
    }
  }
  return { ...stored, ...wanted };
}

/** Paths in which the store is not as `wanted`. */
export function differences(stored: StoreWide, wanted: StoreWide): string[] {
  return Object.keys(wanted).filter((path) => wanted[path] !== valueAt(stored, path));
}

/** `options` with what the store has in place of what they say of it. */
export function withStoreWide(options: OpenOptions, storeWide: StoreWide): OpenOptions {
  const all: Record<string, unknown> = { ...options };
  for (const [path, value] of Object.entries(storeWide)) {
    const [group, name] = path.split('.') as [string, string?];
    all[group] = name === undefined ? value : { ...(all[group] as object | undefined), [name]: value };
  }
  return all as OpenOptions;
}

/** As JSON takes it, which has no `Infinity`. */
export function toSettings(storeWide: StoreWide): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(storeWide).map(([path, value]) => [path, value === Infinity ? null : value]),
  );
}

/** What is known of what `toSettings` gave. */
export function fromSettings(settings: Readonly<Record<string, unknown>>): StoreWide {
  const known = Object.entries(settings).filter(([path]) => Object.hasOwn(STORE_WIDE, path));
  return Object.fromEntries(known.map(([path, value]) => [path, value === null ? Infinity : value]));
}

function valueAt(storeWide: StoreWide, path: string): unknown {
  return Object.hasOwn(storeWide, path) ? storeWide[path] : STORE_WIDE[path];
}

function at(options: object, path: string): unknown {
  return path.split('.').reduce((group: unknown, name) => Object(group)[name], options);
}
