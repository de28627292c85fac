/** A real browser with a profile of its own, and the page under test in its tabs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright';
import { launchProfile } from '../scripts/browser.mjs';
import { serve } from '../scripts/serve.mjs';

const PAGES = join(import.meta.dirname, '../.e2e');

export class TestBrowser {
  #profile = mkdtempSync(join(tmpdir(), 'rootcellar-e2e-'));
  #server: Awaited<ReturnType<typeof serve>> | undefined;
  context!: BrowserContext;

  async start(headers: Record<string, string> = {}): Promise<void> {
    this.#server = await serve(PAGES, { headers });
    this.context = await launchProfile(this.#profile);
  }

  /** Closes the browser and starts it again on the same profile. */
  async restart(): Promise<void> {
    await this.context.close();
    this.context = await launchProfile(this.#profile);
  }

  /** Kills the browser in the middle of whatever it does, and starts it again on the same profile. */
  async kill(): Promise<void> {
    spawnSync('pkill', ['-9', '-f', `user-data-dir=${this.#profile}`]);
    await this.context.close().catch(() => {});
    this.context = await launchProfile(this.#profile);
  }

  /** A new tab. What the page logs as an error fails the test that looks at `errors`. */
  async tab(): Promise<{ page: Page; errors: string[] }> {
    const page = await this.context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      const ours = !message.location().url.endsWith('/favicon.ico');
      if (ours && message.type() === 'error') errors.push(message.text());
    });
    await this.show(page);
    return { page, errors };
  }

  /** Loads the page under test, or loads it again. */
  async show(page: Page): Promise<void> {
    await page.goto(this.#server!.url);
    await page.waitForFunction(() => document.title === 'ready');
  }

  async stop(): Promise<void> {
    await this.context?.close();
    await this.#server?.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
