/**
 * How a value that is not stored yet can be stored as less than itself: as what differs
 * from a value that it resembles, or as a row of chunks, of which some may be there.
 *
 * Loaded where the options of the store ask for it.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import type { Settings } from '../contract/options.js';
import {
  type ChunkSizes,
  chunkSizes,
  chunksOf,
  encodeDelta,
  gearSeed,
  gearTable,
} from '../structures/dedup/index.js';
import { Kin, type KinParts, type Relative } from './kin.js';
import { CHUNK_SHARE, DELTA_HEAD_BYTES, Form } from './made.js';
import {
  type GroupObjects,
  type Holding,
  type NewObject,
  newObject,
  type Parts,
  type Placer,
  placeChunks,
} from './objects.js';
import type { Value } from './packing.js';

/** A delta is kept when it takes at most this share of a value: reading it costs the base too. */
const DELTA_SHARE = 3 / 4;
/** Of a value that could be cut instead, it has to save more. */
const DELTA_SHARE_LARGE = 1 / 4;

export class Maker {
  readonly #sizes: ChunkSizes;
  readonly #gear: Int32Array;
  readonly #cuts: boolean;
  readonly #kin: Kin | undefined;

  constructor(
    private readonly options: Settings['dedup'],
    private readonly placer: Placer,
    parts: KinParts,
  ) {
    const { secret } = parts.state;
    const { mode, chunkBytes, normalization } = options;
    this.#sizes = chunkSizes(Math.floor(chunkBytes * CHUNK_SHARE));
    this.#gear = gearTable(gearSeed(secret));
    this.#cuts = mode === 'chunked' || mode === 'near';
    const near = mode === 'near';
    if (near || normalization !== 'none') this.#kin = new Kin({ ...options, near }, parts);
  }

  /** The object that the value gets, which nobody has yet; or, where `canonical` allows it, a stored one for it. */
  fresh(value: Value, group: GroupObjects, canonical: boolean): Eventually<NewObject | Holding> {
    const kin = this.#kin;
    if (!kin || value.packed) return this.#whole(value, group);
    return kin.find(value).then((relative) => {
      if (relative?.first && canonical) return relative.first;
      const parts = relative && this.#deltaFrom(relative, value);
      if (parts) return newObject(value, parts);
      return andThen(this.#whole(value, group), (object) => {
        kin.expect(value, object);
        return object;
      });
    });
  }

  /** What is stored and resembles the value. */
  async relativeOf(value: Value): Promise<Relative | undefined> {
    return value.packed ? undefined : this.#kin?.find(value);
  }

  #whole(value: Value, group: GroupObjects): Eventually<NewObject> {
    const { bytes, packed } = value;
    // Compressed bytes of two versions have nothing in common.
    if (packed || !this.#cuts || bytes.length <= this.options.chunkBytes) {
      return this.placer.asItComes(value);
    }
    const chunks = chunksOf(bytes, this.#gear, this.#sizes);
    return andThen(placeChunks(chunks, this.placer, group), (parts) => newObject(value, parts));
  }

  #deltaFrom({ holding, encoded }: Relative, { kind, bytes }: Value): Parts | undefined {
    if (encoded.kind !== kind) return undefined;
    const large = this.#cuts && bytes.length > this.options.chunkBytes;
    const most = bytes.length * (large ? DELTA_SHARE_LARGE : DELTA_SHARE) - DELTA_HEAD_BYTES;
    const delta = most > 0 ? encodeDelta(encoded.bytes, bytes, most) : undefined;
    return delta && { form: Form.Delta, depth: 1, parts: [holding], delta };
  }
}
