/**
 * What a caller may ask a store to remove: `evict` and `prune`. Loaded when it is first
 * asked for. Works in slices between which others run; a key is looked at again, and goes,
 * while nothing is written.
 */
import {
  isRecord,
  requireOptions,
  requirePositive,
  requireWhole,
  show,
  toMilliseconds,
} from '../contract/arguments.js';
import type { EvictOptions, EvictResult, PruneOptions } from '../contract/requests.js';
import type { RunKey } from '../structures/runs/index.js';
import { Freed } from './freed.js';
import type { Parts } from './parts.js';

const SLICE_KEYS = 512;

/**
 * With a budget those go that its policy names, else those that were written longest ago.
 * Expired ones go first.
 */
export async function evict(parts: Parts, options: unknown): Promise<EvictResult> {
  if (!isRecord(options))
    throw new TypeError(`evict: expected { toBytes } or { toEntries }, got ${show(options)}`);
  const { toBytes, toEntries } = requireOptions<EvictOptions>('evict', options, ['toBytes', 'toEntries']);
  if (toBytes === undefined && toEntries === undefined) {
    throw new TypeError('evict: expected toBytes or toEntries, got neither');
  }
  const left = {
    bytes: toBytes === undefined ? Infinity : requirePositive('evict: toBytes', toBytes, 0),
    keys: toEntries === undefined ? Infinity : requireWhole('evict: toEntries', toEntries, 0),
  };
  const { state, committer } = parts;
  await parts.maintenance.reapAll();
  const isEnough = () => state.keys <= left.keys && state.objectBytes <= left.bytes;
  const figures = () => ({ keys: state.keys, bytes: state.objectBytes });
  const { evictor } = parts;
  if (evictor) {
    const { keys, bytes } = await committer.exclusive(async () => {
      await parts.settle();
      return evictor.evict(left);
    });
    return { entries: keys, bytes };
  }
  const before = await committer.exclusive(async () => {
    await parts.settle();
    return figures();
  });
  if (!isEnough()) {
    const oldest = (await keysOf(parts)).sort((a, b) => a.location - b.location);
    await inSlices(
      parts,
      oldest,
      async (slice) => {
        const victims: string[] = [];
        const freed = new Freed(state);
        const isMore = () =>
          state.keys - victims.length > left.keys || state.objectBytes - freed.bytes > left.bytes;
        for (const { key, location } of slice) {
          if (!isMore()) break;
          const found = await parts.lookup.find(key);
          if (found?.location !== location) continue;
          const buffered = state.slot(key)?.content;
          freed.add(buffered ?? (await parts.contents.of(await parts.lookup.record(found), location)));
          victims.push(key);
        }
        return victims;
      },
      isEnough,
    );
  }
  return { entries: before.keys - state.keys, bytes: before.bytes - state.objectBytes };
}

/** Those that have expired, and those that are older or idler than given; how many they were. */
export async function prune(parts: Parts, options: unknown = {}): Promise<number> {
  const { maxAge = Infinity, maxIdle = Infinity } = requireOptions<PruneOptions>('prune', options, [
    'maxAge',
    'maxIdle',
  ]);
  const ageMs = toMilliseconds('prune: maxAge', maxAge);
  const idleMs = toMilliseconds('prune: maxIdle', maxIdle);
  let removed = await parts.maintenance.reapAll();
  if (ageMs === Infinity && idleMs === Infinity) return removed;
  const now = parts.now();
  await inSlices(parts, await keysOf(parts), async (slice) => {
    const old: string[] = [];
    for (const { key } of slice) {
      const found = await parts.lookup.find(key);
      if (!found) continue;
      const { updatedAt } = await parts.lookup.record(found);
      const usedAt = Math.max(updatedAt, parts.accesses?.usedAt(key) ?? 0);
      if (now - updatedAt > ageMs || now - usedAt > idleMs) old.push(key);
    }
    removed += old.length;
    return old;
  });
  return removed;
}

async function keysOf(parts: Parts): Promise<RunKey[]> {
  const { resolveRange } = await import('./bounds.js');
  return parts.takeAll(await parts.beginScan(resolveRange(undefined)));
}

/** Removes what `choose` gives of each slice, alone in the queue. */
async function inSlices(
  parts: Parts,
  keys: readonly RunKey[],
  choose: (slice: readonly RunKey[]) => Promise<readonly string[]>,
  isEnough: () => boolean = () => false,
): Promise<void> {
  for (let from = 0; from < keys.length && !isEnough(); from += SLICE_KEYS) {
    await parts.committer.exclusive(async () => {
      const going = await choose(keys.slice(from, from + SLICE_KEYS));
      if (going.length > 0) await parts.committer.removeNow(going, 'evict');
      await parts.settle();
    });
  }
}
