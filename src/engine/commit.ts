/**
 * The write path: one queue, one writer, five steps in this order.
 *
 *    admit      before the queue: options, keys and values are checked and encoded
 *    identify   what is stored already is found (`plan.ts`)
 *    stamp      each call gets the next version, the group one time
 *    append     the entries of all calls of the group in one write
 *    publish    `state.apply` of each change
 *
 * Calls that wait in the queue at the same time become one group: one write, and
 * one flush if any of them is strict. A call that depends on a key which an earlier
 * call of the group writes starts the next group, since nothing of this one counts
 * before it is appended. Nothing after `append` can fail.
 */
import type { Eventually } from '../base/bytes.js';
import { ClosedError, QuotaError } from '../base/errors.js';
import type { Level } from '../storage/log/index.js';
import { answerEntry, type Origin, recordAnswer } from './answers.js';
import type { Cause, Change } from './change.js';
import type { Evictor } from './evictor.js';
import type { Published } from './feed.js';
import { looks, type Outcome } from './mutation.js';
import type { GroupObjects } from './objects.js';
import { addToBatch, type Planned } from './plan.js';
import {
  type Answer,
  type Author,
  answerOf,
  type Call,
  type CommitterParts,
  type Item,
  type Made,
  type MutationSource,
  type Mutations,
  type Touched,
} from './queue.js';
import { BUFFER_KEYS_MAX } from './state.js';
import { useEntry } from './use.js';

/** A group is closed when it has this much; one larger call still goes whole. */
const GROUP_BYTES = 256 * 1024;
/** More keys than these are not left to be settled when the buffer is sealed: 5 µs each. */
const UNSETTLED_MAX = 512;

export class Committer {
  readonly #parts: CommitterParts;
  #queue: Item[] = [];
  #head = 0;
  #draining: Promise<void> | undefined;
  #closed = false;
  /** Whose calls come in now; '': those of the store itself. */
  session = '';
  /** Who notes them. */
  author: Author | undefined;
  /** Which call it is, where that must be known after another tab has begun to lead. */
  origin: Origin | undefined;

  constructor(parts: CommitterParts) {
    this.#parts = parts;
  }

  /** Runs `read` in its place among the writes: at once where none is waiting. */
  read<T>(keys: readonly string[] | undefined, read: () => Eventually<T>): Eventually<T> {
    if (!this.#draining) return read();
    return new Promise((resolve, reject) => {
      const run = () => {
        try {
          const value = read();
          if (value instanceof Promise) return value.then(resolve, reject);
          resolve(value);
        } catch (error) {
          reject(error);
        }
        return undefined;
      };
      this.#enqueue({ keys, read: run });
    });
  }

  /**
   * Puts a call at the end of the queue. Its mutations may still be in the making. `answer` is
   * what its caller will be told, for the log, unless that is the commit.
   */
  submit(mutations: MutationSource, strict: boolean, answer?: (made: Made) => unknown): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      // What could not be made refuses the call when it is its turn.
      if (mutations instanceof Promise) mutations.catch(() => {});
      if (this.#closed) reject(new ClosedError('the store is closed'));
      else {
        const { session, author, origin } = this;
        this.#enqueue({ session, author, origin, answer, mutations, strict, resolve, reject });
      }
    });
  }

  /** Runs `work` alone, behind all that is in the queue. */
  exclusive<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new ClosedError('the store is closed'));
      else this.#enqueue({ run: async () => resolve(await work()), reject });
    });
  }

  /** Takes nothing more; what is in the queue is still done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  #enqueue(item: Item): void {
    this.#queue.push(item);
    // A microtask later, so that the calls of one message form one group.
    this.#draining ??= Promise.resolve().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    while (this.#head < this.#queue.length) {
      const first = this.#queue[this.#head]!;
      if ('read' in first) {
        this.#head += 1;
        await first.read();
      } else if ('run' in first) {
        this.#head += 1;
        try {
          await first.run();
        } catch (error) {
          first.reject(error);
        }
      } else await this.#commitGroup();
    }
    this.#queue = [];
    this.#head = 0;
    this.#draining = undefined;
  }

  async #commitGroup(): Promise<void> {
    const { log, state, now, growing, settle, seal, brake, onCommit, onFull } = this.#parts;
    const answers: Answer[] = [];
    const changes: Change[] = [];
    const authors: (Author | undefined)[] = [];
    const published: Published[] = [];
    let strict = false;
    let level: Level = 'memory';
    try {
      for (let braking = brake(); braking; braking = brake()) await braking;
      if (log.full || state.buffered >= BUFFER_KEYS_MAX) await seal();
      // A store that may not grow counts its keys exactly, so its groups are single calls.
      if (!growing || state.unsettled.length > UNSETTLED_MAX) await settle();
      const time = Math.max(Math.floor(now()), state.time);
      let batch = log.begin();
      const evictor = this.#parts.evictor();
      this.#parts.drain();
      const grown = { keys: 0, bytes: 0 };
      const group: GroupObjects = new Map();
      const touched: Touched = new Map();
      let version = state.version;
      while (this.#head < this.#queue.length && batch.bytes < GROUP_BYTES) {
        const call = this.#queue[this.#head]!;
        if ('run' in call) break;
        if ('read' in call) {
          // Nothing of this group counts yet: what depends on it has to wait for its end.
          if (touched.size > 0 && (call.keys?.some((key) => touched.has(key)) ?? true)) break;
          this.#head += 1;
          const reading = call.read();
          if (reading) await reading;
          continue;
        }
        if (answers.length > 0 && (!growing || typeof call.mutations === 'function')) break;
        const admitted = this.#admitted(call);
        const ready = admitted instanceof Promise ? await admitted : admitted;
        if (ready && touched.size > 0 && this.#depends(ready, touched)) break;
        this.#head += 1;
        if (!ready) continue;
        const planning = this.#plan(call, ready, time, group);
        let planned = planning instanceof Promise ? await planning : planning;
        if (!planned) continue;
        if (evictor) {
          const { keys, bytes } = evictor.growthOf(planned);
          grown.keys += keys;
          grown.bytes += bytes;
          if (!evictor.fits(grown)) {
            // Room is made for a call at the head of its group.
            if (changes.length > 0) {
              this.#head -= 1;
              break;
            }
            planned = await this.#withRoom(call, ready, planned, time, group, evictor);
            if (!planned) {
              grown.keys = grown.bytes = 0;
              continue;
            }
            batch = log.begin();
            version = state.version;
          }
        }
        if (planned.length > 0) {
          version += 1;
          strict ||= call.strict;
        }
        for (const one of planned) {
          addToBatch(one, batch, version, time, changes);
          published.push({ planned: one, version, session: call.session });
          // Terms count when they are applied: another put of the key has to wait for that.
          if ('key' in one) touched.set(one.key, one.type === 'put' && one.use ? 'delete' : one.type);
        }
        while (authors.length < changes.length) authors.push(call.author);
        if (call.origin && planned.length > 0) {
          const given = answerOf(call, { version, changed: planned.length });
          const recording = recordAnswer(call.origin, given);
          const answer = recording instanceof Promise ? await recording : recording;
          batch.add(answerEntry(answer, version, time));
          changes.push({ type: 'answer', answer, version, time });
          authors.push(undefined);
        }
        answers.push({ call, version, changed: planned.length });
        if (planned[0] && !('key' in planned[0])) break;
      }
      if (changes.length > 0) {
        const appended = log.append(batch, strict);
        level = appended instanceof Promise ? await appended : appended;
      }
    } catch (error) {
      for (const { call } of answers) call.reject(error);
      if (error instanceof QuotaError) onFull();
      // What failed before any call was taken would fail for ever: refuse the first.
      if (answers.length === 0) this.#refuseFirst(error);
      return;
    }
    for (let i = 0; i < changes.length; i++) {
      authors[i]?.note(changes[i]!);
      state.apply(changes[i]!);
    }
    state.endGroup();
    for (const { call, version, changed } of answers) call.resolve({ version, durability: level, changed });
    if (changes.length > 0) onCommit(changes, published);
  }

  /** The plan of a call once there is room for it; `undefined`, and the call refused, where there is none. */
  async #withRoom(
    call: Call,
    mutations: Mutations,
    first: Planned[],
    time: number,
    group: GroupObjects,
    evictor: Evictor,
  ): Promise<Planned[] | undefined> {
    let planned: Planned[] | undefined = first;
    try {
      // What was evicted may be what the plan wanted to share.
      while (planned && (await evictor.makeRoom(planned, time))) {
        group.clear();
        planned = await this.#plan(call, mutations, time, group);
      }
    } catch (error) {
      call.reject(error);
      return undefined;
    }
    return planned;
  }

  /** Removes keys that are there, as one version. REQUIRES: it runs alone, and no batch is begun that will be appended. */
  async removeNow(keys: readonly string[], cause: Cause): Promise<void> {
    const { log, state, now, seal, onCommit } = this.#parts;
    if (log.full || state.buffered >= BUFFER_KEYS_MAX) await seal();
    const time = Math.max(Math.floor(now()), state.time);
    const batch = log.begin();
    const changes: Change[] = [];
    const version = state.version + 1;
    const published = keys.map((key): Published => {
      const planned = { type: 'delete', key, cause } as const;
      addToBatch(planned, batch, version, time, changes);
      return { planned, version, session: '' };
    });
    const appended = log.append(batch, false);
    if (appended instanceof Promise) await appended;
    for (const change of changes) state.apply(change);
    state.endGroup();
    onCommit(changes, published);
  }

  /** Writes down the use of keys (`use.ts`); no new version. REQUIRES: it runs alone. */
  async tellUse(rows: Uint8Array): Promise<void> {
    const { log, state, seal } = this.#parts;
    if (log.full) await seal();
    const batch = log.begin();
    batch.add(useEntry(rows, state.version, state.time));
    await log.append(batch, false);
  }

  /** The call's mutations; `undefined`, and the call refused, where they could not be made. */
  #admitted({ mutations, reject }: Call): Eventually<Mutations | undefined> {
    const source = typeof mutations === 'function' ? mutations() : mutations;
    if (!(source instanceof Promise)) return source;
    return source.catch((error) => {
      reject(error);
      return undefined;
    });
  }

  /** Whether the call has to look at what this group has written, or sets anew what it has removed. */
  #depends(mutations: Mutations, touched: Touched): boolean {
    return mutations.some((mutation) => {
      if (!('key' in mutation)) return true;
      const before = touched.get(mutation.key);
      return before === 'delete' || (before !== undefined && looks(mutation, this.#parts.growing));
    });
  }

  /**
   * `undefined`, and the call refused, where a condition is not met. Answers at once
   * where the log does: a promise for each call of a group would cost as much as the rest.
   */
  #plan(
    call: Call,
    mutations: Mutations,
    time: number,
    group: GroupObjects,
  ): Eventually<Planned[] | undefined> {
    const { planner, growing } = this.#parts;
    const refuse = (error: unknown): undefined => {
      call.reject(error);
      return undefined;
    };
    const planned: Planned[] = [];
    const from = (start: number): Eventually<Planned[]> => {
      for (let i = start; i < mutations.length; i++) {
        const one = planner.plan(mutations[i]!, time, group);
        if (one instanceof Promise) {
          return one.then((done) => {
            if (done) planned.push(done);
            return from(i + 1);
          });
        }
        if (one) planned.push(one);
      }
      return planned;
    };
    try {
      const all = growing ? from(0) : this.#checkCapacity(mutations, time).then(() => from(0));
      return all instanceof Promise ? all.catch(refuse) : all;
    } catch (error) {
      return refuse(error);
    }
  }

  async #checkCapacity(mutations: Mutations, time: number): Promise<void> {
    const { planner } = this.#parts;
    let wanted = 0;
    for (const { type, ...mutation } of mutations) {
      if (type === 'put' && !(await planner.isThere((mutation as { key: string }).key, time))) wanted += 1;
    }
    if (wanted > 0) planner.checkCapacity(wanted);
  }

  #refuseFirst(error: unknown): void {
    const first = this.#queue[this.#head];
    if (!first || 'read' in first) return;
    this.#head += 1;
    first.reject(error);
  }
}
