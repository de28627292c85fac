/**
 * Scans that are under way: each holds one version of the store from its first piece
 * to its last.
 */
import { ClosedError } from '../base/errors.js';
import type { ItemKind, Reader } from './reader.js';
import type { KeyScan } from './scan.js';

/** A piece of a scan. `id` is 0 when it is the last one. */
export interface Piece {
  readonly id: number;
  readonly items: readonly unknown[];
}

/** Items of a piece; the next one is asked for when they are used up. */
const PIECE_ITEMS = 1000;

interface OpenScan {
  readonly scan: KeyScan;
  readonly kind: ItemKind;
}

export class Scans {
  readonly #open = new Map<number, OpenScan>();
  #last = 0;

  constructor(private readonly reader: Reader) {}

  begin(scan: KeyScan, kind: ItemKind): Promise<Piece> {
    this.#last += 1;
    this.#open.set(this.#last, { scan, kind });
    return this.next(this.#last);
  }

  async next(id: number): Promise<Piece> {
    const found = this.#open.get(id);
    if (!found) throw new ClosedError('the scan has ended or was released');
    const { scan, kind } = found;
    try {
      const keys = await scan.take(PIECE_ITEMS);
      const items: unknown[] = [];
      for (const key of keys) {
        const item = this.reader.item(kind, key, scan.view);
        items.push(item instanceof Promise ? await item : item);
      }
      if (keys.length === PIECE_ITEMS) return { id, items };
      this.release(id);
      return { id: 0, items };
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  release(id: number): void {
    this.#open.delete(id);
  }

  clear(): void {
    this.#open.clear();
  }
}
