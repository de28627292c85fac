/**
 * Which objects there are, and how many have each: keys, and objects that are made of it.
 * An object goes when nobody has it any more, and lets go of what it was made of.
 */
import type { IndexMaplet } from '../structures/maplet/index.js';
import { bytesOf, CHUNK_ROW, type Content, chunksOf } from './change.js';

export interface Holdings {
  readonly dedup: boolean;
  readonly objects: IndexMaplet;
  /** Object -> how many have it, where that is not one. */
  readonly references: Map<number, number>;
  /** Of the references those of streams that come in: nothing in the log says so. */
  readonly holds: Map<number, number>;
  objectCount: number;
  objectBytes: number;
  chunkCount: number;
}

/** An object comes, and shares what it is made of. Somebody has it, unless its references say otherwise. */
export function addObject(holdings: Holdings, content: Content): void {
  const { high, low, object, made, chunk } = content;
  if (holdings.dedup) holdings.objects.insert(high, low, object);
  if (chunk) holdings.chunkCount += 1;
  else holdings.objectCount += 1;
  holdings.objectBytes += bytesOf(content);
  if (!made) return;
  const { chunks, base } = made;
  for (let row = 0; row < chunks.length; row += CHUNK_ROW) shareObject(holdings, chunks[row + 2]!);
  if (base) shareObject(holdings, base.object);
}

/** One more has it. */
export function shareObject({ references }: Holdings, object: number): void {
  const count = (references.get(object) ?? 1) + 1;
  if (count === 1) references.delete(object);
  else references.set(object, count);
}

/** One that had it has it no more. */
export function letGoOf(holdings: Holdings, content: Content): void {
  const { high, low, object, made, chunk } = content;
  const { references } = holdings;
  const count = references.get(object);
  if (count === 2) references.delete(object);
  else if (count !== undefined) references.set(object, count - 1);
  if (count !== undefined) return;
  if (holdings.dedup) holdings.objects.remove(high, low, object);
  if (chunk) holdings.chunkCount -= 1;
  else holdings.objectCount -= 1;
  holdings.objectBytes -= bytesOf(content);
  if (!made) return;
  for (const part of chunksOf(made)) letGoOf(holdings, part);
  if (made.base) letGoOf(holdings, made.base);
}

/** A stream that comes in wants the object. */
export function holdObject(holdings: Holdings, object: number): void {
  shareObject(holdings, object);
  holdings.holds.set(object, (holdings.holds.get(object) ?? 0) + 1);
}

/** The end of a hold. */
export function endHold(holdings: Holdings, content: Content): void {
  const count = holdings.holds.get(content.object)!;
  if (count === 1) holdings.holds.delete(content.object);
  else holdings.holds.set(content.object, count - 1);
  letGoOf(holdings, content);
}

/** An object that was brought, and that nobody has, goes. */
export function dropOrphan(holdings: Holdings, content: Content): void {
  holdings.references.delete(content.object);
  letGoOf(holdings, content);
}
