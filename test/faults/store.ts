/** A store on a disk that can lose power: opened as a leader opens it, driven by steps, compared with its history. */
import { expect } from 'vitest';
import { StoreError } from '../../src/base/errors.js';
import { type OpenOptions, resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import { newEncryption, unlock } from '../../src/host/unlock.js';
import { Anchor } from '../../src/storage/anchor.js';
import type { Backend } from '../../src/storage/backend.js';
import { HEADER_FILES, IMAGE_FILES, LOG_FILES, openFiles } from '../../src/storage/files.js';
import type { SyncFile } from '../../src/storage/log/index.js';
import { scanAll } from '../engine/bench-store.js';
import { Clock } from './clock.js';
import type { FakeDisk } from './disk.js';
import {
  type Answer,
  checkpointsOf,
  figuresOf,
  type History,
  liveIn,
  nameOf,
  type Version,
  type Write,
} from './history.js';
import type { FakeVault } from './vault.js';

/** Files are called durable from this age on. */
export const SETTLED_MS = 60_000;

export interface Store {
  readonly engine: Engine;
  readonly backend: Backend;
  readonly disk: FakeDisk;
  readonly vault: FakeVault | undefined;
  /** The age of the disk from which on the names of all files last. */
  readonly lastsFrom: number;
  readonly time: Clock;
  /** What the store takes the time for: no earlier than it has seen, whoever sets the clock back. */
  readonly now: () => number;
  readonly options: OpenOptions;
}

/** Sweeps are steps: one that came by a timer would make a version that nobody asked for. */
export const OPTIONS: OpenOptions = { ttl: { sweepInterval: Infinity } };

/** Logs are short, and have images all the same. */
const IMAGE_AFTER_BYTES = 3000;

let secrets = 0;

export async function openStore(
  disk: FakeDisk,
  time: Clock = new Clock(),
  options: OpenOptions = OPTIONS,
  vault?: FakeVault,
): Promise<Store> {
  const names = [...HEADER_FILES, ...LOG_FILES, ...IMAGE_FILES];
  const made = names.filter((name) => !disk.has(name));
  if (vault) vault.faulted = false;
  const two = ([a, b]: readonly [string, string]): [SyncFile, SyncFile] => [disk.open(a), disk.open(b)];
  const [headers, logs, images] = [two(HEADER_FILES), two(LOG_FILES), two(IMAGE_FILES)];
  const backend = await openFiles(
    { backend: 'fake', headers, logs, images, made, settled: false, remove() {} },
    {
      surroundings: {
        now: () => time.now,
        elapsed: () => time.age,
        random: (bytes) => Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + ++secrets) & 0xff),
      },
      absolute: false,
      settings: await newEncryption(options),
    },
    vault && (await Anchor.open(vault)),
  );
  const young = backend.header.createdAt + SETTLED_MS - time.now;
  const lastsFrom = time.age + Math.min(SETTLED_MS, Math.max(0, young));
  await backend.writeHeader({ ...backend.header, epoch: backend.header.epoch + 1 });
  let seen = 0;
  const engine = await Engine.open({
    ...(await unlock(backend, options)),
    mode: 'hybrid',
    settings: resolveOptions(options),
    now: () => {
      seen = Math.max(seen, time.now);
      return time.now;
    },
    after: time.after,
    imageAfterBytes: IMAGE_AFTER_BYTES,
  });
  const now = () => Math.max(seen, time.now);
  return { engine, backend, disk, vault, lastsFrom, time, now, options };
}

/** Whether what is flushed now is durable: the files have settled, or there is an anchor; `undefined` where that may fail. */
export function lasts({ vault, lastsFrom, time }: Store): boolean | undefined {
  if (time.age >= lastsFrom) return true;
  return vault?.faulted ? undefined : vault !== undefined;
}

/** As a leader lets go: how far the log was flushed goes into the header. */
export async function closeStore(store: Store): Promise<void> {
  const { engine, backend } = store;
  await withTimers(store, engine.close());
  const { header } = backend;
  await backend.writeHeader({ ...header, epoch: header.epoch + 1, flushedTo: engine.logBytes });
  await backend.close();
}

/** Asks the engine for `write`; a set resolves to its commit. */
export function start(engine: Engine, write: Write): Promise<unknown> {
  const durability = write.strict === undefined ? {} : { durability: write.strict ? 'strict' : 'relaxed' };
  switch (write.do) {
    case 'set': {
      const { do: _, key, value, strict, ...rest } = write;
      return engine.set(key, value, { ...rest, ...durability });
    }
    case 'setMany':
      return engine.setMany([...write.pairs], durability);
    case 'delete':
      return engine.delete(write.key, durability);
    case 'deleteMany':
      return engine.deleteMany(write.keys, durability);
    case 'expire':
      return engine.expire(write.key, write.ttl, durability);
    case 'persist':
      return engine.persist(write.key, durability);
    case 'clear':
      return engine.clear(write.prefix === undefined ? undefined : { prefix: write.prefix }, durability);
    case 'checkpoint':
      return engine.versions.checkpoints.take(write.label, durability).then(({ version }) => version);
    case 'restoreCheckpoint':
      return engine.versions.checkpoints.restore(write.label, durability);
    case 'deleteCheckpoint':
      return engine.versions.checkpoints.remove(write.label, durability);
    case 'sweep':
      return engine.sweep().then(({ expired }) => expired);
  }
}

export type Outcome = { readonly refused: StoreError } | { readonly refused?: undefined };

/**
 * Runs the steps of one turn, which the engine may put into one group, and compares
 * each answer with what the history says. What is refused by the medium has not happened.
 */
export async function runTogether(
  store: Store,
  history: History,
  writes: readonly Write[],
): Promise<Outcome[]> {
  const { engine, now } = store;
  const storeIsStrict = store.options.durability === 'strict';
  const asked = Promise.allSettled(writes.map((write) => start(engine, write)));
  // Writers may have to wait for a compaction, which goes on by timers; else no timer runs within a turn.
  if (!(await endsByItself(asked))) await withTimers(store, asked);
  const results = await asked;
  const settled = lasts(store);
  return results.map((result, i) => {
    const write = writes[i]!;
    if (result.status === 'rejected' && !ANSWERS.has(result.reason.code)) {
      if (!(result.reason instanceof StoreError)) throw result.reason;
      return { refused: result.reason };
    }
    const before = history.version;
    const expected = history.apply(write, now());
    // A call that changes nothing writes nothing, and flushes nothing.
    const changed = history.version > before;
    const strict = write.strict ?? (write.do !== 'sweep' && storeIsStrict);
    const { answer, level } = answerOf(result);
    expect(answer, `${write.do} makes version ${history.version}`).toEqual(expected);
    // A call that is not strict is durable too where another of its group is.
    if (changed && level && settled !== undefined && (strict || !settled))
      expect(level).toBe(settled ? 'durable' : 'os');
    if (changed && (level === 'durable' || (strict && settled))) history.durable = history.version;
    return {};
  });
}

/** Errors that say something of the store, not of the medium. */
const ANSWERS = new Set(['CONFLICT', 'NOT_FOUND']);

function answerOf(result: PromiseSettledResult<unknown>): { answer: Answer; level?: string } {
  if (result.status === 'rejected') return { answer: result.reason.code };
  if (typeof result.value !== 'object') return { answer: result.value as Answer };
  const { version, durability } = result.value as { version: number; durability: string };
  return { answer: version, level: durability };
}

/** Rewrites the log; false where the medium, or an open scan, does not let it. Timers run meanwhile. */
export async function compact(store: Store): Promise<boolean> {
  try {
    await withTimers(store, store.engine.compact());
    return true;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return false;
  }
}

/** Whether `working` ends although no time passes. */
async function endsByItself(working: Promise<unknown>): Promise<boolean> {
  let ended = false;
  void working.finally(() => {
    ended = true;
  });
  for (let turns = 0; !ended && turns < TURNS_MOST; turns++) await new Promise(setImmediate);
  return ended;
}

/** More than a turn of writes takes that waits for nobody. */
const TURNS_MOST = 200;

/** What works in slices pauses between them. */
async function withTimers(
  { time, options }: Store,
  working: Promise<unknown>,
  waits?: () => void,
): Promise<void> {
  // The platform's threads encrypt, and take as long as they take.
  const most = options.encryption ? 1_000_000 : 100_000;
  let ended = false;
  const outcome = working.finally(() => {
    ended = true;
  });
  outcome.catch(() => {});
  for (let pauses = 0; !ended; pauses++) {
    if (pauses > most) throw new Error('it does not end');
    if (pauses === 20) waits?.();
    time.pass(0);
    await new Promise(setImmediate);
  }
  await outcome;
}

/** Flushes, and counts what was written before as durable. */
export async function flush(store: Store, history: History): Promise<void> {
  const { engine, time, lastsFrom } = store;
  const { version } = history;
  // It waits where the anchor fails, until the files have settled.
  const waits = lasts(store) === undefined ? () => time.pass(lastsFrom - time.age) : undefined;
  await withTimers(store, engine.flush(), waits);
  if (lasts(store) !== false) history.durable = version;
}

/** Everything that can be asked of the store is as in `version` of its history. */
export async function expectVersion({ engine, now }: Store, number: number, version: Version): Promise<void> {
  const live = liveIn(version, now());
  const keys = [...live.keys()].sort((a, b) => (a < b ? -1 : 1));
  const found = await scanAll<[string, unknown]>(engine, 'entries');
  expect(found.map(([key, value]) => `${key} = ${nameOf(value)}`)).toEqual(
    keys.map((key) => `${key} = ${nameOf(live.get(key)!.value)}`),
  );
  const asked = [...version.entries.keys()];
  const given = await Promise.all(asked.map((key) => engine.getEntry(key)));
  for (const [i, key] of asked.entries()) {
    const kept = live.get(key);
    const entry = given[i] as { version: number; expiresAt: number | null; value: unknown } | undefined;
    expect(entry?.version, key).toBe(kept?.version);
    if (!entry || !kept) continue;
    expect(entry.expiresAt ?? Infinity, key).toBe(kept.expiresAt);
    expect(nameOf(entry.value), key).toBe(nameOf(kept.value));
  }
  expect(await engine.health()).toMatchObject(figuresOf(version, now()));
  expect(await engine.versions.checkpoints.list()).toEqual(checkpointsOf(version));
  expect((await engine.stats()).version).toBe(number);
}

/** The version that a store was found at, which has to be one of its history and not before `least`. */
export async function expectFound(store: Store, history: History, least: number): Promise<number> {
  const { version } = await store.engine.stats();
  expect(version, 'a durable version is lost').toBeGreaterThanOrEqual(least);
  expect(version, 'a version was invented').toBeLessThanOrEqual(history.version);
  await expectVersion(store, version, history.at(version)!);
  return version;
}
