/** Random scripts for an engine with images: everything that changes what is stored, and everything that seals. */
import fc from 'fast-check';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { type BenchOptions, type ImageBench, idle, openOn } from './image-store.js';

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

export type Step =
  | { readonly do: 'set'; readonly pairs: readonly (readonly [string, unknown])[]; readonly ttl?: number }
  | { readonly do: 'delete'; readonly keys: readonly string[] }
  | { readonly do: 'expire'; readonly key: string; readonly ttl: number }
  | { readonly do: 'persist'; readonly key: string }
  | { readonly do: 'many'; readonly from: number; readonly ttl: number | undefined }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'damage'; readonly image: 0 | 1; readonly at: number }
  | { readonly do: 'runs' | 'clear' | 'sweep' | 'count' | 'fill' | 'idle' | 'kill' | 'close' };

const pairs = fc.array(fc.tuple(key, value), { minLength: 1, maxLength: 6 });
export const step: fc.Arbitrary<Step> = fc.oneof(
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
  { weight: 2, arbitrary: fc.constant({ do: 'runs' as const }) },
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

/** Numbers the values that fill extents. */
export const fills = { count: 0 };

export async function run(bench: ImageBench, one: Step, given: BenchOptions): Promise<ImageBench> {
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
      // What the time has set going goes as far as its next pause: it may write to the log.
      for (let i = 0; i < 3; i++) await new Promise<void>((done) => setImmediate(done));
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
      fills.count += 1;
      await engine.set('filler', new Uint8Array(260 * 1024).fill(fills.count));
      break;
    case 'runs':
      // With what other steps have sealed, enough to be merged.
      for (let i = 0; i < 4; i++) {
        await engine.set(`runs/${i}`, new Uint8Array(260 * 1024).fill(++fills.count));
      }
      await idle(time);
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

export const shapes: [string, IndexMapletOptions, object][] = [
  ['as it opens by default', {}, {}],
  ['with many small segments', { segmentSlots: 32, leastSlots: 8 }, {}],
  ['with an index that takes keys for others', { fingerprintBits: 3, segmentSlots: 64, leastSlots: 16 }, {}],
  ['without dedup', { segmentSlots: 64, leastSlots: 16 }, { dedup: { mode: 'off' } }],
];
