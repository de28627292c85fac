/**
 * Encrypted images in another store of images. A payload is a row of *pieces*:
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  length   bytes of `sealed`
 *         4     n  sealed   `keys.ts`; the last piece is sealed from no bytes
 *
 * The additional data a piece is sealed with:
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     1  what        2: a piece of an image
 *         1    16  store       as for frames of the log
 *        17     4  generation  of the log
 *        21     4  number      of the piece, from 0
 *        25     1  last        1: nothing follows
 *
 * All pieces of an image have one data key. One that is not as it was written is as good
 * as none, as every image is.
 */
import { StoreError } from '../../base/errors.js';
import type { ImageStore, ImageWriter } from '../images.js';
import { type Keys, saltOf } from './keys.js';

const LENGTH_BYTES = 4;

export class EncryptedImages implements ImageStore {
  constructor(
    private readonly inner: ImageStore,
    private readonly keys: Keys,
    private readonly store: Uint8Array,
  ) {}

  async *images(generation: number): AsyncGenerator<Uint8Array, void> {
    for await (const payload of this.inner.images(generation)) {
      const opened = await this.#open(payload, generation);
      if (opened) yield opened;
    }
  }

  begin(generation: number): ImageWriter {
    const writer = this.inner.begin(generation);
    const sealer = this.keys.sealer();
    let number = 0;
    const write = async (piece: Uint8Array, last: boolean) => {
      const data = this.#dataOf(generation, number, last);
      number += 1;
      const sealed = await sealer.seal(piece, data);
      const bytes = new Uint8Array(LENGTH_BYTES + sealed.length);
      new DataView(bytes.buffer).setUint32(0, sealed.length, true);
      bytes.set(sealed, LENGTH_BYTES);
      await writer.write(bytes);
    };
    return {
      write: (piece) => write(piece, false),
      commit: async () => {
        await write(new Uint8Array(0), true);
        await writer.commit();
      },
    };
  }

  /** `undefined` where it is not as it was written. */
  async #open(payload: Uint8Array, generation: number): Promise<Uint8Array | undefined> {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const pieces: Uint8Array[] = [];
    let salt: string | undefined;
    let length = 0;
    try {
      for (let at = 0; at < payload.length; ) {
        const start = at + LENGTH_BYTES;
        const end = start + view.getUint32(at, true);
        const sealed = payload.subarray(start, end);
        salt ??= saltOf(sealed);
        if (saltOf(sealed) !== salt) return undefined;
        const data = this.#dataOf(generation, pieces.length, end === payload.length);
        const piece = await this.keys.open(sealed, data);
        pieces.push(piece);
        length += piece.length;
        at = end;
      }
    } catch (error) {
      if (error instanceof StoreError || error instanceof RangeError) return undefined;
      throw error;
    }
    if (pieces.length === 0) return undefined;
    const whole = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #dataOf(generation: number, number: number, last: boolean): Uint8Array {
    const data = new Uint8Array(26);
    const view = new DataView(data.buffer);
    data[0] = 2;
    data.set(this.store.subarray(0, 16), 1);
    view.setUint32(17, generation, true);
    view.setUint32(21, number, true);
    data[25] = Number(last);
    return data;
  }
}
