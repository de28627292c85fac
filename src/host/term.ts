/**
 * A member's time as leader: it answers the followers on the channel, tells them that it
 * lives, and lets go of what they hold when they are gone.
 */
import { packError } from '../wire/errors.js';
import type { Lead } from './lead.js';
import type { Channel, Tabs } from './platform.js';
import { BEAT_MS, type RelayMessage } from './relay.js';

export interface TermParts {
  readonly lead: Lead;
  readonly tabs: Tabs;
  readonly channel: Channel;
  readonly id: string;
  /** A follower wants the store to be removed. */
  readonly onDestroy: () => Promise<void>;
}

export class Term {
  readonly #parts: TermParts;
  /** Followers whose end is waited for. */
  readonly #watched = new Set<string>();
  readonly #over = new AbortController();
  #stopBeat: (() => void) | undefined;

  constructor(parts: TermParts) {
    this.#parts = parts;
    for (const client of parts.lead.clients) this.#watch(client);
    this.#beat();
  }

  async receive(message: RelayMessage): Promise<void> {
    const { lead, channel, id, onDestroy } = this.#parts;
    if (message.type === 'hello') this.#welcome(message);
    else if (!('leader' in message) || message.leader !== id) return;
    else if (message.type === 'yield') channel.post({ type: 'beat', leader: id });
    else if (message.type === 'destroy') await onDestroy();
    else if (message.type === 'calls') {
      const { from: to, first, known, calls } = message;
      this.#watch(to);
      const answers = await lead.run(calls, 'follower', to, { first, known });
      channel.post({ type: 'answers', to, leader: id, first, answers });
    }
  }

  end(): void {
    this.#over.abort();
    this.#stopBeat?.();
  }

  #welcome({ from: to, wish, persistence }: Extract<RelayMessage, { type: 'hello' }>): void {
    const { lead, channel, id } = this.#parts;
    try {
      lead.check(wish, persistence);
    } catch (error) {
      channel.post({ type: 'refused', to, error: packError(error) });
      return;
    }
    this.#watch(to);
    channel.post({ type: 'welcome', to, leader: id, opened: lead.opened });
  }

  #beat(): void {
    const { channel, id, tabs } = this.#parts;
    this.#stopBeat = tabs.after(BEAT_MS, () => {
      if (this.#watched.size > 0) channel.post({ type: 'beat', leader: id });
      this.#beat();
    });
  }

  /** What a follower holds in the engine is let go when its lock says that it is gone, however it went. */
  #watch(session: string): void {
    const { lead, tabs, id } = this.#parts;
    if (session === id || this.#watched.has(session)) return;
    this.#watched.add(session);
    tabs.locks
      .request(lockOf(session), { signal: this.#over.signal, mode: 'shared' }, () => {
        this.#watched.delete(session);
        lead.release(session);
      })
      .catch(() => {
        // The wait was called off: the term is over.
      });
  }
}

/** The lock that a member holds as long as it lives. */
export function lockOf(session: string): string {
  return `rootcellar:member:${session}`;
}
