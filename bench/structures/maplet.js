/**
 * What bench/maplet.mjs measures, one task a process or page. `environment` brings
 * clock, collector, heap and threads (node-environment.mjs, page.js).
 */
import { freshKeys, mix, TEXTS } from './keys.js';
import { lanesOf } from './shared-reader.js';

/** A Map holds no more than 2^24 keys: growth is watched up to here. */
const MAP_LIMIT = 16_000_000;
const PART = 50_000;

/** 200-byte records in units of 8 bytes. */
const locationOf = (i) => i * 25;

export async function measureMaplet(task, { count }, environment) {
  const tasks = tasksOf(await environment.load('maplet'), count, environment);
  return tasks[task]();
}

function tasksOf({ hashString, IndexMaplet, IndexPublisher, lane, Maplet, secretFrom }, count, environment) {
  const { time, gc, heap, stopwatch } = environment;
  const secret = secretFrom(new Uint8Array([7, 1, 5, 3, 2, 9, 4, 8]));
  const into = new Uint32Array(64);
  const keys = (from, to, order) => freshKeys(TEXTS.maplet, from, to, order);
  /** The i-th of `count` in an order that has nothing to do with insertion: 7,368,787 is a prime. */
  const scattered = (i) => (i * 7_368_787) % count;

  /** What Map and IndexMaplet are asked to do: the same steps through the same few functions. */
  const subjects = {
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

  function warmUp(subject) {
    const some = keys(3 * count, 3 * count + 60_000);
    for (let i = 0; i < some.length; i++) subject.insert(some[i], i);
    for (let i = 0; i < some.length; i++) subject.get(some[i]);
    for (let i = 0; i < some.length; i++) subject.remove(some[i], i);
  }

  /** Puts keys `from` to `to` in, with no more than a part of them in memory. */
  function fill(insert, from, to) {
    for (let at = from; at < to; at += PART) {
      let i = at;
      for (const key of keys(at, Math.min(to, at + PART))) insert(key, i++);
    }
  }

  function operations(make) {
    warmUp(make());
    const subject = make();
    const result = {};
    let hits = 0;
    let fresh = keys(0, count);
    const timed = (work) => {
      gc();
      return time(count, work);
    };
    const lookUp = (expected) => {
      hits = 0;
      const spent = timed(() => {
        for (let i = 0; i < count; i++) hits += subject.get(fresh[i]);
      });
      // The index may say a little more than there is.
      if (hits < expected || hits > expected + count / 100) {
        throw new Error(`expected about ${expected} hits, got ${hits}`);
      }
      return spent;
    };
    result.insert = timed(() => {
      for (let i = 0; i < count; i++) subject.insert(fresh[i], i);
    });
    const inserted = fresh;
    fresh = inserted.map((_, i) => inserted[scattered(i)]);
    result.same = lookUp(count);
    inserted.length = 0;
    fresh = keys(0, count);
    result.inOrder = lookUp(count);
    fresh = keys(0, count, scattered);
    result.get = lookUp(count);
    fresh = keys(count, 2 * count);
    result.absent = lookUp(0);
    fresh = keys(0, count, scattered);
    result.delete = timed(() => {
      for (let i = 0; i < count; i++) subject.remove(fresh[i], scattered(i));
    });
    return result;
  }

  /** Time of the inserts that take above 30 µs: those that make the table grow, or the collector run. */
  function pauses(subject) {
    fill(subject.insert, 0, count);
    const found = [];
    // A collection between parts takes seconds with many keys: 20 of them in a doubling.
    const size = Math.max(PART, Math.ceil(count / 20));
    const end = Math.max(count + size, Math.min(2 * count, MAP_LIMIT));
    for (let i = count; i < end; i += size) {
      const part = keys(i, Math.min(end, i + size));
      gc();
      for (let k = 0; k < part.length; k++) {
        stopwatch.start();
        subject.insert(part[k], i + k);
        const spent = stopwatch.stop();
        if (spent > 0.03) found.push(spent);
      }
    }
    found.sort((a, b) => a - b);
    return {
      pauses: found.length,
      median: found[found.length >> 1] ?? 0,
      p99: found[Math.floor(found.length * 0.99)] ?? 0,
      max: found.at(-1) ?? 0,
    };
  }

  async function shared(busy) {
    const index = new IndexMaplet();
    const present = Math.min(count, 900_000);
    for (let i = 0; i < present; i++) index.insert(...lanesOf(i), locationOf(i));
    const publisher = new IndexPublisher(index);
    const state = new Int32Array(new SharedArrayBuffer(8));
    const { ready, done } = environment.startReader({ buffer: publisher.buffer, state, present });
    await ready;
    let published = 0;
    while (busy && Atomics.load(state, 0) === 0) {
      for (let i = 0; i < 50; i++, published++) {
        const k = present + (published % 20_000);
        const [high, low] = lanesOf(k);
        if (!index.remove(high, low, locationOf(k))) index.insert(high, low, locationOf(k));
      }
      publisher.publish(index);
    }
    return { ...(await done), published };
  }

  return {
    map: () => operations(subjects.map),
    index: () => operations(subjects.index),

    'index-presized': () => {
      warmUp(subjects.index());
      const subject = subjects.index(count);
      const fresh = keys(0, count);
      gc();
      return {
        presized: time(count, () => {
          for (let i = 0; i < count; i++) subject.insert(fresh[i], i);
        }),
      };
    },

    /** Bytes a key: of the heap at `count`, and of the planes over the doubling that follows. */
    'map-bytes': () => {
      const before = heap();
      const { insert, of: map } = subjects.map();
      fill(insert, 0, count);
      const bytes = (heap() - before) / count;
      return { bytes, size: map.size };
    },
    'index-bytes': () => {
      const before = heap();
      const { insert, of: index } = subjects.index();
      fill(insert, 0, count);
      const bytes = (heap() - before) / count;
      const claimed = index.stats().bytes / count;
      let sum = 0;
      let worst = 0;
      for (let at = count, part = 1; part <= 100; part++) {
        const to = Math.round(count * (1 + part / 100));
        fill(insert, at, to);
        at = to;
        const { bytes, length } = index.stats();
        sum += bytes / length;
        worst = Math.max(worst, bytes / length);
      }
      return { bytes, claimed, mean: sum / 100, worst };
    },

    'map-pause': () => pauses(subjects.map()),
    'index-pause': () => pauses(subjects.index()),

    /** False candidates of the index at full width, against the formula. */
    'index-rate': () => {
      const { insert, of: index } = subjects.index();
      fill(insert, 0, count);
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
        fill((key) => maplet.insert(key, 200), 0, count);
        let asked = 0;
        let answered = 0;
        while (answered < 1000) {
          for (const key of keys(2 * count + asked, 2 * count + asked + PART)) {
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
}
