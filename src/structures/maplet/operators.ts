/**
 * Merge operators: how two values under one key become one.
 *
 * A maplet merges what is inserted under one fingerprint; a store merges an
 * operand into what a key holds. Both use these. `merge(a, b)` has the older
 * value first and changes neither. An operator refuses a value it cannot take
 * with a TypeError or RangeError, before anything has changed.
 *
 * | name    | values                       | merge                | identity   |
 * |---------|------------------------------|----------------------|------------|
 * | counter | integers                     | sum, saturating      | 0          |
 * | max     | numbers                      | the larger           | -Infinity  |
 * | min     | numbers                      | the smaller          | Infinity   |
 * | replace | any                          | the later            | undefined  |
 * | or      | booleans, or integers >= 0   | `||`, or bit by bit  | false      |
 * | and     | booleans, or integers >= 0   | `&&`, or bit by bit  | true       |
 * | concat  | strings                      | joined               | ''         |
 * | list    | arrays                       | appended             | []         |
 * | set     | sets, or arrays as sets      | union                | empty set  |
 * | vector  | arrays of numbers, Float32-, | sum by element       | []         |
 * |         | Float64Array                 |                      |            |
 *
 * A NaN wins in max and min, as in Math.max. The result is of the kind of the
 * older value. Merging with the identity gives the other value.
 */

export interface Operator<V = unknown> {
  /** Its name, when it is one of the built-in ones. */
  readonly name?: OperatorName;
  /** merge(identity, v) equals v. */
  readonly identity: V;
  merge(older: V, newer: V): V;
  /** Only then can two maplets be merged. */
  readonly associative: boolean;
  readonly commutative: boolean;
  /** Throws for what cannot be merged. Default: takes everything. */
  check?(value: unknown): asserts value is V;
  /**
   * What is left of `whole` without `part`, or undefined when `part` cannot be in
   * it. Default: `whole`, since most merges forget what went in.
   */
  without?(whole: V, part: V): V | undefined;
}

export type OperatorName =
  | 'counter'
  | 'max'
  | 'min'
  | 'replace'
  | 'or'
  | 'and'
  | 'concat'
  | 'list'
  | 'set'
  | 'vector';

type Flags = number | boolean;
type SetLike = ReadonlySet<unknown> | readonly unknown[];
type Vector = readonly number[] | Float32Array | Float64Array;

const LIMIT = Number.MAX_SAFE_INTEGER;

const counter: Operator<number> = {
  name: 'counter',
  identity: 0,
  associative: true,
  commutative: true,
  check: (value) => expectThat(Number.isSafeInteger(value), 'counter', 'a safe integer', value),
  merge(older, newer) {
    counter.check?.(older);
    counter.check?.(newer);
    return Math.max(-LIMIT, Math.min(LIMIT, older + newer));
  },
  // A saturated sum no longer knows its parts.
  without: (whole, part) => (Math.abs(whole) === LIMIT ? whole : whole - part),
};

const max = extreme('max', Number.NEGATIVE_INFINITY, Math.max);
const min = extreme('min', Number.POSITIVE_INFINITY, Math.min);

function extreme(
  name: 'max' | 'min',
  identity: number,
  pick: (a: number, b: number) => number,
): Operator<number> {
  const operator: Operator<number> = {
    name,
    identity,
    associative: true,
    commutative: true,
    check: (value) => expectThat(typeof value === 'number', name, 'a number', value),
    merge(older, newer) {
      operator.check?.(older);
      operator.check?.(newer);
      return pick(older, newer);
    },
    without: (whole, part) => (Object.is(pick(whole, part), whole) ? whole : undefined),
  };
  return operator;
}

const replace: Operator = {
  name: 'replace',
  identity: undefined,
  associative: true,
  commutative: false,
  merge: (_older, newer) => newer,
};

const or = logic(
  'or',
  false,
  (a, b) => a || b,
  (a, b) => a | b,
);
const and = logic(
  'and',
  true,
  (a, b) => a && b,
  (a, b) => a & b,
);

function logic(
  name: 'or' | 'and',
  identity: boolean,
  decide: (a: boolean, b: boolean) => boolean,
  combine: (a: bigint, b: bigint) => bigint,
): Operator<Flags> {
  const operator: Operator<Flags> = {
    name,
    identity,
    associative: true,
    commutative: true,
    check: (value) =>
      expectThat(
        typeof value === 'boolean' || (Number.isSafeInteger(value) && (value as number) >= 0),
        name,
        'a boolean or an integer from 0 to 2^53 - 1',
        value,
      ),
    merge(older, newer) {
      operator.check?.(older);
      operator.check?.(newer);
      if (typeof older === 'boolean' && typeof newer === 'boolean') return decide(older, newer);
      // The identity is a boolean, and goes with integers too.
      if (older === identity) return newer;
      if (newer === identity) return older;
      if (typeof older === 'boolean' || typeof newer === 'boolean') {
        throw new TypeError(
          `${name}: expected two booleans or two integers, got ${String(older)} and ${String(newer)}`,
        );
      }
      return Number(combine(BigInt(older), BigInt(newer)));
    },
    without: (whole, part) => (operator.merge(whole, part) === whole ? whole : undefined),
  };
  return operator;
}

const concat: Operator<string> = {
  name: 'concat',
  identity: '',
  associative: true,
  commutative: false,
  check: (value) => expectThat(typeof value === 'string', 'concat', 'a string', value),
  merge(older, newer) {
    concat.check?.(older);
    concat.check?.(newer);
    return older + newer;
  },
};

const list: Operator<readonly unknown[]> = {
  name: 'list',
  get identity() {
    return [];
  },
  associative: true,
  commutative: false,
  check: (value) => expectThat(Array.isArray(value), 'list', 'an array', value),
  merge(older, newer) {
    list.check?.(older);
    list.check?.(newer);
    return [...older, ...newer];
  },
};

const set: Operator<SetLike> = {
  name: 'set',
  get identity() {
    return new Set();
  },
  associative: true,
  commutative: true,
  check: (value) =>
    expectThat(value instanceof Set || Array.isArray(value), 'set', 'a Set or an array', value),
  merge(older, newer) {
    set.check?.(older);
    set.check?.(newer);
    const union = new Set([...older, ...newer]);
    return Array.isArray(older) ? [...union] : union;
  },
  without(whole, part) {
    const held = new Set(whole);
    return [...part].every((item) => held.has(item)) ? whole : undefined;
  },
};

const vector: Operator<Vector> = {
  name: 'vector',
  get identity() {
    return [];
  },
  associative: true,
  commutative: true,
  check: (value) =>
    expectThat(
      value instanceof Float64Array ||
        value instanceof Float32Array ||
        (Array.isArray(value) && value.every((item) => typeof item === 'number')),
      'vector',
      'an array of numbers, a Float32Array or a Float64Array',
      value,
    ),
  merge: (older, newer) => elementwise(older, newer, (a, b) => a + b),
  without: (whole, part) =>
    part.length === whole.length ? elementwise(whole, part, (a, b) => a - b) : undefined,
};

function elementwise(older: Vector, newer: Vector, combine: (a: number, b: number) => number): Vector {
  vector.check?.(older);
  vector.check?.(newer);
  if (newer.length === 0) return older.slice();
  if (older.length === 0) return newer.slice();
  if (older.length !== newer.length) {
    throw new RangeError(`vector: expected ${older.length} elements, got ${newer.length}`);
  }
  const result = older.slice() as number[];
  for (let i = 0; i < result.length; i++) result[i] = combine(result[i]!, newer[i]!);
  return result;
}

/** The built-in operators by name. */
export const OPERATORS = { counter, max, min, replace, or, and, concat, list, set, vector } as const;

/**
 * The operator of that name, or the given one when it is well-formed.
 *
 * @throws TypeError for an unknown name or an object that lacks a part.
 */
export function operatorOf<V = unknown>(named: OperatorName | Operator<V>): Operator<V> {
  if (typeof named === 'string') {
    if (Object.hasOwn(OPERATORS, named)) return OPERATORS[named] as unknown as Operator<V>;
    throw new TypeError(`operator: expected one of ${Object.keys(OPERATORS).join(', ')}, got '${named}'`);
  }
  const wanting = wantingPart(named);
  if (wanting !== undefined) {
    throw new TypeError(
      `operator: expected { identity, merge, associative, commutative }, got one without ${wanting}`,
    );
  }
  return named;
}

function wantingPart(operator: unknown): string | undefined {
  if (typeof operator !== 'object' || operator === null) return 'any';
  const parts = operator as Record<string, unknown>;
  if (!('identity' in parts)) return 'identity';
  if (typeof parts['merge'] !== 'function') return 'merge';
  return ['associative', 'commutative'].find((part) => typeof parts[part] !== 'boolean');
}

function expectThat(holds: boolean, name: string, what: string, value: unknown): void {
  if (!holds) throw new TypeError(`${name}: expected ${what}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 20)}'`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null
    ? (value.constructor?.name ?? 'an object')
    : String(value);
}
