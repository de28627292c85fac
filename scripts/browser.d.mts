/** Types of `browser.mjs`. */
import type { Browser, BrowserContext, LaunchOptions } from 'playwright';

export const QUIET: readonly string[];
export function findBrowser(): Promise<string>;
export function launch(options?: LaunchOptions): Promise<Browser>;
export function launchProfile(directory: string, options?: LaunchOptions): Promise<BrowserContext>;
