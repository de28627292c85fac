/**
 * Opening: the log is read from its start, or from where an image ends, and every entry
 * goes through `State.apply`, as it did when it was written.
 */
import { CorruptionError } from '../base/errors.js';
import {
  type EntryView,
  type Log,
  type Position,
  padded,
  type Replayed,
  Type,
} from '../storage/log/index.js';
import type { Fence } from '../structures/runs/index.js';
import { answerIn } from './answers.js';
import type { Content } from './change.js';
import type { Contents } from './contents.js';
import type { State } from './state.js';

export async function recover(
  log: Log,
  state: State,
  contents: Contents,
  settle: () => Promise<void>,
  from?: Position,
): Promise<Replayed> {
  let pending: { entry: EntryView; location: number }[] = [];
  const visit = (entry: EntryView, location: number) => {
    pending.push({ entry, location });
  };
  const endBatch = async () => {
    const batch = pending;
    pending = [];
    for (let i = 0; i < batch.length; i++) {
      const { entry, location } = batch[i]!;
      if (entry.type === Type.Seal) {
        const run: Fence[] = [];
        while (batch[i + 1]?.entry.type === Type.Keys) {
          const { entry: block, location: at } = batch[++i]!;
          run.push({ firstKey: block.key, location: at });
        }
        await settle();
        state.reach(entry.sequence, entry.time);
        state.seal(run);
        continue;
      }
      const holds = entry.type === Type.Put || entry.type === Type.Object;
      const content = holds ? contents.of(entry, location) : undefined;
      replayEntry(state, entry, location, content instanceof Promise ? await content : content);
    }
    state.endGroup();
  };
  return log.replay(visit, endBatch, from);
}

/** Makes an entry of the log count. `content`: what a put or an object holds. */
export function replayEntry(
  state: State,
  entry: EntryView,
  location: number,
  content: Content | undefined,
): void {
  const { type, key, sequence: version, time } = entry;
  if (version < state.version) {
    throw new CorruptionError(`version ${version} follows version ${state.version} in the log`, {
      detail: { version, before: state.version },
    });
  }
  if (type === Type.Put) {
    const { expiresAt, createdAt, bytes } = entry;
    const where = { key, location, bytes: padded(bytes) };
    state.apply({ type: 'put', ...where, content: content!, expiresAt, createdAt, version, time });
  } else if (type === Type.Object) state.apply({ type: 'object', content: content!, version, time });
  else if (type === Type.Delete) state.apply({ type: 'delete', key, version, time });
  else if (type === Type.Clear) state.apply({ type: 'clear', version, time });
  else if (type === Type.Answer) state.apply({ type: 'answer', answer: answerIn(entry), version, time });
  else throw new CorruptionError(`an entry of type ${type} stands where none may`, { detail: { type } });
}
