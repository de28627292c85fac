/**
 * Persistent collections: each change gives a new one, which shares with the old
 * one what stayed, and the old one stays as it was.
 *
 * Nothing here waits, reads a clock or draws random numbers, but for the one
 * secret that seeds the hashes of this process (`setProcessSecret` sets it).
 */
export type { Secret } from '../../base/hash.js';
export { setProcessSecret } from '../../base/secret.js';
export type { Difference } from './diff.js';
export { type HashOptions, MutableMap, PersistentMap } from './map.js';
export type { Mapping } from './mapping.js';
export { Persistent } from './persistent.js';
export { MutableSet, PersistentSet, type SetLike } from './set.js';
export { MutableSortedMap, type OrderOptions, PersistentSortedMap } from './sorted-map.js';
export { type ReadonlyTrieMap, TrieMap } from './trie-map.js';
export { PersistentVector } from './vector.js';
