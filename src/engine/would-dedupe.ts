/** Asking whether a value is there already, or one that resembles it. Loaded when it is first asked. */
import { encode } from '../base/codec/index.js';
import { lane } from '../base/hash.js';
import { sha256Hex } from '../base/sha256.js';
import type { WouldDedupe } from '../contract/store.js';
import type { Parts } from './parts.js';

export async function wouldDedupe(value: unknown, parts: Parts): Promise<WouldDedupe> {
  const encoded = await encode(value);
  const { state, contents, packing, maker, committer, counters } = parts;
  counters.operations += 1;
  const objectId = await sha256Hex(encoded.bytes);
  if (!state.dedup) return { duplicate: false, objectId };
  return committer.exclusive(async () => {
    const high = packing.hash(encoded);
    if (await contents.find(high, lane[0]!, encoded)) return { duplicate: true, objectId };
    const relative = await maker?.relativeOf(encoded);
    if (!relative) return { duplicate: false, objectId };
    const { first, similarity } = relative;
    return { duplicate: first !== undefined, objectId: await sha256Hex(relative.encoded.bytes), similarity };
  });
}
