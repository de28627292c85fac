/**
 * The worker script. Loaded as a worker it serves stores; imported elsewhere it does
 * nothing but offer `installHandlers`, which a page needs that speaks Comlink to the
 * worker itself:
 *
 *     installHandlers();
 *     const store = await Comlink.wrap(worker).open('my-app');
 *
 * and `register`, for a worker module of an application's own, which the page gives to
 * `open` as `worker`:
 *
 *     import { register } from 'rootcellar/worker';
 *     register({ operators: { longest } });
 */
import { expose } from 'comlink';
import { installHandlers } from '../wire/comlink.js';
import { register } from './registry.js';
import { createRoot } from './root.js';

export type { Codec, Operator, Registration } from './registry.js';
export { installHandlers, register };

const { DedicatedWorkerGlobalScope: Scope } = globalThis as {
  DedicatedWorkerGlobalScope?: new () => object;
};

/**
 * Set where the worker serves already. A bundler lets what is loaded on demand import the
 * worker's own script, and WebKit runs that a second time then.
 */
const SERVES = Symbol.for('rootcellar.serves');
const scope = globalThis as { [SERVES]?: boolean };

if (Scope && globalThis instanceof Scope && !scope[SERVES]) {
  scope[SERVES] = true;
  installHandlers();
  expose(createRoot());
}
