/**
 * How the tabs of one store speak: one BroadcastChannel, on which a leader answers
 * and followers ask.
 *
 *    follower  hello    every 250 ms until it is welcome, and again when a leader is new
 *    leader    welcome  with the mode and the epoch, or the error that keeps it out
 *    follower  calls    with a number of its own, to the leader of an epoch
 *    leader    answers  to that number
 *    leader    leading  it is new: whatever was asked of the one before has no answer
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
      readonly id: number;
      readonly calls: readonly Call[];
    }
  | {
      readonly type: 'answers';
      readonly to: string;
      readonly id: number;
      readonly answers: readonly Answer[];
    }
  | { readonly type: 'destroy'; readonly from: string; readonly leader: string }
  | { readonly type: 'leading'; readonly leader: string }
  | { readonly type: 'gone' };

export const HELLO_MS = 250;

export class Channel {
  readonly #channel: BroadcastChannel;

  constructor(name: string, onMessage: (message: RelayMessage) => void) {
    this.#channel = new BroadcastChannel(`rootcellar:${name}`);
    this.#channel.onmessage = ({ data }) => onMessage(data as RelayMessage);
    // In Node a channel must not keep the process alive.
    (this.#channel as { unref?(): void }).unref?.();
  }

  post(message: RelayMessage): void {
    this.#channel.postMessage(message);
  }

  close(): void {
    this.#channel.onmessage = null;
    this.#channel.close();
  }
}
