/** What can be put into a map at once: pairs from anything that gives them. */
import type { Columns } from './build.js';

/** A map of any kind, other pairs that can be iterated, or an object for its own properties. */
export type Mapping<K, V> = Iterable<readonly [K, V]> | (K extends string ? Readonly<Record<K, V>> : never);

/** @throws TypeError unless `mapping` is what the type says. */
export function columnsOf(name: string, mapping: unknown): Columns {
  const count = Array.isArray(mapping) ? mapping.length : mapping instanceof Map ? mapping.size : 0;
  const keys: unknown[] = new Array(count);
  const values: unknown[] = new Array(count);
  let at = 0;
  if (mapping instanceof Map) {
    mapping.forEach((value, key) => {
      keys[at] = key;
      values[at++] = value;
    });
    return { keys, values };
  }
  if (Array.isArray(mapping)) {
    // By index: iterating makes an object for each.
    for (; at < count; at++) putPair(name, mapping[at], keys, values, at);
    return { keys, values };
  }
  for (const entry of pairsOf(name, mapping)) putPair(name, entry, keys, values, at++);
  return { keys, values };
}

function putPair(name: string, entry: unknown, keys: unknown[], values: unknown[], at: number): void {
  if (typeof entry !== 'object' || entry === null) {
    throw new TypeError(`${name}: expected pairs of key and value, got ${describe(entry)}`);
  }
  keys[at] = (entry as readonly unknown[])[0];
  values[at] = (entry as readonly unknown[])[1];
}

function pairsOf(name: string, mapping: unknown): Iterable<unknown> {
  if (typeof mapping === 'object' && mapping !== null) {
    if (Symbol.iterator in mapping) return mapping as Iterable<unknown>;
    return Object.entries(mapping);
  }
  throw new TypeError(`${name}: expected pairs of key and value, got ${describe(mapping)}`);
}

/** @throws TypeError unless `values` can be iterated. */
export function iterableOf<T>(name: string, values: Iterable<T>): Iterable<T> {
  if (values == null || typeof (values as Partial<Iterable<T>>)[Symbol.iterator] !== 'function') {
    throw new TypeError(`${name}: expected something to iterate, got ${describe(values)}`);
  }
  return values;
}

/** A value for a message, short. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value)
      ? `an array of ${value.length}`
      : `an object ${Object.prototype.toString.call(value)}`;
  }
  return String(value);
}
