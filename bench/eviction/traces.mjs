/**
 * Traces of requests: those of ../shared/traces where they are, and seeded ones that are
 * made here, so that a policy also meets what it was not tuned on.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const FOLDER = join(import.meta.dirname, '../../../shared/traces');
/** Of the footprint; these two have sizes of their own in the literature. */
const SHARES = [0.01, 0.05, 0.2];
const SIZES = { 'arc-OLTP': [500, 1000, 2000], 'lirs-gli': [500, 1000, 1500] };

/**
 * `ids`: numbers of keys from 0; `sizes`: of each key's value, or `undefined` where all are equal;
 * `ttls`: time to live in requests, or `undefined`; `capacities`: three, in bytes or entries.
 */
export function realTraces(folder = FOLDER) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.gz'))
    .sort()
    .map((file) => parse(file.split('.')[0], gunzipSync(readFileSync(join(folder, file))).toString()));
}

function parse(name, text) {
  const lines = text.trim().split('\n');
  const ids = new Int32Array(lines.length);
  const fields = lines[0].split(',').length;
  const sizes = fields > 1 ? new Float64Array(lines.length) : undefined;
  const ttls = fields > 2 ? new Float64Array(lines.length) : undefined;
  const numbers = new Map();
  for (let i = 0; i < lines.length; i++) {
    const [id, size, ttl] = lines[i].split(',');
    let number = numbers.get(id);
    if (number === undefined) numbers.set(id, (number = numbers.size));
    ids[i] = number;
    if (sizes) sizes[i] = Number(size);
    if (ttls) ttls[i] = Number(ttl);
  }
  return withCapacities({ name, ids, sizes, ttls });
}

function withCapacities(trace) {
  const seen = new Map();
  for (let i = 0; i < trace.ids.length; i++) {
    if (!seen.has(trace.ids[i])) seen.set(trace.ids[i], trace.sizes ? trace.sizes[i] : 1);
  }
  let footprint = 0;
  for (const size of seen.values()) footprint += size;
  const capacities = SIZES[trace.name] ?? SHARES.map((share) => Math.max(1, Math.floor(footprint * share)));
  return { ...trace, keys: seen.size, footprint, capacities };
}

/** A generator of numbers below 1. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Picks below `count`, the k-th with weight (k + 1) ** -skew. */
function zipf(random, count, skew) {
  const sums = new Float64Array(count);
  let sum = 0;
  for (let k = 0; k < count; k++) sums[k] = sum += (k + 1) ** -skew;
  return () => {
    const at = random() * sum;
    let from = 0;
    let to = count - 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (sums[middle] > at) to = middle;
      else from = middle + 1;
    }
    return from;
  };
}

const LENGTH = 200_000;

/** Made here, by seed. */
export function madeTraces(seed = 1) {
  const made = [];
  const make = (name, next, sizeOf) => {
    const random = randomFrom(seed + made.length);
    const ids = Int32Array.from({ length: LENGTH }, next(random));
    const sizes = sizeOf && Float64Array.from(ids, sizeOf);
    made.push(withCapacities({ name, ids, sizes, ttls: undefined }));
  };
  make('zipf 0.9', (random) => zipf(random, 20_000, 0.9));
  make('zipf 0.7 that shifts', (random) => {
    const pick = zipf(random, 20_000, 0.7);
    return (_, i) => pick() + Math.floor(i / 20_000) * 3000;
  });
  make('zipf with scans', (random) => {
    const pick = zipf(random, 10_000, 0.9);
    let scan = 1_000_000;
    return (_, i) => (Math.floor(i / 5000) % 4 === 3 ? scan++ : pick());
  });
  make('loop', () => (_, i) => i % 5000);
  make('what is new is asked for most', (random) => (_, i) => {
    const age = Math.floor(-Math.log(1 - random()) * 400);
    return Math.max(0, Math.floor(i / 4) - age);
  });
  const sizeOf = (id) => 200 + Math.floor(Math.exp(randomFrom(id)() * 7) * 20);
  make('zipf 0.8 with sizes', (random) => zipf(random, 20_000, 0.8), sizeOf);
  make(
    'new ones with sizes',
    (random) => (_, i) => Math.max(0, Math.floor(i / 3) - Math.floor(-Math.log(1 - random()) * 900)),
    sizeOf,
  );
  return made;
}
