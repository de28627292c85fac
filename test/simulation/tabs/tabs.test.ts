/** Many lives of several tabs with one store, each by a seed; a failure names it. */
import { expect, test } from 'vitest';
import { liveTabs, newTabsTally } from './life.js';

/** More by `npm run simulate -- --tabs`. */
const SEEDS = Number(process.env['TAB_SEEDS'] ?? (process.env['CI'] ? 2000 : 200));
const FIRST = Number(process.env['TAB_SEED'] ?? 1);
const TURNS = 60;

test(`${SEEDS} lives of up to five tabs: nothing answered is lost, nothing is done twice, reads never go back`, async () => {
  const tally = newTabsTally();
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    try {
      await liveTabs(seed, TURNS, tally);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  if (SEEDS < 50) return;
  for (const [what, count] of Object.entries(tally)) expect(count, `${what} was tried`).toBeGreaterThan(0);
}, 1_200_000);
