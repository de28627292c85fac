/**
 * What the tabs of one store need of the browser: locks, a channel and timers. Given from
 * outside, so that several tabs run in one simulation, where a tab dies, freezes or has
 * its lock taken away whenever the simulation wants it.
 */
import type { Lead, LeadOptions } from './lead.js';
import type { RelayMessage } from './relay.js';

export interface Channel {
  post(message: RelayMessage): void;
  close(): void;
}

export interface Platform {
  /** `undefined`: nobody else can be told from us; the files' own handles keep others out. */
  readonly tabs: Tabs | undefined;
  openLead(options: LeadOptions): Promise<Lead>;
}

export interface Tabs {
  readonly locks: Pick<LockManager, 'request'>;
  newId(): string;
  channel(name: string, receive: (message: RelayMessage) => void): Channel;
  /** Runs `task` once after `ms`; the result calls it off. */
  after(ms: number, task: () => void): () => void;
}

/** The tabs of this browser, where it has locks and channels. */
export function browserTabs(): Tabs | undefined {
  const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
  if (!locks || typeof BroadcastChannel === 'undefined') return undefined;
  return {
    locks,
    newId: () => crypto.randomUUID(),
    channel: openChannel,
    after(ms, task) {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
  };
}

function openChannel(name: string, receive: (message: RelayMessage) => void): Channel {
  const channel = new BroadcastChannel(`rootcellar:${name}`);
  channel.onmessage = ({ data }) => receive(data as RelayMessage);
  // In Node a channel must not keep the process alive.
  (channel as { unref?(): void }).unref?.();
  return {
    post: (message) => channel.postMessage(message),
    close() {
      channel.onmessage = null;
      channel.close();
    },
  };
}
