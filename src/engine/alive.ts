/**
 * What a rewriting of the log has to copy: the entries that are alive in a version, in
 * the order of the log, and what of the changes since then still stands.
 */
import { CorruptionError } from '../base/errors.js';
import { hashString, lane, type Secret } from '../base/hash.js';
import { type EntryFields, type EntryView, entry, Type } from '../storage/log/index.js';
import type { Change } from './change.js';
import type { View } from './state.js';

/** Buckets by which locations are put in order, each in one go. */
const BUCKETS = 1024;
/** Segments of a maplet that are looked through without a pause: one takes 0.1 ms. */
const PARTS_AT_ONCE = 16;

/** What is left of a record: all of it while it is its key's, else the value that others refer to. */
export function copyOf(
  record: EntryView,
  location: number,
  view: View,
  secret: Secret,
  dedup: boolean,
): EntryFields {
  if (record.type === Type.Put && isCurrent(view, secret, record.key, location)) return record;
  if (!dedup || !record.brings) {
    throw new CorruptionError('the index names a record that no key has', { detail: { location } });
  }
  const { sequence, time, kind, value, packed } = record;
  return entry({ type: Type.Object, sequence, time, kind, value, packed, brings: true });
}

/** Whether the record of `key` at `location` is the one that the key has in this version. */
export function isCurrent(view: View, secret: Secret, key: string, location: number): boolean {
  const slot = view.buffer.get(key);
  if (slot) return slot.content !== undefined && slot.location === location;
  const high = hashString(secret, key);
  return view.index.names(high, lane[0]!, location);
}

/** The changes that a later one has not undone, so that writers who overwrite the same keys are caught up with. */
export function standing(changes: readonly Change[]): Change[] {
  const later = new Set<string>();
  const kept: Change[] = [];
  for (let i = changes.length - 1; i >= 0; i--) {
    const change = changes[i]!;
    if (change.type === 'clear') {
      kept.push(change);
      break;
    }
    if (!('key' in change) || later.has(change.key)) continue;
    kept.push(change);
    later.add(change.key);
  }
  return kept.reverse();
}

/**
 * The locations of all that is alive in a version: buckets in ascending order, the
 * locations in each without. So no step takes long, however many there are.
 */
export async function bucketsOf(view: View, pause: () => Promise<void>): Promise<Uint32Array[]> {
  const parts: Uint32Array[] = [];
  const buffered: number[] = [];
  for (const [, { content, location }] of view.buffer) if (content) buffered.push(location);
  parts.push(Uint32Array.from(buffered));
  let highest = 0;
  for (const maplet of [view.index, view.objects]) {
    for (const segment of maplet.segments()) {
      const locations = segment.locations();
      for (const location of locations) if (location > highest) highest = location;
      parts.push(locations);
      if (parts.length % PARTS_AT_ONCE === 0) await pause();
    }
  }
  for (const location of parts[0]!) if (location > highest) highest = location;
  const width = Math.ceil((highest + 1) / BUCKETS);
  const counts = new Uint32Array(BUCKETS);
  for (let i = 0; i < parts.length; i++) {
    for (const location of parts[i]!) counts[Math.floor(location / width)]! += 1;
    if (i % PARTS_AT_ONCE === 0) await pause();
  }
  const buckets = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (let i = 0; i < parts.length; i++) {
    for (const location of parts[i]!) {
      const at = Math.floor(location / width);
      buckets[at]![counts[at]!++] = location;
    }
    if (i % PARTS_AT_ONCE === 0) await pause();
  }
  return buckets;
}

/** Sorted locations, each once: a record that is its key's and brought its value is named twice. */
export function withoutTwins(sorted: Uint32Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[count++] = sorted[i]!;
  }
  return sorted.subarray(0, count);
}
