/**
 * What a rewriting copies one by one, because it belongs behind something that was copied
 * before: changes since a checkpoint, changes since the rewriting began. They go the way of a
 * live write, under the version and time that they had, so values are found by their bytes and
 * a value that the new log does not have any more comes again with the next key that has it.
 */
import type { Secret } from '../base/hash.js';
import type { Log } from '../storage/log/index.js';
import { type EntryView, Type } from '../storage/log/index.js';
import type { IndexMaplet } from '../structures/maplet/index.js';
import { isCurrent } from './alive.js';
import { isMade } from './assemble.js';
import type { Change, CheckpointChange } from './change.js';
import { Contents } from './contents.js';
import { isCanonical, Lookup } from './lookup.js';
import { decodeMaking, Form } from './made.js';
import { figuresIn } from './mark.js';
import type { CheckpointMutation, ClearMutation, DeleteMutation, PutMutation } from './mutation.js';
import type { Packing, Value } from './packing.js';
import type { Records } from './records.js';
import type { View } from './state.js';

/** What is copied without a pause: some milliseconds of work. */
export const SLICE_ENTRIES = 256;
export const SLICE_BYTES = 256 * 1024;

/** A value, and how it was made: it is made so again, whatever the options say now. */
export interface CutValue extends Value {
  /** It was cut into chunks of these sizes. */
  readonly cuts?: readonly number[] | undefined;
  /** It was made of another by a delta. */
  readonly delta?: { readonly base: CutValue; readonly bytes: Uint8Array } | undefined;
}

/** A change, and what was noted of it when it was made. */
export interface Carried {
  readonly mutation: PutMutation | DeleteMutation | ClearMutation | CheckpointMutation;
  readonly version: number;
  readonly time: number;
}

/** Gathers what is to be copied and hands it over a slice at a time. */
export class Carrier {
  #slice: Carried[] = [];
  #bytes = 0;

  constructor(private readonly commit: (slice: readonly Carried[]) => Promise<void>) {}

  async put(record: EntryView, value: CutValue): Promise<void> {
    const { key, expiresAt, createdAt, updatedAt, sequence: version, time } = record;
    const terms = { ttlMs: Infinity, keepTtl: false, ifAbsent: false, ifVersion: undefined };
    const times = { expiresAt, createdAt, updatedAt };
    this.#slice.push({ mutation: { type: 'put', key, encoded: value, ...terms, times }, version, time });
    this.#bytes += value.bytes.length;
    if (this.#slice.length >= SLICE_ENTRIES || this.#bytes >= SLICE_BYTES) await this.flush();
  }

  async delete(key: string, version: number, time: number): Promise<void> {
    this.#slice.push({ mutation: { type: 'delete', key }, version, time });
    if (this.#slice.length >= SLICE_ENTRIES) await this.flush();
  }

  /** What no other change may be in one batch with. */
  async alone(carried: Carried): Promise<void> {
    await this.flush();
    this.#slice.push(carried);
    await this.flush();
  }

  async flush(): Promise<void> {
    const slice = this.#slice;
    this.#slice = [];
    this.#bytes = 0;
    if (slice.length > 0) await this.commit(slice);
  }
}

/** Places of a log between which changes are to be copied: behind `from`, and up to `to` or the end. */
export interface Stretch {
  readonly from: number;
  readonly to: number | undefined;
}

/** A version, and what finds keys and values in it. */
export interface Version {
  readonly view: View;
  readonly secret: Secret;
  readonly lookup: Lookup;
  readonly contents: Contents;
}

/** What lies in a stretch of the log and still stands in the version at its end. */
export async function carryStretch(
  log: Pick<Log, 'walk'>,
  { from, to }: Stretch,
  { view, secret, lookup, contents }: Version,
  carrier: Carrier,
): Promise<void> {
  let pending: [entry: EntryView, location: number][] = [];
  const visit = (entry: EntryView, location: number) => {
    // What comes behind the version is copied later, from the changes that made it.
    if (location !== from && entry.sequence <= view.version) pending.push([entry, location]);
  };
  const endBatch = async () => {
    const batch = pending;
    pending = [];
    for (const [entry, location] of batch) {
      const { type, sequence: version, time } = entry;
      if (type === Type.Put) {
        if (!isCurrent(view, secret, entry.key, location)) continue;
        await carrier.put(entry.own(), await cutValueOf(entry, lookup, contents));
      } else if (type === Type.Delete) {
        const there = lookup.find(entry.key);
        if (!(there instanceof Promise ? await there : there)) await carrier.delete(entry.key, version, time);
      } else if (type === Type.Clear) {
        await carrier.alone({ mutation: { type: 'clear' }, version, time });
      }
    }
  };
  await log.walk(visit, endBatch, from, to);
}

/** Changes that were noted when they were made, up to a checkpoint or to now. */
export interface Noted {
  readonly changes: readonly Change[];
  readonly mark: CheckpointChange | undefined;
  /** The objects that there were then. */
  readonly objects: IndexMaplet;
}

/** What was noted. Its records are in `source`. */
export async function carryNoted(
  { changes, mark, objects }: Noted,
  secret: Secret,
  source: Records,
  packing: Packing,
  bytesBefore: () => number,
  carrier: Carrier,
): Promise<void> {
  const contents = new Contents({ objects }, source, packing);
  const lookup = new Lookup({ secret, index: objects, slot: () => undefined }, source, contents);
  for (const change of changes) {
    const { version, time } = change;
    if (change.type === 'put') {
      const read = source.pass(change.location);
      const record = read instanceof Promise ? await read : read;
      await carrier.put(record, await cutValueOf(record, lookup, contents));
    } else if (change.type === 'delete') await carrier.delete(change.key, version, time);
    else if (change.type === 'clear') {
      await carrier.alone({ mutation: { type: 'clear' }, version, time });
    }
  }
  await carrier.flush();
  if (!mark) return;
  const { label, version, time } = mark;
  const figures = mark.mark && figuresIn(mark.mark, bytesBefore());
  await carrier.alone({ mutation: { type: 'checkpoint', label, figures }, version, time });
}

/** The value of a record, and how it is made. */
async function cutValueOf(record: EntryView, lookup: Lookup, contents: Contents): Promise<CutValue> {
  const value = await madeValueOf(await lookup.holder(record), contents);
  return isCanonical(record) ? { ...value, canonical: true } : value;
}

async function madeValueOf(holder: EntryView, contents: Contents): Promise<CutValue> {
  const value = await contents.valueOf(holder);
  if (!isMade(holder)) return value;
  const { form, parts, delta } = decodeMaking(holder.value);
  if (form === Form.Chunks) return { ...value, cuts: parts.map(({ size }) => size) };
  const { entry } = await contents.resolve(parts[0]!);
  return { ...value, delta: { base: await madeValueOf(entry, contents), bytes: delta } };
}
