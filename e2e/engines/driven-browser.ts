/**
 * A browser of any engine on a profile of its own, the page under test in its tabs, and
 * nothing else known of it than that: it can be killed, and started again on what is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '../../scripts/serve.mjs';
import type { Engine } from './engine.js';
import { Tab } from './tab.js';

const PAGES = join(import.meta.dirname, '../../.e2e');
/** What Chromium leaves of itself when it is killed. */
const SINGLETONS = ['SingletonLock', 'SingletonCookie', 'SingletonSocket'];
const POLL_MS = 20;

export class DrivenBrowser {
  #server: Awaited<ReturnType<typeof serve>> | undefined;
  #process: ChildProcess | undefined;
  readonly #tabs = new Map<string, Tab>();
  #tabsMade = 0;
  /** Opens the others and does nothing else. */
  #first: Tab | undefined;
  readonly #temporary: string | undefined;
  readonly profile: string;
  /** Told what a page reports by itself (`POST /reports/<anything>`). */
  onReport: (report: unknown) => void = () => {};

  /** Without `profile` it is a new one, which goes with the browser. */
  constructor(
    readonly engine: Engine,
    profile?: string,
  ) {
    if (!profile) this.#temporary = mkdtempSync(join(tmpdir(), 'rootcellar-e2e-'));
    this.profile = profile ?? join(this.#temporary!, 'profile');
  }

  /** Starts the server, which stays: what pages store belongs to its port. Then the browser. */
  async start(headers: Record<string, string> = {}, port = 0): Promise<void> {
    this.#server = await serve(PAGES, { headers, port, first: (...exchange) => this.#take(...exchange) });
    await this.launch();
  }

  get port(): number {
    return this.#server!.port;
  }

  async launch(): Promise<void> {
    for (const name of SINGLETONS) rmSync(join(this.profile, name), { force: true });
    const [first, url] = this.#newTab();
    const { file, args, env } = this.engine.command(this.profile, url);
    // Its own group of processes, so that all of them can be killed at once.
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#process = child;
    let said = '';
    child.stderr!.on('data', (piece) => {
      said = (said + piece).slice(-4000);
    });
    child.on('exit', (code) => first.die(new Error(`${this.engine.name} ended with ${code}:\n${said}`)));
    this.#first = await first.loaded();
  }

  /** A new tab with the page under test. */
  async tab(): Promise<{ page: Tab; errors: string[] }> {
    const [page, url] = this.#newTab();
    await this.#first!.open(url);
    await page.loaded();
    return { page, errors: page.errors };
  }

  /** Loads the page under test again. */
  show(page: Tab): Promise<void> {
    return page.reload();
  }

  /** Ends all processes of the browser in the middle of whatever they do. Resolves when the last is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child?.pid) return;
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    for (const tab of this.#tabs.values()) tab.die(new Error('the browser was killed'));
    this.#tabs.clear();
    await gone;
    while (isAlive(child.pid)) await delay(POLL_MS);
  }

  /** Kills it and starts it again on the same profile. */
  async restart(): Promise<void> {
    await this.kill();
    await this.launch();
  }

  async stop(): Promise<void> {
    await this.kill();
    await this.#server?.close();
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true, maxRetries: 5 });
  }

  #newTab(): [Tab, string] {
    this.#tabsMade += 1;
    const name = String(this.#tabsMade);
    const tab = new Tab(`/orders/${name}`);
    this.#tabs.set(name, tab);
    return [tab, `${this.#server!.url}?tab=${name}`];
  }

  #take(request: IncomingMessage, response: ServerResponse): boolean {
    const [, kind, name = '', rest = ''] = (request.url ?? '').split('/');
    if (kind === 'reports') {
      text(request).then(
        (body) => {
          this.onReport(JSON.parse(body));
          response.end();
        },
        () => response.destroy(),
      );
      return true;
    }
    if (kind !== 'orders') return false;
    const tab = this.#tabs.get(name);
    if (!tab) response.writeHead(410).end();
    else tab.take(rest, request, response).catch(() => response.destroy());
    return true;
  }
}

/** Whether any process of the group lives; those that ended and that nobody asked after do not count. */
function isAlive(group: number): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      // pid (name) state parent group ...; a name may hold anything but its own end.
      const [state, , of] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
      return Number(of) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}
