/**
 * The table of pypersistent's own benchmark (its performance_test.py), by its method: keys
 * `key0` and so on, written inside the timed loops; each row once, over all keys or every
 * tenth. Only so many copies of a Map are made and the time of 100 worked out from them:
 * together they would need gigabytes. What that library states for 100 copies of a dict
 * includes building it once; ours does not.
 */
import { libraryOf, warmUp } from './hamt.js';

const MAP_COPIES = 5;

/** Seconds of each row of pypersistent.json, on `rootcellar` or the native `Map`. */
export async function measurePyPersistent(library, { count }, environment) {
  const lib = await libraryOf(library, environment.load);
  const persistent = lib.set !== undefined;
  const result = {};
  const time = (name, run, share = 1) => {
    environment.gc();
    let value;
    result[name] = environment.time(1e9, () => (value = run())) / share;
    return value;
  };
  const sum = (from) => {
    let total = 0;
    for (let i = 0; i < count; i++) total += from(`key${i}`);
    return total;
  };
  const check = (got, expected) => {
    if (got !== expected) throw new Error(`wrong answer: ${got} for ${expected}`);
  };
  const expected = (count * (count - 1)) / 2;

  warmUp(lib);
  const map = time('insertion', () => {
    let next = persistent ? lib.empty() : new Map();
    for (let i = 0; i < count; i++) next = next.set(`key${i}`, i);
    return next;
  });
  const native = new Map(map);
  time('from a mutable map', () => lib.bulk(native));
  check(
    time('lookup', () => sum((key) => map.get(key) ?? 0)),
    expected,
  );
  check(
    time('contains', () => sum((key) => (map.has(key) ? 1 : 0))),
    count,
  );
  time('update of every tenth', () => {
    let next = lib.fork(map);
    for (let i = 0; i < count; i += 10) next = next.set(`key${i}`, i * 2);
    return next;
  });
  const fewer = time('deletion of every tenth', () => {
    let next = lib.fork(map);
    for (let i = 0; i < count; i += 10) next = lib.delete(next, `key${i}`);
    return next;
  });
  check(fewer.size, count - Math.ceil(count / 10));
  const iterated = time('iteration', () => {
    let total = 0;
    for (const [, value] of map) total += value;
    return total;
  });
  check(iterated, expected);
  const half = count >> 1;
  const part = (from, to) => {
    let next = persistent ? lib.empty() : new Map();
    for (let i = from; i < to; i++) next = next.set(`key${i}`, i);
    return next;
  };
  const [left, right] = [part(0, half), part(half, count)];
  const merged = time('merge of two halves', () => {
    if (persistent) return lib.merge(left, right);
    const both = new Map(left);
    for (const [key, value] of right) both.set(key, value);
    return both;
  });
  check(merged.size, count);
  const variants = (times) => () =>
    Array.from({ length: times }, (_, i) => lib.fork(map).set(`extra${i}`, i * 1000));
  if (persistent) time('100 variants', variants(100));
  else time('100 variants', variants(MAP_COPIES), MAP_COPIES / 100);
  return result;
}
