/**
 * What a rewriting of the log has to copy: the entries that are alive in a version, in
 * the order of the log, and what of the changes since then still stands.
 */
import { CorruptionError } from '../base/errors.js';
import { hashString, lane, type Secret } from '../base/hash.js';
import { type EntryFields, type EntryView, entry, Type } from '../storage/log/index.js';
import type { Change } from './change.js';
import type { State, View } from './state.js';

/** Buckets by which locations are put in order, each in one go. */
const BUCKETS = 1024;

/** A change to be copied: all of it, or the value only. */
export interface Standing {
  readonly change: Change;
  readonly whole: boolean;
}

/** What is left of a record: all of it while it is its key's, else the value that others refer to. */
export function copyOf(
  record: EntryView,
  location: number,
  view: View,
  secret: Secret,
  dedup: boolean,
): EntryFields {
  const { type, key } = record;
  const high = hashString(secret, key);
  const slot = view.buffer.get(key);
  const current = slot
    ? slot.content !== undefined && slot.location === location
    : view.index.names(high, lane[0]!, location);
  if (type === Type.Put && current) return record;
  if (!dedup || !record.brings) {
    throw new CorruptionError('the index names a record that no key has', { detail: { location } });
  }
  return valueOnly(record);
}

export function valueOnly({ sequence, time, kind, value, packed }: EntryView): EntryFields {
  return entry({ type: Type.Object, sequence, time, kind, value, packed, brings: true });
}

/**
 * The changes that a later one has not undone, so that writers who overwrite the same
 * keys are caught up with. Of a put that was undone the value stays (not `whole`) while
 * other keys have it.
 */
export function standing(changes: readonly Change[], { dedup, objects }: State): Standing[] {
  const later = new Set<string>();
  const kept: Standing[] = [];
  for (let i = changes.length - 1; i >= 0; i--) {
    const change = changes[i]!;
    if (change.type === 'clear') {
      kept.push({ change, whole: true });
      break;
    }
    if (change.type === 'answer') continue;
    if (change.type === 'object') {
      const { high, low, object } = change.content;
      if (objects.names(high, low, object)) kept.push({ change, whole: false });
      continue;
    }
    if (!later.has(change.key)) kept.push({ change, whole: true });
    else if (change.type === 'put' && dedup && change.content.brings) {
      const { high, low } = change.content;
      if (objects.names(high, low, change.location)) kept.push({ change, whole: false });
    }
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
    for (const segment of maplet.segments()) parts.push(segment.locations());
    await pause();
  }
  for (const part of parts) for (const location of part) if (location > highest) highest = location;
  const width = Math.ceil((highest + 1) / BUCKETS);
  const counts = new Uint32Array(BUCKETS);
  for (const part of parts) {
    for (const location of part) counts[Math.floor(location / width)]! += 1;
  }
  const buckets = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  for (const part of parts) {
    for (const location of part) {
      const at = Math.floor(location / width);
      buckets[at]![counts[at]!++] = location;
    }
  }
  await pause();
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
