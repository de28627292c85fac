/**
 * The first step of a write: its arguments are checked and its value is encoded,
 * before it stands in the queue and before anything has moved.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { encode } from '../base/codec/index.js';
import {
  requireKey,
  requireOptions,
  requirePositive,
  requireWhole,
  show,
  toMilliseconds,
} from '../contract/arguments.js';
import { resolveWriteDurability, type Settings } from '../contract/options.js';
import type { SetOptions } from '../contract/store.js';
import type { Mutation, PutMutation } from './mutation.js';
import type { Packing, Value } from './packing.js';

export const TERM_OPTIONS = ['priority', 'pinned', 'cost'] as const;
const SET_OPTIONS = [
  'ttl',
  'keepTtl',
  'ifAbsent',
  'ifVersion',
  'canonical',
  'durability',
  ...TERM_OPTIONS,
] as const;
const PRIORITIES = ['low', 'normal', 'high'] as const;

/** The value as the log will take it: encoded, and packed where that is asked for and worth it. */
export function packed(value: unknown, packing: Packing): Eventually<Value> {
  return andThen(encode(value), (encoded) => packing.pack(encoded));
}

/** What the options of a `set` say, checked once for all keys of a `setMany`. */
type PutTerms = Omit<PutMutation, 'type' | 'key' | 'encoded'>;

export function admitSet(
  key: unknown,
  value: unknown,
  options: unknown,
  settings: Settings,
  packing: Packing,
): { mutations: Eventually<Mutation[]>; strict: boolean } {
  const { terms, strict } = resolveSet('set', options, settings);
  const checked = requireKey(key);
  const mutations = andThen(packed(value, packing), (encoded): Mutation[] => [
    { type: 'put', key: checked, encoded, ...terms },
  ]);
  return { mutations, strict };
}

export function admitSetMany(
  entries: unknown,
  options: unknown,
  settings: Settings,
  packing: Packing,
): { mutations: Eventually<Mutation[]>; strict: boolean } {
  const { terms, strict } = resolveSet('setMany', options, settings);
  if (!Array.isArray(entries)) {
    throw new TypeError(`setMany: expected an iterable of [key, value], got ${show(entries)}`);
  }
  // A later duplicate of a key wins: a Map keeps the place of the first and the value of the last.
  const encoded = new Map<string, Value | Promise<Value>>();
  let waits = false;
  for (const pair of entries as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`setMany: expected [key, value], got ${show(pair)}`);
    }
    const bytes = packed(pair[1], packing);
    waits ||= bytes instanceof Promise;
    encoded.set(requireKey(pair[0]), bytes);
  }
  if (!waits) return { mutations: putAll(encoded as Map<string, Value>, terms), strict };
  const all = Promise.all([...encoded].map(async ([key, bytes]) => [key, await bytes] as const));
  return { mutations: all.then((done) => putAll(new Map(done), terms)), strict };
}

function putAll(encoded: ReadonlyMap<string, Value>, terms: PutTerms): Mutation[] {
  const mutations: Mutation[] = [];
  for (const [key, value] of encoded) {
    mutations.push({
      type: 'put',
      key,
      encoded: value,
      ttlMs: terms.ttlMs,
      keepTtl: terms.keepTtl,
      ifAbsent: terms.ifAbsent,
      ifVersion: terms.ifVersion,
      canonical: terms.canonical,
      terms: terms.terms,
    });
  }
  return mutations;
}

export function resolveSet(
  call: string,
  options: unknown,
  settings: Settings,
): { terms: PutTerms; strict: boolean } {
  const given = requireOptions<SetOptions>(call, options, SET_OPTIONS);
  return {
    terms: resolveTerms(call, given, settings),
    strict: resolveWriteDurability(given.durability, settings),
  };
}

/** The options of a `set` but for `durability`, checked. */
export function resolveTerms(call: string, options: SetOptions, settings: Settings): PutTerms {
  const { ttl, keepTtl = false, ifAbsent = false, ifVersion, canonical } = options;
  const { priority = 'normal', pinned = false, cost = 1 } = options;
  for (const [name, flag] of [
    ['keepTtl', keepTtl],
    ['ifAbsent', ifAbsent],
    ['pinned', pinned],
    ['canonical', canonical ?? false],
  ] as const) {
    if (typeof flag !== 'boolean')
      throw new TypeError(`${call}: ${name}: expected true or false, got ${show(flag)}`);
  }
  if (keepTtl && ttl !== undefined) throw new TypeError(`${call}: expected ttl or keepTtl, got both`);
  if (ifVersion !== undefined) requireWhole(`${call}: ifVersion`, ifVersion, 0);
  const ttlMs = ttl === undefined ? settings.ttl.defaultMs : toMilliseconds('ttl', ttl);
  if (!PRIORITIES.includes(priority)) {
    throw new TypeError(`${call}: priority: expected 'low', 'normal' or 'high', got ${show(priority)}`);
  }
  requirePositive(`${call}: cost`, cost);
  return { ttlMs, keepTtl, ifAbsent, ifVersion, canonical, terms: { priority, pinned, cost } };
}
