/**
 * Every request and transaction of IndexedDB fails once, or from then on: what is refused
 * is refused with a typed error, what was acknowledged is there, and writing goes on.
 */
import 'fake-indexeddb/auto';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { IoError, QuotaError, StoreError } from '../../src/base/errors.js';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import type { Backend } from '../../src/storage/backend.js';
import { openIndexedDb } from '../../src/storage/indexeddb.js';
import { Clock } from './clock.js';
import { History, type Write } from './history.js';
import { expectVersion, OPTIONS, runTogether, type Store } from './store.js';

/** Seals often. */
vi.mock('../../src/storage/log/format.js', async (original) => ({
  ...(await original<typeof import('../../src/storage/log/format.js')>()),
  fullExtentBytes: () => 3000,
}));

type Call = 'add' | 'put' | 'get' | 'getAll' | 'transaction';
type How = 'throws' | 'aborts' | 'is full';

const prototypes = { store: IDBObjectStore.prototype, database: IDBDatabase.prototype };
const originals = {
  add: prototypes.store.add,
  put: prototypes.store.put,
  get: prototypes.store.get,
  getAll: prototypes.store.getAll,
  transaction: prototypes.database.transaction,
};

/** Makes calls go wrong, as `plan` says; it is asked before each. */
function failing(plan: (call: Call) => How | undefined): void {
  const target = (call: Call) => (call === 'transaction' ? prototypes.database : prototypes.store) as never;
  for (const call of Object.keys(originals) as Call[]) {
    (target(call) as Record<string, unknown>)[call] = function (this: unknown, ...given: unknown[]) {
      const how = plan(call);
      if (how === 'throws') throw new DOMException('it does not want to', 'UnknownError');
      const answer = (originals[call] as (...given: unknown[]) => unknown).apply(this, given);
      const transaction = call === 'transaction' ? answer : (this as IDBObjectStore).transaction;
      if (how === undefined) return answer;
      const abort = () => {
        if (how === 'aborts') (transaction as IDBTransaction).abort();
        // What the browser does by itself, with a reason.
        else (transaction as { _abort(name: string): void })._abort('QuotaExceededError');
      };
      // A transaction that was just begun is not aborted in the same breath.
      if (call === 'transaction') queueMicrotask(abort);
      else abort();
      return answer;
    };
  }
}

function heal(): void {
  Object.assign(prototypes.store, {
    add: originals.add,
    put: originals.put,
    get: originals.get,
    getAll: originals.getAll,
  });
  prototypes.database.transaction = originals.transaction;
}

afterEach(heal);

let names = 0;
const open: Backend[] = [];

/** `opened` is called when the database is open, and before its log is read. */
async function openStore(name: string, time: Clock, opened?: () => void): Promise<Store> {
  const backend = await openIndexedDb(name, {
    surroundings: {
      now: () => time.now,
      elapsed: () => time.age,
      random: (bytes) => new Uint8Array(bytes).fill(7),
    },
    absolute: false,
    settings: {},
  });
  open.push(backend);
  opened?.();
  const engine = await Engine.open({
    mode: 'disk',
    settings: resolveOptions({ ...OPTIONS, cache: { maxBytes: 0 } }),
    log: backend.log,
    secret: backend.header.secret,
    now: () => time.now,
    after: time.after,
  });
  return {
    engine,
    backend,
    disk: undefined as never,
    vault: undefined,
    lastsFrom: 0,
    time,
    // No clock is set back here.
    now: () => time.now,
    options: OPTIONS,
  };
}

afterEach(async () => {
  for (const backend of open.splice(0)) await backend.close();
});

const text = (length: number, letter = 'v') => letter.repeat(length);
const SCRIPT: readonly (readonly Write[])[] = [
  [
    { do: 'set', key: 'a', value: text(700) },
    { do: 'set', key: 'b', value: 'small' },
  ],
  [{ do: 'set', key: 'c', value: text(700), strict: true }],
  [{ do: 'set', key: 'd', value: text(40_000, 'd') }],
  [
    { do: 'set', key: 'a', value: text(600, 'w'), ttl: 50 },
    { do: 'delete', key: 'b' },
    { do: 'set', key: 'a', value: 'x', ifAbsent: true },
  ],
  [{ do: 'set', key: 'f', value: text(2500, 'w') }],
  [{ do: 'expire', key: 'd', ttl: 5000 }],
  [{ do: 'sweep' }],
  [{ do: 'clear', prefix: 'f' }],
  [
    {
      do: 'setMany',
      pairs: [
        ['h', text(4000, 'h')],
        ['i', 'i'],
      ] as const,
      strict: true,
    },
  ],
];

async function tryDamage(call: Call, how: How, after: number, lasting: boolean): Promise<boolean> {
  const time = new Clock();
  const name = `faults ${++names}`;
  const store = await openStore(name, time);
  time.pass(60_000);
  const history = new History();
  let left = after;
  let struck = false;
  failing((asked) => {
    if (asked !== call || left-- > 0 || (struck && !lasting)) return undefined;
    struck = true;
    return how;
  });
  const where = `${call} ${how}, ${lasting ? 'from then on' : 'once'}, after ${after}`;
  for (const writes of SCRIPT) {
    time.pass(20);
    for (const { refused } of await runTogether(store, history, writes)) {
      if (!refused) continue;
      expect(struck, where).toBe(true);
      expect([QuotaError, IoError], `${where}: ${refused.stack}`).toContain(refused.constructor);
      if (how === 'is full' && call === 'add') expect(refused, where).toBeInstanceOf(QuotaError);
    }
  }
  await store.engine.flush().catch((error) => expect(error, where).toBeInstanceOf(StoreError));
  heal();
  if (!struck) return false;
  runs += 1;
  await expectVersion(store, history.version, history.current);
  const last: Write = { do: 'set', key: 'last', value: 'the trouble is over', strict: true };
  const [outcome] = await runTogether(store, history, [last]);
  expect(outcome!.refused, where).toBe(undefined);
  await store.backend.close();
  const again = await openStore(name, time);
  await expectVersion(again, history.version, history.current);
  await again.backend.destroy();
  return true;
}

let runs = 0;
afterAll(() => {
  if (process.env['REPORT']) console.log(`${runs} scripts with a call of IndexedDB that failed`);
});

describe('when a call of IndexedDB fails', () => {
  for (const call of ['add', 'put', 'get', 'getAll', 'transaction'] as const) {
    for (const how of ['throws', 'aborts', 'is full'] as const) {
      test(`${call} that ${how}: nothing acknowledged is lost, and the store writes again`, async () => {
        let tried = 0;
        for (const lasting of [false, true]) {
          for (let after = 0; await tryDamage(call, how, after, lasting); after++) tried += 1;
        }
        expect(tried).toBeGreaterThan(1);
      });
    }
  }

  test('while it is opened, it is refused with a typed error and opens the next time', async () => {
    const time = new Clock();
    const name = `faults ${++names}`;
    const store = await openStore(name, time);
    // Files settle; a database has from the start, which the harness does not know.
    time.pass(60_000);
    const history = new History();
    for (const writes of SCRIPT) await runTogether(store, history, writes);
    await store.engine.close();
    await store.backend.close();
    let refused = 0;
    for (const how of ['throws', 'aborts', 'is full'] as const) {
      for (let after = 0, struck = true; struck; after++) {
        struck = false;
        let left = after;
        const fail = () =>
          failing(() => {
            if (left-- !== 0) return undefined;
            struck = true;
            return how;
          });
        await openStore(name, time, fail).catch((error) => {
          expect(error, `${how} after ${after}: ${error.stack}`).toBeInstanceOf(StoreError);
          refused += 1;
        });
        heal();
        for (const backend of open.splice(0)) await backend.close();
        const again = await openStore(name, time);
        await expectVersion(again, history.version, history.current);
        for (const backend of open.splice(0)) await backend.close();
      }
    }
    expect(refused).toBeGreaterThan(6);
  });
});
