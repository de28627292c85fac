/**
 * What crosses `postMessage` between a page and the worker of its store.
 *
 * The page opens a session; every call of one turn of the page's event loop goes to
 * it in one message and is answered in one. Options of a call travel without what
 * only the page knows (`signal`, `onProgress`).
 */
import type { ProxyMarked } from 'comlink';
import type { Mode, OpenOptions } from '../contract/options.js';
import type { Capabilities } from '../contract/store.js';
import type { Wrapped } from '../contract/store-wide.js';
import type { WireError } from './errors.js';

export interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Answer = { readonly value: unknown } | { readonly error: WireError };

/** What `open` tells the page of a store. */
export interface Opened {
  readonly mode: Mode;
  readonly capabilities: Omit<Capabilities, 'host'>;
  /** Of a store that is encrypted: its secrets, wrapped, so that another tab can check its own key. */
  readonly encryption?: Wrapped | undefined;
}

/** A store as Comlink shows it to who speaks Comlink himself: each call by its own name. */
export type DirectStore = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;

/** The first answer of a worker: that it runs, and how to notice when it does no more. */
export interface Hello {
  readonly version: string;
  /** A Web Lock that the worker holds as long as it lives; `undefined` where there are none. */
  readonly aliveLock: string | undefined;
}

export type HostOptions = OpenOptions & { readonly directory?: string | undefined };

/** The root object of the worker. */
export interface HostApi {
  hello(): Promise<Hello>;
  /** Opens a store for `run`; of one page there may be many. */
  start(name: string, options: HostOptions): Promise<Opened & { readonly session: number }>;
  /** Runs the calls in their order, each as if it had come alone, and answers all. */
  run(session: number, calls: readonly Call[]): Promise<Answer[]>;
  /** The page of the session is about to be frozen: files and locks are let go, calls wait. */
  suspend(session: number): Promise<void>;
  /** It is back. */
  resume(session: number): Promise<void>;
  open(name: string, options?: HostOptions): Promise<DirectStore & ProxyMarked>;
  probe(): Promise<Opened>;
  list(): Promise<string[]>;
  destroy(name: string): Promise<void>;
}

/** Buffers from this size on change hands instead of being copied. */
export const TRANSFER_BYTES = 64 * 1024;
