/**
 * A tab that does not lead: its calls go to the leader over the channel.
 *
 * When the leader goes away, calls that only read are asked again of the next one.
 * Of a write nobody can say whether it was made, so it is refused with
 * `LeaderUnresponsiveError`.
 */
import { LeaderUnresponsiveError } from '../base/errors.js';
import type { Wish } from '../contract/store-wide.js';
import { packError, unpackError } from '../wire/errors.js';
import { type Answer, type Call, type Opened, READS } from '../wire/messages.js';
import { type Channel, HELLO_MS, type RelayMessage } from './relay.js';

interface Asked {
  readonly calls: readonly Call[];
  readonly resolve: (answers: Answer[]) => void;
  /** The leader that was asked; `undefined`: nobody yet. */
  leader: string | undefined;
}

export class Follow {
  readonly #asked = new Map<number, Asked>();
  #leader: string | undefined;
  #last = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #welcome: { resolve: (opened: Opened) => void; reject: (error: Error) => void } | undefined;
  /** Settles when a leader has let this tab in, or refused it. */
  readonly opened: Promise<Opened>;

  constructor(
    private readonly channel: Channel,
    private readonly id: string,
    private readonly wish: Wish,
    private readonly persistence: string,
  ) {
    this.opened = new Promise((resolve, reject) => {
      this.#welcome = { resolve, reject };
    });
    this.opened.catch(() => {});
    this.#hello();
  }

  receive(message: RelayMessage): void {
    switch (message.type) {
      case 'welcome':
        if (message.to !== this.id) return;
        this.#stopHello();
        this.#leader = message.leader;
        this.#welcome?.resolve(message.opened);
        this.#askAll();
        return;
      case 'refused':
        if (message.to !== this.id) return;
        this.#stopHello();
        this.#welcome?.reject(unpackError(message.error));
        return;
      case 'answers': {
        const asked = message.to === this.id ? this.#asked.get(message.id) : undefined;
        if (!asked) return;
        this.#asked.delete(message.id);
        asked.resolve([...message.answers]);
        return;
      }
      case 'leading':
        if (message.leader === this.#leader) return;
        this.leaderLost();
        this.#hello();
        return;
    }
  }

  /** Answers come from whoever leads; until somebody does, the calls wait. */
  run(calls: readonly Call[]): Promise<Answer[]> {
    return new Promise((resolve) => {
      this.#last += 1;
      const asked: Asked = { calls, resolve, leader: undefined };
      this.#asked.set(this.#last, asked);
      if (this.#leader) this.#ask(this.#last, asked);
    });
  }

  destroy(): void {
    if (this.#leader) this.channel.post({ type: 'destroy', from: this.id, leader: this.#leader });
  }

  /** The leader is gone: what it was asked and did not answer is refused, unless it only reads. */
  leaderLost(): void {
    this.#leader = undefined;
    for (const [id, asked] of this.#asked) {
      if (asked.leader === undefined) continue;
      asked.leader = undefined;
      if (asked.calls.every(({ method }) => READS.has(method))) continue;
      this.#asked.delete(id);
      const error = packError(
        new LeaderUnresponsiveError(
          'the tab that led the store went away before it answered; a write may or may not have been made',
          { detail: { outcome: 'unknown' } },
        ),
      );
      asked.resolve(asked.calls.map(() => ({ error })));
    }
  }

  /** This tab leads itself now, as `opened` says: what nobody was asked yet, or may be asked again, is its to answer. */
  end(opened: Opened): Asked[] {
    this.leaderLost();
    this.#stopHello();
    this.#welcome?.resolve(opened);
    const unasked = [...this.#asked.values()];
    this.#asked.clear();
    return unasked;
  }

  close(error: Error): void {
    this.#stopHello();
    this.#welcome?.reject(error);
    const answer = { error: packError(error) };
    for (const { calls, resolve } of this.#asked.values()) resolve(calls.map(() => answer));
    this.#asked.clear();
  }

  #hello(): void {
    this.#stopHello();
    const { id, wish, persistence } = this;
    const say = () => this.channel.post({ type: 'hello', from: id, wish, persistence });
    say();
    this.#timer = setInterval(say, HELLO_MS);
  }

  #stopHello(): void {
    clearInterval(this.#timer);
  }

  #askAll(): void {
    for (const [id, asked] of this.#asked) if (asked.leader === undefined) this.#ask(id, asked);
  }

  #ask(id: number, asked: Asked): void {
    asked.leader = this.#leader;
    try {
      this.channel.post({ type: 'calls', from: this.id, leader: this.#leader!, id, calls: asked.calls });
    } catch (error) {
      this.#asked.delete(id);
      const answer = { error: packError(error) };
      asked.resolve(asked.calls.map(() => answer));
    }
  }
}
