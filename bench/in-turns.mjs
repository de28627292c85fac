/**
 * Contenders that take turns in one Chromium, in another order each round, each time on a
 * page of its own; medians and spread over the rounds. The page offers
 * `window.contenders`, with names, and `window.measure(name)`, which gives
 * `{ workload, rate }` for each workload.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { launchProfile } from '../scripts/browser.mjs';
import { serve } from '../scripts/serve.mjs';

const root = join(import.meta.dirname, '..');

/** What `--rounds` says, or `otherwise`. */
export function roundsAsked(otherwise) {
  const asked = process.argv.indexOf('--rounds');
  return asked > 0 ? Number(process.argv[asked + 1]) : otherwise;
}

/**
 * `directory` holds the page and its `vite.config.ts`; `headers` are the server's;
 * `prepare` is given a page before the first round.
 */
export async function measureInTurns({ directory, rounds, headers = {}, prepare = async () => {} }) {
  await build({ configFile: join(directory, 'vite.config.ts'), logLevel: 'warn' });
  const server = await serve(join(root, '.bench'), { headers });
  const profile = mkdtempSync(join(tmpdir(), 'rootcellar-bench-'));
  const context = await launchProfile(profile);
  const onPage = async (use) => {
    const page = await context.newPage();
    await page.goto(server.url);
    await page.waitForFunction(() => document.title === 'ready');
    const result = await use(page);
    await page.close();
    return result;
  };
  const samples = new Map();
  try {
    const contenders = await onPage(async (page) => {
      await prepare(page);
      return page.evaluate(() => window.contenders);
    });
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < contenders.length; turn++) {
        const { name } = contenders[(round + turn) % contenders.length];
        const figures = await onPage((page) => page.evaluate((one) => window.measure(one), name));
        for (const { workload, rate } of figures) {
          const key = `${workload}|${name}`;
          samples.set(key, [...(samples.get(key) ?? []), rate]);
        }
        process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`);
      }
    }
    return { rounds, machine: machine(), contenders, results: summary(contenders, samples) };
  } finally {
    await context.close();
    await server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

function machine() {
  return { cpu: cpus()[0].model, cores: cpus().length, load: loadavg()[0].toFixed(2) };
}

function summary(contenders, samples) {
  const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const workloads = [...new Set([...samples.keys()].map((key) => key.split('|')[0]))];
  return workloads.map((workload) => ({
    workload,
    contenders: contenders.map(({ name }) => {
      const rates = samples.get(`${workload}|${name}`);
      return { name, median: median(rates), least: Math.min(...rates), most: Math.max(...rates) };
    }),
  }));
}

/** Prints the table, with how often the first contender's rate is that of each other, and leaves it as JSON. */
export function report(title, file, measured) {
  const { contenders, results, machine, rounds } = measured;
  const [own, ...others] = contenders.map(({ name }) => name);
  const figure = (n) => Math.round(n).toLocaleString('en-US');
  const widths = [24, ...contenders.map(() => 32), ...others.map(() => 20)];
  const row = (cells) => cells.map((cell, i) => String(cell).padEnd(widths[i])).join('');
  console.log(`\n${title}; operations a second, median of ${rounds} (least .. most)\n`);
  console.log(row(['', own, ...others, ...others.map((name) => `x ${name}`)]));
  for (const { workload, contenders: rates } of results) {
    const [mine, ...theirs] = rates.map(({ median }) => median);
    const cells = rates.map(
      ({ median, least, most }) => `${figure(median)} (${figure(least)} .. ${figure(most)})`,
    );
    console.log(row([workload, ...cells, ...theirs.map((rate) => `${(mine / rate).toFixed(1)}x`)]));
  }
  console.log(`\n${machine.cores} cores of ${machine.cpu}; load ${machine.load} at the end`);
  for (const { name, durability } of contenders) {
    console.log(`${name}: a write that resolved survives: ${durability}`);
  }
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), `${JSON.stringify(measured, null, 2)}\n`);
}
