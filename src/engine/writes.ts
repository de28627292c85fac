/**
 * The calls that change keys: each is checked and encoded before it takes its place in
 * the queue, and happens whole or not at all.
 */

import type { Eventually } from '../base/bytes.js';
import { decode, type Encoded } from '../base/codec/index.js';
import { requireKey, requireKeys, requireOptions, toMilliseconds } from '../contract/arguments.js';
import { resolveWriteDurability } from '../contract/options.js';
import type { Commit } from '../contract/store.js';
import type { RunKey } from '../structures/runs/index.js';
import { admitSet, admitSetMany } from './admit.js';
import { type Admitted, admitBatch, admitMerge, checkUpdate } from './admit-batch.js';
import { type Bounds, isEverything, resolveRange } from './bounds.js';
import type { Committer } from './commit.js';
import type { Environment } from './environment.js';
import type { Expired } from './expirer.js';
import type { Mutation } from './mutation.js';
import type { OwnOperators } from './operators.js';
import type { Packing } from './packing.js';
import type { Planner } from './plan.js';
import type { Made, MutationSource } from './queue.js';
import { missing, type Reads } from './reads.js';
import type { Counters } from './report.js';

import type { State } from './state.js';

const WRITE_OPTIONS = ['durability', 'strict'] as const;
const NO_OPERATORS: OwnOperators = new Map();

export interface WritesParts {
  readonly environment: Environment;
  readonly state: State;
  readonly committer: Committer;
  readonly planner: Planner;
  readonly packing: Packing;
  readonly reads: Reads;
  readonly counters: Counters;
  /** The store's clock. */
  readonly now: () => number;
  readonly settle: () => Promise<void>;
  /** What has expired and was not removed yet. REQUIRES: the state is settled. */
  readonly expired: () => Promise<Expired>;
  /** Whether somebody may ask which keys have changed. */
  readonly watched: () => boolean;
  /** The keys of a range, as of now. */
  readonly keysIn: (bounds: Bounds) => Promise<readonly RunKey[]>;
}

export class Writes {
  readonly #parts: WritesParts;

  constructor(parts: WritesParts) {
    this.#parts = parts;
  }

  async set(key: unknown, value: unknown, options?: unknown): Promise<Commit> {
    const { environment, packing } = this.#parts;
    const { mutations, strict } = admitSet(key, value, options, environment.settings, packing);
    const { version, durability } = await this.#submit(mutations, strict);
    return { version, durability };
  }

  async setMany(entries: unknown, options?: unknown): Promise<Commit> {
    const { environment, packing } = this.#parts;
    const { mutations, strict } = admitSetMany(entries, options, environment.settings, packing);
    const { version, durability } = await this.#submit(mutations, strict);
    return { version, durability };
  }

  async batch(operations: unknown, options?: unknown): Promise<Commit> {
    const { settings, operators = NO_OPERATORS } = this.#parts.environment;
    const { version, durability } = await this.#submitWithRoom(
      admitBatch(operations, options, settings, operators, this.#parts.packing),
    );
    return { version, durability };
  }

  /** Resolves to the merged value, of memory that nobody else has. */
  async merge(key: unknown, operand: unknown, operator: unknown, options?: unknown): Promise<unknown> {
    const { settings, operators = NO_OPERATORS } = this.#parts.environment;
    const stored: Encoded[] = [];
    const note = (merged: Encoded) => (stored[0] = merged);
    const merged = () => decode(stored[0]!.kind, stored[0]!.bytes);
    await this.#submitWithRoom(
      admitMerge(key, operand, operator, options, settings, operators, note),
      merged,
    );
    return merged();
  }

  /** What an `update` begins with: its options are checked before its function runs. */
  beginUpdate(key: unknown, options?: unknown): Eventually<{ version: number; value: unknown }> {
    checkUpdate(options, this.#parts.environment.settings);
    return this.#parts.reads.versioned(key);
  }

  async delete(key: unknown, options?: unknown): Promise<boolean> {
    const { strict, durable } = this.#writeOptions('delete', options);
    const mutation: Mutation = { type: 'delete', key: requireKey(key) };
    return this.#changedOne(mutation, durable, strict);
  }

  async deleteMany(keys: unknown, options?: unknown): Promise<number> {
    const { durable } = this.#writeOptions('deleteMany', options);
    const unique = [...new Set(requireKeys(keys))];
    const mutations = unique.map((key): Mutation => ({ type: 'delete', key }));
    return (await this.#submit(mutations, durable, changedOf)).changed;
  }

  async clear(range?: unknown, options?: unknown): Promise<number> {
    const { durable } = this.#writeOptions('clear', options);
    const bounds = resolveRange(range);
    const everything = isEverything(bounds);
    let cleared = 0;
    await this.#submit(
      async () => {
        await this.#parts.settle();
        // Whoever watches is told of each key.
        if (everything && !this.#parts.watched()) {
          cleared = this.#parts.state.keys - (await this.#parts.expired()).keys;
          return this.#parts.state.keys > 0 ? [{ type: 'clear' }] : [];
        }
        const keys = await this.#parts.keysIn(bounds);
        cleared = keys.length;
        return keys.map(({ key }): Mutation => ({ type: 'delete', key }));
      },
      durable,
      () => cleared,
    );
    return cleared;
  }

  async expire(key: unknown, ttl: unknown, options?: unknown): Promise<boolean> {
    const { strict, durable } = this.#writeOptions('expire', options);
    const ttlMs = toMilliseconds('ttl', ttl);
    if (ttlMs === Infinity) return this.persist(key, options);
    return this.#changedOne({ type: 'expire', key: requireKey(key), ttlMs }, durable, strict);
  }

  async expireMany(keys: unknown, ttl: unknown, options?: unknown): Promise<number> {
    const { durable } = this.#writeOptions('expireMany', options);
    const ttlMs = toMilliseconds('ttl', ttl);
    const unique = [...new Set(requireKeys(keys))];
    const mutations = unique.map((key): Mutation => ({ type: 'expire', key, ttlMs }));
    return (await this.#submit(mutations, durable, changedOf)).changed;
  }

  async persist(key: unknown, options?: unknown): Promise<boolean> {
    const { strict, durable } = this.#writeOptions('persist', options);
    const checked = requireKey(key);
    const { planner, now } = this.#parts;
    const mutations: Mutation[] = [{ type: 'expire', key: checked, ttlMs: Infinity }];
    const lookFirst = async () => {
      if (!(await planner.isThere(checked, now()))) missing(checked, undefined, true);
      return mutations;
    };
    const outcome = await this.#submit(strict ? lookFirst : mutations, durable, changedOne);
    return outcome.changed === 1;
  }

  #submit(mutations: MutationSource, strict: boolean, answer?: (made: Made) => unknown) {
    this.#parts.counters.operations += 1;
    return this.#parts.committer.submit(mutations, strict, answer);
  }

  /** Where the maplet may not grow, the room is counted when it is the call's turn. */
  #submitWithRoom({ mutations, strict }: Admitted, answer?: (made: Made) => unknown) {
    if (this.#parts.environment.settings.maplet.autoResize) return this.#submit(mutations, strict, answer);
    return this.#submit(
      async () => {
        const all = await mutations;
        await this.#parts.planner.reserve(all, this.#parts.now());
        return all;
      },
      strict,
      answer,
    );
  }

  async #changedOne(
    mutation: Mutation & { key: string },
    durable: boolean,
    strict: boolean,
  ): Promise<boolean> {
    const { changed } = await this.#submit([mutation], durable, changedOne);
    if (changed === 0) missing(mutation.key, undefined, strict);
    return changed === 1;
  }

  #writeOptions(call: string, options: unknown): { strict: boolean; durable: boolean } {
    const given = requireOptions<{ durability?: unknown; strict?: boolean }>(call, options, WRITE_OPTIONS);
    const durable = resolveWriteDurability(given.durability, this.#parts.environment.settings);
    return { strict: given.strict === true, durable };
  }
}

const changedOf = ({ changed }: Made): number => changed;
const changedOne = ({ changed }: Made): boolean => changed === 1;
