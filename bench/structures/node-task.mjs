/**
 * One measurement in a Node process of its own: prints a line of JSON.
 *
 *    node --expose-gc --single-threaded-gc bench/structures/node-task.mjs <benchmark> <task> <options as JSON>
 *
 * Times are CPU time of the process (user and system), since a shared machine
 * stretches the wall clock. Reads dist/, or what ROOTCELLAR_DIST names.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { measure } from './measure.js';
import { readShared } from './shared-reader.js';

const dist = resolve(process.env.ROOTCELLAR_DIST ?? new URL('../../dist', import.meta.url).pathname);

function load(name) {
  return import(name === 'immutable' ? name : pathToFileURL(`${dist}/structures/${name}/index.js`).href);
}

const environment = {
  load,
  gc: () => globalThis.gc(),
  time(operations, work) {
    const before = process.cpuUsage();
    work();
    const spent = process.cpuUsage(before);
    return ((spent.user + spent.system) * 1000) / operations;
  },
  heap() {
    globalThis.gc();
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
  /**
   * The shorter of wall clock and CPU time: other threads, the compiler's among them,
   * add to the one, other processes to the other.
   */
  stopwatch: {
    start() {
      this.cpu = process.cpuUsage();
      this.wall = performance.now();
    },
    stop() {
      const wall = performance.now() - this.wall;
      const cpu = process.cpuUsage();
      return Math.min(wall, (cpu.user - this.cpu.user + cpu.system - this.cpu.system) / 1000);
    },
  },
  startReader(data) {
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    const told = (ready) =>
      new Promise((done, fail) => {
        worker.on('message', (message) => (message === 'ready') === ready && done(message));
        worker.on('error', fail);
      });
    return { ready: told(true), done: told(false) };
  },
};

/** Milliseconds that this thread ran, where the system tells; else by the clock. */
function onCpu() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

if (isMainThread) {
  const [benchmark, task, options] = process.argv.slice(2);
  const result = await measure({ benchmark, task, options: JSON.parse(options) }, environment);
  console.log(JSON.stringify(result));
} else {
  const { IndexReader } = await load('maplet');
  parentPort.postMessage('ready');
  parentPort.postMessage(readShared(workerData, IndexReader, onCpu));
}
