/**
 * The worker script. Loaded as a worker it serves stores; imported elsewhere it does
 * nothing but offer `installHandlers`, which a page needs that speaks Comlink to the
 * worker itself:
 *
 *     installHandlers();
 *     const store = await Comlink.wrap(worker).open('my-app');
 */
import { expose } from 'comlink';
import { installHandlers } from '../wire/errors.js';
import { createRoot } from './root.js';

export { installHandlers };

const { DedicatedWorkerGlobalScope: Scope } = globalThis as {
  DedicatedWorkerGlobalScope?: new () => object;
};

if (Scope && globalThis instanceof Scope) {
  installHandlers();
  expose(createRoot());
}
