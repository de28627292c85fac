/**
 * Images in IndexedDB. In the object store `meta`, for slot 0 and 1:
 *
 *    'image-0'         the head, as `images.ts` has it
 *    'image-0/00000'   the first piece of the payload; the others follow in order
 *
 * Pieces are records of their own, so that no write stops the worker for long. The head
 * is deleted with the old pieces and written last, flushed.
 */
import { crc32c } from '../base/crc32c.js';
import {
  decodeHead,
  encodeHead,
  HEAD_BYTES,
  type Head,
  type ImageStore,
  type ImageWriter,
  isWhole,
  newestFirst,
  newestSlot,
  nextNumber,
} from './images.js';
import { type Database, putMeta } from './indexeddb-schema.js';
import { mediumError } from './log/index.js';

const nameOf = (slot: number) => `image-${slot}`;
/** `0` follows `/`. */
const piecesOf = (slot: number) => IDBKeyRange.bound(`image-${slot}/`, `image-${slot}0`, false, true);

export class IndexedDbImages implements ImageStore {
  /** The slot that is not to be overwritten. */
  #kept: number;

  private constructor(
    private readonly db: Database,
    private readonly heads: (Uint8Array | undefined)[],
  ) {
    this.#kept = newestSlot(this.#decoded());
  }

  static async open(db: Database): Promise<IndexedDbImages> {
    const stored = await Promise.all([0, 1].map((slot) => db.get('meta', nameOf(slot))));
    return new IndexedDbImages(
      db,
      stored.map((bytes) => (bytes instanceof Uint8Array ? bytes : undefined)),
    );
  }

  async *images(generation: number): AsyncGenerator<Uint8Array, void> {
    for (const slot of newestFirst(this.#decoded(), generation)) {
      const payload = await this.#read(slot);
      if (!isWhole(this.heads[slot]!, payload)) continue;
      this.#kept = slot;
      yield payload;
    }
  }

  async #read(slot: number): Promise<Uint8Array> {
    let stored: (Uint8Array | number)[];
    try {
      stored = await this.db.getAll('meta', piecesOf(slot));
    } catch (error) {
      throw mediumError('reading an image', error);
    }
    const pieces = stored.filter((piece) => piece instanceof Uint8Array);
    const payload = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      payload.set(piece, at);
      at += piece.length;
    }
    return payload;
  }

  begin(generation: number): ImageWriter {
    const slot = 1 - this.#kept;
    const number = nextNumber(this.#decoded());
    let length = HEAD_BYTES;
    let check = 0;
    let pieces = 0;
    this.heads[slot] = undefined;
    return {
      write: async (piece) => {
        const key = `${nameOf(slot)}/${String(pieces).padStart(5, '0')}`;
        await this.#put(key, piece, pieces === 0 ? slot : undefined);
        check = crc32c(piece, 0, piece.length, check);
        length += piece.length;
        pieces += 1;
      },
      commit: async () => {
        const head = encodeHead({ generation, number, length }, check);
        try {
          await putMeta(this.db, nameOf(slot), head);
        } catch (error) {
          throw mediumError('flushing an image', error);
        }
        this.heads[slot] = head;
        this.#kept = slot;
      },
    };
  }

  /** Empties the slot `emptied` before, if one is given. */
  async #put(key: string, piece: Uint8Array, emptied: number | undefined): Promise<void> {
    try {
      const { store, done } = this.db.transaction('meta', 'readwrite', { durability: 'relaxed' });
      const asked: Promise<unknown>[] = [done];
      if (emptied !== undefined) asked.push(store.delete(nameOf(emptied)), store.delete(piecesOf(emptied)));
      // A view would take all of its buffer along.
      asked.push(store.put(piece.slice(), key));
      await Promise.all(asked);
    } catch (error) {
      throw mediumError('writing an image', error);
    }
  }

  #decoded(): (Head | undefined)[] {
    return this.heads.map((bytes) => bytes && decodeHead(bytes));
  }
}
