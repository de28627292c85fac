/** Random scripts: whatever was done, an image and the log behind it say what the whole log says, and what the live store says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeTime } from './bench-store.js';
import { fills, run, shapes, step } from './image-script.js';
import { type BenchOptions, Disk, figures, openBoth, openOn, recovered } from './image-store.js';

/** Openings that an image spared reading entries. */
let spared = 0;

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
              const filled = fills.count;
              withImage = await run(withImage, one, given);
              fills.count = filled;
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
