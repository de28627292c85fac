/**
 * PersistentMap beside `immutable` and the native Map, as a table.
 *
 *   node bench/hamt.mjs [--n 1000000] [--rounds 5] [--keys long|short] [--json] [--quick]
 *
 * `--quick` stops after the lookups. Reads `dist/`. Each library runs in a process of its own; the processes take
 * turns, and each figure is the median over the rounds. Times are CPU time of
 * the process with the collector on the same thread, after a collection. Keys
 * that are looked up are fresh strings, never the objects that were put in.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FLAGS = ['--expose-gc', '--single-threaded-gc', '--max-old-space-size=6000'];
const args = process.argv.slice(2);
const option = (name, fallback) =>
  args.includes(`--${name}`) ? args[args.indexOf(`--${name}`) + 1] : fallback;
const N = Number(option('n', 1_000_000));
const ROUNDS = Number(option('rounds', 5));
const KEYS = option('keys', 'long');
const QUICK = args.includes('--quick');
const COLLIDING = 16_384;

/** At least so many times quicker than immutable: what is promised for long keys. */
const TARGETS = {
  set: 2,
  transient: 2.4,
  bulk: 7,
  get: 2.5,
  absent: 4,
  update: 1.7,
  delete: 1.4,
  iterate: 3.8,
  equality: 9,
  merge: 4.5,
};

if (args[0] === '--child') await child(args[1]);
else parent();

function parent() {
  const libraries = ['rootcellar', 'immutable', 'Map'];
  const runs = { rootcellar: [], immutable: [], Map: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const library of libraries) {
      const argv = [...FLAGS, fileURLToPath(import.meta.url), '--child', library, ...args];
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${library} failed: ${stderr}`);
      runs[library].push(JSON.parse(stdout));
    }
  }
  const median = (library, name) => {
    const all = runs[library]
      .map((run) => run[name])
      .filter((x) => x !== undefined)
      .sort((a, b) => a - b);
    return all.length === 0 ? undefined : all[all.length >> 1];
  };
  const names = [...new Set(libraries.flatMap((library) => Object.keys(runs[library][0])))];
  const rows = names.map((name) => {
    const [ours, theirs, native] = libraries.map((library) => median(library, name));
    return { name, ours, theirs, native, ratio: theirs / ours, target: TARGETS[name] };
  });
  if (args.includes('--json')) {
    console.log(JSON.stringify({ n: N, keys: KEYS, rounds: ROUNDS, node: process.version, rows }));
    return;
  }
  console.log(
    `${N} ${KEYS} keys, Node ${process.version}, medians of ${ROUNDS}; ns an operation unless a unit stands there\n`,
  );
  console.log('| | rootcellar | immutable | Map | times better than immutable | at least |');
  console.log('|---|---:|---:|---:|---:|---:|');
  const show = (x) => (x === undefined ? '' : x >= 100 ? x.toFixed(0) : x >= 1 ? x.toFixed(1) : x.toFixed(3));
  for (const { name, ours, theirs, native, ratio, target } of rows) {
    const times = Number.isFinite(ratio) ? `${show(ratio)}x` : '';
    const goal =
      KEYS === 'long' && target !== undefined ? `${target}x${ratio >= target ? '' : ' (missed)'}` : '';
    console.log(`| ${name} | ${show(ours)} | ${show(theirs)} | ${show(native)} | ${times} | ${goal} |`);
  }
}

/** Runs every measurement on one library and prints them as JSON. */
async function child(library) {
  const lib = await libraryOf(library);
  const result = {};
  const keys = makeKeys(0);
  warmUp(lib);
  const time = (name, operations, run, repeats = 1) => {
    gc();
    const start = process.cpuUsage();
    let value;
    for (let i = 0; i < repeats; i++) value = run();
    const used = process.cpuUsage(start);
    result[name] = ((used.user + used.system) * 1000) / operations / repeats;
    return value;
  };

  if (lib.set) {
    time('set', N, () => {
      let map = lib.empty();
      for (let i = 0; i < N; i++) map = lib.set(map, keys[i], i);
      return map;
    });
  }
  gc();
  const before = process.memoryUsage().heapUsed;
  const map = time('transient', N, () => lib.build(keys));
  gc();
  result['bytes an entry'] = (process.memoryUsage().heapUsed - before) / N;
  // What is looked up is made just before and dropped after: a large heap would slow all alike.
  let pairs = keys.map((key, i) => [key, i]);
  time('bulk', N, () => lib.bulk(pairs));
  pairs = null;
  const check = (sum, expected) => {
    if (sum !== expected) throw new Error(`wrong answer: ${sum} for ${expected}`);
  };
  const lookUp = (name, from, expected) => {
    const found = time(name, N, () => {
      let sum = 0;
      for (let i = 0; i < N; i++) if (map.get(from[i]) !== undefined) sum++;
      return sum;
    });
    check(found, expected);
  };
  lookUp('get', makeKeys(0), N);
  lookUp('get, random order', shuffle(makeKeys(0)), N);
  lookUp('absent', makeKeys(N), 0);
  if (QUICK) {
    console.log(JSON.stringify(result));
    return;
  }
  const fresh = makeKeys(0).filter((_, i) => i % 10 === 0);
  time('update', N / 10, () => {
    let next = lib.fork(map);
    for (let i = 0; i < fresh.length; i++) next = next.set(fresh[i], -i - 1);
    return next;
  });
  time('delete', N / 10, () => {
    let next = lib.fork(map);
    for (let i = 0; i < fresh.length; i++) next = lib.delete(next, fresh[i]);
    return next;
  });
  const iterated = time('iterate', N, () => {
    let sum = 0;
    for (const [, value] of map) sum += value;
    return sum;
  });
  check(iterated, (N * (N - 1)) / 2);
  time('forEach', N, () => {
    let sum = 0;
    map.forEach((value) => {
      sum += value;
    });
    return sum;
  });
  if (lib.set) persistentOnly(lib, map, keys, time, result);
  console.log(JSON.stringify(result));
}

/** What a Map cannot do, or only by a copy. */
function persistentOnly(lib, map, keys, time, result) {
  const twin = lib.build(makeKeys(0));
  time('equality', N, () => lib.equals(map, twin));
  const changed = map.set(keys[N >> 1], -1);
  time('equality after one change, µs', 1000, () => lib.equals(map, changed), lib.diff ? 100 : 1);
  const half = N >> 1;
  const left = lib.build(keys.slice(0, half));
  const right = lib.build(keys.slice(half));
  const merged = time('merge', N, () => lib.merge(left, right));
  if (merged.size !== N) throw new Error(`merge: ${merged.size} of ${N}`);
  const few = lib.build(makeKeys(2 * N).slice(0, 1000));
  time('merge 1,000 into all, a key', 1000, () => lib.merge(map, few));
  const variants = () => Array.from({ length: 100 }, (_, i) => map.set(keys[i * 97], i));
  for (let i = 0; i < 10; i++) variants();
  time('100 variants, ms', 1_000_000, variants, 10);
  if (lib.diff) {
    for (const changes of [1, 100, 10_000]) {
      let next = map;
      for (let i = 0; i < changes; i++) next = next.set(keys[(i * 89) % N], -1);
      const repeats = Math.max(5, 3000 / changes);
      for (let i = 0; i < repeats; i++) lib.diff(map, next);
      time(`diff of ${changes} changes, µs`, 1000, () => lib.diff(map, next), repeats);
    }
  }
  const colliding = collidingKeys();
  time(`${COLLIDING} keys that collide in immutable, ms`, 1_000_000, () => {
    let next = lib.empty();
    for (const key of colliding) next = lib.set(next, key, 1);
    return next;
  });
  return result;
}

/** Strings made anew, of which no other reference exists. */
function makeKeys(from) {
  const length = KEYS === 'short' ? 10 : 20;
  const text = (i) => (KEYS === 'short' ? `key${i}` : longKey(i));
  const keys = new Array(N);
  const buffer = Buffer.alloc(length + 10);
  for (let i = 0; i < N; i++) {
    const written = buffer.write(text(from + i), 'latin1');
    keys[i] = buffer.toString('latin1', 0, written);
  }
  return keys;
}

/** Twenty characters without order. */
function longKey(i) {
  const a = (Math.imul(i, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  return `${a}-user-${i.toString(36).padStart(6, '0')}`.padEnd(20, '_');
}

function shuffle(keys) {
  let state = 12345;
  for (let i = keys.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = state % (i + 1);
    [keys[i], keys[j]] = [keys[j], keys[i]];
  }
  return keys;
}

/** Two blocks of two characters with one base-31 hash, in every order of 14. */
function collidingKeys() {
  return Array.from({ length: COLLIDING }, (_, n) =>
    Array.from({ length: 14 }, (_, bit) => ((n >> bit) & 1 ? 'Aa' : 'BB')).join(''),
  );
}

/** So that no measurement pays for the compiler. */
function warmUp(lib) {
  for (let round = 0; round < 30; round++) {
    const keys = Array.from({ length: 2000 }, (_, i) => `warm${round % 3}-${i}`);
    let map = lib.fork(lib.build(keys));
    lib.bulk(keys.map((key, i) => [key, i]));
    for (const key of keys) map.get(key);
    for (const key of keys) map.get(`${key}!`);
    for (const key of keys.slice(0, 1000)) map = map.set(key, 2);
    for (const key of keys.slice(0, 1500)) map = lib.delete(map, key);
    let sum = 0;
    for (const [, value] of map) sum += value;
    map.forEach((value) => {
      sum += value;
    });
    if (lib.set) {
      let small = lib.empty();
      for (const key of keys) small = lib.set(small, key, sum);
      lib.equals(small, lib.build(keys));
      lib.merge(small, lib.build(keys.map((key) => `${key}?`)));
      if (lib.diff) lib.diff(small, small.set('x', 1));
    }
  }
}

async function libraryOf(name) {
  if (name === 'rootcellar') {
    const { PersistentMap } = await import('../dist/structures/hamt/index.js');
    return {
      empty: () => PersistentMap.empty(),
      set: (map, key, value) => map.set(key, value),
      delete: (map, key) => map.delete(key),
      fork: (map) => map,
      build: (keys) =>
        PersistentMap.empty().withMutations((map) => {
          for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
        }),
      bulk: (pairs) => new PersistentMap(pairs),
      equals: (a, b) => a.equals(b),
      merge: (a, b) => a.merge(b),
      diff: (a, b) => a.diff(b),
    };
  }
  if (name === 'immutable') {
    const { Map: ImmutableMap, is } = await import('immutable');
    return {
      empty: () => ImmutableMap(),
      set: (map, key, value) => map.set(key, value),
      delete: (map, key) => map.delete(key),
      fork: (map) => map,
      build: (keys) =>
        ImmutableMap().withMutations((map) => {
          for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
        }),
      bulk: (pairs) => ImmutableMap(pairs),
      equals: (a, b) => is(a, b),
      merge: (a, b) => a.merge(b),
    };
  }
  return {
    fork: (map) => new Map(map),
    delete: (map, key) => {
      map.delete(key);
      return map;
    },
    build: (keys) => {
      const map = new Map();
      for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
      return map;
    },
    bulk: (pairs) => new Map(pairs),
  };
}
