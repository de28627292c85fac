/**
 * From a call's mutations to the entries that will be appended and the changes that
 * will be published. A plan alters nothing; when it throws, the call is refused and
 * nothing has happened.
 */
import { andThen, type Eventually, equalBytes } from '../base/bytes.js';
import type { Encoded } from '../base/codec/index.js';
import { CapacityError, ConflictError } from '../base/errors.js';
import { lane } from '../base/hash.js';
import { deadlineAfter } from '../contract/arguments.js';
import type { Settings } from '../contract/options.js';
import { type Batch, entry, INLINE_MAX, Type } from '../storage/log/index.js';
import type { Change } from './change.js';
import type { Contents, StoredObject } from './contents.js';
import type { Found, Lookup } from './lookup.js';
import type { ExpireMutation, Mutation, PutMutation } from './mutation.js';
import type { State } from './state.js';

/** An object that this group of calls brings: its location is known once it is in the batch. */
interface NewObject {
  readonly encoded: Encoded;
  location: number;
  birth: number;
}

interface PlannedPut {
  readonly type: 'put';
  readonly key: string;
  readonly encoded: Encoded;
  readonly high: number;
  readonly low: number;
  readonly size: number;
  readonly object: StoredObject | NewObject;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type Planned =
  | PlannedPut
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'clear' };

/** Objects that the calls of one group bring, found by their content before they are applied. */
export type GroupObjects = Map<number, NewObject[]>;

export class Planner {
  constructor(
    private readonly state: State,
    private readonly lookup: Lookup,
    private readonly contents: Contents,
    private readonly settings: Settings,
  ) {}

  /** `undefined`: the mutation has nothing to change. */
  plan(mutation: Mutation, time: number, group: GroupObjects): Eventually<Planned | undefined> {
    switch (mutation.type) {
      case 'put':
        return this.#put(mutation, time, group);
      case 'clear':
        return { type: 'clear' };
      case 'expire':
        return andThen(
          this.#live(mutation.key, time),
          (found) => found && this.#expire(mutation, found, time),
        );
      case 'delete':
        return andThen(
          this.#live(mutation.key, time),
          (found) => found && ({ type: 'delete', key: mutation.key } as const),
        );
      case 'reap':
        return andThen(this.lookup.find(mutation.key), (found) =>
          found && found.expiresAt <= time ? ({ type: 'delete', key: mutation.key } as const) : undefined,
        );
    }
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

  #put(mutation: PutMutation, time: number, group: GroupObjects): Eventually<Planned> {
    const { key, encoded, keepTtl, ifAbsent, ifVersion } = mutation;
    if (!keepTtl && !ifAbsent && ifVersion === undefined) {
      const slot = this.state.slot(key);
      const createdAt = slot?.content && slot.expiresAt > time ? slot.createdAt : time;
      const expiresAt = deadlineAfter(time, mutation.ttlMs);
      return this.#write(key, encoded, { expiresAt, createdAt, updatedAt: time }, group);
    }
    return andThen(this.#live(key, time), (found) => {
      if (ifAbsent && found) {
        throw new ConflictError(`the key exists already`, { detail: { key, version: found.version } });
      }
      if (ifVersion !== undefined && ifVersion !== (found?.version ?? 0)) {
        throw new ConflictError(`expected version ${ifVersion} of the key, found ${found?.version ?? 0}`, {
          detail: { key, expected: ifVersion, found: found?.version ?? 0 },
        });
      }
      const expiresAt = keepTtl ? (found?.expiresAt ?? Infinity) : deadlineAfter(time, mutation.ttlMs);
      const createdAt = found?.createdAt ?? time;
      return this.#write(key, encoded, { expiresAt, createdAt, updatedAt: time }, group);
    });
  }

  /** The same value under another deadline. */
  #expire({ key, ttlMs }: ExpireMutation, found: Found, time: number): Eventually<Planned | undefined> {
    const expiresAt = deadlineAfter(time, ttlMs);
    // Taking away a deadline that is not there changes nothing; giving the same one again does.
    if (expiresAt === Infinity && found.expiresAt === Infinity) return undefined;
    return andThen(this.lookup.record(found), (record) => {
      const { createdAt, updatedAt } = record;
      return andThen(this.lookup.holder(record), (holder) => {
        const encoded = { kind: holder.kind, bytes: holder.value.slice() };
        return this.#write(key, encoded, { expiresAt, createdAt, updatedAt }, new Map());
      });
    });
  }

  #write(
    key: string,
    encoded: Encoded,
    times: { expiresAt: number; createdAt: number; updatedAt: number },
    group: GroupObjects,
  ): Eventually<PlannedPut> {
    const { kind, bytes } = encoded;
    const size = bytes.length;
    const { expiresAt, createdAt, updatedAt } = times;
    const put = (high: number, low: number, object: StoredObject | NewObject): PlannedPut => {
      return { type: 'put', key, encoded, high, low, size, object, expiresAt, createdAt, updatedAt };
    };
    const fresh: NewObject = { encoded, location: -1, birth: 0 };
    if (!this.settings.dedup) return put(0, 0, fresh);
    const high = this.contents.hash(kind, bytes);
    const low = lane[0]!;
    const same = group.get(high);
    const brought = same?.find((object) => sameContent(object.encoded, encoded));
    if (brought) return put(high, low, brought);
    return andThen(this.contents.find(high, low, kind, bytes), (stored) => {
      if (stored) return put(high, low, stored);
      if (same) same.push(fresh);
      else group.set(high, [fresh]);
      return put(high, low, fresh);
    });
  }
}

function sameContent(a: Encoded, b: Encoded): boolean {
  const { length } = a.bytes;
  return a.kind === b.kind && length === b.bytes.length && equalBytes(a.bytes, 0, b.bytes, 0, length);
}

const NO_VALUE = new Uint8Array(0);

/** Adds the entry of `planned` to the batch and gives the change that it will make. */
export function addToBatch(planned: Planned, batch: Batch, version: number, time: number): Change {
  if (planned.type === 'clear') {
    batch.add(entry({ type: Type.Clear, sequence: version, time }));
    return { type: 'clear', version, time };
  }
  const { key } = planned;
  if (planned.type === 'delete') {
    batch.add(entry({ type: Type.Delete, sequence: version, time, key }));
    return { type: 'delete', key, version, time };
  }
  const { object, encoded, high, low, size, expiresAt, createdAt, updatedAt } = planned;
  const brings = object.location === -1;
  const refers = !brings && size > INLINE_MAX;
  const location = batch.add({
    type: Type.Put,
    sequence: version,
    time,
    key,
    kind: encoded.kind,
    value: refers ? NO_VALUE : encoded.bytes,
    reference: refers ? { high, low, birth: object.birth, size } : undefined,
    brings,
    expiresAt,
    createdAt,
    updatedAt,
  });
  if (brings) Object.assign(object, { location, birth: version });
  const content = { high, low, size, object: object.location, brings };
  return { type: 'put', key, location, content, expiresAt, createdAt, version, time };
}
