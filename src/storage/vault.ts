/**
 * A small place beside the files of a store that is lasting from the start: strict
 * transactions of IndexedDB, or a test's. It holds the *manifest*, which is a third copy
 * of the header, and *pieces*: bytes of a log whose file may still be lost with its name.
 *
 * Format of a piece, version 1. Integers are little-endian. Its key says to which log it
 * belongs, by generation, and where in it the bytes stand.
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  check     CRC-32C of bytes 4 .. 8 + n, seeded by the generation
 *         4     2  version   1
 *         6     2  reserved  0
 *         8     n  bytes     of the log; whole batches from one piece or from several
 *
 * The bytes `68 69` of the log of generation 7 are this piece:
 *
 *    2e 45 af 3a  01 00  00 00  68 69
 *
 * The pieces of a log count from its start up to the first that is missing, begins
 * elsewhere than where the one before ended, or fails its check.
 */
import { crc32c } from '../base/crc32c.js';
import { FormatError } from '../base/errors.js';

export interface Piece {
  /** Where in the log its bytes stand. */
  readonly at: number;
  /** As the format has it. */
  readonly sealed: Uint8Array;
}

export interface VaultChange {
  readonly header?: Uint8Array;
  /** Pieces of the log of `generation`; one that begins where another did takes its place. */
  readonly pieces?: { readonly generation: number; readonly put: readonly Piece[] };
  /** Pieces of all other logs go; 0: all pieces. */
  readonly keepOnly?: number;
}

export interface Vault {
  /** The header that was written last. */
  header(): Promise<Uint8Array | undefined>;
  /** Pieces of that log, in order. */
  pieces(generation: number): Promise<Piece[]>;
  /**
   * Makes all of `change`, lastingly, or nothing of it. `check` is given the header that is
   * there, inside the same transaction; what it throws calls the change off and is thrown.
   */
  write(check: (header: Uint8Array | undefined) => void, change: VaultChange): Promise<void>;
  close(): void;
  destroy(): Promise<void>;
}

const AT = { check: 0, version: 4, bytes: 8 } as const;
const VERSION = 1;

export function sealPiece(bytes: Uint8Array, generation: number): Uint8Array {
  const sealed = new Uint8Array(AT.bytes + bytes.length);
  const view = new DataView(sealed.buffer);
  view.setUint16(AT.version, VERSION, true);
  sealed.set(bytes, AT.bytes);
  view.setUint32(AT.check, crc32c(sealed, AT.version, sealed.length, generation), true);
  return sealed;
}

/**
 * The bytes in a piece; `undefined` where it is not as it was written.
 *
 * @throws FormatError when it was written by a newer release.
 */
export function openPiece(sealed: Uint8Array, generation: number): Uint8Array | undefined {
  if (sealed.length < AT.bytes) return undefined;
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const check = crc32c(sealed, AT.version, sealed.length, generation);
  if (check !== view.getUint32(AT.check, true)) return undefined;
  const version = view.getUint16(AT.version, true);
  if (version > VERSION) {
    throw new FormatError(
      `a piece of the log was written in format ${version}; this release reads ${VERSION}`,
      {
        detail: { version },
      },
    );
  }
  return version === VERSION && view.getUint16(AT.version + 2, true) === 0
    ? sealed.subarray(AT.bytes)
    : undefined;
}
