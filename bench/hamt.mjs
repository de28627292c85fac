/**
 * PersistentMap beside `immutable` and the native Map, as a table.
 *
 *     npm run bench -- hamt [--browser] [--n 1000000] [--rounds 5] [--keys long|short] [--quick]
 *     npm run bench -- hamt --pypersistent [--browser] [--n 1000000] [--rounds 5]
 *
 * `--quick` stops after the lookups; else what is shown is kept in bench/results. Reads
 * dist/, or what ROOTCELLAR_DIST names. Each library runs in a process of its own; the
 * processes take turns (structures/runner.mjs), and each figure is the median over the
 * rounds. Times are CPU time of the process with the collector on the same thread, after
 * a collection; with `--browser` Chromium's wall clock: let nothing else run. Keys that
 * are looked up are fresh strings, never the objects that were put in, but in the one row
 * that says so. `--pypersistent` does what the benchmark of that library does and puts
 * its stated figures beside.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { TEXTS } from './structures/keys.js';
import { interleaved, keep, medianOf, openRunner } from './structures/runner.mjs';

const { values } = parseArgs({
  options: {
    browser: { type: 'boolean', default: false },
    pypersistent: { type: 'boolean', default: false },
    n: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    keys: { type: 'string', default: 'long' },
    quick: { type: 'boolean', default: false },
  },
});
const count = Number(values.n);
const rounds = Number(values.rounds);
if (values.keys === 'maplet' || !(values.keys in TEXTS)) {
  throw new Error(`--keys: expected long or short, got ${values.keys}`);
}

/** At least so many times quicker than immutable: what is promised for long keys in Node. */
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
const promised = values.keys === 'long' && !values.browser;

const runner = await openRunner({ browser: values.browser, keys: count });
const show = (x) => (x === undefined ? '' : x >= 100 ? x.toFixed(0) : x >= 1 ? x.toFixed(1) : x.toFixed(3));
const times = (ratio) => (ratio >= 1 ? `${show(ratio)}x slower` : `${show(1 / ratio)}x quicker`);
try {
  await (values.pypersistent ? besidePyPersistent() : besideImmutable());
} finally {
  await runner.close();
}

async function besideImmutable() {
  const libraries = ['rootcellar', 'immutable', 'Map'];
  const options = { count, text: values.keys, quick: values.quick };
  const runs = await interleaved(runner, 'hamt', libraries, options, rounds);
  const names = [...new Set(libraries.flatMap((library) => Object.keys(runs[library][0])))];
  const rows = names.map((name) => {
    const [ours, theirs, native] = libraries.map((library) => medianOf(runs[library], name));
    return { name, ours, theirs, native, ratio: theirs / ours, target: TARGETS[name] };
  });
  console.log(
    `${count} ${values.keys} keys, ${runner.name}, medians of ${rounds}; ns an operation unless a unit stands there\n`,
  );
  console.log('| | rootcellar | immutable | Map | times better than immutable | at least |');
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const { name, ours, theirs, native, ratio, target } of rows) {
    const times = Number.isFinite(ratio) ? `${show(ratio)}x` : '';
    const goal = promised && target !== undefined ? `${target}x${ratio >= target ? '' : ' (missed)'}` : '';
    console.log(`| ${name} | ${show(ours)} | ${show(theirs)} | ${show(native)} | ${times} | ${goal} |`);
  }
  if (!values.quick) keep(fileName(`hamt-${values.keys}`), { count, rounds, engine: runner.name, rows });
}

function fileName(name) {
  const of = count === 1_000_000 ? '' : `-${count}`;
  return `${name}${of}-${values.browser ? 'chromium' : 'node'}`;
}

async function besidePyPersistent() {
  const stated = JSON.parse(readFileSync(new URL('./structures/pypersistent.json', import.meta.url), 'utf8'));
  const runs = await interleaved(runner, 'pypersistent', ['rootcellar', 'Map'], { count }, rounds);
  const rows = stated.rows.map(({ name, source, persistent, mutable }) => {
    const [ours, native] = [medianOf(runs.rootcellar, name), medianOf(runs.Map, name)];
    return { name, ours, native, persistent, mutable, source };
  });
  console.log(`${count} keys "key0" and so on, ${runner.name}, medians of ${rounds}; milliseconds`);
  console.log(
    'pypersistent and dict: as stated for 1,000,000 keys, on another machine: compare the shape only\n',
  );
  console.log('| | rootcellar | Map | times | pypersistent | dict | times | stated in |');
  console.log('|---|---:|---:|---:|---:|---:|---:|---|');
  for (const { name, ours, native, persistent, mutable, source } of rows) {
    const ms = [ours, native, persistent, mutable].map((seconds) => show(seconds * 1000));
    const [here, there] = [ours / native, persistent / mutable].map(times);
    console.log(`| ${name} | ${ms[0]} | ${ms[1]} | ${here} | ${ms[2]} | ${ms[3]} | ${there} | ${source} |`);
  }
  console.log('\nTimes: a persistent map beside the mutable one of its language.');
  for (const [source, where] of Object.entries(stated.sources)) console.log(`${source}: ${where}`);
  const { sources } = stated;
  keep(fileName('hamt-pypersistent'), { count, rounds, engine: runner.name, sources, rows });
}
