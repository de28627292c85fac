/**
 * How a value that is not stored yet can be stored as less than itself: as a row of
 * chunks, of which some may be there already.
 *
 * Loaded where the options of the store ask for it.
 */
import { andThen, type Eventually, inTurn } from '../base/bytes.js';
import type { Secret } from '../base/hash.js';
import { type ChunkSizes, chunkSizes, chunksOf, gearTable } from '../structures/dedup/index.js';
import { CHUNK, Form } from './made.js';
import { type GroupObjects, type Holding, newObject, type Parts, type Placer } from './objects.js';
import type { Value } from './packing.js';

/** A chunk has about so much of the size from which on values are cut. */
const CHUNK_SHARE = 1 / 4;
const NO_DELTA = new Uint8Array(0);

export interface MakerOptions {
  /** Larger values are cut. */
  readonly chunkBytes: number;
}

export class Maker {
  readonly #sizes: ChunkSizes;
  readonly #gear: Int32Array;

  constructor(
    private readonly options: MakerOptions,
    private readonly placer: Placer,
    secret: Secret,
  ) {
    this.#sizes = chunkSizes(Math.floor(options.chunkBytes * CHUNK_SHARE));
    this.#gear = gearTable(secret[0]! ^ secret[1]!);
  }

  /** What the value is to be made of; `undefined`: of nothing but itself. */
  partsOf({ bytes, packed }: Value, group: GroupObjects): Eventually<Parts | undefined> {
    // Compressed bytes of two versions have nothing in common.
    if (packed || bytes.length <= this.options.chunkBytes) return undefined;
    return this.#chunksOf(bytes, group);
  }

  #chunksOf(bytes: Uint8Array, group: GroupObjects): Eventually<Parts> {
    const chunks = chunksOf(bytes, this.#gear, this.#sizes);
    const parts: Holding[] = [];
    const placed = inTurn(chunks.length, (i) => {
      const value = { kind: CHUNK, bytes: chunks[i]! };
      return andThen(
        this.placer.place(value, group, () => newObject(value)),
        (part) => {
          parts.push(part);
        },
      );
    });
    return andThen(placed, () => ({ form: Form.Chunks, depth: 0, parts, delta: NO_DELTA }));
  }
}
