/**
 * Many short lives of a store, one a seed. A failure names its seed; to see it alone:
 * `SEED=17 npx vitest run test/simulation`. `npm run simulate -- --seeds 100000` tries more.
 */
import { expect, test, vi } from 'vitest';
import { newTally, simulate } from './simulation.js';

/** Extents are small, so that short lives have several of them. */
vi.mock('../../src/storage/log/format.js', async (original) => ({
  ...(await original<typeof import('../../src/storage/log/format.js')>()),
  fullExtentBytes: () => 2500,
}));

const { SEED, SEEDS = '2000', FIRST = '1', TURNS = '16', REPORT } = process.env;
const first = Number(SEED ?? FIRST);
const seeds = SEED === undefined ? Number(SEEDS) : 1;
const turns = Number(TURNS);
/** Enough that each misfortune happens. */
const MANY = 2000;

test(`${seeds} stores over failing disks lose nothing that was durable, and invent nothing`, async () => {
  const tally = newTally();
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      await simulate(seed, turns, tally);
    } catch (error) {
      const command = `SEED=${seed} TURNS=${turns} npx vitest run test/simulation`;
      throw new Error(`seed ${seed} fails; alone: ${command}`, { cause: error });
    }
  }
  if (REPORT) console.log(`simulated ${JSON.stringify(tally)}`);
  if (seeds < MANY) return;
  for (const [name, times] of Object.entries(tally)) expect(times, name).toBeGreaterThan(seeds / 100);
}, 0);
