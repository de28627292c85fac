/** `open`, and what can be asked without a store. */
import type { OpenOptions } from '../contract/options.js';
import type { Capabilities, Store } from '../contract/store.js';
import type { Call } from '../wire/messages.js';
import { followPageLife } from './page-life.js';
import { Remote } from './remote.js';
import { type Host, spawn } from './spawn.js';
import { RemoteStore } from './store.js';

/** What only the page knows of how to open a store. */
export interface ClientOptions extends OpenOptions {
  /** A Worker, or the URL of its script, where a bundler or a policy needs it. Else found by itself. */
  readonly worker?: Worker | URL | string | undefined;
  /** Node: the folder in which the store lives. */
  readonly directory?: string | undefined;
  /** Aborting gives up waiting for the store. */
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT_MS = 30_000;

/**
 * Opens the store `name` of this origin, or makes it.
 *
 * The store lives in a worker; opening costs its start, about ten milliseconds, and
 * reading the log. In a second tab the same store is shared with the first.
 *
 * @throws TypeError, RangeError for an option that is unknown or wrong.
 * @throws UnsupportedError when the mode that was asked for is not to be had here.
 * @throws FormatError, CorruptionError, DataLossError, LockedError, WorkerError.
 *
 * @example
 * await using cellar = await open('my-app');
 * await cellar.set('user:7', { name: 'Ada' }, { ttl: '7d' });
 */
export async function open(name: string, options: ClientOptions = {}): Promise<Store> {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options: expected an object, got ${String(options)}`);
  }
  const { worker, signal, ...rest } = options;
  signal?.throwIfAborted();
  const host = await spawn(worker);
  try {
    const opened = await orDeath(host, host.ask('start', [name, rest]), signal);
    const { mode, capabilities, session } = opened;
    host.unref();
    const stopFollowing = followPageLife(
      () => {
        host.rest();
        void host.ask('suspend', [session]);
      },
      () => void host.ask('resume', [session]).then(host.wake),
    );
    const terminate = () => {
      stopFollowing();
      host.terminate();
    };
    const run = (calls: readonly Call[], transfer: Transferable[]) =>
      host.ask('run', [session, calls], transfer);
    const remote = new Remote(run, timeoutOf(rest), host.death);
    return new RemoteStore(name, mode, { ...capabilities, host: host.kind }, remote, terminate);
  } catch (error) {
    host.terminate();
    if ((error as DOMException).name !== 'DataCloneError') throw error;
    throw new TypeError(`options: ${(error as Error).message}`, { cause: error });
  }
}

/** What this browser or context offers, without opening a store: `mode` is what `auto` would choose. */
export async function probe(): Promise<Capabilities & { readonly mode: string }> {
  return withHost(async (host) => {
    const { mode, capabilities } = await host.ask('probe', []);
    return { ...capabilities, mode, host: host.kind };
  });
}

/** Names of the stores of this origin, in order. */
export function list(): Promise<string[]> {
  return withHost((host) => host.ask('list', []));
}

/**
 * Removes a store that nobody has open.
 *
 * @throws LockedError when some tab has it open.
 */
export function destroy(name: string): Promise<void> {
  return withHost((host) => host.ask('destroy', [name]));
}

async function withHost<T>(ask: (host: Host) => Promise<T>): Promise<T> {
  const host = await spawn(undefined);
  try {
    return await orDeath(host, ask(host));
  } finally {
    host.terminate();
  }
}

function orDeath<T>(host: Host, answer: Promise<T>, signal?: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([answer, host.death, aborted]);
}

/** The worker has checked it already. */
function timeoutOf({ timeout = TIMEOUT_MS }: OpenOptions): number {
  if (typeof timeout === 'number') return timeout;
  const [, count, unit] = /^([\d.]+)(\w+)$/.exec(timeout)!;
  return Number(count) * { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[unit as 's']!;
}
