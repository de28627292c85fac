/** `npm run bench -- <name>`: builds the package and runs a benchmark; without a name, all but the longest. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const BENCHMARKS = {
  store: 'bench/store/run.mjs',
  maplet: 'bench/maplet.mjs',
  hamt: 'bench/hamt.mjs',
  engine: 'bench/engine/run.mjs',
  eviction: 'bench/eviction/run.mjs',
  expiry: 'bench/expiry.mjs',
  strict: 'bench/strict/run.mjs',
  sealed: 'bench/sealed.mjs',
  dedup: 'bench/dedup.mjs',
};
/** Run by name only. */
const LONG = { 'maplet-long': 'bench/maplet-long.mjs' };
const ALL = { ...BENCHMARKS, ...LONG };

const [asked, ...rest] = process.argv.slice(2).filter((arg) => arg !== '--built');
if (asked !== undefined && !(asked in ALL)) {
  throw new Error(`there is no benchmark ${asked}: expected one of ${Object.keys(ALL).join(', ')}`);
}
if (!process.argv.includes('--built')) await import('./build.mjs');
for (const name of asked ? [asked] : Object.keys(BENCHMARKS)) {
  const script = join(root, ALL[name]);
  if (!existsSync(script)) throw new Error(`${ALL[name]} is missing`);
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', script, ...rest], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
