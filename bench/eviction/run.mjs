/**
 * Hit ratios of the policies beside lru-cache and the best there can be, on traces of real
 * systems and on traces that are made here; time and memory beside lru-cache and transitory.
 *
 *     npm run bench -- eviction [--quick] [--write] [--traces FOLDER]
 *
 * Hit ratios are the same on every machine. Times are CPU time, in turn, medians of five.
 * Reads dist/. `--quick`: the start of each trace, one round: to see that it runs. `--write` leaves results in bench/results/eviction.json.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LRUCache } from 'lru-cache';
import { newCache } from 'transitory';
import { simulateBest, simulateLruCache, simulatePolicy } from './simulate.mjs';
import { madeTraces, realTraces } from './traces.mjs';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    traces: { type: 'string' },
  },
});
const { createPolicy, POLICY_NAMES } = await import('../../dist/structures/eviction/index.js');
const TARGETS = { unsized: 30, sized: 40, under: -2 };
/** A gap that is smaller says nothing of a policy. */
const GAP_LEAST = 0.5;

const real = realTraces(values.traces);
if (real.length === 0)
  console.log('traces: ../shared/traces is not there, so those of real systems are skipped');
const traces = [
  ...real.map((trace) => ({ ...trace, kind: 'real' })),
  ...madeTraces().map((trace) => ({ ...trace, kind: 'made' })),
].map((trace) => (values.quick ? { ...trace, ids: trace.ids.subarray(0, 20_000) } : trace));

const rows = traces.flatMap((trace) =>
  trace.capacities.map((capacity) => {
    const lruCache = simulateLruCache(trace, capacity).hits;
    const ways = trace.sizes ? [false, true] : [false];
    const best = Math.max(...ways.map((bySize) => simulateBest(trace, capacity, bySize).hits));
    const policies = POLICY_NAMES.map((name) => [
      name,
      simulatePolicy((budget) => createPolicy(name, budget), trace, capacity).hits,
    ]);
    const { name, kind } = trace;
    const row = { trace: name, kind, sized: trace.sizes !== undefined, capacity, lruCache, best };
    return { ...row, ...Object.fromEntries(policies) };
  }),
);
const short = (value) =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toFixed(2)) : value;
console.table(rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, short(v)]))));

const summary = POLICY_NAMES.map((name) => {
  const closed = (kind, sized) => {
    const shares = rows
      .filter((row) => row.kind === kind && row.sized === sized && row.best - row.lruCache > GAP_LEAST)
      .map((row) => (row[name] - row.lruCache) / (row.best - row.lruCache));
    return shares.length === 0 ? undefined : (100 * shares.reduce((a, b) => a + b)) / shares.length;
  };
  return {
    policy: name,
    'unsized, % of the gap': closed('real', false),
    'sized, % of the gap': closed('real', true),
    'made, unsized': closed('made', false),
    'made, sized': closed('made', true),
    'least, points over LRU': Math.min(...rows.map((row) => row[name] - row.lruCache)),
  };
});
console.log('share of the gap between LRU and the best that is closed, mean over traces and sizes');
console.table(summary.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, short(v)]))));
const ours = summary.find(({ policy }) => policy === 'tinylfu');
const met = (value, target) => (!Number.isFinite(value) ? 'skipped' : value >= target ? 'yes' : 'NO');
console.log(
  `tinylfu: unsized >= ${TARGETS.unsized} %: ${met(ours['unsized, % of the gap'], TARGETS.unsized)}, ` +
    `sized >= ${TARGETS.sized} %: ${met(ours['sized, % of the gap'], TARGETS.sized)}, ` +
    `never more than 2 points under LRU: ${met(ours['least, points over LRU'], TARGETS.under)}`,
);

const KEYS = values.quick ? 20_000 : 200_000;
const ROUNDS = values.quick ? 1 : 5;
const speed = measureSpeed();
console.log(`${KEYS} keys in, ${2 * KEYS} zipf requests over ${2 * KEYS} keys; CPU time a request`);
console.table(speed);

if (values.write) {
  const file = join(import.meta.dirname, '../results/eviction.json');
  writeFileSync(file, `${JSON.stringify({ hits: rows, summary, speed }, undefined, 2)}\n`);
}

function measureSpeed() {
  const { ids } = madeTraces(5)[0];
  const requests = Int32Array.from(
    { length: 2 * KEYS },
    (_, i) => Math.imul(ids[i % ids.length], 31 + (i % 7)) % (2 * KEYS),
  );
  const caches = {
    ...Object.fromEntries(POLICY_NAMES.map((name) => [name, () => policyCache(name)])),
    'lru-cache': () => {
      const cache = new LRUCache({ max: KEYS });
      return { request: (key) => cache.get(key) ?? cache.set(key, key), bytes: undefined };
    },
    transitory: () => {
      const cache = newCache().maxSize(KEYS).build();
      return { request: (key) => cache.getIfPresent(key) ?? cache.set(key, key), bytes: undefined };
    },
  };
  const times = Object.fromEntries(Object.keys(caches).map((name) => [name, []]));
  const memory = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, make] of Object.entries(caches)) {
      globalThis.gc?.();
      const before = process.memoryUsage();
      const cache = make();
      for (let key = 0; key < KEYS; key++) cache.request(key);
      globalThis.gc?.();
      const after = process.memoryUsage();
      const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
      memory[name] = cache.bytes?.() ?? grown;
      const start = process.cpuUsage();
      for (const key of requests) cache.request(key);
      const { user, system } = process.cpuUsage(start);
      times[name].push((1000 * (user + system)) / requests.length);
      cache.request(0);
    }
  }
  return Object.keys(caches).map((name) => ({
    cache: name,
    'ns a request': Math.round(times[name].sort((a, b) => a - b)[times[name].length >> 1]),
    'bytes an entry': Number((memory[name] / KEYS).toFixed(1)),
  }));
}

/** A policy as a cache of so many keys; the values are elsewhere. */
function policyCache(name) {
  const policy = createPolicy(name, { maxBytes: Infinity, maxEntries: KEYS });
  return {
    bytes: () => policy.bytes,
    request(key) {
      const high = Math.imul(key + 1, 0x9e3779b1);
      const low = Math.imul(key + 1, 0x85ebca6b);
      if (policy.access(high, low)) return;
      if (policy.size === KEYS) policy.remove(...policy.victims(1)[0]);
      policy.add(high, low, 1, 1);
    },
  };
}
