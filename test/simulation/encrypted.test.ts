/** Lives of an encrypted store, as in `simulation.test.ts`: `SEED=17 npx vitest run test/simulation/encrypted`. */
import { expect, test, vi } from 'vitest';
import { watchNonces } from '../faults/nonces.js';
import { newTally, simulate } from './simulation.js';

vi.mock('../../src/storage/log/format.js', async (original) => ({
  ...(await original<typeof import('../../src/storage/log/format.js')>()),
  fullExtentBytes: () => 2500,
}));

const { SEED, SEEDS = '300', TURNS = '16', REPORT } = process.env;
const first = Number(SEED ?? 1);
const seeds = SEED === undefined ? Number(SEEDS) : 1;
/** Enough that each misfortune happens. */
const MANY = 300;

test(`${seeds} encrypted stores over failing disks lose nothing that was durable, and never use a nonce twice`, async () => {
  const tally = newTally();
  const key = await crypto.subtle.generateKey({ name: 'AES-KW', length: 256 }, false, [
    'wrapKey',
    'unwrapKey',
  ]);
  const nonces = watchNonces();
  for (let seed = first; seed < first + seeds; seed++) {
    try {
      await simulate(seed, Number(TURNS), tally, { encryption: { key } });
    } catch (error) {
      const command = `SEED=${seed} TURNS=${TURNS} npx vitest run test/simulation/encrypted`;
      throw new Error(`seed ${seed} fails; alone: ${command}`, { cause: error });
    }
  }
  nonces.restore();
  const { sealed, different, keys } = nonces;
  expect(different).toBe(sealed);
  expect(keys).toBeGreaterThan(tally.openings);
  if (REPORT) console.log(`simulated ${JSON.stringify({ ...tally, sealed, keys })}`);
  if (seeds < MANY) return;
  for (const [name, times] of Object.entries(tally)) expect(times, name).toBeGreaterThan(seeds / 100);
}, 0);
