/** The policies by name. */
import type { Budget, Policy } from './policy.js';
import { Fifo, Lfu, Lru, Sieve } from './queues.js';
import { S3Fifo } from './s3-fifo.js';
import { TinyLfu } from './tinylfu.js';

const POLICIES = {
  tinylfu: (budget: Budget) => new TinyLfu(budget),
  lru: () => new Lru(),
  lfu: () => new Lfu(),
  fifo: () => new Fifo(),
  's3-fifo': (budget: Budget) => new S3Fifo(budget),
  sieve: () => new Sieve(),
} as const satisfies Record<string, (budget: Budget) => Policy>;

export type PolicyName = keyof typeof POLICIES;

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

/**
 * A policy for keys that are known by hash.
 *
 * @throws TypeError for a name that is none of `POLICY_NAMES`.
 *
 * @example
 * const policy = createPolicy('tinylfu', { maxBytes: 2 ** 22, maxEntries: Infinity });
 */
export function createPolicy(name: PolicyName, budget: Budget): Policy {
  if (!Object.hasOwn(POLICIES, name)) {
    throw new TypeError(`policy: expected one of ${POLICY_NAMES.join(', ')}, got ${String(name)}`);
  }
  return POLICIES[name](budget);
}
