/**
 * How a value that is not stored yet can be stored as less than itself: as a row of
 * chunks, of which some may be there already.
 *
 * Loaded where the options of the store ask for it.
 */
import type { Eventually } from '../base/bytes.js';
import type { Secret } from '../base/hash.js';
import { type ChunkSizes, chunkSizes, chunksOf, gearSeed, gearTable } from '../structures/dedup/index.js';
import { CHUNK_SHARE } from './made.js';
import { type GroupObjects, type Parts, type Placer, placeChunks } from './objects.js';
import type { Value } from './packing.js';

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
    this.#gear = gearTable(gearSeed(secret));
  }

  /** What the value is to be made of; `undefined`: of nothing but itself. */
  partsOf({ bytes, packed }: Value, group: GroupObjects): Eventually<Parts | undefined> {
    // Compressed bytes of two versions have nothing in common.
    if (packed || bytes.length <= this.options.chunkBytes) return undefined;
    return placeChunks(chunksOf(bytes, this.#gear, this.#sizes), this.placer, group);
  }
}
