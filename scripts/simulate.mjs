/**
 * Many lives of a store over failing disks, one a seed, several processes at once:
 *
 *     npm run simulate -- --seeds 1000000 [--first 1] [--turns 16] [--processes 2]
 *
 * Prints what was tried, stops at the first failure and says how to see it alone.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

/** Seeds of one process: short enough that its memory does not matter, and that progress is seen. */
const BLOCK = 5000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100000' },
    first: { type: 'string', default: '1' },
    turns: { type: 'string', default: '16' },
    processes: { type: 'string', default: String(availableParallelism()) },
  },
});
const [seeds, first, turns, processes] = ['seeds', 'first', 'turns', 'processes'].map((name) => {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new RangeError(`--${name}: expected a whole number above 0, got ${values[name]}`);
});

const end = first + seeds;
let next = first;
let done = 0;
const total = {};

/** Runs one block; its figures, or undefined and its output printed when it failed. */
function run(from, count) {
  const env = { ...process.env, FIRST: from, SEEDS: count, TURNS: turns, REPORT: '1' };
  delete env.SEED;
  const child = spawn('npx', ['vitest', 'run', 'test/simulation'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (piece) => (output += piece));
  child.stderr.on('data', (piece) => (output += piece));
  return new Promise((resolve) => {
    child.on('close', (code) => {
      const report = /simulated (\{.*\})/.exec(output);
      if (code === 0 && report) resolve(JSON.parse(report[1]));
      else {
        console.error(output);
        resolve(undefined);
      }
    });
  });
}

async function work() {
  while (next < end && !process.exitCode) {
    const from = next;
    const count = Math.min(BLOCK, end - from);
    next += count;
    const tally = await run(from, count);
    if (!tally) {
      process.exitCode = 1;
      return;
    }
    done += count;
    for (const [name, times] of Object.entries(tally)) total[name] = (total[name] ?? 0) + times;
    console.log(`${done} of ${seeds} seeds`);
  }
}

await Promise.all(Array.from({ length: processes }, work));
console.log(`${done} seeds from ${first}, ${turns} turns each:`, total);
