/**
 * What the engine is given from outside: it reads no clock, draws no random number,
 * sets no timer and opens no file itself, so that a whole store runs in a simulation.
 */

import type { Eventually } from '../base/bytes.js';
import type { Mode, Settings } from '../contract/options.js';
import type { Successor } from '../storage/backend.js';
import type { ImageStore } from '../storage/images.js';
import type { Log } from '../storage/log/index.js';
import type { IndexMapletOptions } from '../structures/maplet/index.js';
import type { OwnCodecs } from './codecs.js';
import type { OwnOperators } from './operators.js';
import type { OwnPolicies } from './policies.js';

export interface Environment {
  readonly mode: Mode;
  readonly settings: Settings;
  readonly log: Log;
  /** Keys the hashes; at least 16 bytes, kept with the store. */
  readonly secret: Uint8Array;
  /** Shape of the maplets; tests make their fingerprints short, so that keys are taken for others. */
  readonly index?: IndexMapletOptions;
  /** What `merge` knows beside the built-in ones. */
  readonly operators?: OwnOperators;
  /** What values may be compressed with beside the platform's own. */
  readonly codecs?: OwnCodecs;
  /** What `budget.policy` may name beside the built-in ones. */
  readonly policies?: OwnPolicies;
  /** Where the log may go on once most of this one is dead; without it, it only grows. */
  readonly successor?: () => Eventually<Successor>;
  /** Where images of memory are kept; without it, opening reads the whole log. */
  readonly images?: ImageStore | undefined;
  /** What was missing of the store, a sentence each. */
  readonly losses?: readonly string[];
  /** By so many bytes at least the log grows between images. Default: 1 MiB; tests have small logs. */
  readonly imageAfterBytes?: number;
  /** Grows with each opening of the store, so that what one engine names no later one takes for its own. */
  readonly epoch?: number;
  /** Wall clock, epoch milliseconds. May step. */
  now(): number;
  /** Runs `task` once after `ms`; the result calls it off. */
  after(ms: number, task: () => void): () => void;
}
