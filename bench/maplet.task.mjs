/**
 * One measurement of bench/maplet.mjs, in a process of its own: prints a line of JSON.
 *
 *     node --expose-gc --single-threaded-gc bench/maplet.task.mjs <task> <keys>
 *
 * Times are CPU time of the process (user and system) in ns an operation, since
 * a shared machine stretches the wall clock.
 * Every step gets strings of its own: looking a Map up with the very string
 * objects that are in it is about three times quicker than with equal ones.
 */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const dist = resolve(process.env.ROOTCELLAR_DIST ?? new URL('../dist', import.meta.url).pathname);
const { hashString, IndexMaplet, lane, IndexPublisher, IndexReader, Maplet, secretFrom } = await import(
  pathToFileURL(`${dist}/structures/maplet/index.js`).href
);
const secret = secretFrom(new Uint8Array([7, 1, 5, 3, 2, 9, 4, 8]));
const [task, count] = [process.argv[2], Number(process.argv[3] ?? 1e6)];
const into = new Uint32Array(64);

/** 200-byte records in units of 8 bytes. */
const locationOf = (i) => i * 25;

/** The i-th of `count` in an order that has nothing to do with insertion: 7,368,787 is a prime. */
const scattered = (i) => (i * 7_368_787) % count;

/** Keys of 20 characters, flat strings that nobody else holds. `order` says which key stands where. */
function keys(from, to, order = (i) => i) {
  const made = [];
  for (let at = from; at < to; at += 50_000) {
    const part = [];
    for (let k = at; k < Math.min(to, at + 50_000); k++) {
      const i = order(k);
      part.push(`key:${(mix(i) >>> 0).toString(16).padStart(8, '0')}${String(i).padStart(8, '0')}`);
    }
    for (const key of JSON.parse(JSON.stringify(part))) made.push(key);
  }
  return made;
}

function mix(n) {
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b);
  return n ^ (n >>> 16);
}

function cpu(times, work) {
  const before = process.cpuUsage();
  work();
  const spent = process.cpuUsage(before);
  return ((spent.user + spent.system) * 1000) / times;
}

/** What Map and IndexMaplet are asked to do: the same steps through the same few functions. */
const SUBJECTS = {
  map: () => {
    const map = new Map();
    return {
      insert: (key, i) => map.set(key, locationOf(i)),
      get: (key) => (map.get(key) === undefined ? 0 : 1),
      remove: (key) => map.delete(key),
      of: map,
    };
  },
  index: (capacity = 0) => {
    const index = new IndexMaplet({ capacity });
    return {
      insert: (key, i) => {
        const high = hashString(secret, key);
        index.insert(high, lane[0], locationOf(i));
      },
      get: (key) => {
        const high = hashString(secret, key);
        return index.candidates(high, lane[0], into);
      },
      remove: (key, i) => {
        const high = hashString(secret, key);
        return index.remove(high, lane[0], locationOf(i));
      },
      of: index,
    };
  },
};

function operations(make) {
  const warm = make();
  const some = keys(3 * count, 3 * count + 60_000);
  for (let i = 0; i < some.length; i++) warm.insert(some[i], i);
  for (let i = 0; i < some.length; i++) warm.get(some[i]);
  for (let i = 0; i < some.length; i++) warm.remove(some[i], i);
  const subject = make();
  const result = {};
  let hits = 0;
  let fresh = keys(0, count);
  globalThis.gc();
  result.insert = cpu(count, () => {
    for (let i = 0; i < count; i++) subject.insert(fresh[i], i);
  });
  fresh = keys(0, count);
  globalThis.gc();
  result.inOrder = cpu(count, () => {
    for (let i = 0; i < count; i++) hits += subject.get(fresh[i]);
  });
  hits = 0;
  fresh = keys(0, count, scattered);
  globalThis.gc();
  result.get = cpu(count, () => {
    for (let i = 0; i < count; i++) hits += subject.get(fresh[i]);
  });
  fresh = keys(count, 2 * count);
  globalThis.gc();
  result.absent = cpu(count, () => {
    for (let i = 0; i < count; i++) hits += subject.get(fresh[i]);
  });
  fresh = keys(0, count, scattered);
  globalThis.gc();
  result.delete = cpu(count, () => {
    for (let i = 0; i < count; i++) subject.remove(fresh[i], scattered(i));
  });
  if (Math.abs(hits - count) > count / 100) throw new Error(`expected about ${count} hits, got ${hits}`);
  return result;
}

function heap() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const TASKS = {
  map: () => operations(SUBJECTS.map),
  index: () => operations(SUBJECTS.index),

  'index-presized': () => {
    const warm = SUBJECTS.index();
    const some = keys(3 * count, 3 * count + 60_000);
    for (let i = 0; i < some.length; i++) warm.insert(some[i], i);
    const subject = SUBJECTS.index(count);
    const fresh = keys(0, count);
    globalThis.gc();
    return {
      presized: cpu(count, () => {
        for (let i = 0; i < count; i++) subject.insert(fresh[i], i);
      }),
    };
  },

  /** Bytes a key: of the heap at `count`, and of the planes over the doubling that follows. */
  'map-bytes': () => {
    const before = heap();
    const map = new Map();
    for (let at = 0; at < count; at += 50_000) {
      let i = at;
      for (const key of keys(at, Math.min(count, at + 50_000))) map.set(key, locationOf(i++));
    }
    const bytes = (heap() - before) / count;
    return { bytes, size: map.size };
  },
  'index-bytes': () => {
    const before = heap();
    const { insert, of: index } = SUBJECTS.index();
    const add = (from, to) => {
      let i = from;
      for (const key of keys(from, to)) insert(key, i++);
    };
    for (let at = 0; at < count; at += 50_000) add(at, Math.min(count, at + 50_000));
    const bytes = (heap() - before) / count;
    const claimed = index.stats().bytes / count;
    let sum = 0;
    let worst = 0;
    for (let at = count, part = 1; part <= 100; part++) {
      const to = Math.round(count * (1 + part / 100));
      add(at, to);
      at = to;
      const { bytes, length } = index.stats();
      sum += bytes / length;
      worst = Math.max(worst, bytes / length);
    }
    return { bytes, claimed, mean: sum / 100, worst };
  },

  'map-pause': () => pauses(SUBJECTS.map()),
  'index-pause': () => pauses(SUBJECTS.index()),

  /** False candidates of the index at full width, against the formula. */
  'index-rate': () => {
    const { insert, of: index } = SUBJECTS.index();
    let i = 0;
    for (const key of keys(0, count)) insert(key, i++);
    const expected = index.stats().falsePositiveRate;
    let asked = 0;
    let answered = 0;
    while (answered < 1000) {
      for (let part = 0; part < 1_000_000; part++, asked++) {
        if (index.candidates(mix(asked * 2 + 1), mix(asked ^ 0x5bd1e995), into) > 0) answered++;
      }
    }
    return { expected, answered, measured: answered / asked };
  },

  /** Readers of a SharedArrayBuffer, table only: nobody writes, or another thread publishes all the time. */
  'shared-idle': () => shared(false),
  'shared-busy': () => shared(true),

  /** Bits a key and false positives of the public maplet, filled to 95 %. */
  public: () => {
    const result = {};
    for (const rate of [0.1, 0.01, 0.001]) {
      const maplet = new Maplet({
        capacity: count,
        falsePositiveRate: rate,
        valueBits: 8,
        operator: 'max',
        autoResize: false,
        seed: 7,
      });
      for (let at = 0; at < count; at += 50_000) {
        for (const key of keys(at, Math.min(count, at + 50_000))) maplet.insert(key, 200);
      }
      let asked = 0;
      let answered = 0;
      while (answered < 1000) {
        for (const key of keys(2 * count + asked, 2 * count + asked + 50_000)) {
          asked++;
          if (maplet.has(key)) answered++;
        }
      }
      const { bitsPerKey, falsePositiveRate, load } = maplet.stats();
      const least = Math.log2(1 / rate) + 8;
      result[rate] = {
        load,
        bitsPerKey,
        above: bitsPerKey / least - 1,
        expected: falsePositiveRate,
        answered,
        measured: answered / asked,
      };
    }
    return result;
  },
};

/**
 * Time of the inserts that take above 30 µs: those that make the table grow, or the
 * collector run. The shorter of wall clock and CPU time of the process: other threads,
 * the compiler's among them, add to the one, other processes to the other.
 */
function pauses(subject) {
  let i = 0;
  for (; i < count; i += 50_000) {
    const part = keys(i, i + 50_000);
    for (let k = 0; k < part.length; k++) subject.insert(part[k], i + k);
  }
  const found = [];
  for (; i < 2 * count; i += 50_000) {
    const part = keys(i, i + 50_000);
    globalThis.gc();
    for (let k = 0; k < part.length; k++) {
      const before = process.cpuUsage();
      const start = performance.now();
      subject.insert(part[k], i + k);
      const wall = performance.now() - start;
      const after = process.cpuUsage();
      const spent = Math.min(wall, (after.user - before.user + after.system - before.system) / 1000);
      if (spent > 0.03) found.push(spent);
    }
  }
  found.sort((a, b) => a - b);
  return {
    pauses: found.length,
    median: found[found.length >> 1],
    p99: found[Math.floor(found.length * 0.99)],
    max: found.at(-1),
  };
}

async function shared(busy) {
  const index = new IndexMaplet();
  const present = Math.min(count, 900_000);
  for (let i = 0; i < present; i++) index.insert(mix(i * 2 + 1), mix(i ^ 0x5bd1e995), locationOf(i));
  const publisher = new IndexPublisher(index);
  const state = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { buffer: publisher.buffer, state, present };
  const worker = new Worker(new URL(import.meta.url), { argv: ['shared-reader'], workerData });
  const done = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  let published = 0;
  while (busy && Atomics.load(state, 0) === 0) {
    for (let i = 0; i < 50; i++, published++) {
      const k = present + (published % 20_000);
      const [high, low] = [mix(k * 2 + 1), mix(k ^ 0x5bd1e995)];
      if (!index.remove(high, low, locationOf(k))) index.insert(high, low, locationOf(k));
    }
    publisher.publish(index);
  }
  const result = await done;
  return { ...result, published };
}

/** Milliseconds that this thread ran, where the system tells; else by the clock. */
function onCpu() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Asks for absent keys against the time, and for keys never removed besides: none of them may be said to be absent. */
function read({ buffer, state, present }) {
  const reader = new IndexReader(buffer);
  const rounds = 50;
  const times = 100_000;
  let wrong = 0;
  let certain = 0;
  let spent = 0;
  for (let round = 0; round < rounds; round++) {
    const before = onCpu();
    for (let i = 0; i < times; i++) {
      const other = 50_000_000 + round * times + i;
      if (!reader.mayHave(mix(other * 2 + 1), mix(other ^ 0x5bd1e995))) certain++;
    }
    if (round >= 5) spent += onCpu() - before;
    for (let i = 0; i < times; i++) {
      const k = (round * times + i) % present;
      if (!reader.mayHave(mix(k * 2 + 1), mix(k ^ 0x5bd1e995))) wrong++;
    }
  }
  Atomics.store(state, 0, 1);
  return { perSecond: ((rounds - 5) * times) / (spent / 1000), wrong, certain: certain / rounds / times };
}

if (isMainThread) console.log(JSON.stringify(await TASKS[task]()));
else parentPort.postMessage(read(workerData));
