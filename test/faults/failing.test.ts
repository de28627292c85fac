/**
 * Every call of the disk fails once, or from then on: what is refused is refused with a
 * typed error, nothing that was acknowledged is lost, and the store writes again when
 * the trouble is over, unless it was a flush that failed.
 */
import { afterAll, describe, expect, test, vi } from 'vitest';
import { IoError, QuotaError, StoreError } from '../../src/base/errors.js';
import { LOG_FILES } from '../../src/storage/files.js';
import { Clock } from './clock.js';
import { type DiskCall, FakeDisk, type Fault, type Operation } from './disk.js';
import { History, type Write } from './history.js';
import {
  closeStore,
  expectVersion,
  OPTIONS,
  openStore,
  runTogether,
  SETTLED_MS,
  type Store,
} from './store.js';

const EXTENT_BYTES = 3000;
vi.mock('../../src/storage/log/format.js', async (original) => ({
  ...(await original<typeof import('../../src/storage/log/format.js')>()),
  fullExtentBytes: () => EXTENT_BYTES,
}));

const quota = Object.assign(new Error('no room'), { name: 'QuotaExceededError' });
const plain = new Error('something broke');

/** What each call of the disk may do wrong. */
const FAULTS: Record<string, { readonly operation: Operation; readonly fault: Fault }> = {
  'a write throws QuotaExceededError': { operation: 'write', fault: { throws: quota } },
  'a write throws an error': { operation: 'write', fault: { throws: plain } },
  'a write throws when it has written all': { operation: 'write', fault: { throws: plain, done: true } },
  'a write tells a short count': { operation: 'write', fault: 'short' },
  'a write claims all and wrote half': { operation: 'write', fault: 'lying' },
  'a write writes nothing': { operation: 'write', fault: 'none' },
  'a flush throws': { operation: 'flush', fault: { throws: plain } },
  'a truncate throws': { operation: 'truncate', fault: { throws: plain } },
  'a size throws': { operation: 'size', fault: { throws: plain } },
  'a read throws': { operation: 'read', fault: { throws: plain } },
  'a read gives too few bytes': { operation: 'read', fault: 'short' },
  'a read gives nothing': { operation: 'read', fault: 'none' },
};

const text = (length: number, letter = 'v') => letter.repeat(length);

/** Turns of a script that writes, seals, shares values, expires and clears. */
const SCRIPT: readonly (readonly Write[])[] = [
  [
    { do: 'set', key: 'a', value: text(700) },
    { do: 'set', key: 'b', value: 'small' },
  ],
  [{ do: 'set', key: 'c', value: text(700), strict: true }],
  [{ do: 'set', key: 'd', value: text(2000, 'd') }],
  [
    { do: 'set', key: 'a', value: text(600, 'w') },
    { do: 'delete', key: 'b' },
    { do: 'set', key: 'b', value: 'again' },
  ],
  [{ do: 'set', key: 'e', value: text(800, 'e'), ttl: 50 }],
  [
    { do: 'set', key: 'f', value: text(900, 'w'), strict: true },
    { do: 'set', key: 'a', value: 'x', ifAbsent: true },
  ],
  [{ do: 'expire', key: 'a', ttl: 20 }],
  [{ do: 'sweep' }],
  [{ do: 'set', key: 'g', value: text(2500, 'g') }],
  [
    { do: 'persist', key: 'd' },
    { do: 'expire', key: 'd', ttl: 10_000 },
  ],
  [{ do: 'clear', prefix: 'f' }],
  [
    {
      do: 'setMany',
      pairs: [
        ['h', text(400, 'h')],
        ['i', 'i'],
        ['h', 'other'],
      ],
      strict: true,
    },
  ],
];

const CALLS_MAX = 400;

interface Damage {
  readonly name: string;
  readonly operation: Operation;
  readonly fault: Fault;
  /** How many calls of that operation go well before. */
  readonly after: number;
  readonly lasting: boolean;
}

/** Runs the script with one call of the log failing; whether there was such a call. */
async function tryDamage({ operation, fault, after, lasting, name }: Damage): Promise<boolean> {
  const time = new Clock();
  const disk = new FakeDisk(() => time.age);
  // No cache: reads go to the disk.
  let store = await openStore(disk, time, { ...OPTIONS, cache: { maxBytes: 0 } });
  time.pass(SETTLED_MS);
  const history = new History();
  let left = after;
  let struck = false;
  const failing = (call: DiskCall): Fault | undefined => {
    if (call.file !== 'slot-0' || call.operation !== operation || left-- > 0) return undefined;
    if (struck && !lasting) return undefined;
    struck = true;
    return fault;
  };
  const where = `${name}, ${lasting ? 'from then on' : 'once'}, after ${after}`;
  let refusals = 0;
  disk.fault = failing;
  for (const [i, writes] of SCRIPT.entries()) {
    time.pass(7);
    for (const { refused } of await runTogether(store, history, writes)) {
      if (!refused) continue;
      refusals += 1;
      expect(struck, `${where}: refused before anything failed: ${refused.message}`).toBe(true);
      expect([QuotaError, IoError], `${where}, turn ${i}: ${refused.stack}`).toContain(refused.constructor);
    }
    if (i !== 5) continue;
    // Reading goes on, but where it is reading that fails.
    const reading = store.engine.health();
    if (operation === 'read') await reading.catch((error) => expect(error, where).toBeInstanceOf(IoError));
    else await reading;
  }
  if (operation !== 'read') await expectVersion(store, history.version, history.current);
  disk.fault = undefined;
  if (!struck) return false;
  runs += 1;
  if (operation === 'write' || operation === 'flush') expect(refusals, where).toBeGreaterThan(0);
  await expectVersion(store, history.version, history.current);
  const last: Write = { do: 'set', key: 'last', value: 'the trouble is over', strict: true };
  const [outcome] = await runTogether(store, history, [last]);
  if (operation === 'flush') expect(outcome!.refused, where).toBeInstanceOf(IoError);
  else expect(outcome!.refused, where).toBe(undefined);
  store = await openStore(disk.copy(), time, OPTIONS);
  await expectVersion(store, history.version, history.current);
  await closeStore(store);
  return true;
}

let runs = 0;
afterAll(() => {
  if (process.env['REPORT']) console.log(`${runs} scripts with a call that failed`);
});

describe('when a call of the log fails', () => {
  for (const [name, { operation, fault }] of Object.entries(FAULTS)) {
    for (const lasting of [false, true]) {
      test(`${name}, ${lasting ? 'and so do all after it' : 'once'}: nothing acknowledged is lost`, async () => {
        let after = 0;
        while (after < CALLS_MAX && (await tryDamage({ name, operation, fault, after, lasting }))) after += 1;
        // A truncate is only made after something else has failed.
        if (operation === 'truncate') expect(after).toBe(0);
        else expect(after).toBeGreaterThan(2);
        expect(after).toBeLessThan(CALLS_MAX);
      });
    }
  }

  test('two of them in a row, the second while the first is taken back', async () => {
    let pairs = 0;
    for (const first of ['short', 'lying', { throws: quota }, { throws: plain, done: true }] as const) {
      for (const second of ['truncate', 'size', 'flush'] as const) {
        for (let after = 0; after < 12; after++) {
          if (await tryTwo(first, second, after)) pairs += 1;
        }
      }
    }
    expect(pairs).toBeGreaterThan(60);
  });
});

/** A write fails, and so does the next call of another operation. */
async function tryTwo(first: Fault, second: Operation, after: number): Promise<boolean> {
  const time = new Clock();
  const disk = new FakeDisk(() => time.age);
  const store = await openStore(disk, time);
  time.pass(SETTLED_MS);
  const history = new History();
  let left = after;
  let failed = 0;
  disk.fault = ({ operation }) => {
    if (failed === 0 && operation === 'write' && left-- === 0) {
      failed = 1;
      return first;
    }
    if (failed === 1 && operation === second) {
      failed = 2;
      return { throws: plain };
    }
    return undefined;
  };
  let broken = false;
  for (const writes of SCRIPT) {
    for (const { refused } of await runTogether(store, history, writes)) {
      if (refused) expect(refused).toBeInstanceOf(StoreError);
    }
    broken ||= failed === 2 && second === 'flush';
  }
  disk.fault = undefined;
  await expectVersion(store, history.version, history.current);
  const [outcome] = await runTogether(store, history, [{ do: 'set', key: 'last', value: 'x' }]);
  expect(outcome!.refused !== undefined, `${JSON.stringify(first)}, ${second}, ${after}`).toBe(broken);
  await expectVersion(await openStore(disk.copy(), time), history.version, history.current);
  if (failed === 2) runs += 1;
  return failed === 2;
}

describe('opening over a disk that fails', () => {
  async function full(): Promise<{ disk: FakeDisk; time: Clock; history: History; store: Store }> {
    const time = new Clock();
    const disk = new FakeDisk(() => time.age);
    const store = await openStore(disk, time);
    time.pass(SETTLED_MS);
    const history = new History();
    for (const writes of SCRIPT) await runTogether(store, history, writes);
    await closeStore(store);
    return { disk, time, history, store };
  }

  test('is refused with a typed error or goes well, and loses nothing, whichever call of the log fails', async () => {
    const { disk, time, history, store } = await full();
    const log = LOG_FILES[store.backend.header.place]!;
    // Something to cut off.
    disk.open(log).write(new Uint8Array(50).fill(3), disk.content(log).length);
    for (const { operation, fault } of Object.values(FAULTS)) {
      // The files are measured before the log is opened: `headers.test.ts`.
      if (operation === 'size') continue;
      for (let after = 0, struck = true; struck; after++) {
        struck = false;
        let left = after;
        const tried = disk.copy();
        tried.fault = (call) => {
          if (call.file !== log || call.operation !== operation || left-- !== 0) return undefined;
          struck = true;
          return fault;
        };
        await openStore(tried, time).catch((error) =>
          expect(error, `${operation} ${after}: ${error.stack}`).toBeInstanceOf(StoreError),
        );
        tried.fault = undefined;
        await expectVersion(await openStore(tried, time), history.version, history.current);
      }
    }
  });
});
