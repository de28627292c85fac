/**
 * The change feed: what was committed, by key, in the order of the versions, for whoever
 * asks for what came behind a version that he knows.
 *
 * Watchers pull: a call for the next changes waits here until there are some, for a while.
 * So a watcher that is slow slows nobody down, and one whose leader went away asks the next
 * one, as with any call.
 *
 * Invariants
 *  1. What is kept has no gap: every change of every version above `#floor`.
 *  2. An answer has the changes of whole versions, and says up to which; so asking on from
 *     there misses nothing and tells nothing twice.
 *
 * In memory: the last `CHANGES_MAX` changes with their encoded values, `BYTES_MAX` bytes of
 * them, and at least the last version.
 */
import { HistoryError } from '../base/errors.js';
import { requireKey, requireOptions, requireWhole } from '../contract/arguments.js';
import type { Mode } from '../contract/options.js';
import type { Change as PublicChange, WatchOptions } from '../contract/store.js';
import { isMade } from './assemble.js';
import type { Environment } from './environment.js';
import type { Packing, Value } from './packing.js';
import type { Planned } from './plan.js';
import type { State } from './state.js';

const CHANGES_MAX = 10_000;
const BYTES_MAX = 2 * 2 ** 20;
/** What a change takes beside key and value, about. */
const CHANGE_BYTES = 100;
/** A call waits so long at most: less than any call may take. */
const WAIT_MS = 5000;
/** Somebody who has not asked for so long watches no more. */
const WATCHED_MS = 60_000;
/** An answer holds about so much. */
const ANSWER_CHANGES = 1000;
const ANSWER_BYTES = 256 * 1024;

/** What a call has changed. */
export interface Published {
  readonly planned: Planned;
  readonly version: number;
  /** Who made the call; '' for the store itself. */
  readonly session: string;
}

interface Kept {
  readonly version: number;
  readonly key: string;
  readonly kind: PublicChange['kind'];
  readonly value: Value | undefined;
  readonly session: string;
  readonly bytes: number;
}

/** Where a watcher is, and what else he may want to know. */
export interface FeedPlace {
  /** All changes up to this version are told. */
  readonly version: number;
  /** Of the engine that answers: another one, and another tab leads. */
  readonly term: string;
  readonly mode: Mode;
  /** What was missing of the store when it was opened. */
  readonly losses: readonly string[];
  /** Writes that were refused since, because there was no room. */
  readonly refused: number;
}

export interface FeedPiece extends FeedPlace {
  readonly changes: readonly PublicChange[];
}

export interface FeedParts {
  readonly state: State;
  readonly packing: Packing;
  readonly environment: Environment;
  /** The store's clock. */
  readonly now: () => number;
}

export class Feed {
  readonly #parts: FeedParts;
  #kept: Kept[] = [];
  /** Of those that were let go, still in the array. */
  #head = 0;
  #bytes = 0;
  /** The version behind which everything is kept; `undefined` until the store is open. */
  #floor: number | undefined;
  #lastAsked = -Infinity;
  #waiting = new Set<() => void>();
  #closed = false;
  #term = '';
  #refused = 0;

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** The store was read: what comes from now on is kept. */
  start(): void {
    const { state, environment } = this.#parts;
    this.#floor = state.version;
    // A store in memory has the same epoch for each who leads it.
    this.#term = `${environment.epoch ?? 0}.${environment.now()}`;
  }

  /** Whether somebody may ask for the changes of now. */
  get watched(): boolean {
    return this.#waiting.size > 0 || this.#parts.now() - this.#lastAsked < WATCHED_MS;
  }

  /** What was committed last. */
  note(published: readonly Published[]): void {
    for (const { planned, version, session } of published) {
      if (planned.type === 'clear') this.#forget(version);
      else if (planned.type === 'put') {
        // What came as a stream may be as large as the disk: it is told without its value.
        const value = isMade(planned.encoded) ? undefined : planned.encoded;
        this.#keep(planned.key, 'set', value, version, session);
      } else if (planned.type === 'delete') {
        this.#keep(planned.key, planned.cause ?? 'delete', undefined, version, session);
      }
    }
    this.#trim();
    this.#wake();
  }

  /** A write was refused because there was no room. */
  noteRefused(): void {
    this.#refused += 1;
    this.#wake();
  }

  /** Where a watcher begins that asks for this. */
  begin(options: unknown): FeedPlace {
    const { since } = resolveWatch(options);
    this.#lastAsked = this.#parts.now();
    return this.#place(since ?? this.#parts.state.version);
  }

  /**
   * The changes behind a place; waits a while where there are none.
   *
   * @throws HistoryError when they are not kept any more, or its version is none of this store.
   */
  async next(place: FeedPlace, options: unknown, session: string): Promise<FeedPiece> {
    const filter = resolveWatch(options);
    const { version, term, refused } = place;
    this.#requireKnown(version, term);
    if (this.#parts.state.version === version && term === this.#term && refused === this.#refused) {
      await this.#wait();
      this.#requireKnown(version, term);
    }
    this.#lastAsked = this.#parts.now();
    return this.#answer(version, filter, session);
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #place(version: number): FeedPlace {
    const { mode, losses = [] } = this.#parts.environment;
    return { version, term: this.#term, mode, losses, refused: this.#refused };
  }

  #requireKnown(since: number, term: string): void {
    const { state, environment } = this.#parts;
    const { version } = state;
    const floor = this.#floor ?? version;
    if (environment.mode === 'memory' && term !== this.#term) {
      throw new HistoryError('the tab that held the store in memory went away; this is another one');
    }
    if (since >= floor && since <= version) return;
    throw new HistoryError(
      since > version
        ? `there was no version ${since} yet: the store is at ${version}`
        : `changes are kept behind version ${floor}; those since ${since} are not all there any more`,
      { detail: { since, oldest: floor, version } },
    );
  }

  async #answer(since: number, filter: Filter, session: string): Promise<FeedPiece> {
    const { packing, state } = this.#parts;
    const found: Kept[] = [];
    let bytes = 0;
    let version = state.version;
    for (let i = this.#firstBehind(since); i < this.#kept.length; i++) {
      const kept = this.#kept[i]!;
      const before = this.#kept[i - 1];
      const full = found.length >= ANSWER_CHANGES || bytes >= ANSWER_BYTES;
      if (full && before && before.version !== kept.version) {
        version = before.version;
        break;
      }
      if (!matches(filter, kept.key)) continue;
      found.push(kept);
      bytes += kept.bytes;
    }
    const place = this.#place(version);
    const changes: PublicChange[] = [];
    for (const kept of found) {
      const { key, kind } = kept;
      const change = { version: kept.version, key, kind, local: kept.session === session };
      if (!kept.value) changes.push(change);
      else {
        const decoded = packing.decode(kept.value);
        changes.push({ ...change, value: decoded instanceof Promise ? await decoded : decoded });
      }
    }
    return { ...place, changes };
  }

  /** Index of the first change behind `version`. */
  #firstBehind(version: number): number {
    let from = this.#head;
    let to = this.#kept.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#kept[middle]!.version <= version) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #wait(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#parts.environment.after(WAIT_MS, done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const done of this.#waiting) done();
  }

  #keep(key: string, kind: Kept['kind'], value: Value | undefined, version: number, session: string): void {
    const bytes = CHANGE_BYTES + key.length * 2 + (value?.bytes.length ?? 0);
    this.#kept.push({ version, key, kind, value, session, bytes });
    this.#bytes += bytes;
  }

  /** Nobody can be told all that went in this version. */
  #forget(version: number): void {
    this.#kept = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#floor = version;
  }

  /** Lets the oldest versions go, each whole. */
  #trim(): void {
    const last = this.#kept.at(-1)?.version;
    const tooMuch = () => this.#kept.length - this.#head > CHANGES_MAX || this.#bytes > BYTES_MAX;
    while (tooMuch() && this.#kept[this.#head]!.version !== last) {
      const { version } = this.#kept[this.#head]!;
      for (; this.#kept[this.#head]!.version === version; this.#head++) {
        this.#bytes -= this.#kept[this.#head]!.bytes;
      }
      this.#floor = version;
    }
    if (this.#head <= this.#kept.length / 2 || this.#head < 1000) return;
    this.#kept = this.#kept.slice(this.#head);
    this.#head = 0;
  }
}

interface Filter {
  readonly key: string | undefined;
  readonly prefix: string;
  readonly since: number | undefined;
}

const WATCH_OPTIONS = ['key', 'prefix', 'since'] as const;

/** @throws TypeError, RangeError */
function resolveWatch(options: unknown): Filter {
  const { key, prefix, since } = requireOptions<WatchOptions>('watch', options, WATCH_OPTIONS);
  if (key !== undefined) requireKey(key);
  if (prefix !== undefined) requireKey(prefix);
  if (key !== undefined && prefix !== undefined) {
    throw new TypeError('watch: expected key or prefix, got both');
  }
  if (since !== undefined) requireWhole('watch: since', since, 0);
  return { key, prefix: prefix ?? '', since };
}

function matches({ key, prefix }: Filter, changed: string): boolean {
  return key === undefined ? changed.startsWith(prefix) : changed === key;
}
