/**
 * What keeping every byte once saves and costs, as a table.
 *
 *     npm run bench -- dedup [--rounds 5] [--quick]
 *
 * 1. Ten published versions of jquery's bundle, stored one after another: bytes kept of
 *    bytes put, beside gzip of each and a tar.gz of all; MB of values put a second.
 * 2. MDN's browser-compat data set, a record a key: what equal values save.
 * 3. Values of 100 bytes, all distinct: what those pay who gain nothing.
 *
 * The engine in this process, over files in memory; times are CPU time, medians over the
 * rounds, modes in turn. Kept in bench/results/dedup.json, but for `--quick`: one round, a
 * tenth of the records.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { readDataSet, records } from '../demo/data.mjs';
import { resolveOptions } from '../dist/contract/options.js';
import { Engine } from '../dist/engine/index.js';
import { FileLog, MemoryFile } from '../dist/storage/log/index.js';

const { values: args } = parseArgs({
  options: { rounds: { type: 'string' }, quick: { type: 'boolean', default: false } },
});
const rounds = Number(args.rounds ?? (args.quick ? 1 : 5));
const root = join(import.meta.dirname, '..');

const VERSIONS = ['3.4.1', '3.5.0', '3.5.1', '3.6.0', '3.6.1', '3.6.2', '3.6.3', '3.6.4', '3.7.0', '3.7.1'];
const MODES = ['off', 'exact', 'chunked', 'near'];
const BATCH = 1000;

async function open(mode) {
  const log = new FileLog(new MemoryFile(), {
    backend: 'bench',
    generation: 1,
    written: 'os',
    flushed: () => 'durable',
  });
  return Engine.open({
    mode: 'hybrid',
    settings: resolveOptions({ dedup: { mode }, ttl: { sweepInterval: Infinity } }),
    log,
    secret: Uint8Array.from({ length: 16 }, (_, i) => i * 11),
    now: Date.now,
    after: (ms, task) => {
      const timer = setTimeout(task, ms);
      timer.unref();
      return () => clearTimeout(timer);
    },
  });
}

function cpuMs(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Puts entries in a new store, some at a time; its figures and the time it took. */
async function fill(mode, entries, together) {
  const engine = await open(mode);
  globalThis.gc?.();
  const start = process.cpuUsage();
  for (let at = 0; at < entries.length; at += together) {
    if (together === 1) await engine.set(...entries[at]);
    else await engine.setMany(entries.slice(at, at + together));
  }
  const ms = cpuMs(start);
  const { logicalBytes, totalBytes, storedBytes, totalObjects } = await engine.health();
  for (const [key, value] of [entries[0], entries.at(-1)]) {
    if (JSON.stringify(await engine.get(key)) !== JSON.stringify(value))
      throw new Error(`${mode}: ${key} differs`);
  }
  await engine.close({ image: false });
  return { ms, logicalBytes, totalBytes, storedBytes, totalObjects };
}

/** Modes in turn, so that what slows the machine slows all. */
async function compare(entries, modes, together) {
  const runs = new Map(modes.map((mode) => [mode, []]));
  for (let round = 0; round < rounds; round++) {
    for (const mode of modes) runs.get(mode).push(await fill(mode, entries, together));
  }
  return modes.map((mode) => {
    const all = runs.get(mode);
    const ms = median(all.map((run) => run.ms));
    return { mode, ...all[0], ms, mbPerSecond: all[0].logicalBytes / 1e3 / ms };
  });
}

function show(title, rows) {
  console.log(`\n${title}`);
  console.table(rows);
}

const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;

// 1. Versions of one bundle
const files = VERSIONS.map((version) => join(root, `node_modules/jquery-${version}/dist/jquery.js`));
const bundles = files.map((file, i) => [`jquery@${VERSIONS[i]}`, readFileSync(file, 'utf8')]);
const put = bundles.reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
const gzipEach = bundles.reduce((sum, [, text]) => sum + gzipSync(text, { level: 9 }).length, 0);
const tar = spawnSync('tar', ['-czf', '-', '-C', root, ...files.map((file) => file.slice(root.length + 1))], {
  maxBuffer: 2 ** 28,
});
if (tar.status !== 0) throw new Error(`tar: ${tar.stderr}`);
const versions = await compare(bundles, MODES, 1);
show(`ten versions of jquery.js, ${put} bytes in all`, [
  ...versions.map(({ mode, totalBytes, storedBytes, mbPerSecond }) => ({
    kept: mode,
    bytes: totalBytes,
    'of what was put': percent(totalBytes, put),
    log: storedBytes,
    'MB/s': mbPerSecond.toFixed(1),
  })),
  { kept: 'gzip of each', bytes: gzipEach, 'of what was put': percent(gzipEach, put) },
  { kept: 'tar.gz of all', bytes: tar.stdout.length, 'of what was put': percent(tar.stdout.length, put) },
]);

// 2. Equal values
const all = [...records(readDataSet())];
const compat = await compare(args.quick ? all.slice(0, all.length / 10) : all, ['off', 'exact'], BATCH);
show(
  `browser-compat data set, ${compat[0].totalObjects} records`,
  compat.map(({ mode, totalBytes, logicalBytes, storedBytes, totalObjects, mbPerSecond }) => ({
    mode,
    'distinct values': totalObjects,
    'keys a value': (compat[0].totalObjects / totalObjects).toFixed(1),
    bytes: totalBytes,
    'times fewer': (logicalBytes / totalBytes).toFixed(1),
    log: storedBytes,
    'MB/s': mbPerSecond.toFixed(1),
  })),
);

// 3. Small values that are all distinct
const count = args.quick ? 5000 : 50_000;
const small = Array.from({ length: count }, (_, i) => {
  const digits = String(Math.imul(i + 1, 0x9e3779b1) >>> 0);
  return [`key-${i}`, digits.repeat(12).slice(0, 100)];
});
const pays = await compare(small, MODES, BATCH);
show(
  `${count} distinct values of 100 bytes`,
  pays.map(({ mode, ms, storedBytes }) => ({
    mode,
    'µs a set': ((1000 * ms) / count).toFixed(2),
    'bytes of the log a key': (storedBytes / count).toFixed(1),
  })),
);

if (!args.quick) {
  const results = {
    node: process.version,
    rounds,
    put,
    gzipEach,
    tarGz: tar.stdout.length,
    versions,
    compat,
    small: { count, modes: pays },
  };
  writeFileSync(join(root, 'bench/results/dedup.json'), `${JSON.stringify(results, null, 2)}\n`);
}
