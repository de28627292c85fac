/** The log that a rewriting fills, and the state that is filled with it. */
import { andThen, type Eventually } from '../base/bytes.js';
import { type EntryFields, type Log, Type } from '../storage/log/index.js';
import type { Carried, CutValue } from './carry.js';
import type { Change } from './change.js';
import { Contents } from './contents.js';
import type { Environment } from './environment.js';
import { Lookup } from './lookup.js';
import { Form } from './made.js';
import type { Maker } from './maker.js';
import { type GroupObjects, type NewObject, newObject, Placer, placeChunks } from './objects.js';
import type { Packing } from './packing.js';
import { addToBatch, Planner } from './plan.js';
import { Records } from './records.js';
import { replayEntry } from './recover.js';
import { seal } from './seal.js';
import { settle } from './settle.js';
import { BUFFER_KEYS_MAX, State } from './state.js';
import { allUse } from './use.js';

/** Comparing values while copying needs the last few at hand. */
const CACHE_BYTES = 2 ** 20;
/** So much is written before it is flushed, so that no flush takes long. */
const FLUSH_BYTES = 4 * 2 ** 20;

export class Target {
  readonly state: State;
  readonly #contents: Contents;
  readonly #lookup: Lookup;
  readonly #planner: Planner;
  #flushedTo = 0;

  constructor(
    readonly log: Log,
    source: State,
    { now, index, settings }: Environment,
    packing: Packing,
  ) {
    this.state = new State(source.secret, source.dedup, now(), index);
    const records = new Records(log, CACHE_BYTES);
    this.#contents = new Contents(this.state, records, packing);
    this.#lookup = new Lookup(this.state, records, this.#contents);
    const placer = new Placer(this.#contents, packing);
    this.#planner = new Planner(this.state, this.#lookup, placer, settings, packing, remaker(placer));
  }

  /** `most`: keys that are settled. */
  settle(most?: number): Promise<void> {
    return settle(this.state, this.#lookup, this.#contents, most);
  }

  async flush(): Promise<void> {
    const flushed = this.log.flush();
    if (flushed instanceof Promise) await flushed;
    this.#flushedTo = this.log.bytes;
  }

  /** Logs version and time of `source` where the entries that made them are gone. REQUIRES: it is settled. */
  async reach({ version, time }: State): Promise<void> {
    const { state, log } = this;
    if (state.version === version && state.time === time) return;
    state.reach(version, time);
    await seal(log, state);
  }

  /** The order in which keys were used, and what they ask of eviction. */
  async takeUse({ policy, time }: State): Promise<void> {
    if (!policy) return;
    for (const one of allUse(policy, this.state.version, time)) await this.append([one]);
  }

  /** Appends entries and makes them count. */
  async append(entries: readonly EntryFields[]): Promise<void> {
    const { log, state } = this;
    if (entries.length === 0) return;
    await this.#makeReady();
    const batch = log.begin();
    const locations = entries.map((fields) => batch.add(fields));
    const appended = log.append(batch, false);
    if (appended instanceof Promise) await appended;
    for (const location of locations) {
      const read = log.read(location);
      const written = read instanceof Promise ? await read : read;
      const holds = written.type === Type.Put || written.type === Type.Object;
      const content = holds ? this.#contents.of(written, location) : undefined;
      replayEntry(state, written, location, content instanceof Promise ? await content : content);
    }
    state.endGroup();
  }

  /** Makes changes again that were made to the other log, in one batch. */
  async commit(slice: readonly Carried[]): Promise<void> {
    const { log, state } = this;
    await this.#makeReady();
    const batch = log.begin();
    const group: GroupObjects = new Map();
    const changes: Change[] = [];
    for (const { mutation, version, time } of slice) {
      // Whoever reads the log up to a checkpoint settles there.
      if (mutation.type === 'checkpoint') await this.settle();
      const planning =
        mutation.type === 'delete'
          ? // Whether or not it has expired by now.
            andThen(this.#lookup.find(mutation.key), (found) => found && mutation)
          : this.#planner.plan(mutation, time, group);
      const planned = planning instanceof Promise ? await planning : planning;
      if (planned) addToBatch(planned, batch, version, time, changes);
    }
    if (changes.length === 0) return;
    const appended = log.append(batch, false);
    if (appended instanceof Promise) await appended;
    for (const change of changes) state.apply(change);
    state.endGroup();
  }

  async #makeReady(): Promise<void> {
    const { log, state } = this;
    if (log.bytes - this.#flushedTo >= FLUSH_BYTES) await this.flush();
    if (!log.full && state.buffered < BUFFER_KEYS_MAX) return;
    await this.settle();
    await seal(log, state);
  }
}

/** Makes values as they were made. */
function remaker(placer: Placer): Pick<Maker, 'fresh'> {
  const fresh = (value: CutValue, group: GroupObjects): Eventually<NewObject> => {
    const { cuts, delta, bytes } = value;
    if (cuts) {
      return andThen(placeChunks(cut(bytes, cuts), placer, group), (parts) => newObject(value, parts));
    }
    if (!delta) return placer.asItComes(value);
    const base = placer.place(delta.base, group, () => fresh(delta.base, group));
    return andThen(base, (holding) => {
      return newObject(value, { form: Form.Delta, depth: 1, parts: [holding], delta: delta.bytes });
    });
  };
  return { fresh };
}

/** Pieces of these sizes, one behind the other. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  let end = 0;
  return sizes.map((size) => {
    end += size;
    return bytes.subarray(end - size, end);
  });
}
