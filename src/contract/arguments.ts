/**
 * Checks of single arguments: keys, times, counts. Each throws a `TypeError` or a
 * `RangeError` that says what was expected and what came, before anything moved.
 */
import { isLatin1 } from '../base/bytes.js';

/** Milliseconds above 0, `Infinity` for no limit, or `'500ms'`, `'60s'`, `'15m'`, `'2h'`, `'7d'`. Not seconds. */
export type Duration = number | string;

/** Longest key, in encoded bytes: one a code unit while all are Latin-1, else two. */
export const KEY_BYTES_MAX = 64 * 1024;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The latest point in time that a `Date` can show; deadlines beyond it are refused. */
export const TIME_MAX = 8.64e15;

/** A value in an error message: short, and never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value)
      ? 'an array'
      : `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
  }
  return String(value);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Milliseconds of `value`. `0`, negative and `NaN` are a RangeError. */
export function toMilliseconds(name: string, value: unknown): number {
  const expected = `${name}: expected milliseconds above 0, Infinity, or a string such as '60s'`;
  if (typeof value === 'string') {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value);
    if (!match) throw new RangeError(`${expected} (units: ms, s, m, h, d), got ${show(value)}`);
    value = Number(match[1]) * UNIT_MS[match[2]!]!;
  }
  if (typeof value !== 'number') throw new TypeError(`${expected}, got ${show(value)}`);
  if (!(value > 0)) throw new RangeError(`${expected}, got ${value}`);
  if (value > TIME_MAX && value !== Infinity)
    throw new RangeError(`${expected} up to ${TIME_MAX}, got ${value}`);
  return value;
}

/** The point in time `ttlMs` from `now`; no expiry is `Infinity`. */
export function deadlineAfter(now: number, ttlMs: number): number {
  const deadline = now + ttlMs;
  if (deadline > TIME_MAX && deadline !== Infinity) {
    throw new RangeError(`ttl: expected a deadline that a Date can hold, got ${ttlMs} ms from now`);
  }
  return deadline;
}

export function requirePositive(name: string, value: unknown, least = Number.MIN_VALUE): number {
  if (typeof value !== 'number') throw new TypeError(`${name}: expected a number, got ${show(value)}`);
  if (!(value >= least)) {
    throw new RangeError(`${name}: expected ${least === 0 ? '0 or more' : 'more than 0'}, got ${value}`);
  }
  return value;
}

export function requireWhole(name: string, value: unknown, least: number): number {
  if (typeof value !== 'number') throw new TypeError(`${name}: expected a number, got ${show(value)}`);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name}: expected a whole number from ${least}, got ${value}`);
  }
  return value;
}

/** A key is any string of at most `KEY_BYTES_MAX` encoded bytes. */
export function requireKey(key: unknown): string {
  if (typeof key !== 'string') throw new TypeError(`key: expected a string, got ${show(key)}`);
  if (key.length * 2 > KEY_BYTES_MAX) {
    const bytes = isLatin1(key) ? key.length : key.length * 2;
    if (bytes > KEY_BYTES_MAX) {
      throw new RangeError(`key: expected at most ${KEY_BYTES_MAX} encoded bytes, got ${bytes}`);
    }
  }
  return key;
}

export function requireKeys(keys: unknown): readonly string[] {
  if (!Array.isArray(keys)) throw new TypeError(`keys: expected an array of strings, got ${show(keys)}`);
  for (const key of keys) requireKey(key);
  return keys as string[];
}

/** Options of one call: an object or nothing, with no name outside `allowed`. */
export function requireOptions<T extends object>(
  call: string,
  options: unknown,
  allowed: readonly (keyof T)[],
): T {
  if (options === undefined) return {} as T;
  if (!isRecord(options)) throw new TypeError(`${call}: expected an object of options, got ${show(options)}`);
  for (const name of Object.keys(options)) {
    if (!(allowed as readonly string[]).includes(name)) {
      throw new TypeError(`${call}: unknown option ${name}: expected one of ${allowed.join(', ')}`);
    }
  }
  return options as T;
}
