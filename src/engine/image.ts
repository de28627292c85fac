/**
 * Images of the state: what the log says up to some place, ready to be taken into
 * memory, so that opening reads an image and the log behind it instead of all of it.
 * An image is a cache: one that does not fit is as good as none.
 */
import type { Eventually } from '../base/bytes.js';
import { StoreError } from '../base/errors.js';
import type { ImageStore } from '../storage/images.js';
import type { Log, Position } from '../storage/log/index.js';
import { decodeImage, type Image } from './image-format.js';
import type { State } from './state.js';

/** An image that was taken or read: of which log, how far into it, and how large it is. */
export interface Taken {
  readonly generation: number;
  readonly logBytes: number;
  readonly imageBytes: number;
}

export interface Restored extends Taken {
  /** Where the log is to be read from. */
  readonly position: Position;
}

/**
 * The state as of now. O(segments) for the maplets; references and deadlines are
 * copied, which takes about 5 ms for a million of either.
 *
 * REQUIRES: the state is settled and its buffer empty.
 */
export function takeImage(state: State, log: Log): Image {
  const { version, time, firstTime, keys, logicalBytes, objectCount, objectBytes, perPut } = state;
  return {
    figures: { version, time, firstTime, keys, logicalBytes, objectCount, objectBytes, perPut },
    dedup: state.dedup,
    position: log.position,
    index: state.index.snapshot(),
    objects: state.objects.snapshot(),
    references: pairsOf(state.references),
    deadlines: state.deadlines.rows(),
    runs: state.runs,
  };
}

/**
 * Fills `state`, which is new, from the newest image that fits it and its log.
 * `undefined`, and nothing has happened, where there is none.
 */
export async function restoreImage(images: ImageStore, state: State, log: Log): Promise<Restored | undefined> {
  const { generation } = log;
  try {
    for await (const payload of images.images(generation)) {
      const image = await fitting(payload, state, log);
      if (!image) continue;
      fill(state, image);
      const { position, logBytes } = image;
      return { generation, position, logBytes, imageBytes: payload.length };
    }
  } catch (error) {
    // Images that cannot be read now may be read another time.
    if (!(error instanceof StoreError)) throw error;
  }
  return undefined;
}
