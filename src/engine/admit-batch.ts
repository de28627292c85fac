/**
 * The first step of `batch` and `merge`, and of `update`, whose options are checked
 * before its function runs on the page.
 *
 * What a batch does to one key becomes one mutation, so that its operations see each
 * other and the log gets one entry a key. Keys do not depend on each other, and all
 * get one version: their order in a batch has no effect.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { type Encoded, encode } from '../base/codec/index.js';
import {
  isRecord,
  requireKey,
  requireOptions,
  requireWhole,
  show,
  toMilliseconds,
} from '../contract/arguments.js';
import { resolveWriteDurability, type Settings } from '../contract/options.js';
import type { BatchOperation, MergeOptions, UpdateOptions, WriteOptions } from '../contract/store.js';
import { packed, resolveTerms, TERM_OPTIONS } from './admit.js';
import type { MergeMutation, Mutation, Step } from './mutation.js';
import { type OwnOperators, requireOperator } from './operators.js';
import type { Packing } from './packing.js';

export interface Admitted {
  readonly mutations: Eventually<Mutation[]>;
  readonly strict: boolean;
}

/** What each type of operation says, beside `type` and `key`; a name in `MUST` has to be there. */
const FIELDS = {
  set: ['value', 'ttl', 'keepTtl', 'ifAbsent', 'ifVersion', 'canonical', ...TERM_OPTIONS],
  delete: [],
  expire: ['ttl'],
  persist: [],
  merge: ['operand', 'operator', 'ttl'],
} as const;
const MUST: Readonly<Record<string, string>> = { set: 'value', merge: 'operand' };

export function admitMerge(
  key: unknown,
  operand: unknown,
  operator: unknown,
  options: unknown,
  settings: Settings,
  own: OwnOperators,
  onMerged: (merged: Encoded) => void,
): Admitted {
  const { ttl, durability } = requireOptions<MergeOptions>('merge', options, ['ttl', 'durability']);
  const merging = mergeStep(requireKey(key), operand, operator, ttl, own);
  return {
    mutations: andThen(merging, (mutation) => [{ ...mutation, onMerged }]),
    strict: resolveWriteDurability(durability, settings),
  };
}

export function admitBatch(
  operations: unknown,
  options: unknown,
  settings: Settings,
  own: OwnOperators,
  packing: Packing,
): Admitted {
  const { durability } = requireOptions<WriteOptions>('batch', options, ['durability']);
  const strict = resolveWriteDurability(durability, settings);
  if (!Array.isArray(operations)) {
    throw new TypeError(`batch: expected an array of operations, got ${show(operations)}`);
  }
  const steps = operations.map((operation, i) => {
    try {
      return admitStep(operation, settings, own, packing);
    } catch (error) {
      if (error instanceof Error) error.message = `batch[${i}]: ${error.message}`;
      throw error;
    }
  });
  const mutations = steps.some((step) => step instanceof Promise)
    ? Promise.all(steps).then(byKey)
    : byKey(steps as Step[]);
  return { mutations, strict };
}

export function checkUpdate(options: unknown, settings: Settings): void {
  const given = requireOptions<UpdateOptions>('update', options, ['ttl', 'durability', 'retries']);
  if (given.ttl !== undefined) toMilliseconds('ttl', given.ttl);
  if (given.retries !== undefined) requireWhole('update: retries', given.retries, 0);
  resolveWriteDurability(given.durability, settings);
}

function admitStep(
  operation: unknown,
  settings: Settings,
  own: OwnOperators,
  packing: Packing,
): Eventually<Step> {
  const types = Object.keys(FIELDS);
  if (!isRecord(operation)) throw new TypeError(`expected { type, key, ... }, got ${show(operation)}`);
  const { type } = operation as Partial<BatchOperation>;
  if (!types.includes(type as string)) {
    throw new TypeError(`type: expected one of ${types.join(', ')}, got ${show(type)}`);
  }
  const given = requireOptions<Record<string, unknown>>(type as string, operation, [
    'type',
    'key',
    ...FIELDS[type!],
  ]) as unknown as BatchOperation;
  const must = MUST[given.type];
  if (must !== undefined && !(must in given)) throw new TypeError(`${must}: expected a value, got none`);
  const key = requireKey(given.key);
  switch (given.type) {
    case 'set': {
      const terms = resolveTerms('set', given, settings);
      return andThen(packed(given.value, packing), (encoded) => ({ type: 'put', key, encoded, ...terms }));
    }
    case 'delete':
      return { type: 'delete', key };
    case 'expire':
      return { type: 'expire', key, ttlMs: toMilliseconds('ttl', given.ttl) };
    case 'persist':
      return { type: 'expire', key, ttlMs: Infinity };
    case 'merge':
      return mergeStep(key, given.operand, given.operator, given.ttl, own);
  }
}

function mergeStep(
  key: string,
  operand: unknown,
  name: unknown,
  ttl: unknown,
  own: OwnOperators,
): Eventually<MergeMutation> {
  const operator = requireOperator(name, own);
  operator.check?.(operand);
  const ttlMs = ttl === undefined ? undefined : toMilliseconds('ttl', ttl);
  return andThen(encode(operand), (encoded) => ({ type: 'merge', key, operand: encoded, operator, ttlMs }));
}

function byKey(steps: readonly Step[]): Mutation[] {
  const series = new Map<string, Step[]>();
  for (const step of steps) {
    const same = series.get(step.key);
    if (same) same.push(step);
    else series.set(step.key, [step]);
  }
  return [...series].map(([key, steps]) => ({ type: 'series', key, steps }));
}
