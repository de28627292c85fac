/**
 * Format of the log, version 1. Integers are little-endian, times are epoch
 * milliseconds, a *location* counts units of 8 bytes from the start of the log.
 *
 * The log is a row of *extents*; an extent is a header and a row of *batches*; a
 * batch is a row of *entries* that ends with a COMMIT entry. Everything starts at
 * a multiple of 8 bytes, with zeros between.
 *
 * Extent header
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  magic      52 43 45 58, "RCEX"
 *         4     4  check      CRC-32C of bytes 8 .. 32
 *         8     2  version    1
 *        10     2  reserved   0
 *        12     4  generation seeds every check of the extent
 *        16     4  number     of the extent in the log, from 0
 *        20    12  reserved   0
 *
 * Entry
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  length     bytes of the entry without its padding, 24 and more
 *         4     4  check      CRC-32C of bytes 8 .. length, seeded by the generation
 *         8     4  head       bits 0-16 bytes of the key, 17-22 and 27 flags, 23-26 kind of
 *                             the value (`base/codec`), 28-31 type
 *        12     6  sequence   version of the store that wrote it
 *        18     6  time       when, by the store's clock, which never steps back
 *        24     8  expires    with EXPIRES: the deadline, a double
 *               6  created    with CREATED: else it is `time`
 *               6  updated    with UPDATED: else it is `time`
 *              18  reference  with REFERENCE: hash of the content (8), version that
 *                             brought it (6), bytes of the value (4); no value follows
 *              12  packed     with PACKED: bytes of the value when it is unpacked (4), hash
 *                             of its content (8); what follows is `engine/codecs.ts`'s
 *               k  key        one byte a code unit; with WIDE_KEY two
 *               v  value      the rest
 *
 * A COMMIT holds 12 bytes as its value: the bytes of its batch with itself and the
 * padding (4), how many entries it closes (4), and the location up to which the
 * log had been flushed when it was written (4).
 *
 * A CHECKPOINT keeps the version that it is of under a label, which is its key. Its value
 * is four numbers of 6 bytes: keys that were there, bytes of their values, bytes of the log
 * that were alive, and bytes of the log before it. Without a value it gives the label up.
 *
 * Rules
 *  1. A batch counts whole or not at all: when every entry up to and with its COMMIT
 *     lies inside the log, agrees with its check and has a type that is known.
 *  2. The first batch that does not count ends the log, unless a COMMIT follows that
 *     knows of a flush beyond it. Then it is damage, is reported with its range, and
 *     nothing is cut. Whatever else follows was not flushed either.
 *  3. SEAL is the first entry of an extent but the first one: the keys of the extents
 *     before it are in the KEYS entries that follow it in its batch, in order, and
 *     the first key of each is its key.
 *  4. An OBJECT is a value without a key, which entries behind it refer to: rewriting a
 *     log leaves one where the key that brought the value is gone, and others have it.
 *  5. An ANSWER says what a call of another tab was answered: the tab is its key, the
 *     number of the call and the answer are its value. It stands in the call's batch.
 *  7. USE says what the store knows of the use of keys (`engine/use.ts`): a reader that keeps
 *     no order of use has no need of it.
 *  6. MERGE says that one row of keys takes the place of others. Its value is how many
 *     those are (4), the location of the first KEYS of each (4), and of each KEYS of the
 *     new row its location and first key (`structures/runs/fences.ts`). They lie in
 *     batches before it, and where no MERGE follows they mean nothing.
 *  7. A CHECKPOINT begins its batch, and nothing else that changes the store is in that.
 *     What the log holds before it makes its version again, also after a rewriting.
 *  8. A value no longer than `INLINE_MAX` stands in every entry that has it; a longer
 *     one stands where BRINGS is set, and a later entry refers to it.
 *  9. What is cut off is cut lastingly, by a flush, before other bytes are written
 *     there: pieces of two batches of one layout would fit together.
 *
 * What is assumed of the medium: bytes that were written before a `flush` that
 * returned are there after it, or read as other bytes and fail their check.
 *
 * The first write of a log, `set('a', 'hi')` as version 1 at 1,700,000,000,000,
 * generation 7, is this entry, padded to 32 bytes, and its COMMIT:
 *
 *    1b 00 00 00  CRC         01 00 40 10  01 00 00 00 00 00  00 68 e5 cf 8b 01
 *    61 68 69 00 00 00 00 00
 *
 * Adding a type or flag that old readers must not miss is a new version.
 */
export const VERSION = 1;
export const UNIT = 8;

export const EXTENT_MAGIC = 0x58454352;
export const EXTENT_BYTES = 32;
export const EXTENT_AT = {
  magic: 0,
  check: 4,
  version: 8,
  reserved: 10,
  generation: 12,
  number: 16,
} as const;

export const ENTRY_AT = { length: 0, check: 4, head: 8, sequence: 12, time: 18, optional: 24 } as const;
export const COMMIT_AT = { bytes: 0, entries: 4, flushed: 8 } as const;
export const COMMIT_BYTES = 12;
export const CHECKPOINT_AT = { keys: 0, bytes: 6, alive: 12, before: 18 } as const;
export const CHECKPOINT_BYTES = 24;

/** Values are on disk: never renumber, never reuse. 0 is none, so that zeroed space is no entry. */
export const Type = {
  Put: 1,
  Delete: 2,
  Clear: 3,
  Seal: 4,
  Keys: 5,
  Commit: 6,
  Object: 7,
  Answer: 8,
  Merge: 9,
  Checkpoint: 10,
  Use: 11,
  /** Entries of an encrypted store: `storage/encryption/log.ts`. */
  Cipher: 15,
} as const;

/** Bits of the head above the key's length. Bits 6 to 9 of these are the kind of the value (`base/codec`). */
export const Flag = {
  WideKey: 1,
  Expires: 2,
  Created: 4,
  Updated: 8,
  Reference: 16,
  Brings: 32,
  Packed: 1024,
} as const;
export const FLAG_SHIFT = 17;
export const KIND_SHIFT = 23;
export const TYPE_SHIFT = 28;
export const KEY_MASK = 0x1ffff;
export const FLAG_MASK = 0x43f;

/** A value no longer than this is written in each entry: a reference would take as much. */
export const INLINE_MAX = 16;

const EXTENT_BYTES_LEAST = 256 * 1024;
const EXTENT_BYTES_MOST = 16 * 2 ** 20;

/** Size at which an extent is sealed: it grows with the log, so that extents stay few and the first ones small. */
export function fullExtentBytes(logBytes: number): number {
  return Math.min(EXTENT_BYTES_MOST, Math.max(EXTENT_BYTES_LEAST, logBytes / 8));
}

/** The next multiple of 8. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / UNIT) * UNIT;
}
