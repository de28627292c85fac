/**
 * A tab of a driven browser. The page in it asks `POST /orders/<tab>` for what to do, and
 * the question carries the answer to the order before; the test's functions reach it as
 * modules, `GET /orders/<tab>/<n>.js`, so that they run under any policy that allows the
 * page itself. A question that breaks off means that the tab is gone.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export type Order =
  | { readonly script: string }
  | { readonly open: string }
  | { readonly reload: true }
  | { readonly close: true };

export interface Answer {
  readonly value?: unknown;
  readonly thrown?: { readonly name: string; readonly message: string; readonly stack: string };
  /** The page has just been loaded. */
  readonly ready?: true;
  /** The page is about to close its tab. */
  readonly leaving?: true;
  /** What went wrong on the page, in nobody's call. */
  readonly errors?: readonly string[];
}

/** A request to give, and what waits for the answer to it. */
interface Task {
  readonly order: Order;
  readonly until: 'answer' | 'ready' | 'gone';
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Longer than anything a test asks of a page; shorter than the patience of a test. */
const PATIENCE_MS = 50_000;

export class Tab {
  /** What went wrong on the page, in nobody's call. */
  readonly errors: string[] = [];
  readonly #tasks: Task[] = [];
  /** Given and not answered. */
  #current: Task | undefined;
  /** The question that waits for an order. */
  #question: ServerResponse | undefined;
  readonly #scripts: string[] = [];
  readonly #ready: Promise<unknown>;
  #dead: Error | undefined;

  constructor(private readonly path: string) {
    // As if the order to load had been given.
    this.#ready = new Promise((resolve, reject) => {
      this.#current = { order: { reload: true }, until: 'ready', resolve, reject };
    });
    this.#ready.catch(() => {});
  }

  /** Resolves when the page is there for the first time. */
  async loaded(): Promise<this> {
    await this.#ready;
    return this;
  }

  /** Runs `work` on the page. It sees `arg` and the page's globals and nothing else; both ways go by JSON, and `undefined`. */
  evaluate<T>(work: () => T): Promise<Awaited<T>>;
  evaluate<T, A>(work: (arg: A) => T, arg: A): Promise<Awaited<T>>;
  async evaluate(work: (arg: never) => unknown, arg?: unknown): Promise<unknown> {
    const given = arg === undefined ? '' : JSON.stringify(arg);
    const n = this.#scripts.push(`export const run = () => (${work})(${given});`) - 1;
    return revive(await this.#give({ script: `${this.path}/${n}.js` }, 'answer'));
  }

  async reload(): Promise<void> {
    await this.#give({ reload: true }, 'ready');
  }

  /** Opens another address in a tab of its own. */
  async open(url: string): Promise<void> {
    await this.#give({ open: url }, 'answer');
  }

  async close(): Promise<void> {
    await this.#give({ close: true }, 'gone');
    this.die(new Error('the tab was closed'));
  }

  /** Nothing that is asked of it is answered any more. */
  die(error: Error): void {
    this.#dead = error;
    const left = [...(this.#current ? [this.#current] : []), ...this.#tasks.splice(0)];
    this.#current = undefined;
    for (const { reject } of left) reject(error);
  }

  #give(order: Order, until: Task['until']): Promise<unknown> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      const asked = 'script' in order ? this.#scripts.at(-1) : JSON.stringify(order);
      const timer = setTimeout(
        () => this.die(new Error(`no answer within ${PATIENCE_MS} ms to ${asked}`)),
        PATIENCE_MS,
      );
      const settled = <T>(settle: (value: T) => void) => {
        return (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      };
      this.#tasks.push({ order, until, resolve: settled(resolve), reject: settled(reject) });
      this.#next();
    });
  }

  #next(): void {
    if (this.#current || !this.#question || this.#tasks.length === 0) return;
    this.#current = this.#tasks.shift()!;
    this.#question.end(JSON.stringify(this.#current.order));
    this.#question = undefined;
  }

  /** A request for this tab; `rest` of its path. */
  async take(rest: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'no-store' });
      response.end(this.#scripts[Number.parseInt(rest, 10)]);
      return;
    }
    const answer: Answer = JSON.parse(await text(request));
    this.errors.push(...(answer.errors ?? []));
    const { until, resolve, reject } = this.#current ?? {};
    if (answer.leaving) {
      response.on('close', () => resolve?.(undefined));
      response.write(' ');
    } else if (answer.thrown) reject?.(Object.assign(new Error(), answer.thrown));
    else if (until === 'answer' && answer.ready)
      reject?.(new Error('the page was loaded anew in the middle of a call'));
    else resolve?.(answer.value);
    if (!answer.leaving) {
      this.#current = undefined;
      this.#question = response;
      response.on('close', () => {
        if (this.#question === response) this.die(new Error('the tab is gone'));
      });
      this.#next();
    }
  }
}

/** Puts `undefined` back where the page had it. */
function revive(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(revive);
  if ('$' in value && value.$ === 'undefined') return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revive(inner)]));
}
