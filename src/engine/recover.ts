/**
 * Opening: the log is read from its start, or from where an image ends, and every entry
 * goes through `State.apply`, as it did when it was written.
 *
 * Most keys of a log are new and will be sealed. Such a key is *placed*: it goes straight
 * into the index, by its hash, and the buffer never sees it. What the index may know, and
 * what the buffer has, takes the way of a live write. At the end the keys that were placed
 * since the last seal are called back to the buffer (`placed.ts`).
 *
 * A million keys of 20 characters with values of 100 bytes take 1.2 s of CPU time, where
 * all of them by way of the buffer took 2.8 (Node 20, one shared core).
 */
import type { Eventually } from '../base/bytes.js';
import { CorruptionError } from '../base/errors.js';
import { lane } from '../base/hash.js';
import {
  type EntryView,
  type Log,
  type Position,
  padded,
  type Replayed,
  Type,
} from '../storage/log/index.js';
import { decodeMerge, type Fence } from '../structures/runs/index.js';
import { answerIn } from './answers.js';
import type { Content } from './change.js';
import type { Contents } from './contents.js';
import { dropOrphan } from './holdings.js';
import { markOf } from './mark.js';
import { PlacedKeys } from './placed.js';
import type { RecordSource } from './records.js';
import type { State } from './state.js';

export interface RecoveryParts {
  readonly log: Pick<Log, 'replay'>;
  readonly state: State;
  readonly contents: Contents;
  readonly settle: () => Promise<void>;
}

/** The state may hold what the log says up to `from`, or where this was called before. */
export function recover(parts: RecoveryParts, from?: Position): Promise<Replayed> {
  return new Recovery(parts).run(from);
}

class Recovery {
  readonly #placed = new PlacedKeys();
  /** What the batch that is being read seals. */
  #seal: { readonly sequence: number; readonly time: number; readonly run: Fence[] } | undefined;

  /** The buffer was not empty to begin with, and nothing was sealed since. */
  #goesOn: boolean;

  constructor(private readonly parts: RecoveryParts) {
    this.#goesOn = parts.state.buffered > 0;
  }

  async run(from: Position | undefined): Promise<Replayed> {
    const { log } = this.parts;
    const visit = (entry: EntryView, location: number) => this.#visit(entry, location);
    const replayed = await log.replay(visit, () => this.#endBatch(), from);
    this.#recall();
    return replayed;
  }

  #visit(entry: EntryView, location: number): Eventually<void> {
    const { type } = entry;
    if (type === Type.Seal) {
      const { sequence, time } = entry;
      this.#seal = { sequence, time, run: [] };
      return;
    }
    if (type === Type.Keys) {
      // Without a SEAL it is a part of a merged run, all of which the MERGE names.
      this.#seal?.run.push({ firstKey: entry.key, location });
      return;
    }
    if (type === Type.Merge) {
      const { names, run } = decodeMerge(entry.value);
      this.parts.state.mergeRuns(names, run);
      return;
    }
    const { state, contents } = this.parts;
    if (type === Type.Clear) this.#placed.clear();
    if (type !== Type.Put && type !== Type.Object) return replayEntry(state, entry, location, undefined);
    const content = contents.of(entry, location);
    if (content instanceof Promise) return content.then((found) => this.#bring(entry, location, found));
    return this.#bring(entry, location, content);
  }

  #bring(entry: EntryView, location: number, content: Content): void {
    const { state } = this.parts;
    const high = entry.type === Type.Put ? entry.hashKey(state.secret) : 0;
    const low = lane[0]!;
    // What was not in the buffer to begin with gets there only while the index may know it, and until the
    // seal the index forgets nothing.
    const known = state.knows(high, low) || (this.#goesOn && state.slot(entry.key) !== undefined);
    if (entry.type !== Type.Put || known) {
      replayEntry(state, entry, location, content);
      return;
    }
    const { sequence: version, time, expiresAt, bytes } = entry;
    refuseBackwards(state, version);
    const where = { high, low, location, bytes: padded(bytes) };
    const change = { type: 'placed', ...where, content, expiresAt, version, time } as const;
    state.apply(change);
    this.#placed.add(entry, change);
  }

  #endBatch(): Eventually<void> {
    const { state, settle } = this.parts;
    const sealed = this.#seal;
    if (!sealed) {
      state.endGroup();
      return;
    }
    this.#seal = undefined;
    this.#goesOn = false;
    return settle().then(() => {
      state.reach(sealed.sequence, sealed.time);
      state.seal(sealed.run);
      state.endGroup();
      this.#placed.clear();
    });
  }

  /** The last extent is not sealed: its keys belong in the buffer. */
  #recall(): void {
    const { state } = this.parts;
    for (const [key, slot] of this.#placed.slots()) {
      if (state.slot(key)) {
        // It was written again, and nothing older of it is known.
        state.supersede(key, slot.location, slot.content);
      } else state.recall(key, slot);
    }
  }
}

/** Chunks of a stream that did not come to its end: nobody has them, and nobody will. */
export async function dropOrphans({
  state,
  records,
  contents,
}: Pick<RecoveryParts, 'state' | 'contents'> & { records: RecordSource }): Promise<void> {
  for (const [object, count] of [...state.references]) {
    if (count > 0) continue;
    const entry = await records.read(object);
    dropOrphan(state, await contents.of(entry, object));
  }
}

function refuseBackwards(state: State, version: number): void {
  if (version >= state.version) return;
  throw new CorruptionError(`version ${version} follows version ${state.version} in the log`, {
    detail: { version, before: state.version },
  });
}

/** Makes an entry of the log count. `content`: what a put or an object holds. */
export function replayEntry(
  state: State,
  entry: EntryView,
  location: number,
  content: Content | undefined,
): void {
  const { type, key, sequence: version, time } = entry;
  refuseBackwards(state, version);
  if (type === Type.Put) {
    const { expiresAt, createdAt, bytes } = entry;
    const where = { key, location, bytes: padded(bytes) };
    state.apply({ type: 'put', ...where, content: content!, expiresAt, createdAt, version, time });
  } else if (type === Type.Object) state.apply({ type: 'object', content: content!, version, time });
  else if (type === Type.Delete) state.apply({ type: 'delete', key, version, time });
  else if (type === Type.Clear) state.apply({ type: 'clear', version, time });
  else if (type === Type.Use) state.apply({ type: 'use', rows: entry.value, version, time });
  else if (type === Type.Answer) state.apply({ type: 'answer', answer: answerIn(entry), version, time });
  else if (type === Type.Checkpoint) {
    const mark = markOf(entry, location);
    state.apply({ type: 'checkpoint', label: key, mark, version, time });
  } else throw new CorruptionError(`an entry of type ${type} stands where none may`, { detail: { type } });
}
