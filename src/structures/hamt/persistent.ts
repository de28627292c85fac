/**
 * What all persistent collections are, and when two values count as equal.
 *
 * A persistent collection never changes: each change gives another collection
 * that shares with it what stayed the same. So it may be held, handed out and
 * compared by identity at no cost.
 */
export abstract class Persistent implements Iterable<unknown> {
  /** How many entries, elements or members there are. */
  abstract readonly size: number;

  abstract [Symbol.iterator](): Iterator<unknown>;

  /** Whether `other` is of the same kind and holds the same, into persistent values. */
  abstract equals(other: unknown): boolean;
}

/** SameValueZero, and into persistent collections by their content. */
export function sameValue(a: unknown, b: unknown): boolean {
  // biome-ignore lint/suspicious/noSelfCompare: NaN alone differs from itself.
  return a === b || (a !== a && b !== b) || (a instanceof Persistent && a.equals(b));
}
