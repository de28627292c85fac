/**
 * What an application adds to the engine, by name. A function does not cross to the
 * worker, so it is registered there, by a worker module of the application's own.
 */
import { UnsupportedError } from '../base/errors.js';
import { isRecord, requireOptions, show } from '../contract/arguments.js';
import { type Operator, type OwnOperators, withOperators } from '../engine/index.js';

export type { Operator };

export interface Registration {
  /**
   * Operators for `merge`, by the name that calls give. `merge(a, b)` gets the stored value and the
   * operand; it must be synchronous and give the same for the same. What it throws refuses the call.
   */
  // biome-ignore lint/suspicious/noExplicitAny: an operator of numbers is one, though it does not take everything
  readonly operators?: Readonly<Record<string, Operator<any>>>;
}

export const registered: { operators: OwnOperators } = { operators: new Map() };

/**
 * Adds to what every store knows that is opened by this worker from now on. Every tab of a
 * store has to register the same: the one that leads runs the calls of all.
 *
 * @throws TypeError for a name that is taken, built in or registered, and for an operator
 *   that lacks a part. Nothing is registered then.
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
  const given = requireOptions<Registration & { codecs?: unknown; policies?: unknown }>(
    'register',
    registration,
    ['operators', 'codecs', 'policies'],
  );
  for (const name of ['codecs', 'policies'] as const) {
    if (given[name] !== undefined) throw new UnsupportedError(`register: ${name}: not in this release yet`);
  }
  const { operators = {} } = given;
  if (!isRecord(operators)) {
    throw new TypeError(`operators: expected operators by name, got ${show(operators)}`);
  }
  registered.operators = withOperators(registered.operators, operators);
}
