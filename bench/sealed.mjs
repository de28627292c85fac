/**
 * What compression and encryption cost and save: the same work on a store in a folder that
 * has neither, one or both, in turns. Processor time of the whole process, in microseconds a
 * call, so that what the crypto threads do counts; bytes of the log a record.
 *
 *    npm run bench -- sealed [--records 20000] [--rounds 5]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '../dist/index.js';
import { randomFrom } from './eviction/traces.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const RECORDS = option('records', 20_000);
const ROUNDS = option('rounds', 5);
const ONE_BY_ONE = 2000;

const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
const KINDS = {
  plain: {},
  gzip: { compression: 'gzip' },
  'deflate-raw': { compression: 'deflate-raw' },
  encrypted: { encryption: { key } },
  'encrypted gzip': { encryption: { key }, compression: 'gzip' },
};
/** Bytes of a value: one that is never compressed, and one that is. */
const SIZES = [100, 2000];
const folder = mkdtempSync(join(tmpdir(), 'rootcellar-bench-'));

const words = 'the quick brown fox jumps over the lazy dog and finds a cellar full of roots '.split(' ');
const random = randomFrom(1);
const below = (n) => Math.floor(random() * n);
const textOf = (size) => {
  let text = '';
  while (text.length < size) text += `${words[below(words.length)]}${below(100)} `;
  return text.slice(0, size);
};

async function timed(work, calls) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function run(options, size, round) {
  const name = `${size}-${round}-${Object.keys(options).join('-') || 'plain'}-${options.compression ?? ''}`;
  const all = { directory: folder, cache: { maxBytes: 0 }, undo: { depth: 0 }, ...options };
  const pairs = Array.from({ length: RECORDS }, (_, i) => [
    `record:${String(i).padStart(12, '0')}`,
    textOf(size),
  ]);
  let store = await open(name, all);
  const figures = {};
  figures['setMany'] = await timed(async () => {
    for (let i = 0; i < RECORDS; i += 1000) await store.setMany(pairs.slice(i, i + 1000));
  }, RECORDS);
  figures['set'] = await timed(async () => {
    for (let i = 0; i < ONE_BY_ONE; i++) await store.set(`one:${i}`, pairs[i][1] + i);
  }, ONE_BY_ONE);
  figures['bytes'] = (await store.health()).storedBytes / (RECORDS + ONE_BY_ONE);
  await store.close();
  figures['open'] = await timed(async () => {
    store = await open(name, all);
    await store.get(pairs[0][0]);
  }, 1);
  figures['get'] = await timed(async () => {
    for (let i = 0; i < ONE_BY_ONE; i++) await store.get(pairs[(i * 7919) % RECORDS][0]);
  }, ONE_BY_ONE);
  await store.destroy();
  return figures;
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

for (const size of SIZES) {
  const rounds = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, options] of Object.entries(KINDS)) rounds[kind].push(await run(options, size, round));
  }
  console.log(`values of ${size} bytes, ${RECORDS} records, median of ${ROUNDS}`);
  const rows = Object.entries(rounds).map(([kind, all]) => [
    kind,
    Object.fromEntries(
      Object.keys(all[0]).map((figure) => [figure, Number(median(all.map((one) => one[figure])).toFixed(1))]),
    ),
  ]);
  console.table(Object.fromEntries(rows));
}
rmSync(folder, { recursive: true, force: true });
