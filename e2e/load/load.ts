/** The page's side of a load: makes calls until the browser dies, and reports how far they got. */
import { open, type Store } from 'rootcellar';
import { callAt, type Life, type Shape } from './script.js';

export interface Load {
  readonly name: string;
  readonly persistence: 'hybrid' | 'disk';
  readonly durability: 'strict' | 'relaxed';
  readonly shape: Shape;
  /** Calls that are under way at once. */
  readonly inFlight: number;
  /** Flushes so often, besides what the store does by itself. */
  readonly flushEveryMs?: number;
  /** Compacts all the while. */
  readonly compacting?: boolean;
  /** Closes and opens the store after so many calls. */
  readonly callsPerOpening?: number;
}

/** How far the calls got: numbers of the last. */
export interface Reached {
  /** Answered. */
  acknowledged: number;
  /** Answered as `durable`. */
  durable: number;
  /** Answered before a flush that was answered. */
  flushed: number;
  /** What stopped the load. */
  error?: string;
}

/** A store with the calls of one life in it, closed. */
export async function makeStore({ name, persistence, shape }: Load, { seed, from, to }: Life): Promise<void> {
  const store = await open(name, { persistence });
  for (let n = from; n <= to; n++) await store.batch(callAt(seed, n, shape));
  await store.close();
}

/** Starts with the call `from`, and goes on until something breaks. */
export function startLoad(load: Load, seed: number, from: number): void {
  const reached: Reached = { acknowledged: from - 1, durable: from - 1, flushed: from - 1 };
  makeCalls(load, seed, from, reached).catch((error) => {
    reached.error = `${error.name}: ${error.message}`;
  });
  void report(reached);
}

async function makeCalls(load: Load, seed: number, from: number, reached: Reached): Promise<void> {
  const { name, persistence, durability, callsPerOpening = Infinity } = load;
  for (let next = from; ; ) {
    const store = await open(name, { persistence, durability });
    const end = next + callsPerOpening;
    const call = async () => {
      while (next < end) {
        const n = next++;
        const commit = await store.batch(callAt(seed, n, load.shape));
        reached.acknowledged = Math.max(reached.acknowledged, n);
        if (commit.durability === 'durable') reached.durable = Math.max(reached.durable, n);
      }
    };
    const calls = Promise.all(Array.from({ length: load.inFlight }, call));
    const besides = whileUnder(calls, [
      ...(load.compacting ? [() => compact(store)] : []),
      ...(load.flushEveryMs ? [() => flush(store, load.flushEveryMs!, reached)] : []),
    ]);
    await Promise.all([calls, besides]);
    await store.close();
  }
}

/** Does each again and again until `work` is done. */
async function whileUnder(work: Promise<unknown>, besides: readonly (() => Promise<void>)[]): Promise<void> {
  let under = true;
  const done = work.then(() => {
    under = false;
  });
  const again = async (act: () => Promise<void>) => {
    while (under) await act();
  };
  await Promise.all([done, ...besides.map(again)]);
}

async function compact(store: Store): Promise<void> {
  await store.compact();
  await pause(20);
}

async function flush(store: Store, everyMs: number, reached: Reached): Promise<void> {
  await pause(everyMs);
  const { acknowledged } = reached;
  await store.flush();
  reached.flushed = Math.max(reached.flushed, acknowledged);
}

/** Tells the test again and again, one message at a time. */
async function report(reached: Reached): Promise<void> {
  for (let told = ''; ; ) {
    const body = JSON.stringify(reached);
    if (body === told) await pause(1);
    else await fetch('/reports/load', { method: 'POST', body });
    told = body;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
