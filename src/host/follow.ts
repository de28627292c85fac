/**
 * The calls of a tab that does not lead: numbered, sent to the leader over the channel,
 * and kept until they are answered.
 *
 * When the leader goes away, all that it has not answered is sent again to the next one,
 * in the same order. That one knows by the numbers what was done already (`engine/answers.ts`).
 * While nobody leads, calls wait.
 */
import type { Wish } from '../contract/store-wide.js';
import { packError, unpackError } from '../wire/errors.js';
import type { Answer, Call, Opened } from '../wire/messages.js';
import type { Channel, Tabs } from './platform.js';
import { HELLO_MS, type RelayMessage, SILENCE_MS, STRANGER_MS, YIELD_MS } from './relay.js';

export interface Asked {
  /** Number of the first of the calls. */
  readonly first: number;
  readonly calls: readonly Call[];
  readonly resolve: (answers: Answer[]) => void;
  /** The leader that was asked; `undefined`: nobody who still leads. */
  leader: string | undefined;
}

export interface FollowParts {
  readonly tabs: Pick<Tabs, 'after'>;
  readonly channel: Pick<Channel, 'post'>;
  readonly id: string;
  readonly wish: Wish;
  readonly persistence: string;
  /** The leader does not answer, and did not when it was asked to yield. */
  readonly onSilence: () => void;
}

export class Follow {
  /** In the order of their numbers. */
  readonly #asked = new Map<number, Asked>();
  readonly #parts: FollowParts;
  #leader: string | undefined;
  #next = 1;
  #cancelHello: (() => void) | undefined;
  #losePatience: (() => void) | undefined;
  #stopListening: (() => void) | undefined;
  #welcome!: { resolve: (opened: Opened) => void; reject: (error: Error) => void };
  /** Settles when a leader has let this tab in, or refused it, or the tab leads itself. */
  readonly opened: Promise<Opened>;

  constructor(parts: FollowParts) {
    this.#parts = parts;
    this.opened = new Promise((resolve, reject) => {
      this.#welcome = { resolve, reject };
    });
    this.opened.catch(() => {});
  }

  /** Looks for a leader, until one lets this tab in. */
  hello(): void {
    this.#stopHello();
    const { tabs, channel, id: from, wish, persistence } = this.#parts;
    const say = () => {
      channel.post({ type: 'hello', from, wish, persistence });
      this.#cancelHello = tabs.after(HELLO_MS, say);
    };
    say();
    this.#hearOfSomebody();
  }

  receive(message: RelayMessage): void {
    switch (message.type) {
      case 'welcome':
        if (message.to !== this.#parts.id) return;
        this.#stopHello();
        if (message.leader !== this.#leader) this.leaderLost();
        this.#leader = message.leader;
        this.#welcome.resolve(message.opened);
        for (const asked of this.#asked.values()) this.#ask(asked);
        return;
      case 'refused':
        if (message.to !== this.#parts.id) return;
        this.#stopHello();
        this.#welcome.reject(unpackError(message.error));
        this.refuseAll(unpackError(message.error));
        return;
      case 'answers':
        if (message.to === this.#parts.id) this.#answer(message);
        return;
      case 'beat':
        if (message.leader === this.#leader) this.#listen();
        else if (this.#losePatience) this.#hearOfSomebody();
        return;
      case 'leading':
        if (message.leader === this.#leader) return;
        this.leaderLost();
        this.hello();
        return;
    }
  }

  /** Answers come from whoever leads; until somebody does, the calls wait. */
  run(calls: readonly Call[]): Promise<Answer[]> {
    return new Promise((resolve) => {
      const asked: Asked = { first: this.#next, calls, resolve, leader: undefined };
      this.#next += calls.length;
      this.#asked.set(asked.first, asked);
      if (this.#leader) this.#ask(asked);
    });
  }

  get isIdle(): boolean {
    return this.#asked.size === 0;
  }

  destroy(): void {
    const { channel, id: from } = this.#parts;
    if (this.#leader) channel.post({ type: 'destroy', from, leader: this.#leader });
  }

  /** The leader is gone: what it did not answer is asked of the next. */
  leaderLost(): void {
    this.#leader = undefined;
    this.#stopListening?.();
    for (const asked of this.#asked.values()) asked.leader = undefined;
  }

  /** This tab leads itself now, as `opened` says: what was not answered is its to answer, in this order. */
  end(opened: Opened): Asked[] {
    this.rest();
    this.#welcome.resolve(opened);
    const unanswered = [...this.#asked.values()];
    this.#asked.clear();
    return unanswered;
  }

  /** Asks nobody any more; calls wait. */
  rest(): void {
    this.leaderLost();
    this.#stopHello();
  }

  close(error: Error): void {
    this.rest();
    this.#welcome.reject(error);
    this.refuseAll(error);
  }

  /** All that waits is answered with `error`. */
  refuseAll(error: Error): void {
    const answer = { error: packError(error) };
    for (const { calls, resolve } of this.#asked.values()) resolve(calls.map(() => answer));
    this.#asked.clear();
  }

  /** What a leader says that lost its lock may be old: only the one that was asked last counts. */
  #answer({ first, leader, answers }: Extract<RelayMessage, { type: 'answers' }>): void {
    const asked = this.#asked.get(first);
    if (!asked || asked.leader !== leader) return;
    this.#asked.delete(first);
    if (this.#asked.size === 0) this.#stopListening?.();
    else this.#listen();
    asked.resolve([...answers]);
  }

  #stopHello(): void {
    this.#cancelHello?.();
    this.#losePatience?.();
    this.#losePatience = undefined;
  }

  /** While no leader lets this tab in: there is one, or will be. */
  #hearOfSomebody(): void {
    this.#losePatience?.();
    const { tabs, onSilence } = this.#parts;
    this.#losePatience = tabs.after(STRANGER_MS, onSilence);
  }

  #ask(asked: Asked): void {
    if (asked.leader !== undefined) return;
    const { channel, id: from } = this.#parts;
    const { first, calls } = asked;
    const leader = this.#leader!;
    const [known = first] = this.#asked.keys();
    try {
      channel.post({ type: 'calls', from, leader, first, known, calls });
      if (!this.#stopListening) this.#listen();
      asked.leader = leader;
    } catch (error) {
      this.#asked.delete(first);
      const answer = { error: packError(error) };
      asked.resolve(calls.map(() => answer));
    }
  }

  /** The leader was heard of, or asked: an answer is due. */
  #listen(): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    if (this.#asked.size === 0) return;
    const { tabs, channel, onSilence } = this.#parts;
    const cancel = tabs.after(SILENCE_MS, () => {
      if (!this.#leader) return;
      channel.post({ type: 'yield', leader: this.#leader });
      this.#until(tabs.after(YIELD_MS, onSilence));
    });
    this.#until(cancel);
  }

  #until(cancel: () => void): void {
    this.#stopListening = () => {
      cancel();
      this.#stopListening = undefined;
    };
  }
}
