/** Eviction policies that an application has registered, by name. */
import { isRecord, show } from '../contract/arguments.js';
import type { Budget, Policy } from '../structures/eviction/index.js';

/** Makes a policy for one store. */
export type MakePolicy = (budget: Budget) => Policy;

export type OwnPolicies = ReadonlyMap<string, MakePolicy>;

const BUILT_IN = ['tinylfu', 'lru', 'lfu', 'fifo', 's3-fifo', 'sieve', 'reject'];
/** @throws TypeError for a name that nobody has given. */
export function requirePolicy(name: string, own: OwnPolicies): void {
  if (BUILT_IN.includes(name) || own.has(name)) return;
  throw new TypeError(
    `budget.policy: expected one of ${[...BUILT_IN, ...own.keys()].join(', ')}, got '${name}'`,
  );
}

const METHODS = ['add', 'has', 'access', 'remove', 'victims', 'withdraw', 'clear'] as const;

/**
 * `own` and what is given beside. Each is tried out.
 *
 * @throws TypeError for a name that is taken and for what makes no policy.
 */
export function withPolicies(own: OwnPolicies, given: Readonly<Record<string, unknown>>): OwnPolicies {
  const all = new Map(own);
  for (const [name, make] of Object.entries(given)) {
    if (BUILT_IN.includes(name) || all.has(name)) throw new TypeError(`policies: ${name} is taken`);
    if (typeof make !== 'function') {
      throw new TypeError(`policies.${name}: expected a function that makes a policy, got ${show(make)}`);
    }
    const made: unknown = make({ maxBytes: Infinity, maxEntries: 1 });
    const lacks = METHODS.find((method) => !isRecord(made) || typeof made[method] !== 'function');
    if (lacks) throw new TypeError(`policies.${name}: expected a policy with ${lacks}, got ${show(made)}`);
    all.set(name, make as MakePolicy);
  }
  return all;
}
