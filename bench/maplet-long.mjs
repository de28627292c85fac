/**
 * 10^8 checks that no key goes missing, in about five minutes.
 *
 *     npm run bench -- maplet-long [--checks 100000000] [--seed 1]
 *
 * An index and a public maplet live through phases of growth, change and mass
 * deletion, at full width and with short fingerprints; after every phase all keys
 * that are in are asked for. Then a reader on another thread asks a published
 * index while it is being published. Ends with status 1 at the first miss.
 */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { checks: { type: 'string', default: '100000000' }, seed: { type: 'string', default: '1' } },
});
const target = Number(values.checks);
const dist = resolve(process.env.ROOTCELLAR_DIST ?? new URL('../dist', import.meta.url).pathname);
const { IndexMaplet, Maplet } = await import(pathToFileURL(`${dist}/structures/maplet/index.js`).href);

let state = Number(values.seed);
const random = (below) => {
  state = (state + 0x9e3779b9) | 0;
  return Math.floor(((mix(state) >>> 0) / 2 ** 32) * below);
};

function mix(n) {
  n = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  n = Math.imul(n ^ (n >>> 15), 0x846ca68b);
  return n ^ (n >>> 16);
}

function fail(what) {
  console.error(`MISSING: ${what}`);
  process.exit(1);
}

let checks = 0;
const shapes = [
  { universe: 1_500_000 },
  { universe: 60_000, fingerprintBits: 18 },
  { universe: 40_000, segmentSlots: 64, leastSlots: 16 },
];
while (checks < target * 0.8) {
  for (const { universe, ...options } of shapes) {
    const index = new IndexMaplet(options);
    // Where each key is, or -1. Locations are never used twice at a time.
    const location = new Float64Array(universe).fill(-1);
    let next = 0;
    let before = index.snapshot();
    let then = location.slice();
    const verify = (of, where, what) => {
      for (let i = 0; i < universe; i++) {
        if (where[i] < 0) continue;
        checks++;
        if (!of.names(mix(i * 2 + 1), mix(i ^ 0x5bd1e995), where[i]))
          fail(`${what} lost key ${i} at ${where[i]}`);
      }
    };
    for (const share of [0.7, 0.95, 0.3, 0.5, 0.05, 0.9, 0]) {
      for (let step = 0; step < universe; step++) {
        const i = random(universe);
        const [high, low] = [mix(i * 2 + 1), mix(i ^ 0x5bd1e995)];
        const inside = location[i] >= 0;
        if (random(1000) < share * 1000) {
          const to = next++ * 3;
          if (inside) index.replace(high, low, location[i], to);
          else index.insert(high, low, to);
          location[i] = to;
        } else if (inside) {
          if (!index.remove(high, low, location[i])) fail(`key ${i} cannot be removed`);
          location[i] = -1;
        }
      }
      verify(index, location, 'the index');
      verify(before, then, 'a snapshot');
      before = index.snapshot();
      then = location.slice();
    }
    console.log(`${checks} checks; index of ${universe} ${JSON.stringify(options)}`);
  }
}

for (const falsePositiveRate of [0.5, 0.1, 0.01, 1e-6]) {
  const maplet = new Maplet({
    capacity: 1000,
    falsePositiveRate,
    operator: 'counter',
    valueBits: 16,
    seed: 9,
  });
  const universe = 200_000;
  const counts = new Uint16Array(universe);
  const start = checks;
  while (checks - start < target * 0.05) {
    for (let step = 0; step < universe; step++) {
      const i = random(universe);
      if (counts[i] > 0 && random(3) === 0) {
        if (!maplet.delete(`key ${i}`)) fail(`key ${i} cannot be deleted`);
        counts[i]--;
      } else {
        maplet.insert(`key ${i}`, 1);
        counts[i]++;
      }
    }
    for (let i = 0; i < universe; i++) {
      if (counts[i] === 0) continue;
      checks++;
      if (maplet.count(`key ${i}`) < counts[i]) fail(`key ${i} of a maplet at ${falsePositiveRate}`);
    }
  }
  console.log(`${checks} checks; maplet at ${falsePositiveRate}`);
}

const task = fileURLToPath(new URL('./structures/node-task.mjs', import.meta.url));
for (let round = 0; round < Math.max(1, target / 1e7); round++) {
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', task, 'maplet', 'shared-busy', '{"count":900000}'],
    {
      encoding: 'utf8',
    },
  );
  const { wrong, published } = JSON.parse(output);
  if (wrong > 0) fail(`${wrong} keys, by a reader beside ${published} changes`);
}
console.log(`${checks} checks and as many by readers of a published index: none missing`);
