/** Store objects of several tabs over one engine, without workers and channels. */
import { Remote } from '../../src/client/remote.js';
import { RemoteStore } from '../../src/client/store.js';
import type { Capabilities, Store } from '../../src/contract/store.js';
import type { Engine } from '../../src/engine/index.js';
import { runCalls } from '../../src/host/calls.js';
import type { Answer, Call } from '../../src/wire/messages.js';

export const NEVER = new Promise<never>(() => {});

export interface Page {
  readonly store: Store;
  readonly remote: Remote;
  /** What was sent, by method. */
  readonly sent: string[];
}

/** A page whose calls go to whichever engine `engine` gives. */
export function openPage(engine: () => Engine, session: string): Page {
  const sent: string[] = [];
  const run = async (calls: readonly Call[]): Promise<Answer[]> => {
    sent.push(...calls.map(({ method }) => method));
    return structuredClone(await runCalls(engine(), structuredClone(calls), session));
  };
  const remote = new Remote(run, Infinity, NEVER);
  return { store: new RemoteStore(session, 'hybrid', {} as Capabilities, remote, () => {}), remote, sent };
}
