/**
 * IndexImage: keeps a saved index up to date by writing the segments that changed.
 *
 * Saving takes a snapshot, so a segment that is saved never changes again; who
 * changes the index gets a clone. A segment has changed since the last saving
 * exactly when it is another object. Segments are numbered as they are first
 * written, and no number is used twice.
 *
 * Cost of saving: 6 bytes a slot for each changed segment, and 8 bytes a segment.
 */
import { CorruptionError } from '../../base/errors.js';
import { crcOf, decodeManifest, decodeSegment, encodeManifest, encodeSegment } from './index-format.js';
import { IndexMaplet, type IndexMapletOptions } from './index-maplet.js';
import type { Segment } from './segment.js';

/** The bytes of each segment of `maplet`, which must not change meanwhile. */
export function* encodeSegments(maplet: IndexMaplet): Generator<Uint8Array, void> {
  for (const segment of maplet.segments()) yield encodeSegment(segment);
}

/**
 * The index whose segments these bytes are, in order. That no bit of them has changed is for the caller to know.
 *
 * @throws FormatError, CorruptionError, RangeError.
 */
export function decodeSegments(segments: readonly Uint8Array[], options: IndexMapletOptions): IndexMaplet {
  return IndexMaplet.fromSegments(
    segments.map((bytes) => decodeSegment(bytes, true)),
    options,
  );
}

export interface SavedSegment {
  readonly number: number;
  readonly bytes: Uint8Array;
}

export interface Saving {
  /** To be written before the manifest. */
  readonly segments: readonly SavedSegment[];
  /** Makes the saving valid once it is written. */
  readonly manifest: Uint8Array;
  /** Numbers that only manifests before this one name. */
  readonly dropped: readonly number[];
}

interface Known {
  readonly number: number;
  readonly crc: number;
}

export class IndexImage {
  /** Weak, so that what the index has replaced is not kept alive. */
  private readonly known = new WeakMap<Segment, Known>();
  private live: readonly number[] = [];
  private next = 1;

  /** What must be written so that `maplet`, as it is now, can be read back. */
  save(maplet: IndexMaplet): Saving {
    const written: SavedSegment[] = [];
    const entries: Known[] = [];
    for (const segment of maplet.snapshot().segments()) {
      let known = this.known.get(segment);
      if (known === undefined) {
        const bytes = encodeSegment(segment);
        known = { number: this.next++, crc: crcOf(bytes) };
        this.known.set(segment, known);
        written.push({ number: known.number, bytes });
      }
      entries.push(known);
    }
    const numbers = new Set(entries.map(({ number }) => number));
    const dropped = this.live.filter((number) => !numbers.has(number));
    this.live = [...numbers];
    const manifest = encodeManifest({ ...maplet.options, next: this.next, segments: entries });
    return { segments: written, manifest, dropped };
  }

  /**
   * The index that a manifest describes, and the image that goes on from there.
   * `read` gives the bytes of a segment by its number.
   *
   * @throws FormatError or CorruptionError; what `read` throws.
   */
  static load(
    manifest: Uint8Array,
    read: (number: number) => Uint8Array,
  ): { readonly maplet: IndexMaplet; readonly image: IndexImage } {
    const { next, segments: entries, ...options } = decodeManifest(manifest);
    const image = new IndexImage();
    const segments = entries.map((entry) => {
      const bytes = read(entry.number);
      const segment = decodeSegment(bytes);
      if (crcOf(bytes) !== entry.crc)
        throw new CorruptionError(`segment ${entry.number} is not the one of this manifest`);
      image.known.set(segment, entry);
      return segment;
    });
    image.next = next;
    image.live = entries.map(({ number }) => number);
    try {
      return { maplet: IndexMaplet.fromSegments(segments, options), image };
    } catch (cause) {
      throw new CorruptionError('a damaged index: its segments do not fit together', { cause });
    }
  }
}
