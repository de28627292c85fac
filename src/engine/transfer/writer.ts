/** Records to the blocks of an export, as `format.ts` lays them out. Holds one block. */
import { isLatin1, putUint48, putUnits } from '../../base/bytes.js';
import { crc32c } from '../../base/crc32c.js';
import {
  BLOCK_BYTES,
  BlockType,
  END_AT,
  END_BYTES,
  FLAG_SHIFT,
  Flag,
  FRAME_AT,
  FRAME_BYTES,
  HEADER_AT,
  HEADER_BYTES,
  KIND_SHIFT,
  MAGIC,
  RECORD_AT,
  type TransferRecord,
  VERSION,
} from './format.js';

const FIRST_BYTES = FRAME_BYTES + 2 * BLOCK_BYTES;

export class ExportWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = FRAME_BYTES;
  #inBlock = 0;
  #blocks = 0;
  #records = 0;
  #values = 0;
  #valueBytes = 0;
  /** Of all that was given out, as the END has it. */
  #check = 0;

  /** Values that stand in the export so far: the number of the next one. */
  get values(): number {
    return this.#values;
  }

  get full(): boolean {
    return this.#end - FRAME_BYTES >= BLOCK_BYTES;
  }

  /** The first bytes of the export. */
  header(createdAt: number): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES);
    const view = new DataView(bytes.buffer);
    bytes.set(MAGIC, HEADER_AT.magic);
    view.setUint16(HEADER_AT.version, VERSION, true);
    putUint48(view, HEADER_AT.createdAt, createdAt);
    view.setUint32(HEADER_AT.check, crc32c(bytes, 0, HEADER_AT.check), true);
    this.#check = crc32c(bytes, 0, HEADER_AT.check, this.#check);
    return bytes;
  }

  /** REQUIRES: the key is behind the one before. */
  add({ key, kind, value, expiresAt, createdAt, updatedAt }: TransferRecord): void {
    const earlier = typeof value === 'number';
    const wide = !isLatin1(key);
    const expires = expiresAt !== Infinity;
    const keyBytes = wide ? 2 * key.length : key.length;
    const at = this.#end;
    this.#reserve(RECORD_AT.optional + 8 + keyBytes + (earlier ? 0 : value.length));
    const view = this.#view;
    const flags = (wide ? Flag.WideKey : 0) | (expires ? Flag.Expires : 0) | (earlier ? Flag.Earlier : 0);
    const head = keyBytes | (flags << FLAG_SHIFT) | ((earlier ? 0 : kind) << KIND_SHIFT);
    view.setUint32(at + RECORD_AT.head, head, true);
    putUint48(view, at + RECORD_AT.createdAt, createdAt);
    putUint48(view, at + RECORD_AT.updatedAt, updatedAt);
    view.setUint32(at + RECORD_AT.value, earlier ? value : value.length, true);
    let end = at + RECORD_AT.optional;
    if (expires) {
      view.setFloat64(end, expiresAt, true);
      end += 8;
    }
    end = putUnits(this.#bytes, end, key, wide);
    if (!earlier) {
      this.#bytes.set(value, end);
      end += value.length;
      this.#values += 1;
      this.#valueBytes += value.length;
    }
    this.#end = end;
    this.#inBlock += 1;
    this.#records += 1;
  }

  /** The block that was gathered; none where there is nothing in it. */
  block(): Uint8Array | undefined {
    return this.#inBlock === 0 ? undefined : this.#close(BlockType.Records);
  }

  /** The last bytes of the export. REQUIRES: no block is left. */
  end(): Uint8Array {
    const view = this.#view;
    view.setUint32(FRAME_BYTES + END_AT.blocks, this.#blocks, true);
    putUint48(view, FRAME_BYTES + END_AT.records, this.#records);
    putUint48(view, FRAME_BYTES + END_AT.values, this.#values);
    putUint48(view, FRAME_BYTES + END_AT.bytes, this.#valueBytes);
    view.setUint32(FRAME_BYTES + END_AT.check, this.#check, true);
    this.#end = FRAME_BYTES + END_BYTES;
    return this.#close(BlockType.End);
  }

  #close(type: number): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#end);
    const view = new DataView(bytes.buffer);
    bytes.fill(0, 0, FRAME_BYTES);
    view.setUint8(FRAME_AT.type, type);
    view.setUint32(FRAME_AT.length, bytes.length - FRAME_BYTES, true);
    view.setUint32(FRAME_AT.records, this.#inBlock, true);
    view.setUint32(FRAME_AT.check, crc32c(bytes, FRAME_BYTES, bytes.length, this.#blocks), true);
    view.setUint32(FRAME_AT.headCheck, crc32c(bytes, 0, FRAME_AT.headCheck, this.#blocks), true);
    this.#blocks += 1;
    this.#inBlock = 0;
    this.#end = FRAME_BYTES;
    // A buffer that one large value needed is not kept.
    if (this.#bytes.length > FIRST_BYTES) this.#grow(FIRST_BYTES);
    this.#check = crc32c(bytes, 0, FRAME_AT.headCheck, this.#check);
    this.#check = crc32c(bytes, FRAME_BYTES, bytes.length, this.#check);
    return bytes;
  }

  #reserve(more: number): void {
    const needed = this.#end + more;
    if (needed > this.#bytes.length) this.#grow(Math.max(needed, 2 * this.#bytes.length));
  }

  #grow(length: number): void {
    const bytes = new Uint8Array(length);
    bytes.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
