/** Expiry: what is due when. Decides nothing and removes no key; gives hashes to whoever does. */
export { type Due, TimerWheel } from './wheel.js';
