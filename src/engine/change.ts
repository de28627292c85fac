/**
 * What a committed entry does to the state. Made from the mutation when it is
 * written, and from the entry when the log is replayed: both go through
 * `State.apply`.
 */
import type { RecordedAnswer } from './answers.js';
import type { Mark } from './mark.js';

/** The content of a value, and where it stands. */
export interface Content {
  /** Keyed hash of kind and bytes. */
  readonly high: number;
  readonly low: number;
  readonly size: number;
  /** Location of the entry that holds the value; the object's identity. */
  readonly object: number;
  /** The entry of this change is the one that brought it. */
  readonly brings: boolean;
  /** What it is made of, where it is made of others. */
  readonly made?: Made | undefined;
  /** It is a part of others, and of no key. */
  readonly chunk?: true;
}

/** Bytes that the object of a content takes by itself. */
export function bytesOf({ made, size }: Content): number {
  return made?.bytes ?? size;
}

/** What a value is made of, and where that stands. */
export interface Made {
  /** Bytes that say so. */
  readonly bytes: number;
  /** Deltas that lie one over the other. */
  readonly depth: number;
  /** `CHUNK_ROW` words a chunk: hash (high, low), object, size. */
  readonly chunks: Uint32Array;
  readonly base: Content | undefined;
}

export const CHUNK_ROW = 4;

export function* chunksOf({ chunks }: Made): Generator<Content, void> {
  for (let row = 0; row < chunks.length; row += CHUNK_ROW) {
    const high = chunks[row]! | 0;
    const low = chunks[row + 1]! | 0;
    yield { high, low, object: chunks[row + 2]!, size: chunks[row + 3]!, brings: false, chunk: true };
  }
}

/** A value without a key: keys that follow refer to it. */
export interface ObjectChange {
  readonly type: 'object';
  readonly content: Content;
  readonly version: number;
  readonly time: number;
}

export interface PutChange {
  readonly type: 'put';
  readonly key: string;
  readonly location: number;
  /** What the entry takes in the log. */
  readonly bytes: number;
  readonly content: Content;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly version: number;
  readonly time: number;
}

/**
 * A put, in an extent that is sealed already, of a key that the store knows nothing of: it goes
 * where sealing would bring it, and nobody needs to see the key. Made by recovery only.
 */
export interface PlacedChange extends Omit<PutChange, 'type' | 'key' | 'createdAt'> {
  readonly type: 'placed';
  /** Hash of the key. */
  readonly high: number;
  readonly low: number;
}

/** Why a key is removed that nobody deleted. */
export type Cause = 'expire' | 'evict';

export interface DeleteChange {
  readonly type: 'delete';
  readonly key: string;
  /** Where no caller asked for it. */
  readonly cause?: Cause | undefined;
  readonly version: number;
  readonly time: number;
}

export interface ClearChange {
  readonly type: 'clear';
  readonly version: number;
  readonly time: number;
}

/** A call of another tab was answered: nothing is stored under a key. */
export interface AnswerChange {
  readonly type: 'answer';
  readonly answer: RecordedAnswer;
  readonly version: number;
  readonly time: number;
}

/** From now on the label names this version, or without `mark` none. Keys and values stay as they are. */
export interface CheckpointChange {
  readonly type: 'checkpoint';
  readonly label: string;
  readonly mark: Mark | undefined;
  readonly version: number;
  readonly time: number;
}

/** Something is said of the use of keys (`use.ts`); nothing is stored under a key. */
export interface UseChange {
  readonly type: 'use';
  readonly rows: Uint8Array;
  readonly version: number;
  readonly time: number;
}

export type Change =
  | PutChange
  | ObjectChange
  | DeleteChange
  | ClearChange
  | AnswerChange
  | CheckpointChange
  | UseChange;
