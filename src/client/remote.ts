/**
 * Calls to a store: those of one turn of the event loop go in one
 * message and are answered in one, because a message there and back costs what a
 * hundred calls cost.
 *
 * Every call settles: with its answer, with the reason of its signal, with a
 * `TimeoutError`, or with the `WorkerError` of a worker that died.
 */
import { ClosedError, SerializationError, TimeoutError } from '../base/errors.js';
import { unpackError } from '../wire/errors.js';
import { type Answer, type Call, TRANSFER_BYTES } from '../wire/messages.js';

interface Pending extends Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** These may take long, and are sent in a message of their own: nobody waits behind them. */
const LONG = new Set([
  'sweep',
  'flush',
  'clear',
  'close',
  'destroy',
  'scan',
  'scanNext',
  'exportNext',
  'importWrite',
  'importEnd',
  'streamWrite',
  'streamEnd',
  'readNext',
  'count',
  'snapshotScan',
  'snapshotCount',
  'snapshotDiff',
  'snapshotDiffNext',
  'snapshotRestore',
  'watchNext',
  'checkpoint',
  'restoreCheckpoint',
]);

/** The longest a timer of the platform can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export class Remote {
  #gathered: Pending[] = [];
  readonly #waiting = new Set<Pending>();
  /** Why no more calls are taken. */
  #over: Error | undefined;

  constructor(
    private readonly run: (calls: readonly Call[], transfer: Transferable[]) => Promise<Answer[]>,
    private readonly timeoutMs: number,
    death: Promise<never>,
  ) {
    death.catch((error) => this.end(error));
  }

  /** Gathers the call. What it carries is cloned now: the caller may change it in the next line. */
  call<T>(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    return this.#add(method, () => args.map((arg) => snapshot(method, arg)), signal);
  }

  /** Sends the call at once, with what was gathered before it: the message itself clones what it carries. */
  callAtOnce<T>(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    const answered = this.#add<T>(method, () => args, signal);
    this.#send();
    return answered;
  }

  #add<T>(method: string, args: () => readonly unknown[], signal: AbortSignal | undefined): Promise<T> {
    const answered = new Promise<unknown>((resolve, reject) => {
      if (signal?.aborted) reject(signal.reason);
      else if (this.#over) reject(this.#over);
      else {
        const pending: Pending = { method, args: args(), resolve, reject };
        this.#waiting.add(pending);
        this.#gathered.push(pending);
        if (this.#gathered.length === 1) queueMicrotask(() => this.#send());
      }
    });
    return orAbort(answered as Promise<T>, signal);
  }

  /** Rejects what is pending and all later calls. */
  end(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#waiting) reject(this.#over);
    this.#waiting.clear();
    this.#gathered = [];
  }

  /** Whether no more calls are taken. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** Calls made from now on reject with `ClosedError`; those made before are still answered. */
  close(): void {
    this.#over ??= new ClosedError('the store is closed');
  }

  #send(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    let group: Pending[] = [];
    for (const pending of gathered) {
      if (!LONG.has(pending.method)) group.push(pending);
      else {
        this.#post(group);
        this.#post([pending]);
        group = [];
      }
    }
    this.#post(group);
  }

  async #post(group: readonly Pending[]): Promise<void> {
    if (group.length === 0) return;
    const calls = group.map(({ method, args }) => ({ method, args }));
    const wait = Math.min(this.timeoutMs, TIMER_MAX_MS);
    const timer = wait === TIMER_MAX_MS ? undefined : setTimeout(() => this.#timeOut(group), wait);
    try {
      this.#settle(group, await this.run(calls, buffersOf(calls)));
    } catch (error) {
      const refused = (error as DOMException).name === 'DataCloneError';
      // One value that cannot be cloned must not take the calls beside it along.
      if (refused && group.length > 1) for (const pending of group) this.#post([pending]);
      else for (const { method, reject } of group) reject(refused ? notCloneable(method, error) : error);
    } finally {
      clearTimeout(timer);
      for (const pending of group) this.#waiting.delete(pending);
    }
  }

  #settle(group: readonly Pending[], answers: readonly Answer[]): void {
    group.forEach((pending, i) => {
      const answer = answers[i]!;
      if ('error' in answer) {
        const error = unpackError(answer.error);
        // The store was destroyed by another tab.
        if (error instanceof ClosedError) this.close();
        pending.reject(error);
      } else pending.resolve(answer.value);
    });
  }

  #timeOut(group: readonly Pending[]): void {
    for (const { method, reject } of group) {
      reject(new TimeoutError(`${method}: no answer in ${this.timeoutMs} ms`, { detail: { method } }));
    }
  }
}

/** `answered`, unless `signal` is aborted before. */
export function orAbort<T>(answered: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return answered;
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // A signal may outlive thousands of calls: it must not keep what they hold.
    answered.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function notCloneable(method: string, cause: unknown): SerializationError {
  return new SerializationError(`${method}: a value cannot be stored: ${(cause as Error).message}`, {
    cause,
  });
}

/** A copy of `arg` that nobody else can change. */
export function snapshot(method: string, arg: unknown): unknown {
  if (typeof arg !== 'object' || arg === null) return arg;
  if (isBytes(arg)) return arg.slice();
  try {
    return structuredClone(arg);
  } catch (error) {
    throw notCloneable(method, error);
  }
}

function isBytes(arg: unknown): arg is Uint8Array<ArrayBuffer> {
  return arg instanceof Uint8Array && arg.constructor === Uint8Array;
}

/** Large buffers of the snapshots change hands, which costs a twentieth of having them cloned once more. */
function buffersOf(calls: readonly Call[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { method, args } of calls) {
    for (const arg of method === 'set' ? args : []) {
      const buffer = isBytes(arg) ? arg.buffer : arg;
      if (buffer instanceof ArrayBuffer && buffer.byteLength >= TRANSFER_BYTES) buffers.push(buffer);
    }
  }
  return buffers;
}

/** Options without the one that only the page can know. */
export function split(options: object | undefined): {
  signal: AbortSignal | undefined;
  others: object | undefined;
} {
  if (typeof options !== 'object' || options === null) return { signal: undefined, others: options };
  const { signal, ...others } = options as Record<string, unknown>;
  return { signal: signal as AbortSignal | undefined, others };
}
