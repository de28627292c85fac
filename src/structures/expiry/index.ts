/** Expiry: what is due when. Decides nothing and removes no key; gives hashes to whoever does. */
export type { Due } from './due.js';
export { type Rows, TimerWheel } from './wheel.js';
