/** A million operations: a PersistentMap beside a Map, and beside `immutable`. */
import { Map as ImmutableMap } from 'immutable';
import { expect, test } from 'vitest';
import { type MutableMap, PersistentMap } from '../../../src/structures/hamt/index.js';
import { checkInvariants } from './invariants.js';

/** Numbers that look random, the same at each run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 4;
  }
}

test('800,000 changes and lookups, growing to 20,000 keys and shrinking to none, answer as a Map does', () => {
  const random = numbers(1);
  const next = (below: number) => random.next().value % below;
  const model = new Map<string, number>();
  let map: PersistentMap<string, number> | MutableMap<string, number> = new PersistentMap<string, number>();
  const held: [PersistentMap<string, number>, number, number][] = [];
  const sum = (entries: Iterable<[string, number]>) =>
    [...entries].reduce((n, [key, value]) => n + value + key.length, 0);
  for (let i = 0; i < 400_000; i++) {
    const growing = Math.floor(i / 50_000) % 2 === 0;
    const key = `key ${next(30_000)}`;
    const change = next(10) < (growing ? 8 : 2) ? 'set' : 'delete';
    if (change === 'set') {
      map = map.set(key, i);
      model.set(key, i);
    } else {
      if (map instanceof PersistentMap) map = map.delete(key);
      else if (map.delete(key) !== model.has(key)) throw new Error(`delete ${key} at ${i}`);
      model.delete(key);
    }
    const other = `key ${next(30_000)}`;
    if (map.get(other) !== model.get(other) || map.size !== model.size) throw new Error(`differs at ${i}`);
    if (i % 1000 === 0) {
      const version: PersistentMap<string, number> = map instanceof PersistentMap ? map : map.persistent();
      if (i % 20_000 === 0) held.push([version, sum(version), sum(model)]);
      if (next(2) === 0) map = map instanceof PersistentMap ? map.asMutable() : map.persistent();
    }
  }
  for (const [version, then, model] of held) {
    expect(then).toBe(model);
    expect(sum(version)).toBe(model);
    checkInvariants(version);
  }
  for (const key of [...model.keys()]) {
    if (map instanceof PersistentMap) map = map.delete(key);
    else map.delete(key);
  }
  expect(map.size).toBe(0);
  expect([...map]).toEqual([]);
});

test('200,000 changes give the same map as the changes of an immutable Map', () => {
  const random = numbers(2);
  const next = (below: number) => random.next().value % below;
  let ours = new PersistentMap<number | string, number>();
  let theirs = ImmutableMap<number | string, number>();
  for (let i = 0; i < 200_000; i++) {
    const key = next(2) === 0 ? next(4000) : `k${next(4000)}`;
    if (next(3) > 0) {
      ours = ours.set(key, i % 7);
      theirs = theirs.set(key, i % 7);
    } else {
      ours = ours.delete(key);
      theirs = theirs.delete(key);
    }
    if (i % 20_000 === 0) {
      const half = ImmutableMap([...ours].filter((_, n) => n % 2 === 0));
      const merged = ours.map((n) => n + 1).merge(half, (a, b) => a * 10 + b);
      expect(new Map(merged)).toEqual(
        new Map(theirs.map((n) => n + 1).mergeWith((a, b) => a * 10 + b, half)),
      );
    }
  }
  expect(ours.size).toBe(theirs.size);
  expect(new Map(ours)).toEqual(new Map(theirs));
  checkInvariants(ours);
});
