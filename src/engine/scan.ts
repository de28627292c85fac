/**
 * Ordered scans over one version of the store: the buffer's keys and the runs of the
 * sealed extents, merged. A run's key counts only where the index of that version
 * names its very location and the buffer does not hide it.
 *
 * Costs a few reads of blocks to begin with, then one block for a hundred keys or so.
 */
import { compareKeys } from '../base/bytes.js';
import { hashString, lane } from '../base/hash.js';
import { requireKey, requireOptions, requireWhole, show } from '../contract/arguments.js';
import type { Range } from '../contract/store.js';
import { blockOf, decodeBlock, type Run, type RunKey } from '../structures/runs/index.js';
import type { RecordSource, Records } from './records.js';
import type { BufferedKey, State, View } from './state.js';

/** A range, checked: keys from `low` on and below `high`. */
export interface Bounds {
  readonly low: string;
  /** `undefined`: no end. */
  readonly high: string | undefined;
  readonly limit: number;
  readonly reverse: boolean;
  /** Only keys that have a deadline. */
  readonly deadlineOnly: boolean;
}

const RANGE_OPTIONS = ['prefix', 'start', 'end', 'limit', 'reverse'] as const;

/** @throws TypeError, RangeError */
export function resolveRange(range: unknown, deadlineOnly = false): Bounds {
  const {
    prefix = '',
    start = '',
    end,
    limit,
    reverse = false,
  } = requireOptions<Range>('range', range, RANGE_OPTIONS);
  requireKey(prefix);
  requireKey(start);
  if (end !== undefined) requireKey(end);
  if (typeof reverse !== 'boolean')
    throw new TypeError(`reverse: expected true or false, got ${show(reverse)}`);
  const behind = behindPrefix(prefix);
  return {
    low: start > prefix ? start : prefix,
    high: end === undefined || (behind !== undefined && behind < end) ? behind : end,
    limit: limit === undefined || limit === Infinity ? Infinity : requireWhole('limit', limit, 0),
    reverse,
    deadlineOnly,
  };
}

/** The first string that is behind every string with this prefix. */
function behindPrefix(prefix: string): string | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const unit = prefix.charCodeAt(i);
    if (unit < 0xffff) return prefix.slice(0, i) + String.fromCharCode(unit + 1);
  }
  return undefined;
}

/** A row of keys in order, one block of which is in memory. */
class Source {
  #keys: readonly RunKey[];
  #at = 0;
  #block: number;

  constructor(
    keys: readonly RunKey[],
    private readonly bounds: Bounds,
    private readonly run: Run = [],
    block = -1,
    private readonly records?: RecordSource,
  ) {
    this.#keys = bounds.reverse ? keys.toReversed() : keys;
    this.#block = block;
  }

  /** The key that is next; at first, and after `skip`, it may still have to be read. */
  get current(): RunKey | undefined {
    return this.#keys[this.#at];
  }

  skip(): void {
    this.#at += 1;
  }

  /** Brings the next block into memory where the one before is used up. */
  async fill(): Promise<void> {
    while (this.#at >= this.#keys.length) {
      const fence = this.run[this.#block];
      if (!fence || !this.records) return;
      if (this.bounds.high !== undefined && !this.bounds.reverse && fence.firstKey >= this.bounds.high)
        return;
      const read = this.records.read(fence.location);
      const keys = decodeBlock((read instanceof Promise ? await read : read).value).filter((k) =>
        within(this.bounds, k.key),
      );
      const before = this.bounds.reverse && fence.firstKey < this.bounds.low;
      this.#keys = this.bounds.reverse ? keys.reverse() : keys;
      this.#at = 0;
      this.#block = before ? -1 : this.#block + (this.bounds.reverse ? -1 : 1);
    }
  }
}

function within({ low, high }: Bounds, key: string): boolean {
  return key >= low && (high === undefined || key < high);
}

/** Keys of a version, in order, a piece at a time; those that had expired at `now` are left out. */
export class KeyScan {
  readonly #sources: Source[];
  #left: number;
  #begun = false;

  constructor(
    private readonly state: State,
    readonly view: View,
    private readonly bounds: Bounds,
    /** Those of the view's log. */
    readonly records: Records,
    private readonly now: number,
    /** The deadlines of `state` may be others by now: those of the records count. */
    private readonly past = false,
  ) {
    this.#left = bounds.limit;
    this.#sources = [new Source(bufferedKeys(view, bounds, now), bounds)];
    for (const run of view.runs) {
      this.#sources.push(new Source([], bounds, run, firstBlock(run, bounds), records));
    }
  }

  /** The next keys, at most `most`; none at the end. */
  async take(most: number): Promise<RunKey[]> {
    const taken: RunKey[] = [];
    if (!this.#begun) for (const source of this.#sources) await source.fill();
    this.#begun = true;
    while (this.#left > 0 && taken.length < most) {
      const best = this.#nearest();
      if (!best) break;
      const item = best.current!;
      best.skip();
      if (!best.current) await best.fill();
      if (this.bounds.deadlineOnly && !item.hasDeadline) continue;
      if (best !== this.#sources[0]) {
        if (!isAlive(this.state, this.view, item, this.past ? undefined : this.now)) continue;
        if (this.past && item.hasDeadline && !(await this.#isInTime(item))) continue;
      }
      this.#left -= 1;
      taken.push(item);
    }
    return taken;
  }

  async #isInTime({ location }: RunKey): Promise<boolean> {
    const read = this.records.read(location);
    return (read instanceof Promise ? await read : read).expiresAt > this.now;
  }

  #nearest(): Source | undefined {
    const { reverse } = this.bounds;
    let best: Source | undefined;
    for (const source of this.#sources) {
      if (source.current && (!best || isBefore(source.current.key, best.current!.key, reverse)))
        best = source;
    }
    return best;
  }
}

/** The block with which a scan of `run` begins. */
function firstBlock(run: Run, { low, high, reverse }: Bounds): number {
  if (!reverse) return Math.max(0, blockOf(run, low));
  return high === undefined ? run.length - 1 : blockOf(run, high);
}

function isBefore(a: string, b: string, reverse: boolean): boolean {
  return reverse ? a > b : a < b;
}

function bufferedKeys(view: View, bounds: Bounds, now: number): RunKey[] {
  if (view.sorted) return sortedWithin(view.sorted, bounds, now);
  const keys: RunKey[] = [];
  for (const [key, { content, location, expiresAt }] of view.buffer) {
    if (content && expiresAt > now && within(bounds, key)) {
      keys.push({ key, location, hasDeadline: expiresAt !== Infinity });
    }
  }
  return keys.sort((a, b) => compareKeys(a.key, b.key));
}

function sortedWithin(sorted: readonly BufferedKey[], { low, high }: Bounds, now: number): RunKey[] {
  const keys: RunKey[] = [];
  for (let i = firstFrom(sorted, low); i < sorted.length; i++) {
    const { key, location, expiresAt } = sorted[i]!;
    if (high !== undefined && key >= high) break;
    if (expiresAt > now) keys.push({ key, location, hasDeadline: expiresAt !== Infinity });
  }
  return keys;
}

/** Index of the first key that is not before `low`. */
function firstFrom(sorted: readonly BufferedKey[], low: string): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]!.key < low) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Whether the record of a run's key is the current one, and was not due `now` if that is given. */
function isAlive(
  state: State,
  view: View,
  { key, location, hasDeadline }: RunKey,
  now: number | undefined,
): boolean {
  if (view.buffer.has(key)) return false;
  const high = hashString(state.secret, key);
  const low = lane[0]!;
  if (!view.index.names(high, low, location)) return false;
  return !hasDeadline || now === undefined || (state.deadlines.deadlineOf(high, low) ?? Infinity) > now;
}
