/**
 * What bench/hamt.mjs measures on one library, a process or page each. `environment`
 * brings clock, collector and heap (node-environment.mjs, page.js).
 */
import { collidingKeys, freshKeys, shuffle, TEXTS } from './keys.js';

const COLLIDING = 16_384;

/** Runs every measurement on `library`; with `quick`, only up to the lookups. ns an operation. */
export async function measureHamt(library, { count, text, quick }, environment) {
  const lib = await libraryOf(library, environment.load);
  const { gc, heap } = environment;
  const result = {};
  const makeKeys = (from) => freshKeys(TEXTS[text], from, from + count);
  const keys = makeKeys(0);
  warmUp(lib);
  const time = (name, operations, run, repeats = 1) => {
    gc();
    let value;
    result[name] = environment.time(operations * repeats, () => {
      for (let i = 0; i < repeats; i++) value = run();
    });
    return value;
  };

  if (lib.set) {
    time('set', count, () => {
      let map = lib.empty();
      for (let i = 0; i < count; i++) map = lib.set(map, keys[i], i);
      return map;
    });
  }
  const before = heap();
  const map = time('transient', count, () => lib.build(keys));
  result['bytes an entry'] = (heap() - before) / count;
  // What is looked up is made just before and dropped after: a large heap would slow all alike.
  let pairs = keys.map((key, i) => [key, i]);
  time('bulk', count, () => lib.bulk(pairs));
  pairs = null;
  const lookUp = (name, from, expected) => {
    const found = time(name, count, () => {
      let sum = 0;
      for (let i = 0; i < count; i++) if (map.get(from[i]) !== undefined) sum++;
      return sum;
    });
    check(found, expected);
  };
  lookUp('get', makeKeys(0), count);
  lookUp('get, random order', shuffle(makeKeys(0)), count);
  lookUp('the same string object looked up again', shuffle(keys.slice()), count);
  lookUp('absent', makeKeys(count), 0);
  if (quick) return result;
  const fresh = makeKeys(0).filter((_, i) => i % 10 === 0);
  time('update', count / 10, () => {
    let next = lib.fork(map);
    for (let i = 0; i < fresh.length; i++) next = next.set(fresh[i], -i - 1);
    return next;
  });
  time('delete', count / 10, () => {
    let next = lib.fork(map);
    for (let i = 0; i < fresh.length; i++) next = lib.delete(next, fresh[i]);
    return next;
  });
  const iterated = time('iterate', count, () => {
    let sum = 0;
    for (const [, value] of map) sum += value;
    return sum;
  });
  check(iterated, (count * (count - 1)) / 2);
  time('forEach', count, () => {
    let sum = 0;
    map.forEach((value) => {
      sum += value;
    });
    return sum;
  });
  if (lib.set) persistentOnly(lib, map, keys, makeKeys, time);
  return result;
}

function check(got, expected) {
  if (got !== expected) throw new Error(`wrong answer: ${got} for ${expected}`);
}

/** What a Map cannot do, or only by a copy. */
function persistentOnly(lib, map, keys, makeKeys, time) {
  const count = keys.length;
  const twin = lib.build(makeKeys(0));
  time('equality', count, () => lib.equals(map, twin));
  const changed = map.set(keys[count >> 1], -1);
  time('equality after one change, µs', 1000, () => lib.equals(map, changed), lib.diff ? 100 : 1);
  const half = count >> 1;
  const left = lib.build(keys.slice(0, half));
  const right = lib.build(keys.slice(half));
  const merged = time('merge', count, () => lib.merge(left, right));
  check(merged.size, count);
  const few = lib.build(makeKeys(2 * count).slice(0, 1000));
  time('merge 1,000 into all, a key', 1000, () => lib.merge(map, few));
  const variants = () => Array.from({ length: 100 }, (_, i) => map.set(keys[i * 97], i));
  for (let i = 0; i < 10; i++) variants();
  time('100 variants, ms', 1_000_000, variants, 10);
  if (lib.diff) {
    for (const changes of [1, 100, 10_000]) {
      let next = map;
      for (let i = 0; i < changes; i++) next = next.set(keys[(i * 89) % count], -1);
      const repeats = Math.max(5, 3000 / changes);
      for (let i = 0; i < repeats; i++) lib.diff(map, next);
      time(`diff of ${changes} changes, µs`, 1000, () => lib.diff(map, next), repeats);
    }
  }
  const colliding = collidingKeys(COLLIDING);
  time(`${COLLIDING} keys that collide in immutable, ms`, 1_000_000, () => {
    let next = lib.empty();
    for (const key of colliding) next = lib.set(next, key, 1);
    return next;
  });
}

/** So that no measurement pays for the compiler. */
export function warmUp(lib) {
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

export async function libraryOf(name, load) {
  if (name === 'rootcellar') {
    const { PersistentMap } = await load('hamt');
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
    const { Map: ImmutableMap, is } = await load('immutable');
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
