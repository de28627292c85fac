/**
 * The blocks of an export to records, checked by every rule of `format.ts`.
 *
 * Bytes come in pieces of any size. What is claimed of lengths allocates nothing: a
 * block is put together when all of it has come.
 */
import { getUint48, getUnits, isLatin1 } from '../../base/bytes.js';
import { decode } from '../../base/codec/index.js';
import { crc32c } from '../../base/crc32c.js';
import { CapacityError, CorruptionError, FormatError, StoreError } from '../../base/errors.js';
import { KEY_BYTES_MAX, TIME_MAX } from '../../contract/arguments.js';
import {
  BlockType,
  END_AT,
  END_BYTES,
  FLAG_MASK,
  FLAG_SHIFT,
  Flag,
  FRAME_AT,
  FRAME_BYTES,
  HEADER_AT,
  HEADER_BYTES,
  KEY_MASK,
  KIND_MASK,
  KIND_SHIFT,
  MAGIC,
  RECORD_AT,
  type TransferRecord,
  VERSION,
} from './format.js';

type Part = 'header' | 'frame' | 'payload' | 'end';

const KNOWN_BITS = KEY_MASK | (FLAG_MASK << FLAG_SHIFT) | (KIND_MASK << KIND_SHIFT);

export class ImportReader {
  #pieces: Uint8Array[] = [];
  /** Bytes of the first piece that were used. */
  #used = 0;
  #have = 0;
  #part: Part = 'header';
  #need = HEADER_BYTES;
  /** Where in the export that lies which is looked at. */
  #at = 0;
  #frame: Uint8Array = new Uint8Array(FRAME_BYTES);
  #blocks = 0;
  #records = 0;
  #values = 0;
  #valueBytes = 0;
  #check = 0;
  #lastKey: string | undefined;

  /** `onRecord` is told each record of a block that agrees with its check; its value shares memory with the block alone. */
  constructor(
    private readonly blockBytesMax: number,
    private readonly onRecord: (record: TransferRecord) => void,
  ) {}

  get records(): number {
    return this.#records;
  }

  /**
   * Takes the next bytes, which may be used again afterwards only if they were all used.
   *
   * @throws CorruptionError with the range of bytes, FormatError, CapacityError. Nothing more can be taken then.
   */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#have += bytes.length;
    while (this.#have >= this.#need) {
      const part = this.#take(this.#need);
      this.#read(part);
      this.#at += part.length;
    }
    // What is left over is a part of a piece that belongs to the caller.
    if (this.#have > 0) this.#pieces[this.#pieces.length - 1] = this.#pieces.at(-1)!.slice();
  }

  /** @throws CorruptionError when the export is not whole. */
  finish(): void {
    if (this.#part === 'end') return;
    const rest = this.#take(this.#have);
    if (this.#part === 'header') refuseOther(rest);
    throw new CorruptionError(`the export ends at byte ${this.#at + rest.length}, before its end block`, {
      detail: { start: this.#at, end: this.#at + rest.length },
    });
  }

  #take(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let whole = 0;
    for (let filled = 0; filled < length; ) {
      const piece = this.#pieces[whole]!;
      const part = piece.subarray(this.#used, this.#used + length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#used += part.length;
      if (this.#used === piece.length) {
        whole += 1;
        this.#used = 0;
      }
    }
    // All at once: a shift for each of many small pieces would move the rest each time.
    this.#pieces.splice(0, whole);
    this.#have -= length;
    return taken;
  }

  #read(part: Uint8Array): void {
    switch (this.#part) {
      case 'header':
        this.#header(part);
        return;
      case 'frame':
        this.#block(part);
        return;
      case 'payload':
        this.#payload(part);
        return;
      case 'end':
        throw this.#damage('more bytes follow its end', part.length);
    }
  }

  #header(bytes: Uint8Array): void {
    refuseOther(bytes);
    const view = new DataView(bytes.buffer);
    if (view.getUint32(HEADER_AT.check, true) !== crc32c(bytes, 0, HEADER_AT.check)) {
      throw this.#damage('the header fails its check', HEADER_BYTES);
    }
    const version = view.getUint16(HEADER_AT.version, true);
    const flags = view.getUint32(HEADER_AT.flags, true);
    if (version !== VERSION || flags !== 0) {
      throw new FormatError(
        `the export was written in format ${version} with flags ${flags}; this release reads ${VERSION} without`,
        { detail: { version, flags } },
      );
    }
    if (getUint48(view, HEADER_AT.reserved) !== 0)
      throw this.#damage('a reserved field is not 0', HEADER_BYTES);
    this.#count(bytes, HEADER_AT.check);
    this.#next('frame', FRAME_BYTES);
  }

  #block(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer);
    if (view.getUint32(FRAME_AT.headCheck, true) !== crc32c(bytes, 0, FRAME_AT.headCheck, this.#blocks)) {
      throw this.#damage('the frame of a block fails its check', FRAME_BYTES);
    }
    const type = bytes[FRAME_AT.type]!;
    const length = view.getUint32(FRAME_AT.length, true);
    const records = view.getUint32(FRAME_AT.records, true);
    const isEnd = type === BlockType.End;
    const possible = isEnd
      ? length === END_BYTES && records === 0
      : type === BlockType.Records && records > 0;
    if (!possible || bytes[1] !== 0 || bytes[2] !== 0 || bytes[3] !== 0) {
      throw this.#damage('the frame of a block says what none may', FRAME_BYTES);
    }
    if (length > this.blockBytesMax) {
      throw new CapacityError(
        `the export has a block of ${length} bytes; expected at most ${this.blockBytesMax} (maxBytes)`,
        { detail: { bytes: length, maxBytes: this.blockBytesMax } },
      );
    }
    this.#frame = bytes;
    // The check in the END is of what comes before its frame.
    if (!isEnd) this.#count(bytes, FRAME_AT.headCheck);
    this.#next('payload', length);
  }

  #payload(bytes: Uint8Array): void {
    const frame = new DataView(this.#frame.buffer);
    if (frame.getUint32(FRAME_AT.check, true) !== crc32c(bytes, 0, bytes.length, this.#blocks)) {
      throw this.#damage('a block fails its check', bytes.length);
    }
    if (this.#frame[FRAME_AT.type] === BlockType.End) {
      this.#end(new DataView(bytes.buffer));
      this.#next('end', 1);
      return;
    }
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (let left = frame.getUint32(FRAME_AT.records, true); left > 0; left--)
      at = this.#record(bytes, view, at);
    if (at !== bytes.length) throw this.#wrong('a block is longer than its records', at);
    this.#blocks += 1;
    this.#count(bytes, bytes.length);
    this.#next('frame', FRAME_BYTES);
  }

  #record(bytes: Uint8Array, view: DataView, at: number): number {
    if (at + RECORD_AT.optional > bytes.length) throw this.#wrong('a record ends behind its block', at);
    const head = view.getUint32(at + RECORD_AT.head, true);
    const flags = (head >>> FLAG_SHIFT) & FLAG_MASK;
    const earlier = (flags & Flag.Earlier) !== 0;
    const wide = (flags & Flag.WideKey) !== 0;
    const keyBytes = head & KEY_MASK;
    const kind = (head >>> KIND_SHIFT) & KIND_MASK;
    if ((head & ~KNOWN_BITS) !== 0 || (earlier && kind !== 0)) {
      throw this.#wrong('a record has bits that none may have', at);
    }
    const createdAt = getUint48(view, at + RECORD_AT.createdAt);
    const updatedAt = getUint48(view, at + RECORD_AT.updatedAt);
    const length = view.getUint32(at + RECORD_AT.value, true);
    const keyStart = at + RECORD_AT.optional + (flags & Flag.Expires ? 8 : 0);
    const keyEnd = keyStart + keyBytes;
    const end = keyEnd + (earlier ? 0 : length);
    if (end > bytes.length) throw this.#wrong('a record ends behind its block', at);
    let expiresAt = Infinity;
    if (flags & Flag.Expires) {
      expiresAt = view.getFloat64(at + RECORD_AT.optional, true);
      if (!(expiresAt > 0 && expiresAt <= TIME_MAX)) throw this.#wrong('a deadline is no point in time', at);
    }
    if (keyBytes > KEY_BYTES_MAX || (wide && keyBytes % 2 !== 0))
      throw this.#wrong('a key has no possible length', at);
    const key = getUnits(bytes, keyStart, keyEnd, wide);
    if (wide && isLatin1(key)) throw this.#wrong('a key is wide without need', at);
    if (this.#lastKey !== undefined && key <= this.#lastKey) throw this.#wrong('keys are not in order', at);
    this.#lastKey = key;
    if (earlier && length >= this.#values)
      throw this.#wrong('a record names a value that is not before it', at);
    const value = earlier ? length : bytes.subarray(keyEnd, end);
    if (!earlier) {
      this.#refuseUndecodable(kind, value as Uint8Array, at);
      this.#values += 1;
      this.#valueBytes += length;
    }
    this.#records += 1;
    this.onRecord({ key, kind, value, expiresAt, createdAt, updatedAt });
    return end;
  }

  /** A value that nobody could read must not get into a store. */
  #refuseUndecodable(kind: number, value: Uint8Array, at: number): void {
    try {
      decode(kind, value);
    } catch (cause) {
      if (!(cause instanceof StoreError)) throw cause;
      throw new CorruptionError(`the export is damaged: ${cause.message}`, {
        cause,
        detail: this.#place(at, value.length),
      });
    }
  }

  #end(view: DataView): void {
    const agrees =
      view.getUint32(END_AT.blocks, true) === this.#blocks &&
      getUint48(view, END_AT.records) === this.#records &&
      getUint48(view, END_AT.values) === this.#values &&
      getUint48(view, END_AT.bytes) === this.#valueBytes &&
      view.getUint32(END_AT.check, true) === this.#check;
    if (!agrees) throw this.#damage('its parts do not belong together', END_BYTES);
  }

  #next(part: Part, need: number): void {
    this.#part = part;
    this.#need = need;
  }

  #count(bytes: Uint8Array, end: number): void {
    this.#check = crc32c(bytes, 0, end, this.#check);
  }

  /** REQUIRES: what is looked at has `length` bytes. */
  #damage(what: string, length: number): CorruptionError {
    const { start, end } = this.#place(0, length);
    return new CorruptionError(`bytes ${start} to ${end} of the export are damaged: ${what}`, {
      detail: { start, end },
    });
  }

  /** What has a good check and still breaks a rule, at `at` of the payload. */
  #wrong(what: string, at: number): CorruptionError {
    const detail = this.#place(at, 0);
    return new CorruptionError(`the export is wrong at byte ${detail.start}: ${what}`, { detail });
  }

  #place(at: number, length: number): { start: number; end: number } {
    return { start: this.#at + at, end: this.#at + at + length };
  }
}

/** @throws FormatError when `bytes` are not the first ones of an export. */
function refuseOther(bytes: Uint8Array): void {
  for (let i = 0; i < MAGIC.length && i < bytes.length; i++) {
    if (bytes[i] !== MAGIC[i]) throw new FormatError('what is to be imported is no export of rootcellar');
  }
}
