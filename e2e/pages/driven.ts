/**
 * A page that a test drives without the browser's help: it asks the server for the next
 * function again and again, and each question carries the answer to the one before.
 * `e2e/engines/tab.ts` is the other side, and has the messages.
 */
import type { Answer, Order } from '../engines/tab.js';

const errors: string[] = [];
addEventListener('error', ({ message }) => errors.push(message));
addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)));
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
  errors.push(`${violatedDirective} forbids ${blockedURI}`),
);

export async function drive(tab: string): Promise<void> {
  let answer: Answer = { ready: true };
  for (;;) {
    const body = JSON.stringify({ ...answer, errors: errors.splice(0) });
    const response = await fetch(`/orders/${tab}`, { method: 'POST', body });
    // What is said then has no end; it is broken off when the tab is gone, so the test knows.
    if (answer.leaving) window.close();
    answer = await obey(await response.json());
  }
}

async function obey(order: Order): Promise<Answer> {
  if ('open' in order) {
    // Without an opener it has a process of its own, as a tab that a person opens.
    window.open(order.open, '_blank', 'noopener');
    return {};
  }
  if ('reload' in order) {
    location.reload();
    return new Promise(() => {});
  }
  if ('close' in order) return { leaving: true };
  try {
    const { run } = await import(/* @vite-ignore */ order.script);
    return { value: plain(await run()) };
  } catch (error) {
    const { name, message, stack } = error as Error;
    return { thrown: { name, message, stack: stack ?? '' } };
  }
}

/** What JSON carries; `undefined`, which it does not, as `{ $: 'undefined' }`. */
function plain(value: unknown): unknown {
  if (value === undefined) return { $: 'undefined' };
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}
