/**
 * Merge operators by name: those of the maplet, and those that an application brings.
 * A function does not cross to the worker, so calls name their operator.
 */
import { show } from '../contract/arguments.js';
import { OPERATORS, type Operator, operatorOf } from '../structures/maplet/index.js';

export type { Operator };

/** Operators of the application, by name. */
export type OwnOperators = ReadonlyMap<string, Operator>;

const BUILT_IN: ReadonlyMap<string, Operator> = new Map(Object.entries(OPERATORS) as [string, Operator][]);

/** @throws TypeError that lists the known ones. */
export function requireOperator(name: unknown, own: OwnOperators): Operator {
  const operator = typeof name === 'string' ? (BUILT_IN.get(name) ?? own.get(name)) : undefined;
  if (operator) return operator;
  const known = [...BUILT_IN.keys(), ...own.keys()].join(', ');
  throw new TypeError(`operator: expected one of ${known}, got ${show(name)}`);
}

/**
 * `own` and the operators `given` by name.
 *
 * @throws TypeError for a name that is taken, or an operator that lacks a part.
 */
export function withOperators(own: OwnOperators, given: object): OwnOperators {
  const all = new Map(own);
  for (const [name, operator] of Object.entries(given)) {
    if (BUILT_IN.has(name) || all.has(name)) {
      throw new TypeError(`operators: the name ${show(name)} is taken: expected another`);
    }
    if (typeof operator !== 'object' || operator === null) {
      throw new TypeError(
        `operators.${name}: expected { identity, merge, associative, commutative }, got ${show(operator)}`,
      );
    }
    all.set(name, operatorOf(operator as Operator));
  }
  return all;
}

/** @throws TypeError, RangeError for what the operator cannot take, or for what `check` throws of its own. */
export function mergeInto(operator: Operator, key: string, stored: unknown, operand: unknown): unknown {
  try {
    operator.check?.(stored);
  } catch (cause) {
    throw new TypeError(`the value of key ${show(key)}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  return operator.merge(stored, operand);
}
