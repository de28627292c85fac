/**
 * The engine benchmark: a store of a million keys in Chromium.
 *
 *    npm run bench -- engine [--keys 1000000] [--rounds 3] [--churn 200]
 *
 * Filling, bytes on disk and in the worker's memory a key, opening (with an image and
 * without), snapshots, a prefix scan, and a steady load under which the log is compacted.
 * The figures go to bench/results/engine.json.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { launchProfile } from '../../scripts/browser.mjs';
import { CONTENT_SECURITY_POLICY, serve } from '../../scripts/serve.mjs';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    churn: { type: 'string', default: '200' },
  },
});
const keys = Number(values.keys);
const rounds = Number(values.rounds);
const root = join(import.meta.dirname, '../..');
const options = { persistence: 'hybrid', cache: { maxBytes: 2 ** 20 } };

await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), logLevel: 'warn' });
const server = await serve(join(root, '.bench'), {
  headers: {
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
  },
});
const profile = mkdtempSync(join(tmpdir(), 'rootcellar-bench-'));
const context = await launchProfile(profile, {
  args: ['--enable-blink-features=ForceEagerMeasureMemory', '--enable-precise-memory-info'],
});
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const rows = [];
const row = (what, figure, target = '') => {
  rows.push({ what, figure, target });
  process.stderr.write(`${what}: ${figure}\n`);
};

async function tab() {
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  await page.goto(server.url);
  await page.waitForFunction(() => document.title === 'ready');
  return (name, ...args) =>
    page
      .evaluate(([name, args]) => window.steps[name](...args), [name, args])
      .finally(() => {
        if (name === 'close' || name === 'destroy') return page.close();
      });
}

try {
  let step = await tab();
  const filled = await step('fill', keys, options);
  row(
    `setMany by 10,000, ${keys} keys of 20 and values of 100 characters`,
    `${Math.round(keys / filled.seconds)}/s`,
  );
  row('bytes a record on disk, keys twice and values', filled.bytesAKey.toFixed(1));
  row('bytes of memory a key, by the store itself', filled.claimedAKey.toFixed(1), '24 beyond the cache');
  const { bytes } = await step('memory');
  row(
    'bytes of memory a key, the whole worker by Chromium',
    (bytes / keys).toFixed(1),
    '24 beyond the cache',
  );
  const { scan, get, keys: found } = await step('prefix', 41);
  row(
    `${Math.round(found)} keys by prefix, there and back`,
    `${scan.toFixed(1)} ms (a get: ${get.toFixed(2)} ms)`,
    '5 ms in the worker',
  );
  const { us } = await step('snapshots');
  row('a snapshot, of a thousand asked for in one message', `${us.toFixed(1)} µs`, '25 µs in the engine');
  await step('close');
  const opened = [];
  for (let round = 0; round < rounds; round++) {
    step = await tab();
    opened.push((await step('reopen', (round * 7919) % keys, options)).ms);
    await step('close');
  }
  row(
    `from open to the first get, after a clean close, median of ${rounds}`,
    `${median(opened).toFixed(0)} ms`,
    '150 ms',
  );
  const rebuilt = [];
  for (let round = 0; round < rounds; round++) {
    step = await tab();
    const { dropped } = await step('dropImages');
    if (dropped === 0) throw new Error('there was no image to drop');
    rebuilt.push((await step('reopen', (round * 104_729) % keys, options)).ms);
    // A clean close leaves an image for the next round to drop.
    await step('close');
  }
  row(
    `the same without an image: all of the log is read, median of ${rounds}`,
    `${median(rebuilt).toFixed(0)} ms`,
    '1,500 ms',
  );
  step = await tab();
  await step('reopen', 1, options);
  await step('destroy');

  step = await tab();
  const few = Math.min(keys, 200_000);
  await step('fill', few, options);
  const churn = await step('churn', few, Number(values.churn));
  const ms = (value) => `${value.toFixed(2)} ms`;
  row(
    `a get while ${values.churn} MB are overwritten and compacted, median / p99 / p99.9 / most`,
    `${ms(churn.median)} / ${ms(churn.p99)} / ${ms(churn.p999)} / ${ms(churn.most)} of ${churn.gets}`,
    'stall of 10 ms at p99.9',
  );
  row(
    'largest log over what is left after compaction',
    (churn.largest / churn.after).toFixed(2),
    '2, and 3 extents',
  );
  await step('destroy');
} finally {
  await context.close();
  await server.close();
  rmSync(profile, { recursive: true, force: true });
}
const machine = `${cpus().length} cores of ${cpus()[0].model}`;
writeFileSync(
  join(root, 'bench/results/engine.json'),
  `${JSON.stringify({ keys, rounds, churnMegabytes: Number(values.churn), machine, load: loadavg()[0], rows }, null, 2)}\n`,
);
console.log(`\n${cpus().length} cores of ${cpus()[0].model}; load ${loadavg()[0].toFixed(2)} at the end`);
console.table(rows);
