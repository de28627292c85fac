/**
 * Calls to the session of a store: those of one turn of the event loop go in one
 * message and are answered in one, because a message there and back costs what a
 * hundred calls cost.
 *
 * Every call settles: with its answer, with the reason of its signal, with a
 * `TimeoutError`, or with the `WorkerError` of a worker that died.
 */
import { type Remote as Proxied, transfer } from 'comlink';
import { ClosedError, SerializationError, TimeoutError } from '../base/errors.js';
import { unpackError } from '../wire/errors.js';
import { type Answer, type Call, type SessionApi, TRANSFER_BYTES } from '../wire/messages.js';

interface Pending extends Call {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** These may take long, and are sent in a message of their own: nobody waits behind them. */
const LONG = new Set(['sweep', 'flush', 'clear', 'close', 'destroy', 'scan', 'scanNext', 'count']);

export class Remote {
  #gathered: Pending[] = [];
  readonly #waiting = new Set<Pending>();
  /** Why no more calls are taken. */
  #over: Error | undefined;

  constructor(
    private readonly session: Proxied<SessionApi>,
    private readonly timeoutMs: number,
    death: Promise<never>,
  ) {
    death.catch((error) => this.end(error));
  }

  call<T>(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    const answered = new Promise<unknown>((resolve, reject) => {
      if (signal?.aborted) reject(signal.reason);
      else if (this.#over) reject(this.#over);
      else {
        const pending: Pending = { method, args, resolve, reject };
        this.#waiting.add(pending);
        this.#gathered.push(pending);
        if (this.#gathered.length === 1) queueMicrotask(() => this.#send());
      }
    });
    return (signal ? orAbort(answered, signal) : answered) as Promise<T>;
  }

  /** Rejects what is pending and all later calls. */
  end(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#waiting) reject(this.#over);
    this.#waiting.clear();
    this.#gathered = [];
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
    const calls = group.map(({ method, args }) => ({ method, args: args.map(ownBuffer) }));
    const timer =
      this.timeoutMs === Infinity ? undefined : setTimeout(() => this.#timeOut(group), Math.min(this.timeoutMs, 2 ** 31 - 1));
    try {
      this.#settle(group, await this.session.run(transfer(calls, buffersOf(calls))));
    } catch (error) {
      if ((error as DOMException).name !== 'DataCloneError') for (const { reject } of group) reject(error);
      // One value that cannot be cloned must not take the calls beside it along.
      else if (group.length > 1) for (const pending of group) this.#post([pending]);
      else group[0]!.reject(notCloneable(group[0]!, error));
    } finally {
      clearTimeout(timer);
      if (this.#over || group.length === 1) for (const pending of group) this.#waiting.delete(pending);
    }
  }

  #settle(group: readonly Pending[], answers: readonly Answer[]): void {
    group.forEach((pending, i) => {
      const answer = answers[i]!;
      this.#waiting.delete(pending);
      if ('error' in answer) pending.reject(unpackError(answer.error));
      else pending.resolve(answer.value);
    });
  }

  #timeOut(group: readonly Pending[]): void {
    for (const { method, reject } of group) {
      reject(new TimeoutError(`${method}: no answer in ${this.timeoutMs} ms`, { detail: { method } }));
    }
  }
}

function orAbort<T>(answered: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // A signal may outlive thousands of calls: it must not keep what they hold.
    answered.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function notCloneable({ method }: Call, cause: unknown): SerializationError {
  const { message } = cause as Error;
  return new SerializationError(`${method}: a value cannot be stored: ${message}`, { cause });
}

/**
 * A large buffer is copied once and given away, which costs a tenth of having it
 * cloned; the caller's own stays his.
 */
function ownBuffer(arg: unknown): unknown {
  if (arg instanceof Uint8Array && arg.constructor === Uint8Array && arg.byteLength >= TRANSFER_BYTES) return arg.slice();
  if (arg instanceof ArrayBuffer && arg.byteLength >= TRANSFER_BYTES) return arg.slice(0);
  return arg;
}

function buffersOf(calls: readonly Call[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { args } of calls) {
    for (const arg of args) {
      const buffer = arg instanceof Uint8Array ? arg.buffer : arg;
      if (buffer instanceof ArrayBuffer && buffer.byteLength >= TRANSFER_BYTES && isOwn(arg, buffer)) buffers.push(buffer);
    }
  }
  return buffers;
}

/** `ownBuffer` made it: then it fills its buffer. */
function isOwn(arg: unknown, buffer: ArrayBuffer): boolean {
  return !(arg instanceof Uint8Array) || (arg.constructor === Uint8Array && arg.byteLength === buffer.byteLength);
}
