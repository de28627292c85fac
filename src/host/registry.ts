/**
 * What an application adds to the engine, by name. A function does not cross to the
 * worker, so it is registered there, by a worker module of the application's own.
 */
import { UnsupportedError } from '../base/errors.js';
import { isRecord, requireOptions, show } from '../contract/arguments.js';
import {
  type Codec,
  type Operator,
  type OwnCodecs,
  type OwnOperators,
  withCodecs,
  withOperators,
} from '../engine/index.js';

export type { Codec, Operator };

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
}

export const registered: { operators: OwnOperators; codecs: OwnCodecs } = {
  operators: new Map(),
  codecs: new Map(),
};

/**
 * Adds to what every store knows that is opened by this worker from now on. Every tab of a
 * store has to register the same: the one that leads runs the calls of all.
 *
 * @throws TypeError for a name that is taken, built in or registered, and for an operator
 *   or a codec that lacks a part. Nothing is registered then.
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
  const given = requireOptions<Registration & { policies?: unknown }>('register', registration, [
    'operators',
    'codecs',
    'policies',
  ]);
  const { operators = {}, codecs = {}, policies } = given;
  if (policies !== undefined) throw new UnsupportedError('register: policies: not in this release yet');
  for (const [name, group] of Object.entries({ operators, codecs })) {
    if (!isRecord(group)) throw new TypeError(`${name}: expected ${name} by name, got ${show(group)}`);
  }
  const all = {
    operators: withOperators(registered.operators, operators),
    codecs: withCodecs(registered.codecs, codecs),
  };
  Object.assign(registered, all);
}
