/**
 * A place where one store lives: its header and its log, held for this engine alone
 * until it is closed.
 */
import type { Eventually } from '../base/bytes.js';
import type { Header, Log } from './log/index.js';

export interface Backend {
  /** Whether the store was made just now. */
  readonly created: boolean;
  readonly header: Header;
  readonly log: Log;
  /** Puts `header` in place of the one before; a write that is cut off leaves the one before. */
  writeHeader(header: Header): Eventually<void>;
  close(): Eventually<void>;
  /** Closes and removes all that was stored. */
  destroy(): Eventually<void>;
}

/** What the outside gives to make a store: nothing below draws the time or randomness itself. */
export interface Surroundings {
  now(): number;
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
  const random = surroundings.random(20);
  return {
    generation: new DataView(random.buffer, random.byteOffset).getUint32(16, true) || 1,
    epoch: 1,
    createdAt: Math.floor(surroundings.now()),
    flushedTo: 0,
    secret: random.slice(0, 16),
    settings,
  };
}
