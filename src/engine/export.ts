/**
 * An export under way: the entries of one version, in the order of their keys, as the
 * pieces of `transfer/format.ts`.
 *
 * In memory: a block, the records of a few keys, and which values were written
 * lately, so that keys that share one of them refer to it.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import type { EntryView } from '../storage/log/index.js';
import type { RunKey } from '../structures/runs/index.js';
import { Contents } from './contents.js';
import type { Packing } from './packing.js';
import type { KeyScan } from './scan.js';
import { EARLIER_MIN } from './transfer/format.js';
import { ExportWriter } from './transfer/writer.js';

/** Keys whose records are read together. */
const KEYS_AT_ONCE = 32;
/** Values that are remembered: at least so many, at most twice. An entry of a map each. */
const REMEMBERED = 2 ** 17;

/** A record, and the one that holds its value. */
interface Item {
  readonly key: string;
  readonly record: EntryView;
  readonly holder: EntryView;
  readonly location: number;
}

/** Bytes of an export; the last ones are. */
export type ExportPiece = readonly [bytes: Uint8Array, isLast: boolean];

export class Export {
  readonly #writer = new ExportWriter();
  readonly #contents: Contents;
  #items: Item[] = [];
  #at = 0;
  #begun = false;
  /** Location of a value -> its number. Two generations, so that forgetting costs nothing. */
  #young = new Map<number, number>();
  #old = new Map<number, number>();

  /** Takes over the scan's hold of its records. */
  constructor(
    packing: Packing,
    private readonly scan: KeyScan,
    /** Deadlines up to here have passed. */
    private readonly now: number,
    private readonly remembered = REMEMBERED,
  ) {
    this.#contents = new Contents({ objects: scan.view.objects }, scan.records, packing);
  }

  async next(): Promise<ExportPiece> {
    if (!this.#begun) {
      this.#begun = true;
      return [this.#writer.header(Math.floor(this.now)), false];
    }
    const writer = this.#writer;
    while (!writer.full && (await this.#fill())) {
      while (!writer.full && this.#at < this.#items.length) {
        const writing = this.#write(this.#items[this.#at++]!);
        if (writing) await writing;
      }
    }
    const block = writer.block();
    return block ? [block, false] : [writer.end(), true];
  }

  release(): void {
    this.scan.records.release();
  }

  /** Whether there are items to write. */
  async #fill(): Promise<boolean> {
    while (this.#at >= this.#items.length) {
      const keys = await this.scan.take(KEYS_AT_ONCE);
      if (keys.length === 0) return false;
      this.#items = (await Promise.all(keys.map((key) => this.#item(key)))).filter(
        ({ record }) => record.expiresAt > this.now,
      );
      this.#at = 0;
    }
    return true;
  }

  async #item({ key, location }: RunKey): Promise<Item> {
    const record = await this.scan.records.read(location);
    if (!record.reference) return { key, record, holder: record, location };
    const found = await this.#contents.resolve(record.reference);
    return { key, record, holder: found.entry, location: found.location };
  }

  #write({ key, record, holder, location }: Item): Eventually<void> {
    const { expiresAt, createdAt, updatedAt } = record;
    const times = { expiresAt, createdAt, updatedAt };
    const shared = holder.size > EARLIER_MIN;
    const number = shared ? (this.#young.get(location) ?? this.#old.get(location)) : undefined;
    if (shared) this.#remember(location, number ?? this.#writer.values);
    if (number !== undefined) return this.#writer.add({ key, kind: holder.kind, value: number, ...times });
    return andThen(this.#contents.encodedOf(holder), ({ kind, bytes }) =>
      this.#writer.add({ key, kind, value: bytes, ...times }),
    );
  }

  #remember(location: number, number: number): void {
    if (this.#young.size >= this.remembered && !this.#young.has(location)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(location, number);
  }
}
