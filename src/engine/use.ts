/**
 * What the log keeps of the use of keys, for a restart: entries of type USE, whose value is
 * rows of 14 bytes, in order of use. Integers are little-endian.
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     8  hash     of the key, two i32
 *         8     1  rank     0 low, 1 normal, 2 high, 3 pinned; 255: the key was used
 *         9     1  cost     128 + 8 * log2(cost); 0 where rank is 255
 *        10     4  size     what the key is charged, u32; 0 where rank is 255
 *
 * A row of a key that is not there means nothing. Hashes are those of the store's secret.
 *
 * The key with hash (1, -2), pinned, of cost 2 and 100 bytes:
 *
 *    01 00 00 00  fe ff ff ff  03  88  64 00 00 00
 */
import { hashString, lane, type Secret } from '../base/hash.js';
import { type EntryFields, entry, Type } from '../storage/log/index.js';
import type { Ranked, Terms } from '../structures/eviction/index.js';

export const USE_BYTES = 14;
export const USED = 255;
const COST_ONE = 128;
const COST_STEPS = 8;
/** Rows in an entry. */
const ROWS = 4096;

export interface UseRow {
  readonly high: number;
  readonly low: number;
  readonly rank: number;
  readonly cost: number;
  readonly size: number;
}

const RANKS = { low: 0, normal: 1, high: 2 } as const;
const PINNED = 3;

/** What the log has to be told of a key that is set on these terms; `undefined`: nothing. */
export function useOf(
  policy: Ranked | undefined,
  secret: Secret,
  key: string,
  { priority, pinned, cost }: Terms,
  size: number,
): UseRow | undefined {
  if (!policy) return undefined;
  const rank = pinned ? PINNED : RANKS[priority];
  const high = hashString(secret, key);
  const low = lane[0]!;
  const plain = rank === RANKS.normal && cost === 1;
  return plain && !policy.isSpecial(high, low) ? undefined : { high, low, rank, cost, size };
}

export function costToByte(cost: number): number {
  return Math.min(255, Math.max(1, COST_ONE + Math.round(COST_STEPS * Math.log2(cost))));
}

export function encodeUse(rows: readonly UseRow[]): Uint8Array {
  const bytes = new Uint8Array(rows.length * USE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, { high, low, rank, cost, size }] of rows.entries()) {
    const at = i * USE_BYTES;
    view.setInt32(at, high, true);
    view.setInt32(at + 4, low, true);
    bytes[at + 8] = rank;
    bytes[at + 9] = rank === USED ? 0 : costToByte(cost);
    view.setUint32(at + 10, Math.min(0xffff_ffff, Math.ceil(size)), true);
  }
  return bytes;
}

/** Tells `policy` what the rows say. */
export function applyUse(policy: Ranked, rows: Uint8Array): void {
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  for (let at = 0; at + USE_BYTES <= rows.length; at += USE_BYTES) {
    const high = view.getInt32(at, true);
    const low = view.getInt32(at + 4, true);
    const rank = rows[at + 8]!;
    if (rank === USED) policy.access(high, low);
    else if (policy.has(high, low)) {
      const cost = 2 ** ((rows[at + 9]! - COST_ONE) / COST_STEPS);
      policy.move(high, low, view.getUint32(at + 10, true), rank, cost);
    }
  }
}

/** Entries that say all that a policy knows, for a log that is written anew. */
export function* allUse(policy: Ranked, sequence: number, time: number): Generator<EntryFields, void> {
  for (const { rank, rows } of policy.rows()) {
    const order = Uint32Array.from(rows.used.keys()).sort((a, b) => rows.used[a]! - rows.used[b]!);
    let some: UseRow[] = [];
    for (const i of order) {
      if (rows.size[i] === 0) continue;
      some.push({
        high: rows.high[i]!,
        low: rows.low[i]!,
        rank,
        cost: 2 ** ((rows.cost[i]! - COST_ONE) / COST_STEPS),
        size: rows.size[i]!,
      });
      if (some.length < ROWS) continue;
      yield useEntry(encodeUse(some), sequence, time);
      some = [];
    }
    if (some.length > 0) yield useEntry(encodeUse(some), sequence, time);
  }
}

export function useEntry(rows: Uint8Array, sequence: number, time: number): EntryFields {
  return entry({ type: Type.Use, sequence, time, value: rows });
}
