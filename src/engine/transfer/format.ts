/**
 * Format of an export, version 1.0. Integers are little-endian, times are epoch
 * milliseconds, checks are CRC-32C.
 *
 * An export is a header, a row of blocks and nothing behind them. Blocks are numbered
 * from 0. All but the last hold records, the last one is the END.
 *
 * Header
 *
 *    offset  size  field
 *    ------  ----  ----------------------------------------------------------------
 *         0     8  magic      89 52 43 58 50 0d 0a 1a
 *         8     2  version    1; a reader refuses any other
 *        10     2  revision   0; a reader takes any
 *        12     4  flags      0; a reader refuses one that it does not know
 *        16     6  createdAt  when the export was begun
 *        22     6  reserved   0
 *        28     4  check      of bytes 0 .. 28
 *
 * Frame of a block; the payload follows
 *
 *    offset  size  field
 *    ------  ----  ----------------------------------------------------------------
 *         0     1  type       BlockType
 *         1     3  reserved   0
 *         4     4  length     bytes of the payload
 *         8     4  records    in the payload; 0 in the END
 *        12     4  check      of the payload, seeded by the number of the block
 *        16     4  headCheck  of bytes 0 .. 16, seeded by the number of the block
 *
 * Record
 *
 *    offset  size  field
 *    ------  ----  ----------------------------------------------------------------
 *         0     4  head       bits 0-16 bytes of the key, 17-19 flags, 24-27 kind of
 *                             the value (`base/codec`), others 0
 *         4     6  createdAt
 *        10     6  updatedAt
 *        16     4  value      bytes of the value; with EARLIER the number of a value
 *        20     8  expires    with EXPIRES: the deadline, a double
 *               k  key        one byte a code unit; with WIDE_KEY two
 *               v  value      the encoded value, unless EARLIER
 *
 * Payload of the END
 *
 *    offset  size  field
 *    ------  ----  ----------------------------------------------------------------
 *         0     4  blocks     before this one
 *         4     6  records    in them
 *        10     6  values     that stand in them
 *        16     6  bytes      of those values
 *        22     4  check      of all bytes before the frame of the END, without the checks
 *                             that end the header and the frames: a CRC over bytes and
 *                             their CRC says nothing of the bytes
 *
 * Rules
 *  1. Keys come in the order of their code units, each once, at most 64 KiB long.
 *     WIDE_KEY is set exactly where a code unit does not fit in a byte.
 *  2. Values that stand in the export are numbered from 0. EARLIER names one of them;
 *     kind is 0 then. A writer names only values longer than `EARLIER_MIN`, and may
 *     write a value again that it has forgotten.
 *  3. A block ends with the record that brings it to `BLOCK_BYTES` or more.
 *  4. A reader looks at a payload only after its frame agrees with headCheck, at a
 *     record only after the payload agrees with check, and believes nothing before END.
 *  5. No field depends on the store: not on its backend, its secret or its versions.
 *     Equal entries exported at the same time are equal bytes.
 *
 * `set('a', 'hi')` at 1,700,000,000,000 and exported at that time: header, block of one
 * record, END.
 *
 *    89 52 43 58 50 0d 0a 1a  01 00  00 00  00 00 00 00  00 68 e5 cf 8b 01
 *    00 00 00 00 00 00  08 b1 81 b0
 *    01 00 00 00  17 00 00 00  01 00 00 00  9c 5f aa 79  34 f6 cb 8c
 *    01 00 00 01  00 68 e5 cf 8b 01  00 68 e5 cf 8b 01  02 00 00 00  61  68 69
 *    02 00 00 00  1a 00 00 00  00 00 00 00  14 a9 e2 83  a4 da a9 0c
 *    01 00 00 00  01 00 00 00 00 00  01 00 00 00 00 00  02 00 00 00 00 00  8a f5 b8 67
 *
 * What old readers may miss raises the revision; all else is a new version.
 */
export const MAGIC = Uint8Array.of(0x89, 0x52, 0x43, 0x58, 0x50, 0x0d, 0x0a, 0x1a);
export const VERSION = 1;

export const HEADER_BYTES = 32;
export const HEADER_AT = {
  magic: 0,
  version: 8,
  revision: 10,
  flags: 12,
  createdAt: 16,
  reserved: 22,
  check: 28,
} as const;

export const FRAME_BYTES = 20;
export const FRAME_AT = { type: 0, reserved: 1, length: 4, records: 8, check: 12, headCheck: 16 } as const;

/** Never renumber, never reuse. */
export const BlockType = { Records: 1, End: 2 } as const;

export const RECORD_AT = { head: 0, createdAt: 4, updatedAt: 10, value: 16, optional: 20 } as const;
export const KEY_MASK = 0x1ffff;
export const FLAG_SHIFT = 17;
export const FLAG_MASK = 7;
export const KIND_SHIFT = 24;
export const KIND_MASK = 15;
export const Flag = { WideKey: 1, Expires: 2, Earlier: 4 } as const;

export const END_BYTES = 26;
export const END_AT = { blocks: 0, records: 4, values: 10, bytes: 16, check: 22 } as const;

/** A value no longer than this is written again: to look for it would cost more. */
export const EARLIER_MIN = 16;
/** Payload of a block that is full. A value may make one longer. */
export const BLOCK_BYTES = 64 * 1024;

/** One entry on its way. */
export interface TransferRecord {
  readonly key: string;
  readonly kind: number;
  /** The encoded value, or the number of an earlier one. */
  readonly value: Uint8Array | number;
  /** `Infinity`: none. */
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}
