/**
 * Builds the package and the demo, then shows it.
 *
 *    npm run demo                            serves it, and opens a browser where there is a display
 *    npm run demo -- --headless              does its main job in Chromium, checks it, leaves screenshots
 *    npm run demo -- --headless --persistence disk      the same for one way to store
 *
 * With `--headless` the exit code is not 0 when any figure or look-up was wrong.
 */
import { execFileSync, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { runHeadless } from '../demo/headless.mjs';
import { serve } from './serve.mjs';

/** What the page stores belongs to this port; another run finds it again. */
const PORT = 4747;

const { values: options } = parseArgs({
  options: { headless: { type: 'boolean', default: false }, persistence: { type: 'string' } },
});
const root = fileURLToPath(new URL('..', import.meta.url));

execFileSync('npm', ['run', 'build', '--silent'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
await build({ configFile: `${root}demo/vite.config.ts`, logLevel: 'warn', clearScreen: false });

if (options.headless) {
  const server = await serve(`${root}.demo`);
  const wrong = await runHeadless(server, {
    persistence: options.persistence,
    screenshots: `${root}.demo/screenshots`,
    print: console.log,
  }).catch((error) => [error.message]);
  for (const line of wrong) console.error(`Wrong:     ${line}`);
  console.log(wrong.length === 0 ? 'All figures and look-ups are right.' : `Wrong: ${wrong.length}.`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} else {
  const { url } = await serve(`${root}.demo`, { port: PORT });
  const address = options.persistence ? `${url}?persistence=${options.persistence}` : url;
  console.log(`The demo is at ${address}\nCtrl+C ends it.`);
  openBrowser(address);
}

/** Opens the address where a person would see it; that it is printed is enough when this fails. */
function openBrowser(address) {
  const { platform, env } = process;
  if (platform === 'darwin') start('open', [address]);
  else if (platform === 'win32') start('cmd', ['/c', 'start', '', address]);
  else if (env.DISPLAY || env.WAYLAND_DISPLAY) start('xdg-open', [address]);
}

function start(command, args) {
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
