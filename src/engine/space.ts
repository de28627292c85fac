/**
 * What a store may take on the medium, by what of it is alive.
 *
 * A log is rewritten once it takes 1.75 times its live bytes L, and three extents. While it is
 * copied, writers may write a quarter of what the copy has written, and no more: so the log
 * grows by at most L/4 + L/16 + ..., the copy by as much, and both together stay under 3.5 L
 * and three extents, however fast the writers are, and under 3 L where they are not.
 *
 * A log that older versions are still read in counts as alive, P bytes of it: the current one
 * goes on growing beside it to 2 L + P and three extents. Then those who read it are told.
 */
import { fullExtentBytes } from '../storage/log/index.js';
import { bytesAlive } from './mark.js';
import type { State } from './state.js';

/** Times the live bytes at which a log is rewritten. */
export const REWRITE_AT = 1.75;
/** Of what is copied writers may write as much meanwhile. */
export const WRITERS_SHARE = 1 / 4;
/** A log that is still read may take so much, however little is alive. */
export const PINNED_LEAST = 16 * 2 ** 20;
/** Sealing goes by whole extents. */
const ROOM_EXTENTS = 3;

/** Bytes that are alive, those that checkpoints keep too. */
export function aliveIn(state: Pick<State, 'marks' | 'liveBytes'>, logBytes: number): number {
  return bytesAlive(state.marks, state.liveBytes, logBytes);
}

/** So many times what is alive, and three extents. */
export function spaceFor(times: number, alive: number, logBytes: number): number {
  return times * alive + ROOM_EXTENTS * fullExtentBytes(logBytes);
}
