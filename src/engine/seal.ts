/**
 * Sealing: when an extent has its size, what the buffer knows goes into the index,
 * and the keys go, in order, into the first batch of the next extent.
 */
import { compareKeys } from '../base/bytes.js';
import { entry, type Log, Type } from '../storage/log/index.js';
import { encodeBlocks, type Fence, type RunKey } from '../structures/runs/index.js';
import type { State } from './state.js';

/** REQUIRES: the state is settled, and nothing is applied meanwhile. */
export async function seal(log: Log, state: State): Promise<void> {
  const keys: RunKey[] = [];
  for (const [key, { location, expiresAt }] of state.slots()) {
    keys.push({ key, location, hasDeadline: expiresAt !== Infinity });
  }
  keys.sort((a, b) => compareKeys(a.key, b.key));
  const { version: sequence, time } = state;
  const batch = log.begin(true);
  batch.add(entry({ type: Type.Seal, sequence, time }));
  const run: Fence[] = [];
  for (const { firstKey, bytes } of encodeBlocks(keys)) {
    const location = batch.add(entry({ type: Type.Keys, sequence, time, key: firstKey, value: bytes }));
    run.push({ firstKey, location });
  }
  await log.append(batch, false);
  state.seal(run);
}
