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

if (Scope && globalThis instanceof Scope) {
  installHandlers();
  expose(createRoot());
}
