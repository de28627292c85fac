/**
 * One opening of a store in this worker: it leads the store, or follows who does.
 *
 * Leading is holding a Web Lock, which the browser frees when the worker dies,
 * however it dies. Who does not get it at once follows, and waits for it all the
 * while: the day it gets the lock it leads.
 */
import { ClosedError, LeaderUnresponsiveError } from '../base/errors.js';
import type { OpenOptions } from '../contract/options.js';
import { wishOf } from '../contract/store-wide.js';
import { packError } from '../wire/errors.js';
import type { Answer, Call, Opened } from '../wire/messages.js';
import { Follow } from './follow.js';
import { Lead, surroundings } from './lead.js';
import { Channel, type RelayMessage } from './relay.js';

export interface MemberOptions {
  readonly name: string;
  /** Checked. */
  readonly options: OpenOptions;
  readonly directory: string | undefined;
}

/** How long a leader may take to remove its files. */
const DESTROY_MS = 10_000;

export class Member {
  readonly #options: MemberOptions;
  readonly #id: string = crypto.randomUUID();
  readonly #stopWaiting = new AbortController();
  #channel: Channel | undefined;
  #lead: Lead | undefined;
  #follow: Follow | undefined;
  #releaseLock: (() => void) | undefined;
  #closed = false;
  /** Followers whose end this leader waits for. */
  readonly #watched = new Set<string>();
  #endLife: (() => void) | undefined;
  #onGone: (() => void) | undefined;

  private constructor(options: MemberOptions) {
    this.#options = options;
  }

  static async open(options: MemberOptions): Promise<Member> {
    const member = new Member(options);
    try {
      await member.#open();
    } catch (error) {
      await member.close();
      throw error;
    }
    return member;
  }

  get opened(): Opened | Promise<Opened> {
    return this.#lead?.opened ?? this.#follow!.opened;
  }

  async run(calls: readonly Call[]): Promise<Answer[]> {
    if (this.#closed) {
      const error = packError(new ClosedError('the store is closed'));
      return calls.map(() => ({ error }));
    }
    return this.#lead ? this.#lead.run(calls, 'leader', this.#id) : this.#follow!.run(calls);
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWaiting.abort();
    try {
      await this.#lead?.close();
    } finally {
      this.#leave();
    }
  }

  /** Removes the store, in whichever tab it is led. */
  async destroy(): Promise<void> {
    if (this.#closed) throw new ClosedError('the store is closed');
    if (!this.#lead) {
      await this.#askToDestroy();
      return;
    }
    this.#closed = true;
    this.#stopWaiting.abort();
    await this.#lead.destroy();
    this.#channel?.post({ type: 'gone' });
    this.#leave();
  }

  /** Resolves when the leader says that the store is gone. */
  async #askToDestroy(): Promise<void> {
    this.#follow!.destroy();
    const gone = await Promise.race([
      new Promise<boolean>((resolve) => {
        this.#onGone = () => resolve(true);
      }),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), DESTROY_MS)),
    ]);
    if (!gone)
      throw new LeaderUnresponsiveError('the tab that leads the store does not answer; it was not destroyed');
  }

  async #open(): Promise<void> {
    const { locks, broadcastChannel } = surroundings();
    // Without locks nobody else can be told from us; the files' own handles keep others out.
    if (!locks || !broadcastChannel || this.#options.directory !== undefined) {
      this.#lead = await this.#openLead();
      return;
    }
    this.#channel = new Channel(this.#options.name, (message) => this.#receive(message));
    if (await this.#tryLock()) {
      this.#lead = await this.#openLead();
      this.#channel.post({ type: 'leading', leader: this.#id });
      return;
    }
    await this.#showLife();
    const { options } = this.#options;
    this.#follow = new Follow(this.#channel, this.#id, wishOf(options), options.persistence ?? 'auto');
    this.#waitForLock();
    await this.#follow.opened;
  }

  #openLead(): Promise<Lead> {
    const { name, options, directory } = this.#options;
    return Lead.open(name, options, directory);
  }

  /** Holds a lock of this member's own until it is closed or dies. */
  #showLife(): Promise<void> {
    return new Promise((held, failed) => {
      navigator.locks
        .request(lockOf(this.#id), () => {
          held();
          return new Promise<void>((end) => {
            this.#endLife = end;
          });
        })
        .catch(failed);
    });
  }

  get #lockName(): string {
    return `rootcellar:${this.#options.name}`;
  }

  /** Takes the lock if it is free. It is held until `#releaseLock`. */
  #tryLock(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      navigator.locks
        .request(this.#lockName, { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          return lock ? this.#holdLock() : undefined;
        })
        .catch(reject);
    });
  }

  #holdLock(): Promise<void> {
    return new Promise((release) => {
      this.#releaseLock = release;
    });
  }

  #waitForLock(): void {
    navigator.locks
      .request(this.#lockName, { signal: this.#stopWaiting.signal }, async () => {
        if (this.#closed) return;
        const held = this.#holdLock();
        await this.#takeOver();
        await held;
      })
      .catch(() => {
        // The wait was called off: this member is closed.
      });
  }

  /** The leader is gone and this tab has the lock. */
  async #takeOver(): Promise<void> {
    const follow = this.#follow!;
    try {
      const lead = await this.#openLead();
      const unasked = follow.end(lead.opened);
      this.#lead = lead;
      this.#follow = undefined;
      this.#channel!.post({ type: 'leading', leader: this.#id });
      for (const { calls, resolve } of unasked) resolve(await lead.run(calls, 'leader', this.#id));
    } catch (error) {
      this.#closed = true;
      follow.close(error instanceof Error ? error : new Error(String(error)));
      this.#leave();
    }
  }

  #receive(message: RelayMessage): void {
    if (message.type === 'gone') this.#abandon();
    else if (this.#lead) void this.#serve(this.#lead, message);
    else this.#follow?.receive(message);
  }

  /** The leader's side of the channel. */
  async #serve(lead: Lead, message: RelayMessage): Promise<void> {
    if (message.type === 'hello') {
      const to = message.from;
      try {
        lead.check(message.wish, message.persistence);
        this.#channel?.post({ type: 'welcome', to, leader: this.#id, opened: lead.opened });
      } catch (error) {
        this.#channel?.post({ type: 'refused', to, error: packError(error) });
      }
    } else if (message.type === 'calls' && message.leader === this.#id) {
      this.#watch(lead, message.from);
      const answers = await lead.run(message.calls, 'follower', message.from);
      this.#channel?.post({ type: 'answers', to: message.from, id: message.id, answers });
    } else if (message.type === 'destroy' && message.leader === this.#id) await this.destroy();
  }

  /** What a follower holds in the engine is let go when its lock says that it is gone, however it went. */
  #watch(lead: Lead, session: string): void {
    if (this.#watched.has(session)) return;
    this.#watched.add(session);
    navigator.locks
      .request(lockOf(session), { signal: this.#stopWaiting.signal }, () => lead.release(session))
      .catch(() => {
        // The wait was called off: this member is closed.
      });
  }

  /** Another tab has destroyed the store. */
  #abandon(): void {
    this.#closed = true;
    this.#stopWaiting.abort();
    this.#follow?.close(new ClosedError('the store was destroyed by another tab'));
    this.#leave();
    this.#onGone?.();
  }

  #leave(): void {
    this.#follow?.close(new ClosedError('the store is closed'));
    this.#channel?.close();
    this.#channel = undefined;
    this.#releaseLock?.();
    this.#endLife?.();
  }
}

/** The lock that a follower holds as long as it lives. */
function lockOf(session: string): string {
  return `rootcellar:member:${session}`;
}
