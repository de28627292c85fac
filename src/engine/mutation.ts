/**
 * What a caller, or the engine's own maintenance, asks to be changed. A call is a
 * row of mutations that happens whole or not at all.
 */
import type { Encoded } from '../base/codec/index.js';

export interface PutMutation {
  readonly type: 'put';
  readonly key: string;
  readonly encoded: Encoded;
  /** Milliseconds to live; `Infinity` for ever. Without effect under `keepTtl`. */
  readonly ttlMs: number;
  readonly keepTtl: boolean;
  readonly ifAbsent: boolean;
  readonly ifVersion: number | undefined;
}

export interface DeleteMutation {
  readonly type: 'delete';
  readonly key: string;
}

/** Gives a key another deadline; `Infinity` takes it away. */
export interface ExpireMutation {
  readonly type: 'expire';
  readonly key: string;
  readonly ttlMs: number;
}

/** Removes a key if it has expired. Proposed by the sweep. */
export interface ReapMutation {
  readonly type: 'reap';
  readonly key: string;
}

/** Removes everything. Alone in its call. */
export interface ClearMutation {
  readonly type: 'clear';
}

export type Mutation = PutMutation | DeleteMutation | ExpireMutation | ReapMutation | ClearMutation;

/** What became of a call. */
export interface Outcome {
  /** Version that the call made; the one before where it changed nothing. */
  readonly version: number;
  readonly durability: 'memory' | 'os' | 'durable';
  /** Mutations that changed something. */
  readonly changed: number;
}

/** Whether the mutation depends on what is stored under its key. */
export function looks(mutation: Mutation, growing: boolean): boolean {
  if (mutation.type !== 'put') return true;
  return mutation.ifAbsent || mutation.ifVersion !== undefined || mutation.keepTtl || !growing;
}
