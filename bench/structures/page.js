/** The page that is measured in Chromium, one task each. Times are wall clock. */
import { measure } from './measure.js';

const MODULES = {
  maplet: '../dist/structures/maplet/index.js',
  hamt: '../dist/structures/hamt/index.js',
  immutable: '../immutable.es.js',
};

if (!crossOriginIsolated) throw new Error('the page must be isolated, or its clock is too coarse');
if (typeof gc !== 'function') throw new Error('the browser must be started with --js-flags=--expose-gc');

const environment = {
  load: (name) => import(MODULES[name]),
  gc: () => globalThis.gc(),
  time(operations, work) {
    const before = performance.now();
    work();
    return ((performance.now() - before) * 1e6) / operations;
  },
  /** Without what typed arrays hold, which lies outside the heap. */
  heap() {
    globalThis.gc();
    globalThis.gc();
    return performance.memory.usedJSHeapSize;
  },
  stopwatch: {
    start() {
      this.wall = performance.now();
    },
    stop() {
      return performance.now() - this.wall;
    },
  },
  startReader(data) {
    const worker = new Worker(new URL('./page-reader.js', import.meta.url), { type: 'module' });
    const told = (ready) =>
      new Promise((done, fail) => {
        worker.addEventListener(
          'message',
          ({ data: message }) => (message === 'ready') === ready && done(message),
        );
        worker.addEventListener('error', ({ message }) => fail(new Error(message)));
      });
    worker.postMessage(data);
    return { ready: told(true), done: told(false) };
  },
};

window.measure = (request) => measure(request, environment);
document.title = 'ready';
