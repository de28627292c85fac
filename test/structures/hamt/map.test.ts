/** PersistentMap: keys of any kind, sizes around its boundaries, collisions, sharing, secrets, its names. */
import { describe, expect, test } from 'vitest';
import { NotFoundError } from '../../../src/base/errors.js';
import { processSecret, setProcessSecret } from '../../../src/base/secret.js';
import {
  PersistentMap,
  PersistentSet,
  PersistentVector,
  TrieMap,
} from '../../../src/structures/hamt/index.js';
import { hashKey } from '../../../src/structures/hamt/key-hash.js';
import { type Node, popcount } from '../../../src/structures/hamt/node.js';
import { checkInvariants } from './invariants.js';

const numbers = (count: number) => Array.from({ length: count }, (_, i): [number, number] => [i, -i]);

describe('keys of any kind', () => {
  const object = {};
  const symbol = Symbol('s');
  const keys: unknown[] = ['', 'a', '\ud800', '😀', '__proto__', 'x'.repeat(10_000)];
  keys.push(0, 1, -1, 0.1, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, -1e-300);
  keys.push(
    1n,
    -1n,
    2n ** 70n,
    true,
    false,
    null,
    undefined,
    object,
    [],
    () => 1,
    symbol,
    Symbol('s'),
    Symbol.for('s'),
  );
  keys.push(new PersistentMap(), '1', 'true', 'null', 'undefined', 'NaN');

  test('are found, each by SameValueZero alone', () => {
    const map = new PersistentMap(keys.map((key, i) => [key, i]));
    expect(map.size).toBe(keys.length);
    keys.forEach((key, i) => {
      expect(map.get(key)).toBe(i);
    });
    checkInvariants(map);
    for (const absent of [{}, [], Symbol('s'), 2, '2', 'b', -0.1]) expect(map.has(absent)).toBe(false);
  });

  test('-0 is 0, and comes back as 0', () => {
    for (const others of [numbers(0), numbers(5).slice(1), numbers(50).slice(1)]) {
      const map = new PersistentMap<number, number>(others).set(-0, 1);
      expect(map.get(0)).toBe(1);
      expect([...map.keys()].some((key) => Object.is(key, 0))).toBe(true);
      expect(map.set(0, 1)).toBe(map);
      expect([...new PersistentMap([...others, [-0, 1]]).keys()].some((key) => Object.is(key, -0))).toBe(
        false,
      );
      expect(map.delete(-0).size).toBe(others.length);
    }
  });

  test('a hash is 30 bits, another under another secret, and the same for the same key', () => {
    for (const key of keys) {
      const hash = hashKey(Int32Array.of(1, 2), key);
      expect(hash >= 0 && hash < 2 ** 30 && Number.isInteger(hash)).toBe(true);
      expect(hashKey(Int32Array.of(1, 2), key)).toBe(hash);
      expect(hashKey(Int32Array.of(1, 3), key)).not.toBe(hash);
    }
    expect(hashKey(Int32Array.of(1, 2), -0)).toBe(hashKey(Int32Array.of(1, 2), 0));
  });

  test('hashes of fractions differ, and those of objects', () => {
    for (const key of [(i: number) => i + 0.5, () => ({})]) {
      const hashes = new Set(Array.from({ length: 1000 }, (_, i) => hashKey(Int32Array.of(1, 2), key(i))));
      expect(hashes.size).toBeGreaterThan(990);
    }
  });

  test('hashes of numbers in a row are spread over all bits', () => {
    for (const [a, b] of [
      [1, 2],
      [0, 0],
      [-5, 7],
    ] as const) {
      const seen = new Set(Array.from({ length: 4096 }, (_, i) => hashKey(Int32Array.of(a, b), i) >>> 20));
      expect(seen.size).toBeGreaterThan(950);
      expect(seen.size).toBeLessThanOrEqual(1024);
    }
  });
});

describe('sizes', () => {
  test.each([0, 1, 2, 7, 8, 9, 10, 31, 32, 33, 1023, 1024, 1025, 40_000])(
    'of %i: built, grown and emptied',
    (size) => {
      const map = new PersistentMap(numbers(size));
      expect(map.size).toBe(size);
      checkInvariants(map);
      let grown = new PersistentMap<number, number>();
      for (const [key, value] of numbers(size)) grown = grown.set(key, value);
      expect(grown.equals(map)).toBe(true);
      let left = grown;
      for (let i = 0; i < size; i++) left = left.delete(i);
      expect(left.size).toBe(0);
      expect(left.equals(new PersistentMap())).toBe(true);
      checkInvariants(left);
      expect(grown.size).toBe(size);
    },
  );

  test('a map of up to 8 keeps the order of insertion, also when it was larger', () => {
    const map = new PersistentMap([...'hgfedcba'].map((key, i) => [key, i]));
    expect([...map.keys()].join('')).toBe('hgfedcba');
    expect([...map.set('e', 9).keys()].join('')).toBe('hgfedcba');
    expect([...map.delete('e').set('e', 1).keys()].join('')).toBe('hgfdcbae');
    const shrunk = map.set('i', 1).delete('a');
    checkInvariants(shrunk);
    expect(new Set(shrunk.keys())).toEqual(new Set('hgfedcbi'));
  });

  test('popcount counts', () => {
    for (let i = 0; i < 32; i++) {
      expect(popcount(1 << i)).toBe(1);
      expect(popcount(-1 << i)).toBe(32 - i);
      expect(popcount((1 << i) - 1)).toBe(i);
    }
  });
});

describe('versions', () => {
  test('share what did not change: one change makes one path of new nodes', () => {
    const nodesOf = (node: Node, found = new Set<Node>()): Set<Node> => {
      found.add(node);
      for (const child of node) if (Array.isArray(child)) nodesOf(child as Node, found);
      return found;
    };
    const before = new PersistentMap(numbers(20_000));
    const old = nodesOf(before.root);
    for (const after of [
      before.set(7, 1),
      before.delete(7),
      before.set(-7, 1),
      before.asMutable().set(7, 1).persistent(),
    ]) {
      const fresh = [...nodesOf(after.root)].filter((node) => !old.has(node));
      expect(fresh.length).toBeLessThanOrEqual(6);
      expect(fresh.length).toBeGreaterThan(0);
    }
  });

  test('a trie map and its forks go their own ways, small and large', () => {
    const secret = Int32Array.of(1, 2);
    for (const size of [0, 5, 8, 9, 1000]) {
      const map = new TrieMap<number, number>(secret);
      for (let i = 0; i < size; i++) map.set(i, i);
      const fork = map.fork();
      const again = fork.fork();
      for (let i = 0; i < size; i++) map.set(i, -i - 1);
      fork.set(size, size);
      if (size > 0) fork.delete(0);
      expect([...again.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
      expect([map.size, fork.size, again.size]).toEqual([size, Math.max(1, size), size]);
      for (let i = 0; i < size; i++) {
        expect([map.get(i), again.get(i), fork.get(i, 'gone')]).toEqual([-i - 1, i, i === 0 ? 'gone' : i]);
      }
      expect(fork.has(size) && !map.has(size) && !again.has(size)).toBe(true);
      again.clear();
      expect([again.size, fork.size]).toEqual([0, Math.max(1, size)]);
      expect([...map.values()].every((value) => value < 0)).toBe(true);
    }
  });

  test('a mutable map copies a node once, and then changes its own', () => {
    const mutable = new PersistentMap(numbers(1000)).asMutable();
    const own = mutable.set(7, 1).root;
    expect(mutable.set(7, 2).set(7, 3).root).toBe(own);
    const given = mutable.persistent();
    expect(mutable.set(7, 4).root).not.toBe(own);
    expect([given.get(7), mutable.get(7)]).toEqual([3, 4]);
  });

  test('hold no room to grow: nodes are as long as their entries', () => {
    // A slot behind the length would show as memory only, so what is checked is how nodes come to be.
    const gathered = PersistentMap.empty<number, number>().withMutations((map) => {
      for (const [key, value] of numbers(3000)) map.set(key, value);
      for (let i = 0; i < 3000; i += 3) map.delete(i);
    });
    checkInvariants(gathered);
    expect(gathered.size).toBe(2000);
  });

  test('a walk goes on over the version it began with', () => {
    const mutable = new PersistentMap(numbers(1000)).asMutable();
    const walk = mutable.keys();
    const seen = [walk.next().value as number];
    for (let i = 0; i < 1000; i++) mutable.delete(i);
    mutable.set(5000, 1);
    for (const key of walk) seen.push(key);
    expect(seen.sort((a, b) => a - b)).toEqual(numbers(1000).map(([key]) => key));
    expect(walk.next()).toEqual({ done: true, value: undefined });
    expect(walk.next().done).toBe(true);
    const values = mutable.set(1, 2).values();
    const entries = mutable.entries();
    mutable.set(1, 3);
    expect([[...values].sort(), [...entries].sort()]).toEqual([
      [1, 2],
      [
        [1, 2],
        [5000, 1],
      ],
    ]);
  });

  test('are the same object where nothing changed', () => {
    for (const count of [0, 5, 100]) {
      const map = new PersistentMap<number, unknown>(numbers(count)).set(500, Number.NaN);
      expect(map.set(500, Number.NaN)).toBe(map);
      expect(map.delete(501)).toBe(map);
      expect(map.withMutations((m) => m.set(500, Number.NaN))).toBe(map);
      expect(map.update(500, (old) => old)).toBe(map);
      expect(map.set(500, 0).set(500, -0).get(500)).toBe(-0);
      expect(map.copy()).toBe(map);
      expect(PersistentMap.from(map)).toBe(map);
    }
    const empty = new PersistentMap();
    expect(empty.clear()).toBe(empty);
  });
});

describe('secrets', () => {
  test('maps under different secrets compare, differ and merge like any', () => {
    const a = new PersistentMap(numbers(500), { secret: Int32Array.of(1, 1) });
    const b = new PersistentMap(numbers(500), { secret: Int32Array.of(2, 2) });
    const c = new PersistentMap(numbers(500), { secret: Int32Array.of(1, 1) });
    expect(a.equals(b) && b.equals(a) && a.equals(c)).toBe(true);
    expect([...a.keys()]).not.toEqual([...b.keys()]);
    expect([...a.keys()]).toEqual([...c.keys()]);
    expect(a.diff(b)).toEqual([]);
    expect(() => a.diff([] as never)).toThrow(/expected a PersistentMap/);
    expect(a.merge(b.set(-1, 1)).size).toBe(501);
    expect(a.equals(b.set(7, 0))).toBe(false);
    for (const secret of [Int32Array.of(1, 2), Int32Array.of(2, 1)]) {
      const near = new PersistentMap(numbers(500), { secret });
      expect(a.equals(near) && near.diff(a).length === 0 && a.merge(near).size === 500).toBe(true);
    }
    checkInvariants(PersistentMap.empty<number, number>(Int32Array.of(5, 5)).merge(b));
  });

  test('the secret of the process is drawn once, seeds what has none, and can be set', () => {
    const drawn = processSecret();
    expect(processSecret()).toBe(drawn);
    const before = new PersistentMap(numbers(100));
    setProcessSecret(Int32Array.of(1, 2));
    const after = new PersistentMap(numbers(100));
    expect([...after.keys()]).toEqual([
      ...new PersistentMap(numbers(100), { secret: Int32Array.of(1, 2) }).keys(),
    ]);
    expect(before.equals(after)).toBe(true);
    expect(before.set(100, 1).get(5)).toBe(-5);
    expect(() => setProcessSecret([1, 2] as never)).toThrow(TypeError);
    expect(() => setProcessSecret(new Int32Array(1))).toThrow(TypeError);
    setProcessSecret(drawn);
  });

  test('a wrong secret is refused', () => {
    for (const secret of [5, 'x', [1, 2], new Int32Array(1), new Uint8Array(8)]) {
      expect(() => new PersistentMap([], { secret: secret as never })).toThrow(
        /secret: expected an Int32Array/,
      );
      expect(() => PersistentMap.empty(secret as never)).toThrow(TypeError);
      expect(() => new PersistentSet([], { secret: secret as never })).toThrow(TypeError);
    }
  });

  test('16,384 keys with one base-31 hash are put in at the usual speed', () => {
    const blocks = (n: number) =>
      Array.from({ length: 14 }, (_, bit) => ((n >> bit) & 1 ? 'Aa' : 'BB')).join('');
    let map = new PersistentMap<string, number>();
    for (let i = 0; i < 16_384; i++) map = map.set(blocks(i), i);
    expect(map.size).toBe(16_384);
    let deepest = 0;
    const visit = (node: Node, depth: number): void => {
      deepest = Math.max(deepest, depth);
      for (const child of node) if (Array.isArray(child)) visit(child as Node, depth + 1);
    };
    visit(map.root, 1);
    expect(deepest).toBeLessThanOrEqual(7);
  });
});

describe('equality', () => {
  test('goes into persistent values, and not into others', () => {
    const inner = () => new PersistentMap([['x', PersistentVector.of<unknown>(1, PersistentSet.of(2))]]);
    const many = (value: unknown) => new PersistentMap<number, unknown>(numbers(30)).set(5, value);
    expect(many(inner()).equals(many(inner()))).toBe(true);
    expect(many(inner()).diff(many(inner()))).toEqual([]);
    expect(many(inner()).equals(many(inner().set('y', PersistentVector.of<never>())))).toBe(false);
    expect(many({}).equals(many({}))).toBe(false);
    expect(many(Number.NaN).equals(many(Number.NaN)) && many(0).equals(many(-0))).toBe(true);
  });

  test('holds between maps only', () => {
    const map = new PersistentMap([[1, true]]);
    for (const other of [new Map(map), null, 1, PersistentSet.of(1), [[1, true]]])
      expect(map.equals(other)).toBe(false);
  });
});

describe('the names of Map and of PyPersistent', () => {
  const map = PersistentMap.fromObject({ a: 1, b: undefined });

  test('read', () => {
    expect(map.get('a')).toBe(1);
    expect(map.get('b', 5)).toBe(undefined);
    expect(map.get('c', 5)).toBe(5);
    expect(map.getOrThrow('b')).toBe(undefined);
    expect(() => map.getOrThrow('c')).toThrow(NotFoundError);
    expect(() => new PersistentMap().getOrThrow(Symbol('s'))).toThrow(NotFoundError);
    expect(() => new PersistentMap().getOrThrow(Object.create(null))).toThrow(NotFoundError);
    expect(map.contains('b') && map.has('b') && !map.contains('c')).toBe(true);
    const seen: unknown[] = [];
    map.forEach((value, key, whole) => {
      seen.push(key, value, whole === map);
    });
    expect(seen).toEqual(['a', 1, true, 'b', undefined, true]);
    expect([...map.values()]).toEqual([1, undefined]);
    expect(Object.prototype.toString.call(map)).toBe('[object PersistentMap]');
  });

  test('change', () => {
    expect([...map.assoc('c', 3).dissoc('a').keys()]).toEqual(['b', 'c']);
    expect(map.update('a', (n = 0) => n + 1).get('a')).toBe(2);
    expect(map.update('z', (n = 0) => n + 1).get('z')).toBe(1);
    expect(map.update({ z: 1 }).size).toBe(3);
    expect(map.clear().size).toBe(0);
    expect(() => map.update('a', undefined as never)).toThrow(/update: expected a function/);
  });

  test('gather', () => {
    const mutable = map.asMutable();
    expect(mutable.set('c', 3)).toBe(mutable);
    expect([mutable.size, mutable.get('c'), mutable.get('d', 4), mutable.has('a')]).toEqual([3, 3, 4, true]);
    expect([...mutable.entries()]).toEqual([...mutable]);
    expect([mutable.delete('c'), mutable.delete('c')]).toEqual([true, false]);
    mutable.clear();
    expect([mutable.size, mutable.persistent().size, map.size]).toEqual([0, 0, 2]);
  });

  test('refuse what gives no pairs', () => {
    for (const wrong of [5, {}, () => 1])
      expect(() => new PersistentMap(wrong as never)).toThrow(/something to iterate/);
    for (const wrong of [[5], ['ab'], [null], new Set([1])]) {
      expect(() => new PersistentMap(wrong as never)).toThrow(/expected pairs of key and value/);
    }
  });
});
