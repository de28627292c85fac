/**
 * A thousand random scripts. After each, four ways lead to one content: the live store, its
 * log read anew, an image with the log behind it, and an export taken in by another store.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { FakeTime } from './bench-store.js';
import { run, shapes, step } from './image-script.js';
import { type BenchOptions, Disk, figures, openBoth, openOn } from './image-store.js';
import { content, exportAll, importAll } from './transfers-of.js';

const SCRIPTS = 1000;

async function totals(engine: Engine): Promise<unknown> {
  const { totalKeys, totalObjects, totalBytes, logicalBytes } = await engine.health();
  return { totalKeys, totalObjects, totalBytes, logicalBytes };
}

describe('live state, replay, image with tail, and export with import', () => {
  test.each(shapes)(
    'of a store %s are one',
    async (_, index, other) => {
      const options = { ttl: { sweepInterval: Number.POSITIVE_INFINITY }, ...other };
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
          const given: BenchOptions = { index, options, time: new FakeTime() };
          let live = await openOn(new Disk(), given);
          for (const one of steps) live = await run(live, one, given);
          const [withImage] = await openBoth(live.disk, given);
          const imported = await openOn(new Disk(), { ...given, images: null, generation: 9 });
          await importAll(imported.engine, await exportAll(live.engine), { mode: 'replace' }, 100_000);
          expect(await content(imported.engine)).toEqual(await content(live.engine));
          expect(await totals(imported.engine)).toEqual(await totals(live.engine));
          expect(await figures(withImage)).toEqual(await figures(live));
        }),
        { numRuns: SCRIPTS / shapes.length },
      );
    },
    300_000,
  );
});
