/**
 * Builds the package and the pages under test, and runs the end-to-end tests: in
 * Chromium, and some in Firefox and WebKitGTK where they are installed.
 *
 *    npm run e2e -- [part of a file's name]
 *    npm run kills        browsers killed under load and out of room, more often than in every run
 *    npm run tabs         twenty histories of four tabs whose leader is disturbed every half second
 *    npm run power        the power cut under them, five times a scenario (Linux, root)
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'vite';
import { findBrowser } from './browser.mjs';

const root = join(import.meta.dirname, '..');
if (!process.argv.includes('--built')) await import('./build.mjs');
await build({ configFile: join(root, 'e2e/pages/vite.config.ts'), logLevel: 'warn' });
console.log(`End-to-end tests run in ${await findBrowser()}`);
const own = ['--built', '--full'];
const rest = process.argv.slice(2).filter((arg) => !own.includes(arg));
const full = process.argv.includes('--full') ? { ROOTCELLAR_FULL: '1' } : {};
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'e2e/vitest.config.ts', ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...full },
});
process.exitCode = status ?? 1;
