/**
 * The timer wheel beside @isaacs/ttlcache: keys with random deadlines over a week.
 *
 *     npm run bench -- expiry [--keys 1000000] [--write]
 *
 * The wheel is given hashes, as the engine gives them. CPU time for what is done to all keys,
 * wall clock for the worst pause. Reads dist/. `--write` leaves results in bench/results/expiry.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TTLCache } from '@isaacs/ttlcache';
import { randomFrom } from './eviction/traces.mjs';

const { values } = parseArgs({
  options: { keys: { type: 'string', default: '1000000' }, write: { type: 'boolean', default: false } },
});
const { TimerWheel } = await import('../dist/structures/expiry/index.js');
const count = Number(values.keys);
const WEEK = 7 * 86_400_000;
/** The sweep of a store that has much to remove: a slice. */
const SLICE = 1000;
const START = 1_700_000_000_000;

const random = randomFrom(1);
const high = Int32Array.from({ length: count }, () => random() * 2 ** 32);
const low = Int32Array.from({ length: count }, () => random() * 2 ** 32);
const deadline = Float64Array.from({ length: count }, () => START + 1 + Math.floor(random() * WEEK));

const rows = [wheel(), wheelAtOnce(), ttlCache()];
console.log(`${count} keys with deadlines over a week`);
console.table(rows);
if (values.write) {
  writeFileSync(
    join(import.meta.dirname, 'results/expiry.json'),
    `${JSON.stringify({ count, rows }, undefined, 2)}\n`,
  );
}

function heap() {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Millions a second of CPU time. */
function rate(times, work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return Number((times / (user + system)).toFixed(2));
}

function wheel() {
  const before = heap();
  const made = new TimerWheel(START);
  let worst = 0;
  const schedule = rate(count, () => {
    for (let i = 0; i < count; i++) {
      const from = performance.now();
      made.schedule(high[i], low[i], deadline[i]);
      worst = Math.max(worst, performance.now() - from);
    }
  });
  const bytes = (heap() - before) / count;
  const cancel = rate(count / 2, () => {
    for (let i = 0; i < count; i += 2) made.cancel(high[i], low[i]);
  });
  let due = 0;
  let pause = 0;
  const advance = rate(count / 2, () => {
    for (let now = START; now < START + WEEK; now += 60_000) {
      for (;;) {
        const from = performance.now();
        const some = made.advance(now, SLICE);
        pause = Math.max(pause, performance.now() - from);
        due += some.length;
        if (!some.more) break;
      }
    }
    due += made.advance(START + WEEK, Infinity).length;
  });
  if (due !== Math.floor(count / 2)) throw new Error(`${due} came due of ${count / 2}`);
  return row('wheel', bytes, schedule, cancel, advance, Math.max(worst, pause));
}

/** All keys due at one moment, in slices: what a store does that was asleep. */
function wheelAtOnce() {
  const made = new TimerWheel(START);
  for (let i = 0; i < count; i++) made.schedule(high[i], low[i], START + WEEK);
  let due = 0;
  let pause = 0;
  const advance = rate(count, () => {
    for (let more = true; more; ) {
      const from = performance.now();
      const some = made.advance(START + 2 * WEEK, SLICE);
      pause = Math.max(pause, performance.now() - from);
      due += some.length;
      more = some.more;
    }
  });
  if (due !== count) throw new Error(`${due} came due of ${count}`);
  return row('wheel, all due at once', undefined, undefined, undefined, advance, pause);
}

function ttlCache() {
  const before = heap();
  const cache = new TTLCache({ max: Infinity, checkAgeOnGet: true });
  let worst = 0;
  const schedule = rate(count, () => {
    for (let i = 0; i < count; i++) {
      const from = performance.now();
      cache.set(i, i, { ttl: deadline[i] - START });
      worst = Math.max(worst, performance.now() - from);
    }
  });
  const bytes = (heap() - before) / count;
  const cancel = rate(count / 2, () => {
    for (let i = 0; i < count; i += 2) cache.delete(i);
  });
  cache.clear();
  cache.cancelTimer();
  return row('@isaacs/ttlcache, with its values', bytes, schedule, cancel, undefined, worst);
}

function row(what, bytes, schedule, cancel, advance, pause) {
  return {
    what,
    'bytes a key': bytes === undefined ? '-' : Number(bytes.toFixed(1)),
    'schedule, M/s': schedule ?? '-',
    'cancel, M/s': cancel ?? '-',
    'advance, M/s': advance ?? '-',
    'worst pause, ms': Number(pause.toFixed(2)),
  };
}
