/** The measurements by name: what a process or page of its own is asked to run. */
import { measureHamt } from './hamt.js';
import { measureMaplet } from './maplet.js';
import { measurePyPersistent } from './pypersistent.js';

const BENCHMARKS = { maplet: measureMaplet, hamt: measureHamt, pypersistent: measurePyPersistent };

/**
 * Runs one task of a benchmark. `environment` is
 *
 *    time(operations, work)  runs `work`, gives ns an operation
 *    stopwatch               start(), and stop() for the milliseconds since
 *    gc()                    a full collection
 *    heap()                  bytes in use after one
 *    load(name)              the module of 'maplet', 'hamt' or 'immutable'
 *    startReader(data)       a reader of a published index on another thread: { ready, done }
 */
export function measure({ benchmark, task, options }, environment) {
  return BENCHMARKS[benchmark](task, options, environment);
}
