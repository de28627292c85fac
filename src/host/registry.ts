/**
 * What an application adds to the engine, by name. A function does not cross to the
 * worker, so it is registered there, by a worker module of the application's own.
 */
import { isRecord, requireOptions, show } from '../contract/arguments.js';
import {
  type Codec,
  type MakePolicy,
  type Operator,
  type OwnCodecs,
  type OwnOperators,
  type OwnPolicies,
  withCodecs,
  withOperators,
  withPolicies,
} from '../engine/index.js';

export type { Codec, MakePolicy, Operator };

export interface Registration {
  /**
   * Operators for `merge`, by the name that calls give. `merge(a, b)` gets the stored value and the
   * operand; it must be synchronous and give the same for the same. What it throws refuses the call.
   */
  // biome-ignore lint/suspicious/noExplicitAny: an operator of numbers is one, though it does not take everything
  readonly operators?: Readonly<Record<string, Operator<any>>>;
  /**
   * Codecs for `compression`, by the name that `open` gives: 1 to 32 of a-z, 0-9, '.' and '-'. The name
   * stands in the store with each value, so a codec must always read what it wrote once.
   */
  readonly codecs?: Readonly<Record<string, Codec>>;
  /** Eviction policies, by the name that `budget.policy` gives: each makes a `Policy` of `rootcellar/eviction`. */
  readonly policies?: Readonly<Record<string, MakePolicy>>;
}

export const registered: { operators: OwnOperators; codecs: OwnCodecs; policies: OwnPolicies } = {
  operators: new Map(),
  codecs: new Map(),
  policies: new Map(),
};

/**
 * Adds to what every store knows that is opened by this worker from now on. Every tab of a
 * store has to register the same: the one that leads runs the calls of all.
 *
 * @throws TypeError for a name that is taken, built in or registered, and for an operator,
 *   a codec or a policy that lacks a part. Nothing is registered then.
 *
 * @example
 * register({
 *   operators: {
 *     longest: {
 *       identity: '',
 *       merge: (a, b) => (b.length > a.length ? b : a),
 *       associative: true,
 *       commutative: false,
 *     },
 *   },
 * });
 */
export function register(registration: Registration): void {
  const given = requireOptions<Registration>('register', registration, ['operators', 'codecs', 'policies']);
  const { operators = {}, codecs = {}, policies = {} } = given;
  for (const [name, group] of Object.entries({ operators, codecs, policies })) {
    if (!isRecord(group)) throw new TypeError(`${name}: expected ${name} by name, got ${show(group)}`);
  }
  const all = {
    operators: withOperators(registered.operators, operators),
    codecs: withCodecs(registered.codecs, codecs),
    policies: withPolicies(registered.policies, policies),
  };
  Object.assign(registered, all);
}
