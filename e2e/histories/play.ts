/** The page's side of a history: calls of many kinds on a few keys, each noted before it is made and when it is answered. */
import { open, type Store } from 'rootcellar';

export interface Note {
  readonly tab: number;
  readonly call: number;
  readonly kind: 'write' | 'read' | 'add';
  readonly key: string;
  /** Of a write what it writes, of a read what it saw, of an addition how much. */
  readonly value?: string | number | undefined;
  /** Milliseconds since the epoch, by a clock that all tabs of a browser share. */
  readonly at: number;
  readonly answered: boolean;
  /** The call was refused: what became of it nobody knows. */
  readonly error?: string;
}

export interface Play {
  readonly name: string;
  readonly persistence: 'hybrid' | 'disk';
  readonly tab: number;
  readonly calls: number;
  readonly inFlight: number;
}

const KEYS = 8;
const COUNTERS = 4;
/** Calls shall still be under way when the leader dies, again and again. */
const PAUSE_MS = 60;

declare global {
  interface Window {
    /** Notes leave the page at once: it may not live to answer. */
    note(note: Note): Promise<void>;
  }
}

let store: Store | undefined;

export async function leads(): Promise<boolean> {
  return (await store?.stats())?.leader.role === 'leader';
}

export async function play({ name, persistence, tab, calls, inFlight }: Play): Promise<void> {
  store = await open(name, { persistence, timeout: 60_000 });
  let next = 0;
  const caller = async () => {
    while (next < calls) {
      await makeCall(store!, tab, next++);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

const now = () => performance.timeOrigin + performance.now();

async function makeCall(store: Store, tab: number, call: number): Promise<void> {
  const chosen = Math.random();
  const key = `key ${Math.floor(Math.random() * KEYS)}`;
  if (chosen < 0.4) {
    await noted({ tab, call, kind: 'write', key, value: `${tab}.${call}` }, async () => {
      await store.set(key, `${tab}.${call}`);
      return `${tab}.${call}`;
    });
  } else if (chosen < 0.8) {
    await noted({ tab, call, kind: 'read', key }, () => store.get<string>(key));
  } else {
    const counter = `counter ${Math.floor(Math.random() * COUNTERS)}`;
    await noted({ tab, call, kind: 'add', key: counter, value: 1 }, async () => {
      await store.merge(counter, 1, 'counter');
      return 1;
    });
  }
}

async function noted(
  what: Omit<Note, 'at' | 'answered'>,
  make: () => Promise<string | number | undefined>,
): Promise<void> {
  // Waited for, so that no call is made of which nobody knows.
  await window.note({ ...what, at: now(), answered: false });
  try {
    const value = await make();
    void window.note({ ...what, value, at: now(), answered: true });
  } catch (error) {
    void window.note({ ...what, at: now(), answered: true, error: (error as Error).name });
  }
}
