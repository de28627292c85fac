/**
 * A batch in the making: entries one behind the other in one buffer that grows and
 * is used again, so that a group of calls costs one write and no allocation.
 */

import { crc32c } from '../../base/crc32c.js';
import { type EntryFields, entry, entryBytesMax, putCheck, putEntry } from './entry.js';
import {
  COMMIT_AT,
  COMMIT_BYTES,
  ENTRY_AT,
  EXTENT_AT,
  EXTENT_BYTES,
  EXTENT_MAGIC,
  padded,
  Type,
  UNIT,
  VERSION,
} from './format.js';
import type { Batch } from './log.js';

const FIRST_BYTES = 64 * 1024;
/** A buffer that one large batch needed is not kept for the small ones after it. */
const KEPT_BYTES_MAX = 4 * 2 ** 20;

export class BatchBuffer implements Batch {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;
  #entries = 0;
  #base = 0;
  #generation = 0;

  /** Starts again: what is added now will lie from `base` on in the log. */
  reset(base: number, generation: number): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) {
      this.#bytes = new Uint8Array(FIRST_BYTES);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#base = base;
    this.#generation = generation;
    this.#end = 0;
    this.#entries = 0;
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#end;
  }

  /** The batch as it is to be written. Good until the next `reset`. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  get next(): number {
    return (this.#base + this.#end) / UNIT;
  }

  add(fields: EntryFields): number {
    const location = this.next;
    this.#append(fields);
    this.#entries += 1;
    return location;
  }

  fill(location: number, value: Uint8Array): void {
    this.fillAt(location * UNIT - this.#base, value);
  }

  /** As `fill`, of the entry at an offset. */
  fillAt(at: number, value: Uint8Array): void {
    const end = at + this.#view.getUint32(at + ENTRY_AT.length, true);
    this.#bytes.set(value, end - value.length);
    putCheck(this.#bytes, this.#view, at, end, this.#generation);
  }

  /** REQUIRES: nothing was added yet. */
  addExtentHeader(number: number): void {
    this.#reserve(EXTENT_BYTES);
    const view = this.#view;
    this.#bytes.fill(0, 0, EXTENT_BYTES);
    view.setUint32(EXTENT_AT.magic, EXTENT_MAGIC, true);
    view.setUint16(EXTENT_AT.version, VERSION, true);
    view.setUint32(EXTENT_AT.generation, this.#generation, true);
    view.setUint32(EXTENT_AT.number, number, true);
    view.setUint32(EXTENT_AT.check, crc32c(this.#bytes, EXTENT_AT.version, EXTENT_BYTES), true);
    this.#end = EXTENT_BYTES;
  }

  /** Closes the batch, which began at `start` of this buffer. */
  addCommit(start: number, sequence: number, time: number, flushedTo: number): void {
    const value = new Uint8Array(COMMIT_BYTES);
    const view = new DataView(value.buffer);
    const commit = entry({ type: Type.Commit, sequence, time, value });
    view.setUint32(COMMIT_AT.bytes, this.#end - start + padded(ENTRY_AT.optional + COMMIT_BYTES), true);
    view.setUint32(COMMIT_AT.entries, this.#entries, true);
    view.setUint32(COMMIT_AT.flushed, flushedTo / UNIT, true);
    this.#append(commit);
  }

  #append(fields: EntryFields): void {
    this.#reserve(padded(entryBytesMax(fields)));
    const end = putEntry(this.#bytes, this.#view, this.#end, fields, this.#generation);
    this.#end = padded(end);
    this.#bytes.fill(0, end, this.#end);
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + more));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
