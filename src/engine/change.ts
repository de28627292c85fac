/**
 * What a committed entry does to the state. Made from the mutation when it is
 * written, and from the entry when the log is replayed: both go through
 * `State.apply`.
 */

import type { RecordedAnswer } from './answers.js';

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

export interface DeleteChange {
  readonly type: 'delete';
  readonly key: string;
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

export type Change = PutChange | ObjectChange | DeleteChange | ClearChange | AnswerChange;
