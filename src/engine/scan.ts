/**
 * Ordered scans over one version of the store: the buffer's keys and the runs of the
 * sealed extents, merged. A run's key counts only where the index of that version
 * names its very location and the buffer does not hide it.
 *
 * Costs a few reads of blocks to begin with, then one block for a hundred keys or so.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { hashString, lane, type Secret } from '../base/hash.js';
import { blockOf, decodeBlock, type Run, type RunKey } from '../structures/runs/index.js';
import { type Bounds, within } from './bounds.js';
import { bufferedKeys } from './buffered-keys.js';
import type { RecordSource, Records } from './records.js';
import type { State, View } from './state.js';

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

  /** When times to live are told as of, if they are. */
  get ttlAt(): number | undefined {
    return this.bounds.withTtl ? this.now : undefined;
  }

  /** The next keys, at most `most`; none at the end. */
  async take(most: number): Promise<RunKey[]> {
    const taken: RunKey[] = [];
    if (!this.#begun) await Promise.all(this.#sources.map((source) => source.fill()));
    this.#begun = true;
    while (this.#left > 0 && taken.length < most) {
      const best = this.#nearest();
      if (!best) break;
      const item = best.current!;
      best.skip();
      if (!best.current) await best.fill();
      if (this.bounds.deadlineOnly && !item.hasDeadline) continue;
      if (this.bounds.match && !this.bounds.match.matches(item.key)) continue;
      if (best !== this.#sources[0]) {
        if (!isCurrent(this.state.secret, this.view, item)) continue;
        if (item.hasDeadline) {
          const inTime = this.#isInTime(item);
          if (!(inTime instanceof Promise ? await inTime : inTime)) continue;
        }
      }
      this.#left -= 1;
      taken.push(item);
    }
    return taken;
  }

  /** The wheel knows it of the newest version only, and not of keys that are being swept. */
  #isInTime({ key, location }: RunKey): Eventually<boolean> {
    if (!this.past && this.state.version === this.view.version) {
      const high = hashString(this.state.secret, key);
      const deadline = this.state.deadlines.deadlineOf(high, lane[0]!);
      if (deadline !== undefined) return deadline > this.now;
    }
    return andThen(this.records.read(location), ({ expiresAt }) => expiresAt > this.now);
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

/** Whether the record of a run's key is the current one. */
function isCurrent(secret: Secret, view: View, { key, location }: RunKey): boolean {
  if (view.buffer.has(key)) return false;
  const high = hashString(secret, key);
  return view.index.names(high, lane[0]!, location);
}
