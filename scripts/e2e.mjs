/** Builds the package and the pages under test, and runs the end-to-end tests in Chromium. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'vite';
import { findBrowser } from './browser.mjs';

const root = join(import.meta.dirname, '..');
if (!process.argv.includes('--built')) await import('./build.mjs');
await build({ configFile: join(root, 'e2e/pages/vite.config.ts'), logLevel: 'warn' });
console.log(`End-to-end tests run in ${await findBrowser()}`);
const rest = process.argv.slice(2).filter((arg) => arg !== '--built');
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', '--config', 'e2e/vitest.config.ts', ...rest], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
