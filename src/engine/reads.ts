/**
 * The calls that read single keys. Expired ones are missing, and each read takes its
 * place among the writes that are in the queue.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { CorruptionError, NotFoundError } from '../base/errors.js';
import { requireKey, requireKeys, requireOptions } from '../contract/arguments.js';
import type { Entry, ReadOptions } from '../contract/store.js';
import type { Accesses } from './accesses.js';
import type { Committer } from './commit.js';
import type { CurrentRecords } from './current.js';
import type { Found, Lookup } from './lookup.js';
import type { Reader } from './reader.js';
import type { Counters } from './report.js';
import type { State } from './state.js';

const READ_OPTIONS = ['default', 'touch', 'strict'] as const;

export interface ReadsParts {
  readonly state: State;
  readonly committer: Committer;
  readonly lookup: Lookup;
  readonly reader: Reader;
  readonly records: CurrentRecords;
  readonly counters: Counters;
  /** Where the store has a budget. */
  readonly accesses: Accesses | undefined;
  /** The store's clock. */
  readonly now: () => number;
}

export class Reads {
  readonly #parts: ReadsParts;

  constructor(parts: ReadsParts) {
    this.#parts = parts;
  }

  get(key: unknown, options?: unknown): Eventually<unknown> {
    const { touch, ...given } = readOptions(options);
    const checked = requireKey(key);
    return this.#read([checked], () => this.#get(checked, given, touch));
  }

  getMany(keys: unknown, options?: unknown): Eventually<unknown[]> {
    const { touch, ...given } = readOptions(options);
    const checked = requireKeys(keys);
    return this.#read(checked, () => {
      const values = checked.map((key) => this.#get(key, given, touch));
      return values.some((value) => value instanceof Promise) ? Promise.all(values) : values;
    });
  }

  has(key: unknown): Eventually<boolean> {
    const checked = requireKey(key);
    return this.#read([checked], () =>
      andThen(this.#live(checked), (found) => this.#count(found) !== undefined),
    );
  }

  getEntry(key: unknown, options?: unknown): Eventually<Entry | unknown> {
    const { default: fallback, strict, touch } = readOptions(options);
    const checked = requireKey(key);
    return this.#read([checked], () =>
      andThen(this.#live(checked), (found): Eventually<unknown> => {
        if (!this.#count(found)) return missing(checked, fallback, strict);
        const usedAt = this.#parts.accesses?.usedAt(checked) ?? 0;
        if (touch) this.#parts.accesses?.note(checked);
        return andThen(this.#parts.reader.entry(checked, found!), (entry) => ({
          ...entry,
          accessedAt: Math.max(usedAt, entry.accessedAt),
        }));
      }),
    );
  }

  /** The value and its version; 0 where there is none. */
  versioned(key: unknown): Eventually<{ version: number; value: unknown }> {
    const checked = requireKey(key);
    return this.#read([checked], () =>
      andThen(this.#live(checked), (found): Eventually<{ version: number; value: unknown }> => {
        if (!this.#count(found)) return { version: 0, value: undefined };
        this.#parts.accesses?.note(checked);
        return andThen(this.#parts.reader.value(found!), (value) => ({ version: found!.version, value }));
      }),
    );
  }

  /** Milliseconds left, `null` without expiry, `undefined` without key. */
  ttl(key: unknown, options?: unknown): Eventually<number | null | undefined> {
    const { strict } = requireOptions<ReadOptions>('ttl', options, ['strict']);
    const checked = requireKey(key);
    return this.#read([checked], () =>
      andThen(this.#live(checked), (found) => {
        if (!found) return missing(checked, undefined, strict === true) as undefined;
        return found.expiresAt === Infinity ? null : found.expiresAt - this.#parts.now();
      }),
    );
  }

  #live(key: string): Eventually<Found | undefined> {
    return andThen(this.#parts.lookup.find(key), (found) =>
      found && found.expiresAt > this.#parts.now() ? found : undefined,
    );
  }

  #get(key: string, given: { default: unknown; strict: boolean }, touch: boolean): Eventually<unknown> {
    return andThen(this.#live(key), (found): Eventually<unknown> => {
      if (!this.#count(found)) return missing(key, given.default, given.strict);
      if (touch) this.#parts.accesses?.note(key);
      return this.#parts.reader.value(found!);
    });
  }

  #count(found: Found | undefined): Found | undefined {
    this.#parts.counters.operations += 1;
    if (found) this.#parts.counters.hits += 1;
    else this.#parts.counters.misses += 1;
    return found;
  }

  /**
   * Where the log answers later, a commit may let go of a value between finding it and
   * reading it, or another log may follow; then what was found is found again.
   */
  #read<T>(keys: readonly string[] | undefined, read: () => Eventually<T>): Eventually<T> {
    const { version } = this.#parts.state;
    const { era } = this.#parts.records;
    const answer = this.#parts.committer.read(keys, read);
    if (!(answer instanceof Promise)) return answer;
    const same = () => era === this.#parts.records.era;
    return answer.then(
      (value) => (same() ? value : this.#read(keys, read)),
      (error) => {
        const unmoved = !(error instanceof CorruptionError) || this.#parts.state.version === version;
        if (same() && unmoved) throw error;
        return this.#read(keys, read);
      },
    );
  }
}

function readOptions(options: unknown): { default: unknown; strict: boolean; touch: boolean } {
  const given = requireOptions<ReadOptions>('get', options, READ_OPTIONS);
  return { default: given.default, strict: given.strict === true, touch: given.touch !== false };
}

export function missing(key: string, fallback: unknown, strict: boolean): unknown {
  if (strict) throw new NotFoundError('there is no such key', { detail: { key } });
  return fallback;
}
