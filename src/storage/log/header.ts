/**
 * Header of a store, version 1: what must be known before its log can be read. Two
 * files hold one each and are written in turn, the valid one with the higher epoch
 * counts: a write that is cut off leaves the other. Integers are little-endian.
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  magic       52 43 48 44, "RCHD"
 *         4     4  check       CRC-32C of bytes 8 .. 56 + n
 *         8     2  version     1
 *        10     2  length      n, bytes of the settings
 *        12     4  generation  seeds the checks of the log
 *        16     6  epoch       raised by each leader and each change
 *        22     6  created     when the youngest file of the store was made, epoch milliseconds
 *        28     6  flushed     bytes of the log that were flushed for certain
 *        34     2  place       0 or 1: which of the two places holds the log
 *        36     4  reserved    0
 *        40    16  secret      keys the hashes; of an encrypted store, where it does not,
 *                              a name that no other store has. Not to be logged
 *        56     n  settings    store-wide options as JSON, UTF-8
 */
import { equalBytes, getUint48, putUint48 } from '../../base/bytes.js';
import { crc32c } from '../../base/crc32c.js';
import { FormatError } from '../../base/errors.js';
import { flushFile, mediumError, notWhole, readWhole, type SyncFile, sizeOf, writeWhole } from './file.js';

export interface Header {
  readonly generation: number;
  readonly epoch: number;
  /** When the youngest file of the store was made: its name may still be lost. */
  readonly createdAt: number;
  readonly flushedTo: number;
  /** Which of the two places holds the log. */
  readonly place: 0 | 1;
  readonly secret: Uint8Array;
  readonly settings: Readonly<Record<string, unknown>>;
}

const MAGIC = 0x44484352;
const HEADER_VERSION = 1;
const AT = {
  magic: 0,
  check: 4,
  version: 8,
  length: 10,
  generation: 12,
  epoch: 16,
  created: 22,
  flushed: 28,
  place: 34,
  secret: 40,
  settings: 56,
} as const;
const SECRET_BYTES = AT.settings - AT.secret;

export function encodeHeader(header: Header): Uint8Array {
  const settings = new TextEncoder().encode(JSON.stringify(header.settings));
  const bytes = new Uint8Array(AT.settings + settings.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  view.setUint16(AT.version, HEADER_VERSION, true);
  view.setUint16(AT.length, settings.length, true);
  view.setUint32(AT.generation, header.generation, true);
  putUint48(view, AT.epoch, header.epoch);
  putUint48(view, AT.created, header.createdAt);
  putUint48(view, AT.flushed, header.flushedTo);
  view.setUint16(AT.place, header.place, true);
  bytes.set(header.secret.subarray(0, SECRET_BYTES), AT.secret);
  bytes.set(settings, AT.settings);
  view.setUint32(AT.check, crc32c(bytes, AT.version), true);
  return bytes;
}

/**
 * The header in `bytes`, or `undefined` where there is none that is whole.
 *
 * @throws FormatError when it was written by a newer release.
 */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  if (bytes.length < AT.settings) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(AT.magic, true) !== MAGIC) return undefined;
  const version = view.getUint16(AT.version, true);
  const end = AT.settings + view.getUint16(AT.length, true);
  // A newer header may be longer than its `length` says, so its check is not looked at.
  if (version > HEADER_VERSION) {
    throw new FormatError(
      `the store was written in format ${version}; this release reads up to ${HEADER_VERSION}. Nothing was changed`,
      { detail: { version } },
    );
  }
  if (end > bytes.length || crc32c(bytes, AT.version, end) !== view.getUint32(AT.check, true))
    return undefined;
  return {
    generation: view.getUint32(AT.generation, true),
    epoch: getUint48(view, AT.epoch),
    createdAt: getUint48(view, AT.created),
    flushedTo: getUint48(view, AT.flushed),
    place: view.getUint16(AT.place, true) === 1 ? 1 : 0,
    secret: bytes.slice(AT.secret, AT.settings),
    settings: JSON.parse(new TextDecoder().decode(bytes.subarray(AT.settings, end))),
  };
}

/** More than a header can have. */
const FILE_BYTES_MAX = 64 * 1024;

/**
 * The header in `file`, or `undefined` where there is none that is whole.
 *
 * @throws FormatError when it was written by a newer release; IoError when it cannot be read.
 */
export function readHeader(file: SyncFile): Header | undefined {
  const bytes = new Uint8Array(Math.min(sizeOf(file), FILE_BYTES_MAX));
  readWhole(file, bytes, 0);
  return decodeHeader(bytes);
}

/**
 * Puts `header` in the place of what is in `file`, flushed. It is read again before it is
 * believed: the file that holds the other header is overwritten next.
 *
 * @throws QuotaError, IoError
 */
export function writeHeader(file: SyncFile, header: Header): void {
  const bytes = encodeHeader(header);
  const doing = 'writing the header';
  writeWhole(file, bytes, 0, doing);
  const found = new Uint8Array(bytes.length);
  readWhole(file, found, 0);
  if (!equalBytes(found, 0, bytes, 0, bytes.length)) throw mediumError(doing, notWhole(0, bytes.length));
  flushFile(file, doing);
}
