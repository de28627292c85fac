/**
 * The store benchmark: rootcellar beside idb-keyval and IndexedDB by hand, in
 * Chromium, in one run. The contenders take turns, each with a new store and in
 * another order each round; medians and spread over the rounds.
 *
 *    npm run bench -- store [--rounds 5]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { launchProfile } from '../../scripts/browser.mjs';
import { serve } from '../../scripts/serve.mjs';

const root = join(import.meta.dirname, '../..');
const asked = process.argv.indexOf('--rounds');
const rounds = asked > 0 ? Number(process.argv[asked + 1]) : 5;

await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), logLevel: 'warn' });
const server = await serve(join(root, '.bench'));
const profile = mkdtempSync(join(tmpdir(), 'rootcellar-bench-'));
const context = await launchProfile(profile);
const samples = new Map();
let contenders = [];
try {
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < Math.max(1, contenders.length); turn++) {
      const page = await context.newPage();
      await page.goto(server.url);
      await page.waitForFunction(() => document.title === 'ready');
      contenders = await page.evaluate(() => window.contenders);
      const { name } = contenders[(round + turn) % contenders.length];
      const figures = await page.evaluate((one) => window.measure(one), name);
      for (const { workload, rate } of figures) {
        const key = `${workload}|${name}`;
        samples.set(key, [...(samples.get(key) ?? []), rate]);
      }
      await page.close();
      process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`);
    }
  }
} finally {
  await context.close();
  await server.close();
  rmSync(profile, { recursive: true, force: true });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const workloads = [...new Set([...samples.keys()].map((key) => key.split('|')[0]))];
const results = workloads.map((workload) => ({
  workload,
  contenders: contenders.map(({ name }) => {
    const rates = samples.get(`${workload}|${name}`);
    return { name, median: median(rates), least: Math.min(...rates), most: Math.max(...rates) };
  }),
}));

const figure = (n) => Math.round(n).toLocaleString('en-US');
const columns = [24, ...contenders.map(() => 32), 18, 18];
const row = (cells) => cells.map((cell, i) => String(cell).padEnd(columns[i])).join('');
console.log(`\n100,000 records of 100 bytes; operations a second, median of ${rounds} (least .. most)\n`);
console.log(row(['', ...contenders.map(({ name }) => name), 'x idb-keyval', 'x IndexedDB']));
for (const { workload, contenders: measured } of results) {
  const own = measured.find(({ name }) => name === 'rootcellar').median;
  const ratio = (name) => `${(own / measured.find((one) => one.name === name).median).toFixed(1)}x`;
  const cells = measured.map(
    ({ median: m, least, most }) => `${figure(m)} (${figure(least)} .. ${figure(most)})`,
  );
  console.log(row([workload, ...cells, ratio('idb-keyval'), ratio('IndexedDB')]));
}
const machine = { cpu: cpus()[0].model, cores: cpus().length, load: loadavg()[0].toFixed(2) };
console.log(`\n${machine.cores} cores of ${machine.cpu}; load ${machine.load} at the end`);
for (const { name, durability } of contenders)
  console.log(`${name}: a write that resolved survives: ${durability}`);
mkdirSync(join(root, 'bench/results'), { recursive: true });
writeFileSync(
  join(root, 'bench/results/store.json'),
  `${JSON.stringify({ rounds, machine, contenders, results }, null, 2)}\n`,
);
