/**
 * Persistent collections: each change gives a new one, and shares what stayed.
 */
export { setProcessSecret } from '../../base/secret.js';
export type { Difference } from './diff.js';
export { type HashOptions, MutableMap, PersistentMap } from './map.js';
export { Persistent } from './persistent.js';
