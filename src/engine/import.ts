/**
 * An import under way. All of it is read, checked and held in memory before anything
 * of the store changes; then it is one call of the queue, so it happens whole or not
 * at all.
 *
 * In memory until then: each distinct value once, the keys, and about
 * `RECORD_BYTES` a record. `maxBytes` bounds that sum. While it is written, the batch
 * holds the values once more.
 */
import type { Encoded } from '../base/codec/index.js';
import { CapacityError } from '../base/errors.js';
import type { ImportResult } from '../contract/store.js';
import type { Mutation, PutMutation } from './mutation.js';
import { type Packing, sizeOf, type Value } from './packing.js';
import type { KeyScan } from './scan.js';
import type { TransferRecord } from './transfer/format.js';
import { ImportReader } from './transfer/reader.js';

/** What a record costs beside its key and its value: its mutation, its plan, its place in the buffer. */
const RECORD_BYTES = 500;
/** Keys of the store that are looked at together. */
const KEYS_AT_ONCE = 1000;

export interface ImportTerms {
  readonly mode: 'merge' | 'replace';
  readonly maxBytes: number;
  readonly strict: boolean;
  /** Whether the store keeps equal values once. If not, each record that names an earlier value counts with it. */
  readonly dedup: boolean;
}

/** What is to be done, and what that comes to. */
export interface ImportPlan extends ImportResult {
  readonly mutations: readonly Mutation[];
}

export class Import {
  readonly #reader: ImportReader;
  readonly #values: Encoded[] = [];
  #puts: PutMutation[] = [];
  #bytes = 0;

  constructor(readonly terms: ImportTerms) {
    this.#reader = new ImportReader(terms.maxBytes, (record) => this.#stage(record));
  }

  /** Takes the next bytes; gives the records that were read so far. */
  push(bytes: Uint8Array): number {
    this.#reader.push(bytes);
    return this.#reader.records;
  }

  /** @throws CorruptionError when the export is not whole. */
  finish(): void {
    this.#reader.finish();
  }

  /** Packs its values, each once, before its turn in the queue comes. REQUIRES: it was finished. */
  async pack(packing: Packing): Promise<void> {
    const values = new Map<Encoded, Value>();
    for (const encoded of this.#values.splice(0)) {
      const value = packing.pack(encoded);
      values.set(encoded, value instanceof Promise ? await value : value);
    }
    this.#puts = this.#puts.map((put) => ({ ...put, encoded: values.get(put.encoded)! }));
  }

  /**
   * What makes the store hold the import at `now`: the puts that have not expired by
   * then, and for 'replace' a delete of each key of `stored` that is not among them.
   *
   * REQUIRES: it was finished, and nothing is written before the plan is.
   */
  async plan(now: number, stored: () => KeyScan): Promise<ImportPlan> {
    const puts = this.#puts.filter(({ times }) => times!.expiresAt > now);
    const mutations: Mutation[] =
      this.terms.mode === 'replace' ? [...(await deletesOf(stored(), puts)), ...puts] : puts;
    let bytes = 0;
    for (const { encoded } of puts) bytes += sizeOf(encoded);
    return { mutations, keys: puts.length, bytes };
  }

  #stage({ key, kind, value, expiresAt, createdAt, updatedAt }: TransferRecord): void {
    const earlier = typeof value === 'number';
    const encoded = earlier ? this.#values[value]! : { kind, bytes: value };
    const counts = !earlier || !this.terms.dedup;
    this.#bytes += RECORD_BYTES + 2 * key.length + (counts ? encoded.bytes.length : 0);
    const { maxBytes } = this.terms;
    if (this.#bytes > maxBytes) {
      throw new CapacityError(
        `the import needs more than ${maxBytes} bytes of memory (maxBytes); nothing was changed`,
        { detail: { maxBytes } },
      );
    }
    if (!earlier) this.#values.push(encoded);
    this.#puts.push({
      type: 'put',
      key,
      encoded,
      ttlMs: Infinity,
      keepTtl: false,
      ifAbsent: false,
      ifVersion: undefined,
      times: { expiresAt, createdAt, updatedAt },
    });
  }
}

/** Both come in the order of their keys, so one pass over both finds what is not in `puts`. */
async function deletesOf(stored: KeyScan, puts: readonly PutMutation[]): Promise<Mutation[]> {
  const deletes: Mutation[] = [];
  let at = 0;
  try {
    for (;;) {
      const keys = await stored.take(KEYS_AT_ONCE);
      if (keys.length === 0) return deletes;
      for (const { key } of keys) {
        while (at < puts.length && puts[at]!.key < key) at += 1;
        if (puts[at]?.key !== key) deletes.push({ type: 'delete', key });
      }
    }
  } finally {
    stored.records.release();
  }
}
