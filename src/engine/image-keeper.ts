/**
 * When an image of the state is taken, and how it is written: in slices with a pause
 * before each, so that the worker never stops for long, while commits go on.
 *
 * An image is worth its writing when the log has grown by a good share of itself and of
 * the image since the last one: so images add at most half to the bytes that are
 * written, and the log behind the last one is soon read.
 */

import type { Log } from '../storage/log/index.js';
import type { Committer } from './commit.js';
import type { Environment } from './environment.js';
import { type Restored, restoreImage, type Taken, takeImage } from './image.js';
import { encodeImage, type Image } from './image-format.js';
import { ignoreStoreError } from './maintenance.js';
import { Pause } from './pause.js';
import type { State } from './state.js';

/** A log that is shorter than this is read in no time. */
const LEAST_LOG_BYTES = 2 ** 20;
/** Of the log, while the store is in use. */
const GROWTH = 1 / 8;
/** Times the bytes of the image before. */
const GROWTH_PER_IMAGE = 2;
/** Of the log, when the store is closed: what is behind the image will surely be read. */
const GROWTH_AT_CLOSE = 1 / 64;
const SLICE_BYTES = 512 * 1024;

const NONE = { logBytes: 0, imageBytes: 0 };

export class ImageKeeper {
  #last: Taken | undefined;
  /** What is being written; another one, or none, calls it off. */
  #writing: Image | undefined;
  /** Its end, however it ends. */
  #written: Promise<void> = Promise.resolve();
  readonly #pause: Pause;
  #closing = false;

  /** `log` is the current one, whichever that is. */
  constructor(
    private readonly environment: Environment,
    private readonly log: Log,
    private readonly state: State,
    private readonly committer: Committer,
  ) {
    this.#pause = new Pause(environment);
  }

  /** Fills the state from an image; gives the place from which the log is to be read. */
  async restore(): Promise<Restored | undefined> {
    const { images } = this.environment;
    const restored = images && (await restoreImage(images, this.state, this.log));
    this.#last = restored;
    return restored;
  }

  /** REQUIRES: the state has just been sealed. */
  afterSeal(): void {
    if (!this.environment.images || this.#writing || this.#closing) return;
    const { imageBytes } = this.#before();
    if (!this.#hasGrownBy(Math.max(this.log.bytes * GROWTH, imageBytes * GROWTH_PER_IMAGE))) return;
    const { generation, bytes: logBytes } = this.log;
    const failed = (error: unknown) => {
      // There may be no room: not tried again before the log has grown as if it had been written.
      this.#last = { generation, logBytes, imageBytes };
      ignoreStoreError(error);
    };
    this.#written = this.#write(takeImage(this.state, this.log), () => this.#pause.wait()).catch(failed);
  }

  /** Calls off what is being written, and leaves an image of all there is where that is worth it. `emptyBuffer`: settles and seals; without it no image is left. */
  async close(emptyBuffer?: () => Promise<void>): Promise<void> {
    this.#closing = true;
    this.stop();
    await this.#written;
    const { images } = this.environment;
    if (!images || !emptyBuffer || !this.#hasGrownBy(this.log.bytes * GROWTH_AT_CLOSE)) return;
    try {
      const image = await this.committer.exclusive(async () => {
        await emptyBuffer();
        return takeImage(this.state, this.log);
      });
      await this.#write(image, undefined);
    } catch (error) {
      ignoreStoreError(error);
    }
  }

  /** Calls off what is being written: the log is about to be another one, or closed. */
  stop(): void {
    this.#writing = undefined;
    this.#pause.end();
  }

  #before(): Pick<Taken, 'logBytes' | 'imageBytes'> {
    return this.#last?.generation === this.log.generation ? this.#last : NONE;
  }

  #hasGrownBy(bytes: number): boolean {
    const { imageAfterBytes = LEAST_LOG_BYTES } = this.environment;
    return this.log.bytes - this.#before().logBytes >= Math.max(imageAfterBytes, bytes);
  }

  /** Without `pause` all at once. */
  async #write(image: Image, pause: (() => Promise<void>) | undefined): Promise<void> {
    const { generation } = this.log;
    const isOff = () => this.#writing !== image || this.log.generation !== generation;
    this.#writing = image;
    try {
      const writer = this.environment.images!.begin(generation);
      let imageBytes = 0;
      for (const slice of slices(encodeImage(image))) {
        if (pause) await pause();
        if (isOff()) return;
        await writer.write(slice);
        imageBytes += slice.length;
      }
      // Nothing may be ahead of the log, also after a power cut.
      await this.committer.exclusive(async () => {
        await this.log.flush();
      });
      if (isOff()) return;
      await writer.commit();
      this.#last = { generation, logBytes: image.logBytes, imageBytes };
    } finally {
      if (this.#writing === image) this.#writing = undefined;
    }
  }
}

/** Joins pieces to writes of a good size. A slice is good until the next is asked for. */
function* slices(pieces: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  let bytes = new Uint8Array(2 * SLICE_BYTES);
  let end = 0;
  for (const piece of pieces) {
    if (end + piece.length > bytes.length) {
      const grown = new Uint8Array(end + piece.length);
      grown.set(bytes.subarray(0, end));
      bytes = grown;
    }
    bytes.set(piece, end);
    end += piece.length;
    if (end < SLICE_BYTES) continue;
    yield bytes.subarray(0, end);
    end = 0;
  }
  if (end > 0) yield bytes.subarray(0, end);
}
