/**
 * Finds a thread for the engine. Four ways, each confirmed by an answer, because a
 * worker that cannot start fails late and sometimes silently:
 *
 *    given        a Worker or its URL, where a bundler or a policy needs it
 *    url          `new Worker(new URL(...))`, which bundlers recognise
 *    blob         the worker's script as a string, where the URL leads nowhere
 *    same thread  Node, and pages where nothing else is allowed
 *
 * A policy of `default-src 'self'` allows the URL and forbids the blob; bundlers that
 * do not follow the URL leave it dangling, and the blob works there.
 */
import { WorkerError } from '../base/errors.js';
import type { Capabilities } from '../contract/store.js';
import type { Hello } from '../wire/messages.js';
import { type Ask, type Endpoint, linkTo } from './link.js';

const HELLO_TIMEOUT_MS = 10_000;

export interface Host {
  readonly ask: Ask;
  readonly kind: Capabilities['host'];
  readonly hello: Hello;
  /** Rejects with a WorkerError when the worker dies. Never resolves. */
  readonly death: Promise<never>;
  /** Stops to look whether the worker lives, so that the page may be cached; and begins again. */
  rest(): void;
  wake(): void;
  /** In Node: from now on only calls that wait for an answer keep the process alive. */
  unref(): void;
  terminate(): void;
}

interface Attempt {
  readonly endpoint: Endpoint;
  readonly worker: Worker | undefined;
  readonly kind: Capabilities['host'];
  /** The worker is the caller's: it may serve more stores, and is his to end. */
  readonly given?: boolean;
}

/** @throws WorkerError when a worker that was given does not answer. */
export async function spawn(given: Worker | URL | string | undefined): Promise<Host> {
  if (given !== undefined) {
    const worker = isWorker(given) ? given : new Worker(given, { type: 'module' });
    return confirm({ endpoint: worker, worker, kind: 'worker', given: worker === given });
  }
  const failures: unknown[] = [];
  if (typeof Worker !== 'undefined') {
    for (const start of [fromUrl, fromBlob]) {
      try {
        return await confirm(await start());
      } catch (error) {
        failures.push(error);
      }
    }
  }
  try {
    return await confirm(await fromSameThread());
  } catch (error) {
    throw new WorkerError('no worker could be started, and not even the same thread answers', {
      cause: error,
      detail: { failures: failures.map(String) },
    });
  }
}

async function fromUrl(): Promise<Attempt> {
  const worker = new Worker(new URL('../host/worker.js', import.meta.url), {
    type: 'module',
    name: 'rootcellar',
  });
  return { endpoint: worker, worker, kind: 'worker' };
}

async function fromBlob(): Promise<Attempt> {
  const { source } = await import('./worker-source.js');
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url, { type: 'module', name: 'rootcellar' });
  return { endpoint: worker, worker, kind: 'blob-worker' };
}

/** The one way from the page to the engine, and only on demand: a bundler makes it a chunk of its own. */
async function fromSameThread(): Promise<Attempt> {
  const { openInline } = await import('../host/inline.js');
  return { endpoint: openInline(), worker: undefined, kind: 'same-thread' };
}

/** Waits for the worker's answer; a script that cannot be loaded makes an error event, a policy sometimes nothing. */
async function confirm(attempt: Attempt): Promise<Host> {
  const { endpoint, worker, kind } = attempt;
  const ask = linkTo(endpoint);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const failed = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new WorkerError(`no answer in ${HELLO_TIMEOUT_MS} ms`)),
      HELLO_TIMEOUT_MS,
    );
    worker?.addEventListener('error', (event) => {
      // Not the page's error: it is told by the rejection, or by the next way that works.
      event.preventDefault?.();
      reject(
        new WorkerError(`the worker could not start: ${event.message || 'its script could not be loaded'}`),
      );
    });
  });
  try {
    const hello = await Promise.race([ask('hello', []), failed]);
    return {
      ask,
      kind,
      hello,
      ...watchLife(worker, hello),
      unref: () => (endpoint as { unref?(): void }).unref?.(),
      terminate: () => terminate(attempt),
    };
  } catch (error) {
    terminate(attempt);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function terminate({ endpoint, worker, given }: Attempt): void {
  if (given) return;
  if (worker) worker.terminate();
  else (endpoint as unknown as MessagePort).close();
}

/**
 * A worker that is terminated or crashes says nothing. But it holds a lock, and the
 * browser gives that to us the moment it is dead.
 */
function watchLife(worker: Worker | undefined, { aliveLock }: Hello): Pick<Host, 'death' | 'rest' | 'wake'> {
  let waiting: AbortController | undefined;
  let die!: () => void;
  const death = new Promise<never>((_, reject) => {
    die = () => reject(new WorkerError('the worker of the store died'));
  });
  death.catch(() => {});
  worker?.addEventListener('messageerror', die);
  const wake = () => {
    if (!worker || !aliveLock) return;
    waiting = new AbortController();
    const { signal } = waiting;
    navigator.locks.request(aliveLock, { mode: 'shared', signal }, die).catch(() => {});
  };
  wake();
  return { death, wake, rest: () => waiting?.abort() };
}

function isWorker(given: Worker | URL | string): given is Worker {
  return typeof given === 'object' && 'postMessage' in given;
}
