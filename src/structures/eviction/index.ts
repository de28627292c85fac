/** Eviction: who should go. Evicts nothing; names hashes to whoever does. */
export { createPolicy, POLICY_NAMES, type PolicyName } from './create.js';
export type { Budget, Hash, Policy, PolicyMemory, PolicyRows } from './policy.js';
export { PLAIN, PRIORITIES, type Priority, Ranked, type RankedRows, type Terms } from './ranked.js';
