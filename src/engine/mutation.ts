/**
 * What a caller, or the engine's own maintenance, asks to be changed. A call is a
 * row of mutations that happens whole or not at all.
 */
import type { Encoded } from '../base/codec/index.js';
import type { Terms } from '../structures/eviction/index.js';
import type { Mark, MarkFigures } from './mark.js';
import type { Operator } from './operators.js';
import type { Value } from './packing.js';

export interface PutMutation {
  readonly type: 'put';
  readonly key: string;
  readonly encoded: Value;
  /** Milliseconds to live; `Infinity` for ever. Under `keepTtl` only for a key that is new. */
  readonly ttlMs: number;
  readonly keepTtl: boolean;
  readonly ifAbsent: boolean;
  readonly ifVersion: number | undefined;
  /** A stored value with its normal form will do; `undefined`: as the store has it. */
  readonly canonical?: boolean | undefined;
  /** What the key asks of eviction; `undefined`: what it has asked, or nothing. */
  readonly terms?: Terms | undefined;
  /** Times of an entry from elsewhere, in place of what the call would give it. Only without a condition. */
  readonly times?: {
    readonly expiresAt: number;
    readonly createdAt: number;
    readonly updatedAt: number;
  };
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

/** Puts what the operator makes of the stored value and the operand; the operand where there is no value. */
export interface MergeMutation {
  readonly type: 'merge';
  readonly key: string;
  readonly operand: Encoded;
  readonly operator: Operator;
  /** `undefined`: the key's deadline stays, and a new key gets the default one. */
  readonly ttlMs: number | undefined;
  /** Told the value that will be stored. */
  readonly onMerged?: (merged: Encoded) => void;
}

export type Step = PutMutation | DeleteMutation | ExpireMutation | MergeMutation;

/**
 * All that one call does to one key. Each step finds the key as those before it have
 * left it; what the last one leaves is written, in one entry.
 */
export interface SeriesMutation {
  readonly type: 'series';
  readonly key: string;
  readonly steps: readonly Step[];
}

/** Puts back what a key was in an older version. */
export interface RestoreMutation {
  readonly type: 'restore';
  readonly key: string;
  readonly encoded: Value;
  readonly expiresAt: number;
  readonly createdAt: number;
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

/** Keeps the version that it makes under a label; without figures the label is given up. Alone in its call. */
export interface CheckpointMutation {
  readonly type: 'checkpoint';
  readonly label: string;
  readonly figures: MarkFigures | undefined;
  /** Told what will be kept. */
  readonly onMark?: (mark: Mark) => void;
}

export type Mutation =
  | Step
  | SeriesMutation
  | RestoreMutation
  | ReapMutation
  | ClearMutation
  | CheckpointMutation;

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
  if (mutation.type === 'series') return mutation.steps.some((step) => looks(step, growing));
  return !growing || !isBlind(mutation);
}

/** Whether the mutation is the same whatever is stored under its key. */
export function isBlind(mutation: Mutation): mutation is PutMutation {
  if (mutation.type !== 'put') return false;
  return !mutation.keepTtl && !mutation.ifAbsent && mutation.ifVersion === undefined;
}
