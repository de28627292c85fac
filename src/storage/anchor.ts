/**
 * What keeps a store in files that are young: browsers lose the name of a new file at a
 * power cut, flushed or not. What is called durable before the files have *settled* lies
 * in a vault as well, and the files are made whole from it when the store is opened.
 *
 * Invariants
 *  1. The vault never knows of more than the files were given, flushed.
 *  2. Its header is of the epoch that was written to it last; another one there means
 *     that somebody else leads the store, and nothing is written.
 *  3. While files are unsettled, its pieces are a beginning of the log that its header
 *     names, and no end that was called durable lies behind them.
 *
 * Costs one strict transaction for a flush in the first minute, and none on the way of a
 * write after that; up to 32 MiB are held twice until then.
 */
import { equalBytes } from '../base/bytes.js';
import { FencedError, IoError } from '../base/errors.js';
import {
  decodeHeader,
  encodeHeader,
  flushFile,
  type Header,
  readWhole,
  type SyncFile,
  sizeOf,
  writeWhole,
} from './log/index.js';
import { openPiece, type Piece, sealPiece, type Vault, type VaultChange } from './vault.js';

/** A log that is longer has to wait until its file has settled. */
export const ANCHOR_BYTES_MAX = 32 * 2 ** 20;
const PIECE_BYTES = 2 ** 20;
/** The length of a settled log is noted when it has grown by this, and by an eighth. */
const NOTE_BYTES = 2 ** 20;

export class Anchor {
  readonly #vault: Vault;
  /** Of the header that lies in the vault. */
  #epoch: number;
  /** A header that could not be written may lie there all the same: nothing more is. */
  #works = true;
  /** Up to where each log is anchored, by generation. */
  readonly #ends = new Map<number, number>();
  /** Up to where the header in the vault knows the log to be flushed. */
  #noted = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    vault: Vault,
    /** What the vault knows of the store. */
    readonly header: Header | undefined,
    /** There is a header, and it is not as it was written. */
    readonly damaged: boolean,
  ) {
    this.#vault = vault;
    this.#epoch = header?.epoch ?? 0;
  }

  /** @throws FormatError when the vault was written by a newer release. */
  static async open(vault: Vault): Promise<Anchor> {
    const bytes = await vault.header();
    const header = bytes && decodeHeader(bytes);
    return new Anchor(vault, header, bytes !== undefined && header === undefined);
  }

  /** Makes `file` hold at least what is anchored of the log; gives how much that is, and how much of it was missing. */
  async restore(file: SyncFile, generation: number): Promise<{ end: number; restored: number }> {
    let end = 0;
    let restored = 0;
    for (const { at, sealed } of await this.#vault.pieces(generation)) {
      const bytes = openPiece(sealed, generation);
      if (at !== end || bytes === undefined) break;
      if (!lies(file, bytes, at)) {
        writeWhole(file, bytes, at, 'restoring the log');
        restored += bytes.length;
      }
      end += bytes.length;
    }
    if (restored > 0) flushFile(file, 'restoring the log');
    this.#ends.set(generation, end);
    return { end, restored };
  }

  /** Up to where this log is anchored. */
  end(generation: number): number {
    return this.#ends.get(generation) ?? 0;
  }

  /**
   * Takes what it does not have yet of the log in `file` up to `end`, which is flushed;
   * false where that cannot be.
   *
   * @throws FencedError
   */
  async keep(file: SyncFile, generation: number, end: number): Promise<boolean> {
    const from = this.end(generation);
    if (end <= from) return true;
    if (end > ANCHOR_BYTES_MAX) return false;
    const put: Piece[] = [];
    try {
      for (let at = from; at < end; at += PIECE_BYTES) {
        const bytes = new Uint8Array(Math.min(PIECE_BYTES, end - at));
        readWhole(file, bytes, at);
        put.push({ at, sealed: sealPiece(bytes, generation) });
      }
      await this.#write({ pieces: { generation, put } }, this.#epoch);
    } catch (error) {
      if (error instanceof FencedError) throw error;
      return false;
    }
    this.#ends.set(generation, end);
    return true;
  }

  /**
   * Makes `header` the one that is found, before it is in a file, and lets go of all
   * pieces, or `keeping` only those of its own log. False where that cannot be.
   *
   * @throws FencedError
   */
  async turn(header: Header, keeping: boolean): Promise<boolean> {
    const keepOnly = keeping ? header.generation : 0;
    try {
      await this.#write({ header: encodeHeader(header), keepOnly }, header.epoch);
    } catch (error) {
      if (error instanceof FencedError) throw error;
      this.#works = false;
      return false;
    }
    this.#noted = header.flushedTo;
    for (const generation of this.#ends.keys()) if (generation !== keepOnly) this.#ends.delete(generation);
    return true;
  }

  /** The files have settled, and the log was flushed up to `end`. Nobody waits for it to be noted. */
  note(header: Header, end: number): void {
    const grown = end - this.#noted;
    if (this.#ends.size === 0 && grown < Math.max(NOTE_BYTES, this.#noted / 8)) return;
    this.#noted = end;
    this.#ends.clear();
    this.turn({ ...header, flushedTo: end }, false).catch(() => {
      // Fenced: whoever leads the store now has noted it.
    });
  }

  async close(): Promise<void> {
    await this.#last;
    this.#vault.close();
  }

  async destroy(): Promise<void> {
    await this.#last;
    await this.#vault.destroy();
  }

  /** One after the other, so that what is checked is what the one before has left. */
  #write(change: VaultChange, epoch: number): Promise<void> {
    const written = this.#last.then(async () => {
      if (!this.#works) throw new IoError('what the store keeps beside its files cannot be written');
      await this.#vault.write((bytes) => this.#refuseOther(bytes), change);
      this.#epoch = epoch;
    });
    this.#last = written.catch(() => {});
    return written;
  }

  #refuseOther(bytes: Uint8Array | undefined): void {
    const there = (bytes && decodeHeader(bytes)?.epoch) ?? 0;
    if (there === this.#epoch) return;
    if (there < this.#epoch) throw new IoError('what the store kept beside its files is gone');
    throw new FencedError('another tab leads the store by now; nothing was written', {
      detail: { epoch: this.#epoch, found: there },
    });
  }
}

function lies(file: SyncFile, bytes: Uint8Array, at: number): boolean {
  if (sizeOf(file) < at + bytes.length) return false;
  const found = new Uint8Array(bytes.length);
  readWhole(file, found, at);
  return equalBytes(found, 0, bytes, 0, bytes.length);
}
