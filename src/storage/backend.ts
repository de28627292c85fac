/**
 * A place where one store lives: its header and its log, held for this engine alone
 * until it is closed.
 */
import type { Eventually } from '../base/bytes.js';
import type { ImageStore } from './images.js';
import type { Header, Log } from './log/index.js';

/** An empty log in the place that is free, to be filled with what of the current one is alive. */
export interface Successor {
  readonly log: Log;
  /**
   * From its return on the store lives in `log`, of which everything has to be flushed
   * before. The log before stays readable until the result, which empties its place.
   */
  adopt(): Eventually<() => Eventually<void>>;
  /** The log will not be used. */
  discard(): Eventually<void>;
}

/** Something of a store that was missing when it was opened, and without which it could go on. */
export interface Loss {
  /** One sentence for people. */
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Backend {
  /** Whether the store was made just now. */
  readonly created: boolean;
  /** What was missing when it was opened. */
  readonly losses: readonly Loss[];
  readonly header: Header;
  readonly log: Log;
  /** Where what is only a cache of the log is kept; none where nothing outlives the engine. */
  readonly images?: ImageStore;
  /** One at a time, and none while the log before the current one is still read. */
  successor(): Eventually<Successor>;
  /** Puts `header` in place of the one before; a write that is cut off leaves the one before. */
  writeHeader(header: Header): Eventually<void>;
  close(): Eventually<void>;
  /** Closes and removes all that was stored. */
  destroy(): Eventually<void>;
}

/** What the outside gives to make a store: nothing below draws the time or randomness itself. */
export interface Surroundings {
  /** Wall clock, epoch milliseconds. May step. */
  now(): number;
  /** Milliseconds of a clock that nobody sets, from any start. */
  elapsed(): number;
  random(bytes: number): Uint8Array;
}

export interface BackendOptions {
  readonly surroundings: Surroundings;
  /** A torn tail is an error. */
  readonly absolute: boolean;
  /** Kept in the header of a new store. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A header for a new store. */
export function newHeader({ surroundings, settings }: BackendOptions): Header {
  const random = surroundings.random(16);
  return {
    generation: newGeneration(surroundings),
    epoch: 1,
    createdAt: Math.floor(surroundings.now()),
    flushedTo: 0,
    place: 0,
    secret: random,
    settings,
  };
}

/** Seeds the checks of a log, so that what lay in its place before never counts. */
export function newGeneration({ random }: Surroundings): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) || 1;
}

/** The header of a store that goes on in the log of a successor, of which nothing is flushed yet. */
export function headerFor(header: Header, generation: number): Header {
  return { ...header, epoch: header.epoch + 1, generation, flushedTo: 0, place: header.place === 0 ? 1 : 0 };
}
