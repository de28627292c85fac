/** A store in memory files that can be compacted, spoken to as sessions do, and its model. */
import fc from 'fast-check';
import type { OpenOptions } from '../../src/contract/options.js';
import { resolveOptions } from '../../src/contract/options.js';
import { Engine } from '../../src/engine/index.js';
import { runCalls } from '../../src/host/calls.js';
import { openFiles } from '../../src/storage/files.js';
import { MemoryFile } from '../../src/storage/log/index.js';
import type { IndexMapletOptions } from '../../src/structures/maplet/index.js';
import { unpackError } from '../../src/wire/errors.js';
import { FakeTime } from './bench-store.js';

export interface VersionsStore {
  readonly engine: Engine;
  readonly time: FakeTime;
  readonly disk: Disk;
  /** One call of a session, as the page makes it. */
  call<T>(session: string, method: string, ...args: unknown[]): Promise<T>;
}

type Pair = [MemoryFile, MemoryFile];

export interface Disk {
  readonly headers: Pair;
  readonly logs: Pair;
  readonly images: Pair;
}

export function newDisk(): Disk {
  const pair = (): Pair => [new MemoryFile(), new MemoryFile()];
  return { headers: pair(), logs: pair(), images: pair() };
}

/** What another process would find. */
export function copyDisk({ headers, logs, images }: Disk): Disk {
  const copy = ([a, b]: Pair): Pair => [new MemoryFile(a.content()), new MemoryFile(b.content())];
  return { headers: copy(headers), logs: copy(logs), images: copy(images) };
}

let drawn = 0;

/** With `imageAfterBytes` there are images, from that size of the log on. */
export async function openVersions(
  options: OpenOptions = {},
  index: IndexMapletOptions = {},
  epoch = 1,
  disk = newDisk(),
  time = new FakeTime(),
  imageAfterBytes?: number,
): Promise<VersionsStore> {
  const backend = await openFiles(
    { backend: 'test', ...disk, made: [], settled: true, remove() {} },
    {
      surroundings: {
        now: () => time.now,
        elapsed: () => time.now,
        random: (bytes) => Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + ++drawn) & 0xff),
      },
      absolute: false,
      settings: { dedup: 'exact' },
    },
  );
  const engine = await Engine.open({
    mode: 'hybrid',
    settings: resolveOptions({ ttl: { sweepInterval: Infinity }, ...options }),
    log: backend.log,
    successor: () => backend.successor(),
    ...(imageAfterBytes !== undefined && { images: backend.images, imageAfterBytes }),
    secret: backend.header.secret,
    epoch,
    now: () => time.now,
    after: (ms, task) => {
      if (ms > 0) return time.after(ms, task);
      setImmediate(task);
      return () => {};
    },
    index,
  });
  const call = async <T>(session: string, method: string, ...args: unknown[]): Promise<T> => {
    const [answer] = await runCalls(engine, [{ method, args }], session);
    if ('error' in answer!) throw unpackError(answer.error);
    return answer!.value as T;
  };
  return { engine, time, disk, call };
}

export interface Piece<T> {
  readonly id: number | string;
  readonly items: readonly T[];
}

/** All items of what comes in pieces. */
export async function allOf<T>(
  first: Promise<Piece<T>>,
  next: (id: number | string) => Promise<Piece<T>>,
): Promise<T[]> {
  const items: T[] = [];
  for (let piece = await first; ; piece = await next(piece.id)) {
    items.push(...piece.items);
    if (!piece.id) return items;
  }
}

export function snapshotScan<T>({ call }: VersionsStore, id: string, kind: string, range?: object) {
  return allOf<T>(call('', 'snapshotScan', id, kind, range), (next) => call('', 'scanNext', next));
}

export interface Modelled {
  readonly value: unknown;
  readonly expiresAt: number;
}

/** Entries never change: each write makes another map of them. */
export class Model {
  entries: ReadonlyMap<string, Modelled> = new Map();

  live(now: number): Map<string, Modelled> {
    return new Map([...this.entries].filter(([, { expiresAt }]) => expiresAt > now));
  }

  put(key: string, value: unknown, expiresAt = Infinity): void {
    this.entries = new Map([...this.entries, [key, { value, expiresAt }]]);
  }

  remove(...keys: string[]): void {
    this.entries = new Map([...this.entries].filter(([key]) => !keys.includes(key)));
  }
}

export function inOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

export const keys = ['', 'a', 'b', 'c', 'ab', 'abc', '__proto__', '\ud800', '\udc00', '漢', 'key-1', 'key-2'];
export const key = fc.constantFrom(...keys);
export const value = fc.oneof(
  fc.constantFrom('', 'x', 'a value that is longer than sixteen bytes', 'y'.repeat(700), null, undefined, 42),
  fc.constantFrom('another value that is longer than sixteen bytes', 'z'.repeat(700)),
  fc.record({ n: fc.integer({ min: 0, max: 3 }) }),
);
export const ttl = fc.constantFrom(1, 10, 1000);

export type Write =
  | { readonly do: 'set'; readonly key: string; readonly value: unknown; readonly ttl?: number }
  | { readonly do: 'setMany'; readonly pairs: readonly (readonly [string, unknown])[] }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'expire'; readonly key: string; readonly ttl: number }
  | { readonly do: 'persist'; readonly key: string }
  | { readonly do: 'clear'; readonly prefix?: string };

const be = <T extends string>(name: T) => fc.constant(name);

export const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: be('set'), key, value }) },
  { weight: 3, arbitrary: fc.record({ do: be('set'), key, value, ttl }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: be('setMany'), pairs: fc.array(fc.tuple(key, value), { maxLength: 6 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: be('delete'), key }) },
  { weight: 3, arbitrary: fc.record({ do: be('expire'), key, ttl }) },
  { weight: 1, arbitrary: fc.record({ do: be('persist'), key }) },
  { weight: 1, arbitrary: fc.record({ do: be('clear'), prefix: fc.constantFrom('a', 'key') }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
);

/** What a store goes through beside writes. */
export type Turn =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'sweep' | 'fill' | 'compact' };

export const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: be('wait'), ms: fc.constantFrom(1, 5, 20) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'sweep' as const }) },
  { weight: 4, arbitrary: fc.constant({ do: 'fill' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'compact' as const }) },
);

/** Whether it changed anything: what changes nothing is no commit. */
export async function runWrite(
  { call, time }: VersionsStore,
  model: Model,
  session: string,
  one: Write,
): Promise<boolean> {
  const live = model.live(time.now);
  const before = model.entries;
  switch (one.do) {
    case 'set':
      await call(session, 'set', one.key, one.value, one.ttl === undefined ? {} : { ttl: one.ttl });
      model.put(one.key, one.value, time.now + (one.ttl ?? Infinity));
      break;
    case 'setMany':
      await call(session, 'setMany', one.pairs);
      for (const [key, value] of one.pairs) model.put(key, value);
      break;
    case 'delete':
      await call(session, 'delete', one.key);
      if (live.has(one.key)) model.remove(one.key);
      break;
    case 'expire':
      await call(session, 'expire', one.key, one.ttl);
      if (live.has(one.key)) model.put(one.key, live.get(one.key)!.value, time.now + one.ttl);
      break;
    case 'persist': {
      await call(session, 'persist', one.key);
      const had = live.get(one.key);
      if (had && had.expiresAt !== Infinity) model.put(one.key, had.value);
      break;
    }
    case 'clear': {
      await call(session, 'clear', one.prefix === undefined ? undefined : { prefix: one.prefix });
      const gone = [...live.keys()].filter((key) => key.startsWith(one.prefix ?? ''));
      if (gone.length > 0) model.remove(...gone);
      if (one.prefix === undefined && model.entries.size > 0) model.entries = new Map();
      break;
    }
  }
  return model.entries !== before;
}

let fills = 0;

/** `fill` writes, as nobody's session, what makes the next write seal the extent before it. */
export async function runTurn({ time, engine }: VersionsStore, model: Model, one: Turn): Promise<void> {
  if (one.do === 'wait') time.pass(one.ms);
  else if (one.do === 'sweep') {
    await engine.sweep();
    model.entries = model.live(time.now);
  } else if (one.do === 'compact') {
    await engine.compact().catch((error) => {
      // A snapshot from before the last compaction is still held.
      if (error.code !== 'LOCKED') throw error;
    });
  } else {
    fills += 1;
    const value = `${fills}`.repeat(260 * 1024).slice(0, 260 * 1024);
    await engine.set('filler', value);
    model.put('filler', value);
  }
}

export function isTurn(one: { readonly do: string }): one is Turn {
  return ['wait', 'sweep', 'fill', 'compact'].includes(one.do);
}
