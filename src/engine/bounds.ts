/**
 * A range that a caller gave, checked: which keys a scan is to give, in which order, how many.
 */
import { Glob } from '../base/glob.js';
import { requireKey, requireOptions, requireWhole, show } from '../contract/arguments.js';
import type { Range } from '../contract/store.js';

/** A range, checked: keys from `low` on and below `high`. */
export interface Bounds {
  readonly low: string;
  /** `undefined`: no end. */
  readonly high: string | undefined;
  readonly limit: number;
  readonly reverse: boolean;
  /** Only keys that it matches. */
  readonly match: Glob | undefined;
  /** Each item comes with what is left of its time to live. */
  readonly withTtl: boolean;
  /** Only keys that have a deadline. */
  readonly deadlineOnly: boolean;
}

const RANGE_OPTIONS = ['prefix', 'start', 'end', 'match', 'limit', 'reverse', 'withTtl'] as const;

/** @throws TypeError, RangeError */
export function resolveRange(range: unknown, deadlineOnly = false): Bounds {
  const {
    prefix = '',
    start = '',
    end,
    match,
    limit,
    reverse = false,
    withTtl = false,
  } = requireOptions<Range>('range', range, RANGE_OPTIONS);
  requireKey(prefix);
  requireKey(start);
  if (end !== undefined) requireKey(end);
  requireBoolean('reverse', reverse);
  requireBoolean('withTtl', withTtl);
  const glob = match === undefined ? undefined : new Glob(match);
  const low = [prefix, start, glob?.prefix ?? ''].reduce((a, b) => (a > b ? a : b));
  const high = [behindPrefix(prefix), behindPrefix(glob?.prefix ?? ''), end].reduce((a, b) =>
    a === undefined || (b !== undefined && b < a) ? b : a,
  );
  return {
    low,
    high,
    match: glob,
    limit: limit === undefined || limit === Infinity ? Infinity : requireWhole('limit', limit, 0),
    reverse,
    withTtl,
    deadlineOnly,
  };
}

function requireBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`${name}: expected true or false, got ${show(value)}`);
}

/** Whether the range is all keys. */
export function isEverything({ low, high, match, limit }: Bounds): boolean {
  return low === '' && high === undefined && match === undefined && limit === Infinity;
}

/** Whether a key stands between the ends of the range; what it matches is asked last of all. */
export function within({ low, high }: Bounds, key: string): boolean {
  return key >= low && (high === undefined || key < high);
}

/** The first string that is behind every string with this prefix. */
function behindPrefix(prefix: string): string | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const unit = prefix.charCodeAt(i);
    if (unit < 0xffff) return prefix.slice(0, i) + String.fromCharCode(unit + 1);
  }
  return undefined;
}
