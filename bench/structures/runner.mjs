/**
 * Where the benchmarks of the structures run: each task in a Node process of its own, or
 * in a Chromium of its own. Tasks take turns, so that a busy minute of the machine
 * strikes all alike.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { launch } from '../../scripts/browser.mjs';
import { serve } from '../../scripts/serve.mjs';

const here = import.meta.dirname;

/**
 * A place to run tasks: `run(benchmark, task, options)` gives what the task measured, `name`
 * says what it is, once something ran. `keys` decides on the memory that Node is allowed.
 *
 * @param {{ browser: boolean, keys: number }} options
 */
export function openRunner({ browser, keys }) {
  return browser ? inChromium() : inNode(keys);
}

function inNode(keys) {
  // A Map of 10 million strings with the lists looked up takes 2.1 GB; persistent maps take more.
  const megabytes = Math.max(6000, Math.ceil(keys / 1e6) * 1000);
  const flags = ['--expose-gc', '--single-threaded-gc', `--max-old-space-size=${megabytes}`];
  return {
    name: `Node ${process.versions.node}`,
    async run(benchmark, task, options) {
      const argv = [...flags, join(here, 'node-task.mjs'), benchmark, task, JSON.stringify(options)];
      const { stdout } = await promisify(execFile)(process.execPath, argv);
      return JSON.parse(stdout);
    },
    close: async () => {},
  };
}

async function inChromium() {
  const directory = mkdtempSync(join(tmpdir(), 'rootcellar-bench-'));
  const immutable = dirname(createRequire(import.meta.url).resolve('immutable'));
  cpSync(resolve(process.env.ROOTCELLAR_DIST ?? join(here, '../../dist')), join(directory, 'dist'), {
    recursive: true,
  });
  cpSync(here, join(directory, 'structures'), { recursive: true });
  cpSync(join(immutable, 'immutable.es.js'), join(directory, 'immutable.es.js'));
  // Isolated pages have a clock of 5 µs instead of 100, and SharedArrayBuffer.
  const server = await serve(directory, {
    headers: {
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    },
  });
  const args = ['--js-flags=--expose-gc --single-threaded-gc', '--enable-precise-memory-info'];
  const runner = {
    name: 'Chromium',
    async run(benchmark, task, options) {
      const chromium = await launch({ args });
      try {
        runner.name = `Chromium ${chromium.version()}`;
        const page = await chromium.newPage();
        page.on('pageerror', (error) => console.error(error));
        await page.goto(`${server.url}structures/page.html`);
        await page.waitForFunction(() => document.title === 'ready');
        return await page.evaluate((asked) => window.measure(asked), { benchmark, task, options });
      } finally {
        await chromium.close();
      }
    },
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return runner;
}

/** Runs every task once a round, one after the other, and gives the results of each. */
export async function interleaved(runner, benchmark, tasks, options, rounds) {
  const results = Object.fromEntries(tasks.map((task) => [task, []]));
  for (let round = 0; round < rounds; round++) {
    for (const task of tasks) results[task].push(await runner.run(benchmark, task, options));
  }
  return results;
}

/** The median of `field` over the results that have it; undefined when none has. */
export function medianOf(results, field) {
  const values = results.map((result) => result[field]).filter((value) => value !== undefined);
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** Keeps a result as bench/results/<name>.json, with what it was measured on. */
export function keep(name, result) {
  const machine = { cpu: cpus()[0].model, cores: cpus().length, load: loadavg()[0].toFixed(2) };
  const directory = join(here, '../results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify({ machine, ...result }, null, 2)}\n`);
  console.log(`bench/results/${name}.json`);
}
