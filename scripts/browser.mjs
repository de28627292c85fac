/**
 * A Chromium for the demo and the end-to-end tests, found without asking.
 *
 * Looked for in this order: the file that ROOTCELLAR_BROWSER names; Playwright's
 * own download; what the system has installed. When there is none, one is
 * installed: by Playwright, else by apt where this runs as root on Debian or a
 * relative. When that fails too, the error says what a person can do.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { chromium } from 'playwright';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'chrome',
];

/** A browser that talks to nobody but the page under test. */
export const QUIET = [
  // Chromium's sandbox refuses to run as root, which is what containers run as.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-background-networking',
  '--disable-breakpad',
  '--disable-client-side-phishing-detection',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-features=MediaRouter,OptimizationHints,Translate',
  '--disable-sync',
  '--metrics-recording-only',
  '--no-default-browser-check',
  '--no-first-run',
  '--no-pings',
];

let found;

/**
 * The path of an executable Chromium, installing one if need be. Looked for once.
 *
 * @returns {Promise<string>}
 * @throws Error that says what to do when there is none.
 */
export async function findBrowser() {
  found ??= search();
  return found;
}

/**
 * Starts a headless Chromium. `options` are Playwright's; `args` are added to ours.
 *
 * @param {import('playwright').LaunchOptions} [options]
 * @returns {Promise<import('playwright').Browser>}
 */
export async function launch(options = {}) {
  return chromium.launch(await settings(options));
}

/**
 * The same with a profile that stays on disk: what pages store there survives closing.
 *
 * @param {string} directory of the profile; made when there is none
 * @param {Parameters<typeof chromium.launchPersistentContext>[1]} [options]
 * @returns {Promise<import('playwright').BrowserContext>}
 */
export async function launchProfile(directory, options = {}) {
  return chromium.launchPersistentContext(directory, await settings(options));
}

async function settings(options) {
  const executablePath = await findBrowser();
  return { headless: true, executablePath, ...options, args: [...QUIET, ...(options.args ?? [])] };
}

async function search() {
  const asked = process.env.ROOTCELLAR_BROWSER;
  if (asked) {
    if (isExecutable(asked)) return asked;
    throw new Error(`ROOTCELLAR_BROWSER names ${asked}, which is not an executable file.`);
  }
  return ownOfPlaywright() ?? ofTheSystem() ?? install();
}

function ownOfPlaywright() {
  const path = chromium.executablePath();
  return path && existsSync(path) ? path : undefined;
}

function ofTheSystem() {
  return places().find(
    // Some systems carry a stub of that name that only says how to install it: ask for its version.
    (path) => isExecutable(path) && (process.platform !== 'linux' || run(path, ['--version']).status === 0),
  );
}

function places() {
  if (process.platform === 'darwin') {
    const apps = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
    return apps.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  }
  if (process.platform === 'win32') {
    const roots = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => process.env[name]);
    const below = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
    return roots.filter(Boolean).flatMap((root) => below.map((path) => join(root, path)));
  }
  const directories = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/snap/bin',
  ];
  return NAMES.flatMap((name) => directories.filter(Boolean).map((directory) => join(directory, name)));
}

function install() {
  console.log('No Chromium found: installing one (once).');
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js');
  const byPlaywright = run(process.execPath, [cli, 'install', 'chromium'], 600_000);
  const own = ownOfPlaywright();
  if (own && byPlaywright.status === 0) return own;

  let byApt;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update'], 300_000, environment);
    byApt = run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], 600_000, environment);
    const path = ofTheSystem();
    if (path) return path;
  }
  throw new Error(
    [
      'No Chromium was found, and none could be installed.',
      'Do one of these, then run the command again:',
      '  npx playwright install --with-deps chromium',
      '  install Chromium or Chrome by the means of your system (Debian: apt-get install chromium)',
      '  set ROOTCELLAR_BROWSER to the path of a Chromium, Chrome or Edge',
      `Playwright said: ${verdict(byPlaywright)}`,
      ...(byApt ? [`apt-get said: ${verdict(byApt)}`] : []),
    ].join('\n'),
  );
}

function run(command, args, timeout = 15_000, env = process.env) {
  return spawnSync(command, args, { encoding: 'utf8', timeout, env });
}

/** The line of its output that tells most: the first that speaks of an error, else the last. */
function verdict({ stdout, stderr, error }) {
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n').map((line) => line.trim());
  const said = lines.filter(Boolean);
  return error?.message ?? said.find((line) => /^(e:|error|failed)/i.test(line)) ?? said.at(-1) ?? 'nothing';
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
