/** Random scripts: whatever was done, an image and the log behind it say what the whole log says, and what the live store says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { FakeTime } from './bench-store.js';
import {
  type BenchOptions,
  Disk,
  figures,
  type ImageBench,
  idle,
  openBoth,
  openOn,
  recovered,
} from './image-store.js';

const key = fc.constantFrom('', 'a', 'b', 'c', 'ab', 'abc', '\ud800', '漢', 'ü', 'key-1', 'key-2', 'key-3');
const value = fc.oneof(
  fc.constantFrom('', 'x', 'short', null, 42),
  fc.constantFrom(
    'a value that is longer than sixteen bytes',
    'another one of those values',
    'y'.repeat(300),
  ),
);
const ttl = fc.constantFrom(1, 10, 1000, 2 ** 45);

type Step =
  | { readonly do: 'set'; readonly pairs: readonly (readonly [string, unknown])[]; readonly ttl?: number }
  | { readonly do: 'delete'; readonly keys: readonly string[] }
  | { readonly do: 'expire'; readonly key: string; readonly ttl: number }
  | { readonly do: 'persist'; readonly key: string }
  | { readonly do: 'many'; readonly from: number; readonly ttl: number | undefined }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'damage'; readonly image: 0 | 1; readonly at: number }
  | { readonly do: 'clear' | 'sweep' | 'count' | 'fill' | 'idle' | 'kill' | 'close' };

const pairs = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), pairs }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('set' as const), pairs, ttl }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('delete' as const), keys: fc.uniqueArray(key, { maxLength: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('expire' as const), key, ttl }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('persist' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('many' as const),
      from: fc.nat(300),
      ttl: fc.constantFrom(undefined, 5, 2000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 5, 20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('damage' as const),
      image: fc.constantFrom(0 as const, 1 as const),
      at: fc.nat(1_000_000),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'clear' as const,
        'sweep' as const,
        'count' as const,
        'fill' as const,
        'fill' as const,
        'fill' as const,
        'idle' as const,
        'idle' as const,
        'kill' as const,
        'close' as const,
      ),
    }),
  },
);

let fills = 0;
/** Openings that an image spared reading entries. */
let spared = 0;

async function run(bench: ImageBench, one: Step, given: BenchOptions): Promise<ImageBench> {
  const { engine, time, disk } = bench;
  switch (one.do) {
    case 'set':
      await engine.setMany(one.pairs, one.ttl === undefined ? {} : { ttl: one.ttl });
      break;
    case 'delete':
      await engine.deleteMany(one.keys);
      break;
    case 'expire':
      await engine.expire(one.key, one.ttl);
      break;
    case 'persist':
      await engine.persist(one.key);
      break;
    case 'many': {
      const entries = Array.from({ length: 150 }, (_, i): [string, unknown] => [
        `many/${one.from + i}`,
        `value number ${(one.from + i) % 40} of a few`,
      ]);
      await engine.setMany(entries, one.ttl === undefined ? {} : { ttl: one.ttl });
      break;
    }
    case 'wait':
      time.pass(one.ms);
      break;
    case 'damage': {
      const file = disk.images[one.image];
      const at = one.at % Math.max(1, file.size());
      const byte = new Uint8Array(1);
      if (file.read(byte, at) === 1) file.write(Uint8Array.of(byte[0]! ^ 4), at);
      break;
    }
    case 'clear':
      await engine.clear();
      break;
    case 'sweep':
      await engine.sweep();
      break;
    case 'count':
      await engine.count();
      break;
    case 'fill':
      fills += 1;
      await engine.set('filler', new Uint8Array(260 * 1024).fill(fills));
      break;
    case 'idle':
      await idle(time);
      break;
    case 'kill':
      return openOn(disk.copy(), given);
    case 'close':
      await engine.close();
      return openOn(disk, given);
  }
  return bench;
}

const shapes: [string, IndexMapletOptions, object][] = [
  ['as it opens by default', {}, {}],
  ['with many small segments', { segmentSlots: 32, leastSlots: 8 }, {}],
  ['with an index that takes keys for others', { fingerprintBits: 3, segmentSlots: 64, leastSlots: 16 }, {}],
  ['without dedup', { segmentSlots: 64, leastSlots: 16 }, { dedup: { mode: 'off' } }],
];

describe('a store that is opened with an image', () => {
  test.each(shapes)(
    '%s says what the log says, whatever was done, and goes on so',
    async (_, index, other) => {
      const options = { ttl: { sweepInterval: Number.POSITIVE_INFINITY }, ...other };
      spared = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 40, size: 'max' }),
          fc.array(step, { maxLength: 8 }),
          async (before, after) => {
            const given: BenchOptions = { index, options, time: new FakeTime() };
            let bench = await openOn(new Disk(), given);
            for (const one of before) bench = await run(bench, one, given);
            let [withImage, without] = await openBoth(bench.disk, given);
            if ((await recovered(withImage)) < (await recovered(without))) spared += 1;
            expect(await figures(withImage)).toEqual(await figures(bench));
            for (const one of after) {
              if (one.do === 'wait') {
                bench.time.pass(one.ms);
                continue;
              }
              const filled = fills;
              withImage = await run(withImage, one, given);
              fills = filled;
              without = await run(without, one.do === 'damage' ? { do: 'count' } : one, {
                ...given,
                images: null,
              });
            }
            // Seals differ, where one is closed with an image and the other without.
            const { storage: _a, health: one, ...left } = await figures(withImage);
            const { storage: _b, health: two, ...right } = await figures(without);
            const { length: _c, ...leftRest } = left;
            const { length: _d, ...rightRest } = right;
            expect(leftRest).toEqual(rightRest);
            expect({ ...one, storedBytes: 0 }).toEqual({ ...two, storedBytes: 0 });
          },
        ),
        { numRuns: 60 },
      );
      expect(spared).toBeGreaterThan(15);
    },
  );
});
