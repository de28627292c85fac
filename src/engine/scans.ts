/**
 * Scans that are under way: each holds one version of the store from its first piece
 * to its last.
 */
import type { Eventually } from '../base/bytes.js';
import type { Secret } from '../base/hash.js';
import type { RunKey } from '../structures/runs/index.js';
import type { Packing } from './packing.js';
import { atView, type ItemKind, type Reader } from './reader.js';
import type { KeyScan } from './scan.js';

/** A piece of a scan. `id` is 0 when it is the last one. */
export interface Piece {
  readonly id: number;
  readonly items: readonly unknown[];
}

/** Items of a piece; the next one is asked for when they are used up. */
const PIECE_ITEMS = 1000;

/** Scans of one engine: more than a session can begin. */
const SCANS_MAX = 2 ** 31;

interface OpenScan {
  readonly scan: KeyScan;
  readonly kind: ItemKind;
  readonly reader: Reader;
}

export class Scans {
  readonly #open = new Map<number, OpenScan>();
  #last: number;

  /** `epoch` of the leader: who asks the next one for more of a scan must not get another's. */
  constructor(
    private readonly secret: Secret,
    private readonly packing: Packing,
    epoch = 0,
  ) {
    this.#last = epoch * SCANS_MAX;
  }

  /** Takes over the scan's hold of its records. */
  begin(scan: KeyScan, kind: ItemKind): Promise<Piece> {
    this.#last += 1;
    const { reader } = atView(this.secret, scan.view, scan.records, this.packing);
    this.#open.set(this.#last, { scan, kind, reader });
    return this.next(this.#last);
  }

  async next(id: number): Promise<Piece> {
    const found = this.#open.get(id);
    if (!found) throw new TypeError('the scan has ended or was released');
    const { scan, kind, reader } = found;
    try {
      const keys = await scan.take(PIECE_ITEMS);
      const begun = itemsOf(reader, kind, keys, scan.ttlAt);
      const items = begun instanceof Promise ? await begun : begun;
      if (keys.length === PIECE_ITEMS) return { id, items };
      this.release(id);
      return { id: 0, items };
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  release(id: number): void {
    this.#open.get(id)?.scan.records.release();
    this.#open.delete(id);
  }

  clear(): void {
    for (const id of this.#open.keys()) this.release(id);
  }
}

/** All items are asked for before any is waited for, so that a log that answers later reads them together. */
export function itemsOf(
  reader: Reader,
  kind: ItemKind,
  keys: readonly RunKey[],
  ttlAt?: number,
): Eventually<unknown[]> {
  const items: unknown[] = [];
  const waiting: Promise<unknown>[] = [];
  try {
    for (let i = 0; i < keys.length; i++) {
      const item = reader.item(kind, keys[i]!, ttlAt);
      items.push(item);
      if (!(item instanceof Promise)) continue;
      const place = i;
      waiting.push(
        item.then((value) => {
          items[place] = value;
        }),
      );
    }
  } catch (error) {
    waiting.push(Promise.reject(error));
  }
  return waiting.length === 0 ? items : Promise.all(waiting).then(() => items);
}
