/**
 * Patterns for keys, as shells and Redis have them.
 *
 *    *        any code units, also none
 *    ?        one code unit
 *    [a-cx]   one of these; [!a] and [^a] one that is none of these
 *    \\x       x itself
 *
 * A `/` is nothing special. Matching takes at most (units of the pattern) x (units of the
 * key) steps, whatever the pattern: a star that has to take more starts from the last one.
 */
const ANY = -1;
const ONE = -2;

/** What stands in a pattern: a code unit, `ANY`, `ONE`, or a set. */
type Token = number | UnitSet;

interface UnitSet {
  readonly negated: boolean;
  /** Pairs of a first and a last code unit. */
  readonly ranges: readonly number[];
}

export class Glob {
  readonly #tokens: readonly Token[];
  /** With this every key that matches begins. */
  readonly prefix: string;

  /** @throws TypeError, RangeError when `pattern` is no pattern. */
  constructor(pattern: unknown) {
    if (typeof pattern !== 'string') throw new TypeError(`match: expected a string, got ${typeof pattern}`);
    this.#tokens = tokensOf(pattern);
    let prefix = '';
    for (const token of this.#tokens) {
      if (typeof token !== 'number' || token < 0) break;
      prefix += String.fromCharCode(token);
    }
    this.prefix = prefix;
  }

  matches(key: string): boolean {
    const tokens = this.#tokens;
    let at = 0;
    let token = 0;
    /** The token behind the last star, and where in the key it was tried last. */
    let behindStar = -1;
    let tried = 0;
    while (at < key.length) {
      if (tokens[token] === ANY) {
        token += 1;
        behindStar = token;
        tried = at;
      } else if (token < tokens.length && takes(tokens[token]!, key.charCodeAt(at))) {
        token += 1;
        at += 1;
      } else if (behindStar >= 0) {
        token = behindStar;
        tried += 1;
        at = tried;
      } else return false;
    }
    while (tokens[token] === ANY) token += 1;
    return token === tokens.length;
  }
}

function takes(token: Token, unit: number): boolean {
  if (typeof token === 'number') return token === ONE || token === unit;
  const { negated, ranges } = token;
  for (let i = 0; i < ranges.length; i += 2) {
    if (unit >= ranges[i]! && unit <= ranges[i + 1]!) return !negated;
  }
  return negated;
}

function tokensOf(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const unit = pattern[at]!;
    if (unit === '*') {
      if (tokens.at(-1) !== ANY) tokens.push(ANY);
    } else if (unit === '?') tokens.push(ONE);
    else if (unit === '[') {
      const [set, end] = setAt(pattern, at);
      tokens.push(set);
      at = end;
    } else {
      if (unit === '\\') at += 1;
      tokens.push(unitAt(pattern, at));
    }
  }
  return tokens;
}

/** The set that begins at `start`, and where its `]` is. One that comes first is one of its units. */
function setAt(pattern: string, start: number): [UnitSet, number] {
  let at = start + 1;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at += 1;
  const ranges: number[] = [];
  const one = (): number => {
    if (pattern[at] === '\\') at += 1;
    return unitAt(pattern, at++);
  };
  do {
    const first = one();
    const isRange = pattern[at] === '-' && at + 1 < pattern.length && pattern[at + 1] !== ']';
    if (isRange) at += 1;
    ranges.push(first, isRange ? one() : first);
  } while (pattern[at] !== ']');
  return [{ negated, ranges }, at];
}

function unitAt(pattern: string, at: number): number {
  if (at >= pattern.length)
    throw new RangeError(`match: the pattern ${JSON.stringify(pattern)} is cut short`);
  return pattern.charCodeAt(at);
}
