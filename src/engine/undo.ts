/**
 * `undo` and `redo`: for each session, what its last commits changed.
 *
 * A write must not read, so an image of a key says only where it was: its slot of the
 * buffer, or the locations that the index had for its hash, one of which is its record if
 * it had one. That costs a look-up a write and a few dozen bytes a key. Undoing reads the
 * records there, and puts back value and deadline as a new commit.
 *
 * A step holds the log its locations are of. When another log follows, `carry` takes the
 * values over into memory, so that the log before it can go.
 */
import { hashString, lane } from '../base/hash.js';
import { requireOptions } from '../contract/arguments.js';
import { resolveWriteDurability } from '../contract/options.js';
import type { WriteOptions } from '../contract/store.js';
import type { EntryView } from '../storage/log/index.js';
import type { IndexMaplet } from '../structures/maplet/index.js';
import type { Run } from '../structures/runs/index.js';
import type { Change } from './change.js';
import { Contents } from './contents.js';
import { Lookup } from './lookup.js';
import type { Mutation } from './mutation.js';
import type { Value } from './packing.js';
import type { Author } from './queue.js';
import type { Records } from './records.js';
import type { Held, Snapshots, SnapshotsParts } from './snapshots.js';
import type { Slot } from './state.js';

/** Keys that the steps of a session may name in all; the last step may name more. */
const KEYS_MAX = 16_384;
/** Bytes of values that are kept in memory after a compaction; steps beyond that are forgotten. */
const CARRIED_BYTES_MAX = 4 * 2 ** 20;

/** Of a step that no change adds to. */
const NO_VERSION = -1;

/** What a key was, as bytes. */
interface Kept {
  readonly encoded: Value;
  readonly expiresAt: number;
  readonly createdAt: number;
}

/** What a key was: not there, or at one of these places. */
interface Image {
  readonly key: string;
  readonly at: Slot | readonly number[] | Kept | undefined;
}

/** What one commit has changed. */
interface Step {
  readonly version: number;
  images: Image[];
  /** The commit removed everything there was in this version. */
  cleared: Held | undefined;
  /** Those that the locations are of, held; `undefined` where there are none. */
  records: Records | undefined;
  /** Objects at that time. */
  objects: IndexMaplet | undefined;
}

/** Objects as they were when a period without seal began to need them. */
interface Period {
  readonly runs: readonly Run[];
  readonly records: Records;
  readonly objects: IndexMaplet;
}

interface History extends Author {
  readonly undo: Step[];
  readonly redo: Step[];
}

export class Undo {
  readonly #histories = new Map<string, History>();
  #period: Period | undefined;
  /** Of which nothing older is held. */
  #era: Records | undefined;
  #closed = false;

  constructor(
    private readonly parts: SnapshotsParts,
    private readonly snapshots: Snapshots,
  ) {}

  /** Who notes what the calls of `session` change. */
  author(session: string): Author | undefined {
    const { undoDepth } = this.parts.environment.settings;
    if (undoDepth === 0 || this.#closed) return undefined;
    let history = this.#histories.get(session);
    if (!history) {
      const made: History = { undo: [], redo: [], note: (change) => this.#note(made, change) };
      history = made;
      this.#histories.set(session, history);
    }
    return history;
  }

  /** Takes back the last commit of `session` that was not taken back yet; `false`: there is none. */
  undo(session: string, options?: unknown): Promise<boolean> {
    return this.#turnBack('undo', session, options);
  }

  /** Makes the commit again that was taken back last; `false`: there is none. */
  redo(session: string, options?: unknown): Promise<boolean> {
    return this.#turnBack('redo', session, options);
  }

  /** The session is over, or without one, all are. */
  release(session?: string): void {
    this.#closed ||= session === undefined;
    for (const [name, { undo, redo }] of this.#histories) {
      if (session !== undefined && name !== session) continue;
      for (const step of [...undo.splice(0), ...redo.splice(0)]) letGo(step);
      this.#histories.delete(name);
    }
  }

  /** Whether a step holds a log that another has followed. */
  get stale(): boolean {
    const { era } = this.parts.records;
    if (this.#era === era) return false;
    this.#era = era;
    return this.#histories.size > 0;
  }

  /**
   * Lets go of logs that another has followed. The values that lie there are read first.
   * REQUIRES: nothing is written meanwhile.
   */
  async carry(): Promise<void> {
    const { records } = this.parts;
    this.#period = undefined;
    let bytes = 0;
    for (const history of this.#histories.values()) {
      for (const steps of [history.undo, history.redo]) {
        // From the newest on, since the oldest are those that are forgotten.
        for (let i = steps.length - 1; i >= 0; i--) {
          const step = steps[i]!;
          const held = step.cleared?.records ?? step.records;
          if (!held || held === records.era) continue;
          if (bytes <= CARRIED_BYTES_MAX) bytes += await this.#keep(step).catch(() => Infinity);
          if (bytes <= CARRIED_BYTES_MAX) continue;
          // An undo beyond a step that is missing would mix versions.
          for (const forgotten of steps.splice(0, steps.indexOf(step) + 1)) letGo(forgotten);
          break;
        }
      }
    }
  }

  async #turnBack(which: 'undo' | 'redo', session: string, options: unknown): Promise<boolean> {
    const { environment, committer, counters, planner, now } = this.parts;
    const { durability } = requireOptions<WriteOptions>(which, options, ['durability']);
    const strict = resolveWriteDurability(durability, environment.settings);
    const history = this.#histories.get(session);
    counters.operations += 1;
    let taken: Step | undefined;
    let counterpart: Step | undefined;
    const [from, to] = which === 'undo' ? [history?.undo, history?.redo] : [history?.redo, history?.undo];
    // It is not itself something to take back: its counterpart is noted for `redo`.
    committer.author = undefined;
    try {
      await committer.submit(
        async () => {
          taken = from?.pop();
          if (!taken) return [];
          const mutations = await this.#restoring(taken);
          counterpart = newStep(NO_VERSION);
          const { cleared, images } = taken;
          const keys = cleared ? await this.snapshots.keysOf(cleared) : images;
          for (const { key } of keys) this.#addImage(counterpart, key);
          to!.push(counterpart);
          if (!environment.settings.maplet.autoResize) await planner.reserve(mutations, now());
          return mutations;
        },
        strict,
        () => true,
      );
    } catch (error) {
      // Nothing has changed: what was taken is the last one again.
      if (taken) from!.push(taken);
      if (counterpart && to!.includes(counterpart)) {
        to!.splice(to!.indexOf(counterpart), 1);
        letGo(counterpart);
      }
      throw error;
    }
    if (taken) letGo(taken);
    return taken !== undefined;
  }

  /** A change of this session, which is about to be applied. */
  #note(history: History, change: Change): void {
    // A checkpoint is nothing that could be taken back.
    if (change.type === 'checkpoint') return;
    const { undo, redo } = history;
    let step = undo.at(-1);
    if (step?.version !== change.version) {
      step = newStep(change.version);
      undo.push(step);
      this.#trim(undo);
      for (const undone of redo.splice(0)) letGo(undone);
    }
    if (change.type === 'clear') step.cleared = this.snapshots.takeNow('');
    else if ('key' in change) this.#addImage(step, change.key);
  }

  #trim(steps: Step[]): void {
    const { undoDepth } = this.parts.environment.settings;
    const last = steps.length - 1;
    let keys = 0;
    let from = last;
    while (from >= 0 && last - from < undoDepth) {
      keys += steps[from]!.images.length;
      if (keys > KEYS_MAX && from < last) break;
      from -= 1;
    }
    for (const step of steps.splice(0, from + 1)) letGo(step);
  }

  #addImage(step: Step, key: string): void {
    const { state } = this.parts;
    const slot = state.slot(key);
    const candidates: number[] = [];
    if (!slot && state.index.size > 0) {
      const high = hashString(state.secret, key);
      state.index.candidates(high, lane[0]!, candidates);
    }
    const at = slot ? slot.content && slot : candidates.length > 0 ? candidates : undefined;
    step.images.push({ key, at });
    if (!at) return;
    this.#hold(step);
    // Of a sealed key only its record knows which object it has, and of a value that is made only that knows its parts.
    if (!slot) step.objects ??= this.#objects();
    else if (slot.content?.made) step.objects = state.objects.snapshot();
  }

  #hold(step: Step): void {
    if (step.records) return;
    step.records = this.parts.records.era;
    step.records.retain();
  }

  /**
   * A key that is not in the buffer has kept its object since the last seal, so one
   * snapshot of the objects does for all that is noted until the next.
   */
  #objects(): IndexMaplet {
    const { state, records } = this.parts;
    if (this.#period?.runs !== state.runs || this.#period.records !== records.era) {
      this.#period = { runs: state.runs, records: records.era, objects: state.objects.snapshot() };
    }
    return this.#period.objects;
  }

  /** What makes the keys of a step be what they were; a deadline that has passed leaves nothing. */
  async #restoring(step: Step): Promise<Mutation[]> {
    const now = this.parts.now();
    if (step.cleared) {
      const current = this.snapshots.takeNow('');
      try {
        return await this.snapshots.restoring(current, step.cleared, false);
      } finally {
        current.records.release();
      }
    }
    const mutations: Mutation[] = [];
    for (const image of step.images) {
      const { key } = image;
      const kept = await this.#read(step, image);
      if (kept && kept.expiresAt > now) mutations.push({ type: 'restore', key, ...kept });
      else mutations.push({ type: 'delete', key });
    }
    return mutations;
  }

  async #read({ records, ...step }: Step | Held, { key, at }: Image): Promise<Kept | undefined> {
    if (at === undefined || 'encoded' in at) return at;
    let record: EntryView | undefined;
    let holder: EntryView | undefined;
    const { secret } = this.parts.state;
    const objects = 'view' in step ? step.view.objects : step.objects;
    const state = { secret, objects: objects!, index: objects!, slot: () => undefined };
    const contents = new Contents(state, records!, this.parts.packing);
    if ('location' in at) {
      record = await records!.read(at.location);
      holder = record.reference ? await records!.read(at.content!.object) : record;
    } else {
      const lookup = new Lookup(state, records!, contents);
      record = (await lookup.firstWithKey(key, at))?.entry;
      holder = record && (await lookup.holder(record));
    }
    if (!record || !holder) return undefined;
    const { expiresAt, createdAt } = record;
    const value = await contents.valueOf(holder);
    return { encoded: { ...value, bytes: value.bytes.slice() }, expiresAt, createdAt };
  }

  /** Takes the values of a step into memory; gives their bytes, `Infinity` where they are too many. */
  async #keep(step: Step): Promise<number> {
    const { cleared } = step;
    const images = cleared ? await this.snapshots.keysOf(cleared) : step.images;
    const kept: Image[] = [];
    let bytes = 0;
    for (const { key, at } of images) {
      const read = await this.#read(cleared ?? step, { key, at });
      bytes += read?.encoded.bytes.length ?? 0;
      if (bytes > CARRIED_BYTES_MAX) return Infinity;
      kept.push({ key, at: read });
    }
    letGo(step);
    step.images = kept;
    return bytes;
  }
}

function newStep(version: number): Step {
  return { version, images: [], cleared: undefined, records: undefined, objects: undefined };
}

function letGo(step: Step): void {
  step.records?.release();
  step.cleared?.records.release();
  step.records = undefined;
  step.cleared = undefined;
  step.objects = undefined;
}
