/** What is measured of a store: 100,000 records of 100 bytes. Each answer is checked outside the clock. */
import type { Opened } from './contenders/contender.js';

export const RECORDS = 100_000;
export const BATCH = 1000;
const AWAITED = 500;
const ROUNDS_AT_ONCE = 10;
const BATCHES_READ = 20;

export interface Figure {
  readonly workload: string;
  /** Operations a second. */
  readonly rate: number;
}

const keyAt = (i: number) => `record:${String(i).padStart(13, '0')}`;
/** 100 characters, different for each record and each version of it. */
const valueAt = (i: number, version = 0) => `${i}:${version}:`.padEnd(100, 'lorem ipsum dolor sit amet ');
const spread = (n: number, i: number) => (i * 48_271 + 11) % n;

async function clocked(count: number, run: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await run();
  return count / ((performance.now() - start) / 1000);
}

function check(got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Error(`expected ${String(wanted)}, got ${String(got)}`);
}

/** Runs every workload on one store, which is empty at first. */
export async function measure(store: Opened): Promise<Figure[]> {
  const figures: Figure[] = [];
  const add = (workload: string, rate: number) => figures.push({ workload, rate });

  const batches: [string, string][][] = [];
  for (let from = 0; from < RECORDS; from += BATCH) {
    batches.push(Array.from({ length: BATCH }, (_, i) => [keyAt(from + i), valueAt(from + i)]));
  }
  add(
    'setMany by 1,000',
    await clocked(RECORDS, async () => {
      for (const batch of batches) await store.setMany(batch);
    }),
  );

  const many = Array.from({ length: BATCHES_READ }, (_, b) =>
    Array.from({ length: BATCH }, (_, i) => spread(RECORDS, b * BATCH + i)),
  );
  const answers: unknown[][] = [];
  add(
    'getMany by 1,000',
    await clocked(BATCHES_READ * BATCH, async () => {
      for (const batch of many) answers.push(await store.getMany(batch.map(keyAt)));
    }),
  );
  many.forEach((batch, b) => {
    batch.forEach((record, i) => {
      check(answers[b]![i], valueAt(record));
    });
  });

  let version = 0;
  add(
    '1,000 set at once',
    await clocked(ROUNDS_AT_ONCE * BATCH, async () => {
      for (let round = 0; round < ROUNDS_AT_ONCE; round++) {
        version += 1;
        await Promise.all(Array.from({ length: BATCH }, (_, i) => store.set(keyAt(i), valueAt(i, version))));
      }
    }),
  );
  for (let i = 0; i < BATCH; i += 97) check(await store.get(keyAt(i)), valueAt(i, version));

  let read: unknown[] = [];
  add(
    '1,000 get at once',
    await clocked(ROUNDS_AT_ONCE * BATCH, async () => {
      for (let round = 0; round < ROUNDS_AT_ONCE; round++) {
        read = await Promise.all(
          Array.from({ length: BATCH }, (_, i) => store.get(keyAt(spread(RECORDS, i) || 1))),
        );
      }
    }),
  );
  check(
    read.every((value) => typeof value === 'string' && value.length === 100),
    true,
  );

  add(
    'awaited set',
    await clocked(AWAITED, async () => {
      for (let i = 0; i < AWAITED; i++) await store.set(keyAt(i), valueAt(i, 77));
    }),
  );
  check(await store.get(keyAt(3)), valueAt(3, 77));

  let last: unknown;
  add(
    'awaited get',
    await clocked(AWAITED, async () => {
      for (let i = 0; i < AWAITED; i++) last = await store.get(keyAt(2000 + i));
    }),
  );
  check(last, valueAt(2000 + AWAITED - 1));

  let absent: unknown = 'none';
  add(
    'awaited get, absent',
    await clocked(AWAITED, async () => {
      for (let i = 0; i < AWAITED; i++) absent = await store.get(`absent:${i}`);
    }),
  );
  check(absent, undefined);
  return figures;
}
