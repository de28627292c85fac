/**
 * What the maplets cost beside `Map<string, number>`, as a table.
 *
 *     node bench/maplet.mjs [--keys 1000000] [--rounds 5] [--quick]
 *
 * Each library runs in a process of its own (maplet.task.mjs), in turn, so that a
 * busy minute of the machine strikes all alike; shown are medians over the
 * rounds. Reads dist/, or what ROOTCELLAR_DIST names. `--quick`: 200,000 keys,
 * one round: to see that it runs.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    keys: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const keys = Number(values.keys ?? (values.quick ? 200_000 : 1_000_000));
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
const script = fileURLToPath(new URL('./maplet.task.mjs', import.meta.url));

function run(task) {
  const flags = ['--expose-gc', '--single-threaded-gc', '--max-old-space-size=6000'];
  return JSON.parse(
    execFileSync(process.execPath, [...flags, script, task, String(keys)], { encoding: 'utf8' }),
  );
}

/** Runs every task once a round, one after the other, and gives the results of each. */
function interleaved(tasks, times) {
  const results = Object.fromEntries(tasks.map((task) => [task, []]));
  for (let round = 0; round < times; round++) for (const task of tasks) results[task].push(run(task));
  return results;
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

const of = (results, field) => median(results.map((each) => each[field]));
const ns = (value) => `${Math.round(value)} ns`;
const rows = [];
const row = (what, ours, theirs, target, met) =>
  rows.push({ what, ours, theirs, target, met: met ? 'yes' : 'NO' });

const speed = interleaved(['map', 'index', 'index-presized'], rounds);
for (const [field, label, target] of [
  ['get', 'get, in random order', 4],
  ['inOrder', 'get, in the order of insertion', 0],
  ['absent', 'absent', 5.5],
  ['insert', 'insert with all growth', 1.1],
  ['delete', 'delete', 1.1],
]) {
  const [ours, theirs] = [of(speed.index, field), of(speed.map, field)];
  const ratio = theirs / ours;
  row(label, ns(ours), `${ns(theirs)}: ${ratio.toFixed(2)}x`, target ? `${target}x` : '-', ratio >= target);
}
{
  const [ours, theirs] = [of(speed['index-presized'], 'presized'), of(speed.map, 'insert')];
  row(
    'insert, made large enough',
    ns(ours),
    `${ns(theirs)}: ${(theirs / ours).toFixed(2)}x`,
    '2.4x',
    theirs / ours >= 2.4,
  );
}

const space = interleaved(['map-bytes', 'index-bytes'], 1);
const [index, map] = [space['index-bytes'][0], space['map-bytes'][0]];
row('bytes a key, mean of a doubling', index.mean.toFixed(2), map.bytes.toFixed(1), '7.5', index.mean <= 7.5);
row('bytes a key, worst', index.worst.toFixed(2), map.bytes.toFixed(1), '8.3', index.worst <= 8.3);
row(
  'Map in bytes, by mean of ours',
  '1',
  (map.bytes / index.mean).toFixed(1),
  '9x',
  map.bytes / index.mean >= 9,
);
row('heap that the index says, and has', index.claimed.toFixed(2), index.bytes.toFixed(2), '-', true);

const stop = interleaved(['map-pause', 'index-pause'], rounds);
const ms = (value) => `${value.toFixed(3)} ms`;
row(
  'growth pause, 99 of 100',
  ms(of(stop['index-pause'], 'p99')),
  ms(of(stop['map-pause'], 'max')),
  '0.25 ms',
  of(stop['index-pause'], 'p99') <= 0.25,
);
row(
  'growth pause, longest',
  ms(of(stop['index-pause'], 'max')),
  ms(of(stop['map-pause'], 'max')),
  '1 ms',
  of(stop['index-pause'], 'max') <= 1,
);

const rate = run('index-rate');
const off = rate.measured / rate.expected;
row(
  'false candidates, measured / formula',
  rate.measured.toExponential(2),
  `${off.toFixed(3)} of ${rate.answered}`,
  '0.9 to 1.1',
  Math.abs(off - 1) <= 0.1,
);

for (const [epsilon, each] of Object.entries(run('public'))) {
  const close = each.measured / each.expected;
  row(
    `Maplet, rate at ${epsilon}`,
    each.measured.toExponential(2),
    `${close.toFixed(3)} of ${each.answered}`,
    '0.9 to 1.1',
    Math.abs(close - 1) <= 0.1,
  );
  const target = epsilon === '0.01' ? '25 %' : '-';
  const full = `${(each.load * 100).toFixed(1)} % full`;
  row(
    `Maplet, bits a key at ${epsilon}, 8-bit values`,
    each.bitsPerKey.toFixed(2),
    `+${(each.above * 100).toFixed(1)} %, ${full}`,
    target,
    target === '-' || each.above <= 0.25,
  );
}

const shared = interleaved(['shared-idle', 'shared-busy'], rounds);
for (const [task, target] of [
  ['shared-idle', 20],
  ['shared-busy', 15],
]) {
  const rateOf = median(shared[task].map((each) => each.perSecond / 1e6));
  row(
    `"certainly absent", ${task.slice(7)}`,
    `${rateOf.toFixed(1)} M/s`,
    `${shared[task].reduce((sum, each) => sum + each.wrong, 0)} false`,
    `${target} M/s`,
    rateOf >= target,
  );
}

console.log(`${keys} keys of 20 characters, medians of ${rounds}, Node ${process.versions.node}`);
console.table(rows);
