/**
 * The engines that tests drive, each as a plain process: a browser is started on a
 * profile and an address, and all else goes through the page (`tab.ts`). So each can be
 * killed without anything being told, and none needs a driver of its own.
 *
 * Chromium is found or installed by `scripts/browser.mjs`. Firefox and WebKitGTK are
 * used where they are found; those that `ROOTCELLAR_ENGINES` names have to be there.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findBrowser, QUIET } from '../../scripts/browser.mjs';

export interface Engine {
  readonly name: 'chromium' | 'firefox' | 'webkit';
  /** Where a store can live in it. */
  readonly modes: readonly Mode[];
  /** How it is started on a profile, which is made where there is none. */
  command(profile: string, url: string): Command;
}

export type Mode = 'hybrid' | 'aof' | 'disk' | 'memory';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const EVERYWHERE: readonly Mode[] = ['memory', 'disk', 'aof', 'hybrid'];

/** Pages may open and close tabs, nothing asks, nothing is fetched, a killed session is not restored. */
const FIREFOX_PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.allow_scripts_to_close_windows': true,
  'dom.disable_open_during_load': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.startup.max_resumed_crashes': -1,
  'toolkit.telemetry.enabled': false,
};

async function chromium(): Promise<Engine> {
  const file = await findBrowser();
  return {
    name: 'chromium',
    modes: EVERYWHERE,
    command: (profile, url) => ({
      file,
      args: ['--headless=new', '--disable-popup-blocking', `--user-data-dir=${profile}`, ...QUIET, url],
    }),
  };
}

/** `preferences` are added to ours, or win over them. */
export function firefox(preferences: Readonly<Record<string, unknown>> = {}): Engine | undefined {
  const file = process.env.ROOTCELLAR_FIREFOX ?? onPath('firefox-esr', 'firefox');
  if (!file) return undefined;
  const lines = Object.entries({ ...FIREFOX_PREFERENCES, ...preferences }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  return {
    name: 'firefox',
    modes: EVERYWHERE,
    command(profile, url) {
      mkdirSync(profile, { recursive: true });
      writeFileSync(join(profile, 'user.js'), lines.join(''));
      return { file, args: ['--headless', '--no-remote', '--profile', profile, url] };
    },
  };
}

/** WebKitGTK has no synchronous access handles, though Safari does: here it stands for IndexedDB only. */
function webkit(): Engine | undefined {
  const browser = miniBrowser();
  const display = onPath('xvfb-run');
  if (!browser || !display) return undefined;
  return {
    name: 'webkit',
    modes: ['memory', 'disk'],
    command: (profile, url) => ({
      file: display,
      args: ['-a', browser, '--javascript-can-open-windows-automatically=true', url],
      env: {
        HOME: profile,
        XDG_CACHE_HOME: join(profile, 'cache'),
        XDG_CONFIG_HOME: join(profile, 'config'),
        XDG_DATA_HOME: join(profile, 'data'),
      },
    }),
  };
}

/** The engines that are here. @throws Error naming one that has to be and is not. */
export async function findEngines(): Promise<readonly Engine[]> {
  const found = [await chromium(), firefox(), webkit()].filter((engine) => engine !== undefined);
  const names: readonly string[] = found.map(({ name }) => name);
  for (const name of process.env.ROOTCELLAR_ENGINES?.split(',') ?? []) {
    if (names.includes(name)) continue;
    throw new Error(`ROOTCELLAR_ENGINES names ${name}, which is not here; found: ${names.join(', ')}`);
  }
  for (const name of ['firefox', 'webkit']) {
    if (!names.includes(name)) console.warn(`SKIPPED: all that would run in ${name}, which is not installed`);
  }
  return found;
}

/** It stands beside the library, whose folder is named after the machine and the version. */
function miniBrowser(): string | undefined {
  if (!existsSync('/usr/lib')) return undefined;
  const paths = readdirSync('/usr/lib').flatMap((machine) =>
    ['webkit2gtk-4.1', 'webkit2gtk-4.0'].map((version) => join('/usr/lib', machine, version, 'MiniBrowser')),
  );
  return paths.find(existsSync);
}

function onPath(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return paths.find(existsSync);
}
