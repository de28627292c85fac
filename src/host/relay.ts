/**
 * How the tabs of one store speak: one BroadcastChannel, on which a leader answers
 * and followers ask.
 *
 *    follower  hello    every 250 ms until it is welcome, and again when a leader is new
 *    leader    welcome  with the mode, or the error that keeps the follower out
 *    follower  calls    with the number of the first, to the leader that it knows; with them,
 *                       up to which number it has its answers
 *    leader    answers  to the call of that number, and those behind it
 *    leader    leading  it is new: whatever the one before did not answer is asked of it again
 *    leader    beat     it lives: every second while it opens the store or followers know it, and
 *                       when it is asked to yield
 *    follower  yield    nothing was heard for five seconds while an answer is due
 *    leader    gone     the store was destroyed
 */

import type { Wish } from '../contract/store-wide.js';
import type { WireError } from '../wire/errors.js';
import type { Answer, Call, Opened } from '../wire/messages.js';

export type RelayMessage =
  | {
      readonly type: 'hello';
      readonly from: string;
      readonly wish: Wish;
      readonly persistence: string;
    }
  | { readonly type: 'welcome'; readonly to: string; readonly leader: string; readonly opened: Opened }
  | { readonly type: 'refused'; readonly to: string; readonly error: WireError }
  | {
      readonly type: 'calls';
      readonly from: string;
      readonly leader: string;
      /** Number of the first of the calls; numbers grow by one from call to call. */
      readonly first: number;
      /** All calls before this one have their answers. */
      readonly known: number;
      readonly calls: readonly Call[];
    }
  | {
      readonly type: 'answers';
      readonly to: string;
      readonly leader: string;
      readonly first: number;
      readonly answers: readonly Answer[];
    }
  | { readonly type: 'destroy'; readonly from: string; readonly leader: string }
  | { readonly type: 'leading'; readonly leader: string }
  | { readonly type: 'beat'; readonly leader: string }
  | { readonly type: 'yield'; readonly leader: string }
  | { readonly type: 'gone' };

export const HELLO_MS = 250;
export const BEAT_MS = 1000;
/** A leader that has said nothing for so long, while an answer is due, is asked to yield. */
export const SILENCE_MS = 5000;
/** And if it says nothing for so long after that, its lock is taken. */
export const YIELD_MS = 1000;
/** Who looks for a leader, and hears of none for so long, takes the lock of whoever has it. */
export const STRANGER_MS = 15_000;
