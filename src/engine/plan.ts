/**
 * From a call's mutations to the entries that will be appended and the changes that
 * will be published. A plan alters nothing; when it throws, the call is refused and
 * nothing has happened.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { decode, type Encoded, encode } from '../base/codec/index.js';
import { CapacityError, ConflictError } from '../base/errors.js';
import { deadlineAfter } from '../contract/arguments.js';
import type { Settings } from '../contract/options.js';
import { type Batch, entry, Type } from '../storage/log/index.js';
import type { Terms } from '../structures/eviction/index.js';
import type { Cause, Change } from './change.js';
import type { Found, Lookup } from './lookup.js';
import type { Maker } from './maker.js';
import { encodeFigures } from './mark.js';
import {
  type CheckpointMutation,
  type ExpireMutation,
  isBlind,
  type MergeMutation,
  type Mutation,
  type PutMutation,
  type Step,
} from './mutation.js';
import {
  type GroupObjects,
  type Holding,
  type NewObject,
  newObject,
  type Placer,
  writtenOf,
} from './objects.js';
import { mergeInto } from './operators.js';
import { type Packing, sizeOf, type Value } from './packing.js';
import type { State } from './state.js';
import { encodeUse, type UseRow, useEntry, useOf } from './use.js';

/** What a key will hold. Where its value will stand is found last, for the value that stays. */
interface Draft {
  readonly encoded: Value;
  /** Whether a stored value with its normal form will do; `undefined`: as the store has it. */
  readonly canonical?: boolean | undefined;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly terms?: Terms | undefined;
}

/** A key as a step finds it: stored and not expired, or as earlier steps of its call have left it. */
type Before = Found | Draft | undefined;

/** What a step leaves of a key; `undefined`: what it found. */
type After = Draft | 'gone' | undefined;

interface PlannedPut extends Draft {
  readonly type: 'put';
  readonly key: string;
  readonly holding: Holding;
  /** What is said of its use beside. */
  readonly use: UseRow | undefined;
}

export type Planned =
  | PlannedPut
  | { readonly type: 'delete'; readonly key: string; readonly cause?: Cause }
  | { readonly type: 'clear' }
  | CheckpointMutation;

export class Planner {
  constructor(
    private readonly state: State,
    private readonly lookup: Lookup,
    private readonly placer: Placer,
    private readonly settings: Settings,
    private readonly packing: Packing,
    /** Where values may be stored as less than they are. */
    private readonly maker: Pick<Maker, 'fresh'> | undefined,
  ) {}

  /** `undefined`: the mutation has nothing to change. */
  plan(mutation: Mutation, time: number, group: GroupObjects): Eventually<Planned | undefined> {
    switch (mutation.type) {
      case 'clear':
        return { type: 'clear' };
      case 'checkpoint':
        return mutation;
      case 'reap':
        return andThen(this.lookup.find(mutation.key), (found) =>
          found && found.expiresAt <= time
            ? ({ type: 'delete', key: mutation.key, cause: 'expire' } as const)
            : undefined,
        );
      case 'restore':
        return this.#write(mutation.key, { ...mutation, updatedAt: time }, group);
      case 'series':
        return andThen(this.#series(mutation.steps, time), (after) =>
          this.#finish(mutation.key, after, time, group),
        );
      default:
        return andThen(this.#first(mutation, time), (after) =>
          after === 'gone'
            ? { type: 'delete', key: mutation.key }
            : after && this.#write(mutation.key, after, group),
        );
    }
  }

  /**
   * Checks that there is room for the keys that the mutations of a call add, less those that
   * they remove. REQUIRES: the state is settled.
   */
  async reserve(mutations: readonly Mutation[], time: number): Promise<void> {
    let wanted = 0;
    for (const mutation of mutations) {
      const planned = await this.plan(mutation, time, new Map());
      if (planned?.type === 'delete') wanted -= 1;
      else if (planned?.type === 'put' && !(await this.isThere(planned.key, time))) wanted += 1;
    }
    if (wanted > 0) this.checkCapacity(wanted);
  }

  /** The call needs room for keys that are not there yet. REQUIRES: the state is settled. */
  checkCapacity(newKeys: number): void {
    const { capacity, autoResize } = this.settings.maplet;
    if (autoResize || this.state.keys + newKeys <= capacity) return;
    throw new CapacityError(
      `the store holds ${this.state.keys} of ${capacity} keys and has no room for ${newKeys} more`,
      {
        detail: { keys: this.state.keys, capacity, wanted: newKeys },
      },
    );
  }

  isThere(key: string, time: number): Eventually<boolean> {
    return andThen(this.#live(key, time), (found) => found !== undefined);
  }

  #live(key: string, time: number): Eventually<Found | undefined> {
    return andThen(this.lookup.find(key), (found) => (found && found.expiresAt > time ? found : undefined));
  }

  /** What a step leaves of a key that its call has not touched yet. */
  #first(step: Step, time: number): Eventually<After> {
    if (!isBlind(step)) return andThen(this.#live(step.key, time), (found) => this.#step(step, found, time));
    const { encoded, canonical } = step;
    if (step.times) return { encoded, canonical, ...step.times };
    // Writes are blind: only what is in memory may be known of the key.
    const slot = this.state.slot(step.key);
    const createdAt = slot?.content && slot.expiresAt > time ? slot.createdAt : time;
    const expiresAt = deadlineAfter(time, step.ttlMs);
    const { terms } = step;
    return { encoded, canonical, expiresAt, createdAt, updatedAt: time, terms };
  }

  #series(steps: readonly Step[], time: number): Eventually<After> {
    let after: After;
    const from = (start: number): Eventually<After> => {
      for (let i = start; i < steps.length; i++) {
        const step = steps[i]!;
        const next =
          after === undefined
            ? this.#first(step, time)
            : this.#step(step, after === 'gone' ? undefined : after, time);
        if (next instanceof Promise) {
          return next.then((done) => {
            after = done ?? after;
            return from(i + 1);
          });
        }
        after = next ?? after;
      }
      return after;
    };
    return from(0);
  }

  #finish(key: string, after: After, time: number, group: GroupObjects): Eventually<Planned | undefined> {
    if (after !== 'gone') return after && this.#write(key, after, group);
    // It may have been this very series that had brought the key.
    return andThen(this.#live(key, time), (found) => found && ({ type: 'delete', key } as const));
  }

  #step(step: Step, before: Before, time: number): Eventually<After> {
    switch (step.type) {
      case 'put':
        return this.#put(step, before, time);
      case 'delete':
        return before && 'gone';
      case 'expire':
        return before && this.#expire(step, before, time);
      case 'merge':
        return this.#merge(step, before, time);
    }
  }

  #put(
    { key, encoded, canonical, ttlMs, keepTtl, ifAbsent, ifVersion, terms }: PutMutation,
    before: Before,
    time: number,
  ): Draft {
    // What the call itself has made of the key has no version that anybody could know.
    const found = before === undefined ? 0 : 'version' in before ? before.version : undefined;
    if (ifAbsent && before) {
      throw new ConflictError(`the key exists already`, { detail: { key, version: found } });
    }
    if (ifVersion !== undefined && ifVersion !== found) {
      throw new ConflictError(
        `expected version ${ifVersion} of the key, found ${found ?? 'what the same call has written'}`,
        { detail: { key, expected: ifVersion, found } },
      );
    }
    const expiresAt = keepTtl && before ? before.expiresAt : deadlineAfter(time, ttlMs);
    return { encoded, canonical, expiresAt, createdAt: before?.createdAt ?? time, updatedAt: time, terms };
  }

  /** The same value under another deadline. */
  #expire({ ttlMs }: ExpireMutation, before: Found | Draft, time: number): Eventually<After> {
    const expiresAt = deadlineAfter(time, ttlMs);
    // Taking away a deadline that is not there changes nothing; giving the same one again does.
    if (expiresAt === Infinity && before.expiresAt === Infinity) return undefined;
    if ('encoded' in before) return { ...before, expiresAt };
    return andThen(this.lookup.record(before), (record) => {
      const { createdAt, updatedAt } = record;
      return andThen(this.lookup.copy(record), (encoded) => {
        return { encoded, expiresAt, createdAt, updatedAt };
      });
    });
  }

  #merge(mutation: MergeMutation, before: Before, time: number): Eventually<Draft> {
    const { key, operand, operator, ttlMs, onMerged } = mutation;
    const expiresAt =
      before && ttlMs === undefined
        ? before.expiresAt
        : deadlineAfter(time, ttlMs ?? this.settings.ttl.defaultMs);
    const draft = (merged: Encoded): Eventually<Draft> => {
      onMerged?.(merged);
      return andThen(this.packing.pack(merged), (encoded) => {
        return { encoded, expiresAt, createdAt: before?.createdAt ?? time, updatedAt: time };
      });
    };
    if (!before) return draft(operand);
    const stored = andThen(this.#content(before), (content) => this.packing.decode(content));
    return andThen(stored, (older) => {
      const newer = decode(operand.kind, operand.bytes);
      return andThen(encode(mergeInto(operator, key, older, newer)), draft);
    });
  }

  /** The encoded value of a key, in memory that others may use too. */
  #content(before: Found | Draft): Eventually<Value> {
    if ('encoded' in before) return before.encoded;
    return andThen(this.lookup.record(before), (record) => this.lookup.value(record));
  }

  #write(key: string, draft: Draft, group: GroupObjects): Eventually<PlannedPut> {
    const { encoded, expiresAt, createdAt, updatedAt, terms } = draft;
    const { canonical = this.settings.dedup.canonical } = draft;
    let other = false;
    const put = (holding: Holding): PlannedPut => {
      const use = terms && useOf(this.state.policy, this.state.secret, key, terms, holding.size);
      const written = other ? { ...encoded, canonical: true } : encoded;
      return { type: 'put', key, encoded: written, holding, expiresAt, createdAt, updatedAt, use };
    };
    if (this.settings.dedup.mode === 'off') {
      return put({ high: 0, low: 0, size: sizeOf(encoded), object: newObject(encoded) });
    }
    const { maker, placer } = this;
    const fresh = (): Eventually<NewObject | Holding> => {
      if (!maker || encoded.canonical) return placer.asItComes(encoded);
      return andThen(maker.fresh(encoded, group, canonical), (found) => {
        other = 'object' in found;
        return found;
      });
    };
    return andThen(this.placer.place(encoded, group, fresh), put);
  }
}

/** Adds the entries of `planned` to the batch, and the changes that they will make to `changes`. */
export function addToBatch(
  planned: Planned,
  batch: Batch,
  version: number,
  time: number,
  changes: Change[],
): void {
  if (planned.type === 'clear') {
    batch.add(entry({ type: Type.Clear, sequence: version, time }));
    changes.push({ type: 'clear', version, time });
    return;
  }
  if (planned.type === 'checkpoint') {
    const { label, figures, onMark } = planned;
    const value = figures && { value: encodeFigures(figures) };
    const fields = { type: Type.Checkpoint, sequence: version, time, key: label, ...value };
    const location = batch.add(entry(fields));
    const mark = figures && { label, version, createdAt: time, ...figures, location };
    if (mark) onMark?.(mark);
    changes.push({ type: 'checkpoint', label, mark, version, time });
    return;
  }
  const { key } = planned;
  if (planned.type === 'delete') {
    batch.add(entry({ type: Type.Delete, sequence: version, time, key }));
    changes.push({ type: 'delete', key, version, time, cause: planned.cause });
    return;
  }
  const { holding, encoded, expiresAt, createdAt, updatedAt } = planned;
  const { high, low, size, object } = holding;
  const { kind, value, packed, reference, brings } = writtenOf(
    encoded,
    holding,
    batch,
    version,
    time,
    changes,
  );
  const before = batch.bytes;
  // Field by field: to spread two objects into one takes as long as all the rest of a write.
  const location = batch.add({
    type: Type.Put,
    sequence: version,
    time,
    key,
    kind,
    value,
    packed,
    reference,
    brings,
    expiresAt,
    createdAt,
    updatedAt,
  });
  if (brings) Object.assign(object, { location, birth: version });
  const content = { high, low, size, object: object.location, brings, made: object.made };
  const bytes = batch.bytes - before;
  changes.push({ type: 'put', key, location, bytes, content, expiresAt, createdAt, version, time });
  if (!planned.use) return;
  const rows = encodeUse([planned.use]);
  batch.add(useEntry(rows, version, time));
  changes.push({ type: 'use', rows, version, time });
}
