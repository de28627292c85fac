/**
 * Where images of the engine's memory are kept: two slots, written in turn, so that one
 * of them always is whole. An image is a cache of the log: one that is not as it was
 * written, or belongs to another log, is as good as none.
 *
 * Format of an image, version 1. Integers are little-endian.
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  magic       52 43 49 4d, "RCIM"
 *         4     4  check       CRC-32C of bytes 32 .. length, then of bytes 8 .. 32
 *         8     2  version     1
 *        10     2  reserved    0
 *        12     4  generation  of the log
 *        16     6  number      the image with the higher number is the newer one
 *        22     6  length      bytes of the whole
 *        28     4  reserved    0
 *        32     n  payload     `engine/image-format.ts`
 *
 * The head is written last. An image counts when the head is whole, of this version and
 * of the generation of the log, and the check agrees; what lies behind is not looked at.
 */
import { type Eventually, getUint48, putUint48 } from '../base/bytes.js';
import { crc32c } from '../base/crc32c.js';
import { IoError } from '../base/errors.js';
import { mediumError, type SyncFile } from './log/index.js';

export interface ImageWriter {
  /** Takes the next bytes of the payload. */
  write(piece: Uint8Array): Eventually<void>;
  /** Flushes what was written, which from its return on is the newest image. */
  commit(): Eventually<void>;
}

export interface ImageStore {
  /** Payloads of the whole images of this log, the newest first, each read when it is asked for. */
  images(generation: number): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Begins an image in the slot that does not hold the one that was read or written last. One at a time. */
  begin(generation: number): ImageWriter;
}

export interface Head {
  readonly check: number;
  readonly generation: number;
  readonly number: number;
  readonly length: number;
}

export const HEAD_BYTES = 32;
const AT = { magic: 0, check: 4, version: 8, generation: 12, number: 16, length: 22 } as const;
const MAGIC = 0x4d494352;
const VERSION = 1;

export function encodeHead(head: Omit<Head, 'check'>, payloadCheck: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  view.setUint16(AT.version, VERSION, true);
  view.setUint32(AT.generation, head.generation, true);
  putUint48(view, AT.number, head.number);
  putUint48(view, AT.length, head.length);
  view.setUint32(AT.check, crc32c(bytes, AT.version, HEAD_BYTES, payloadCheck), true);
  return bytes;
}

/** The head at the start of `bytes`, if one of this version is there. Its check is looked at by `isWhole`. */
export function decodeHead(bytes: Uint8Array): Head | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(AT.magic, true) !== MAGIC || view.getUint16(AT.version, true) !== VERSION)
    return undefined;
  return {
    check: view.getUint32(AT.check, true),
    generation: view.getUint32(AT.generation, true),
    number: getUint48(view, AT.number),
    length: getUint48(view, AT.length),
  };
}

/** Whether `payload` is the one that was written with the head in `headBytes`. */
export function isWhole(headBytes: Uint8Array, payload: Uint8Array): boolean {
  return decodeHead(headBytes)?.check === crc32c(headBytes, AT.version, HEAD_BYTES, crc32c(payload));
}

/** Slots that hold an image of this log, by their heads, the newest first. */
export function newestFirst(heads: readonly (Head | undefined)[], generation: number): number[] {
  const numberOf = (slot: number) => heads[slot]?.number ?? 0;
  return [0, 1]
    .filter((slot) => heads[slot]?.generation === generation)
    .sort((a, b) => numberOf(b) - numberOf(a));
}

/** The slot that is to be kept as long as nobody has read either. */
export function newestSlot([first, second]: readonly (Head | undefined)[]): number {
  return (first?.number ?? 0) > (second?.number ?? 0) ? 0 : 1;
}

export function nextNumber(heads: readonly (Head | undefined)[]): number {
  return Math.max(...heads.map((head) => head?.number ?? 0)) + 1;
}

/** Images in two files. */
export class FileImages implements ImageStore {
  readonly #heads: (Head | undefined)[];
  /** The slot that is not to be overwritten. */
  #kept: number;

  constructor(private readonly files: readonly [SyncFile, SyncFile]) {
    this.#heads = files.map((file) => decodeHead(readFile(file, HEAD_BYTES)));
    this.#kept = newestSlot(this.#heads);
  }

  *images(generation: number): Generator<Uint8Array, void> {
    for (const slot of newestFirst(this.#heads, generation)) {
      const { length } = this.#heads[slot]!;
      const file = this.files[slot]!;
      if (length < HEAD_BYTES || length > file.size()) continue;
      const bytes = readFile(file, length);
      const payload = bytes.subarray(HEAD_BYTES);
      if (bytes.length < length || !isWhole(bytes, payload)) continue;
      this.#kept = slot;
      yield payload;
    }
  }

  begin(generation: number): ImageWriter {
    const slot = 1 - this.#kept;
    const file = this.files[slot]!;
    const number = nextNumber(this.#heads);
    let length = HEAD_BYTES;
    let check = 0;
    this.#heads[slot] = undefined;
    put(file, new Uint8Array(HEAD_BYTES), 0);
    return {
      write(piece) {
        put(file, piece, length);
        check = crc32c(piece, 0, piece.length, check);
        length += piece.length;
      },
      commit: () => {
        const head = encodeHead({ generation, number, length }, check);
        put(file, head, 0);
        try {
          file.truncate(length);
          file.flush();
        } catch (error) {
          throw mediumError('flushing an image', error);
        }
        this.#heads[slot] = decodeHead(head);
        this.#kept = slot;
      },
    };
  }
}

function readFile(file: SyncFile, length: number): Uint8Array {
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, file.read(bytes, 0));
  } catch (error) {
    throw mediumError('reading an image', error);
  }
}

/** An image that does not fit gives its room back: it may be what the log needs. */
function put(file: SyncFile, bytes: Uint8Array, at: number): void {
  try {
    const written = file.write(bytes, at);
    if (written === bytes.length && file.size() >= at + written) return;
    throw new IoError(`an image: wrote ${written} of ${bytes.length} bytes`);
  } catch (error) {
    try {
      file.truncate(0);
    } catch {
      // The first error says enough.
    }
    throw mediumError('writing an image', error);
  }
}
