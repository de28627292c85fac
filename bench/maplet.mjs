/**
 * What the maplets cost beside `Map<string, number>`, as a table.
 *
 *     npm run bench -- maplet [--browser] [--keys 1000000] [--rounds 5] [--quick]
 *
 * Each library runs in a process of its own, in turn (structures/runner.mjs); shown
 * are medians over the rounds. In Node times are CPU time; with `--browser` they are
 * Chromium's wall clock: let nothing else run. Reads dist/, or what ROOTCELLAR_DIST
 * names. What is shown is kept in bench/results too, but for `--quick`: 200,000 keys,
 * one round, to see that it runs.
 *
 * `--keys 10000000` is the longer command: about 45 minutes for five rounds, some eight
 * minutes a round, and 3 GB of memory. Growth is then watched up to 16 million keys, as a
 * Map holds no more than 2^24.
 */
import { parseArgs } from 'node:util';
import { interleaved, keep, medianOf, openRunner } from './structures/runner.mjs';

const { values } = parseArgs({
  options: {
    browser: { type: 'boolean', default: false },
    keys: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const count = Number(values.keys ?? (values.quick ? 200_000 : 1_000_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));

/** At least so many times quicker, or less in memory, than Map. */
const TARGETS = {
  node: { get: 4, absent: 5.5, insert: 1.1, presized: 2.4, delete: 1.1, bytes: 9 },
  node10M: { get: 2.5, absent: 2.8, insert: 1.7, bytes: 9 },
  chromium: { get: 3, absent: 5.5, insert: 1.1, presized: 2.4, delete: 1.1, bytes: 6 },
};
const targets = TARGETS[values.browser ? 'chromium' : count >= 5e6 ? 'node10M' : 'node'];

const runner = await openRunner({ browser: values.browser, keys: count });
const rows = [];
const row = (what, ours, theirs, target, met) =>
  rows.push({ what, ours, theirs, target, met: target === '-' ? '' : met ? 'yes' : 'NO' });
try {
  await measureAll((tasks, times = rounds) => interleaved(runner, 'maplet', tasks, { count }, times));
} finally {
  await runner.close();
}
console.log(`${count} keys of 20 characters, medians of ${rounds}, ${runner.name}`);
console.table(rows);
if (!values.quick) {
  const of = count === 1_000_000 ? '' : `-${count}`;
  keep(`maplet${of}-${values.browser ? 'chromium' : 'node'}`, {
    keys: count,
    rounds,
    engine: runner.name,
    rows,
  });
}

async function measureAll(run) {
  speedRows(await run(['map', 'index', 'index-presized']));
  spaceRows(await run(['map-bytes', 'index-bytes'], 1));
  pauseRows(await run(['map-pause', 'index-pause']));
  // What answers are wrong is the same in every engine.
  if (!values.browser) rateRows(await run(['index-rate', 'public'], 1));
  sharedRows(await run(['shared-idle', 'shared-busy']));
}

function speedRows(speed) {
  const ns = (value) => `${Math.round(value)} ns`;
  for (const [field, label] of [
    ['get', 'get, in random order'],
    ['inOrder', 'get, in the order of insertion'],
    ['same', 'the same string object looked up again'],
    ['absent', 'absent'],
    ['insert', 'insert with all growth'],
    ['presized', 'insert, made large enough'],
    ['delete', 'delete'],
  ]) {
    const presized = field === 'presized';
    const ours = medianOf(speed[presized ? 'index-presized' : 'index'], field);
    const theirs = medianOf(speed.map, presized ? 'insert' : field);
    const target = targets[field];
    const ratio = theirs / ours;
    row(label, ns(ours), `${ns(theirs)}: ${ratio.toFixed(2)}x`, target ? `${target}x` : '-', ratio >= target);
  }
}

function spaceRows(space) {
  const [index, map] = [space['index-bytes'][0], space['map-bytes'][0]];
  const less = map.bytes / index.mean;
  row(
    'bytes a key, mean of a doubling',
    index.mean.toFixed(2),
    map.bytes.toFixed(1),
    '7.5',
    index.mean <= 7.5,
  );
  row('bytes a key, worst', index.worst.toFixed(2), map.bytes.toFixed(1), '8.3', index.worst <= 8.3);
  row('Map in bytes, by mean of ours', '1', less.toFixed(1), `${targets.bytes}x`, less >= targets.bytes);
  // Chromium does not count what typed arrays hold.
  if (!values.browser) {
    row('heap that the index says, and has', index.claimed.toFixed(2), index.bytes.toFixed(2), '-');
  }
}

function pauseRows(stop) {
  const ms = (value) => `${value.toFixed(3)} ms`;
  const worst = ms(medianOf(stop['map-pause'], 'max'));
  for (const [field, label, target] of [
    ['p99', 'growth pause, 99 of 100', 0.25],
    ['max', 'growth pause, longest', 1],
  ]) {
    const ours = medianOf(stop['index-pause'], field);
    row(label, ms(ours), worst, `${target} ms`, ours <= target);
  }
}

function rateRows({ 'index-rate': [rate], public: [maplets] }) {
  const off = rate.measured / rate.expected;
  row(
    'false candidates, measured / formula',
    rate.measured.toExponential(2),
    `${off.toFixed(3)} of ${rate.answered}`,
    '0.9 to 1.1',
    Math.abs(off - 1) <= 0.1,
  );
  for (const [epsilon, each] of Object.entries(maplets)) {
    const close = each.measured / each.expected;
    row(
      `Maplet, rate at ${epsilon}`,
      each.measured.toExponential(2),
      `${close.toFixed(3)} of ${each.answered}`,
      '0.9 to 1.1',
      Math.abs(close - 1) <= 0.1,
    );
    row(
      `Maplet, bits a key at ${epsilon}, 8-bit values`,
      each.bitsPerKey.toFixed(2),
      `+${(each.above * 100).toFixed(1)} %, ${(each.load * 100).toFixed(1)} % full`,
      epsilon === '0.01' ? '25 %' : '-',
      each.above <= 0.25,
    );
  }
}

function sharedRows(shared) {
  for (const [task, target] of [
    ['shared-idle', 20],
    ['shared-busy', 15],
  ]) {
    const rate = medianOf(shared[task], 'perSecond') / 1e6;
    const wrong = shared[task].reduce((sum, each) => sum + each.wrong, 0);
    const label = `"certainly absent", ${task.slice(7)}`;
    row(label, `${rate.toFixed(1)} M/s`, `${wrong} false`, `${target} M/s`, rate >= target && wrong === 0);
  }
}
