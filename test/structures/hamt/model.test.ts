/**
 * PersistentMap and MutableMap against a plain Map, under full hashes and under
 * hashes of which all but a few bits are masked away, so that collisions, deep
 * paths and lists at the bottom are the rule.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { PersistentMap } from '../../../src/structures/hamt/index.js';
import { checkInvariants } from './invariants.js';

const hashing = vi.hoisted(() => ({ mask: 0x3fffffff }));
vi.mock('../../../src/structures/hamt/key-hash.js', async (original) => {
  const { hashKey } = await original<typeof import('../../../src/structures/hamt/key-hash.js')>();
  return { hashKey: (...args: Parameters<typeof hashKey>) => hashKey(...args) & hashing.mask };
});
afterEach(() => {
  hashing.mask = 0x3fffffff;
});

const SECRET = Int32Array.of(0x5eed, -7);

/** Masks: all bits; top five; bottom five; one bit of each of some levels; none. */
const MASKS = [0x3fffffff, 0x3e000000, 0x1f, 0x02100421, 0x3e00001f, 0x318000, 0];

const key = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 30 }).map((n) => `k${n}`) },
  fc.constantFrom<unknown>(
    0,
    -0,
    Number.NaN,
    null,
    undefined,
    true,
    false,
    '',
    'NaN',
    1n,
    0.5,
    -0.5,
    '\ud800',
  ),
);
const change = fc.record({
  kind: fc.constantFrom('set', 'set', 'delete', 'mutable', 'persistent', 'hold'),
  key,
  value: fc.constantFrom<unknown>(0, -0, 1, 'x', undefined, null, Number.NaN),
});

function sameAs(map: PersistentMap<unknown, unknown>, model: Map<unknown, unknown>): void {
  expect(map.size).toBe(model.size);
  expect(new Map(map)).toEqual(model);
  for (const [k, v] of model) {
    expect(map.has(k)).toBe(true);
    expect(map.get(k, 'fallback')).toBe(v);
  }
}

describe.each(MASKS)('a map under the hash mask %i', (mask) => {
  test('answers like a Map after any changes, and versions held stay as they were', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120, size: 'max' }), (changes) => {
        let map = PersistentMap.empty<unknown, unknown>(SECRET);
        const model = new Map<unknown, unknown>();
        const held: [PersistentMap<unknown, unknown>, Map<unknown, unknown>][] = [];
        let mutable = map.asMutable();
        let isMutable = false;
        for (const { kind, key, value } of changes) {
          if (kind === 'set') {
            model.set(key, value);
            if (isMutable) mutable.set(key, value);
            else map = map.set(key, value);
          } else if (kind === 'delete') {
            const had = model.delete(key);
            if (isMutable) expect(mutable.delete(key)).toBe(had);
            else {
              const next = map.delete(key);
              expect(next === map).toBe(!had);
              map = next;
            }
          } else if (kind === 'mutable' && !isMutable) {
            mutable = map.asMutable();
            isMutable = true;
          } else if (kind === 'persistent' && isMutable) {
            map = mutable.persistent();
            isMutable = false;
          } else if (kind === 'hold') {
            if (isMutable) map = mutable.persistent();
            held.push([map, new Map(model)]);
          }
          if (isMutable) {
            expect(mutable.size).toBe(model.size);
            expect(mutable.has(key)).toBe(model.has(key));
            expect(mutable.get(key, 'no')).toBe(model.has(key) ? model.get(key) : 'no');
          }
        }
        if (isMutable) map = mutable.persistent();
        held.push([map, model]);
        for (const [version, then] of held) {
          sameAs(version, then);
          checkInvariants(version);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('equals what was built in another order, and differs from what has one other entry', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, maxLength: 60, size: 'max', selector: String }),
        fc.nat(),
        (keys, n) => {
          const forward = new PersistentMap(
            keys.map((k) => [k, 1]),
            { secret: SECRET },
          );
          const backward = new PersistentMap(keys.map((k): [unknown, number] => [k, 1]).reverse(), {
            secret: SECRET,
          });
          const elsewhere = new PersistentMap(
            keys.map((k) => [k, 1]),
            { secret: Int32Array.of(n, 1) },
          );
          expect(forward.equals(backward)).toBe(true);
          expect(forward.equals(elsewhere)).toBe(true);
          expect(forward.diff(backward)).toEqual([]);
          expect(forward.diff(elsewhere)).toEqual([]);
          const some = keys[n % keys.length];
          for (const other of [
            backward.set(some, 2),
            backward.delete(some),
            backward.delete(some).set('other', 1),
          ]) {
            expect(forward.equals(other)).toBe(false);
            expect(other.equals(forward)).toBe(false);
            expect(elsewhere.equals(other)).toBe(false);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('diff leads from one map to the other', () => {
    hashing.mask = mask;
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60, size: 'max' }),
        fc.array(change, { maxLength: 30, size: 'max' }),
        fc.boolean(),
        (a, b, same) => {
          const build = (map: PersistentMap<unknown, unknown>, changes: typeof a) =>
            map.withMutations((m) => {
              for (const { kind, key, value } of changes)
                kind === 'delete' ? m.delete(key) : m.set(key, value);
            });
          const before = build(PersistentMap.empty(SECRET), a);
          const after = build(same ? before : PersistentMap.empty(Int32Array.of(1, 2)), b);
          const model = new Map(before);
          for (const d of before.diff(after)) {
            if (d.kind !== 'added') expect(model.get(d.key)).toBe(d.before);
            expect(model.has(d.key)).toBe(d.kind !== 'added');
            if (d.kind === 'changed') expect(d.before === d.after).toBe(false);
            d.kind === 'removed' ? model.delete(d.key) : model.set(d.key, d.after);
          }
          // A change from 0 to -0 is none.
          const plain = (v: unknown) => (v === 0 ? 0 : v);
          const entries = (m: Iterable<[unknown, unknown]>) => new Map([...m].map(([k, v]) => [k, plain(v)]));
          expect(entries(model)).toEqual(entries(after));
        },
      ),
      { numRuns: 60 },
    );
  });
});
