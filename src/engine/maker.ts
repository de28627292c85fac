/**
 * How a value that is not stored yet can be stored as less than itself: as a row of
 * chunks, of which some may be there already.
 *
 * Loaded where the options of the store ask for it.
 */
import type { Eventually } from '../base/bytes.js';
import type { Secret } from '../base/hash.js';
import { type ChunkSizes, chunkSizes, chunksOf, gearTable } from '../structures/dedup/index.js';
import { type GroupObjects, type Parts, type Placer, placeChunks } from './objects.js';
import type { Value } from './packing.js';

/** A chunk has about so much of the size from which on values are cut. */
const CHUNK_SHARE = 1 / 4;

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
    return placeChunks(chunksOf(bytes, this.#gear, this.#sizes), this.placer, group);
  }
}
