/** The calls a session may make, by name, and how each reaches the engine. */
import type { Engine, FeedPlace } from '../engine/index.js';
import { packError } from '../wire/errors.js';
import type { Answer, Call } from '../wire/messages.js';

type Args = readonly unknown[];

const CALLS: Readonly<Record<string, (engine: Engine, args: Args, session: string) => unknown>> = {
  get: (engine, [key, options]) => engine.get(key, options),
  getMany: (engine, [keys, options]) => engine.getMany(keys, options),
  has: (engine, [key]) => engine.has(key),
  getEntry: (engine, [key, options]) => engine.getEntry(key, options),
  ttl: (engine, [key, options]) => engine.ttl(key, options),
  count: (engine, [range]) => engine.count(range),
  countUnique: (engine) => engine.countUnique(),
  scan: (engine, [kind, range]) => engine.scan(kind as 'keys', range),
  scanNext: (engine, [id]) => engine.scanNext(id as number),
  scanRelease: (engine, [id]) => engine.scanRelease(id as number),
  exportBegin: ({ transfers }) => transfers.beginExport(),
  exportNext: ({ transfers }, [id]) => transfers.exportNext(id as string),
  exportRelease: ({ transfers }, [id]) => transfers.release(id as string),
  importBegin: ({ transfers }, [options]) => transfers.beginImport(options),
  importWrite: ({ transfers }, [id, bytes]) => transfers.importWrite(id as string, bytes),
  importEnd: ({ transfers }, [id]) => transfers.importEnd(id as string),
  importRelease: ({ transfers }, [id]) => transfers.release(id as string),
  wouldDedupe: (engine, [value]) => engine.wouldDedupe(value),
  streamBegin: async (engine, [key, options]) => (await engine.streams()).beginWrite(key, options),
  streamWrite: async (engine, [id, bytes]) => (await engine.streams()).write(id as string, bytes),
  streamEnd: async (engine, [id]) => (await engine.streams()).endWrite(id as string),
  streamRelease: async (engine, [id]) => (await engine.streams()).releaseWrite(id as string),
  readBegin: async (engine, [key, options]) => (await engine.streams()).beginRead(key, options),
  readNext: async (engine, [id]) => (await engine.streams()).nextRead(id as string),
  readRelease: async (engine, [id]) => (await engine.streams()).releaseRead(id as string),
  set: (engine, [key, value, options]) => engine.set(key, value, options),
  setMany: (engine, [entries, options]) => engine.setMany(entries, options),
  batch: (engine, [operations, options]) => engine.batch(operations, options),
  merge: (engine, [key, operand, operator, options]) => engine.merge(key, operand, operator, options),
  beginUpdate: (engine, [key, options]) => engine.beginUpdate(key, options),
  delete: (engine, [key, options]) => engine.delete(key, options),
  deleteMany: (engine, [keys, options]) => engine.deleteMany(keys, options),
  clear: (engine, [range, options]) => engine.clear(range, options),
  expire: (engine, [key, ttl, options]) => engine.expire(key, ttl, options),
  expireMany: (engine, [keys, ttl, options]) => engine.expireMany(keys, ttl, options),
  persist: (engine, [key, options]) => engine.persist(key, options),
  snapshot: ({ versions }, _, session) => versions.snapshots.take(session),
  snapshotGet: ({ versions }, [id, key, options]) => versions.snapshots.get(id, key, options),
  snapshotHas: ({ versions }, [id, key]) => versions.snapshots.has(id, key),
  snapshotGetEntry: ({ versions }, [id, key, options]) => versions.snapshots.getEntry(id, key, options),
  snapshotCount: ({ versions }, [id, range]) => versions.snapshots.count(id, range),
  snapshotScan: ({ versions }, [id, kind, range]) => versions.snapshots.scan(id, kind as 'keys', range),
  snapshotDiff: ({ versions }, [id, other]) => versions.snapshots.diff(id, other),
  snapshotDiffNext: ({ versions }, [id]) => versions.snapshots.diffNext(id),
  snapshotDiffRelease: ({ versions }, [id]) => versions.snapshots.diffRelease(id),
  snapshotRestore: ({ versions }, [id, options]) => versions.snapshots.restore(id, options),
  snapshotClose: ({ versions }, [id]) => versions.snapshots.close(id),
  checkpoint: ({ versions }, [label, options]) => versions.checkpoints.take(label, options),
  checkpoints: ({ versions }) => versions.checkpoints.list(),
  restoreCheckpoint: ({ versions }, [label, options]) => versions.checkpoints.restore(label, options),
  deleteCheckpoint: ({ versions }, [label, options]) => versions.checkpoints.remove(label, options),
  watchBegin: (engine, [options]) => engine.beginWatch(options),
  watchNext: ({ feed }, [place, options], session) => feed.next(place as FeedPlace, options, session),
  commit: ({ versions }, [id, operations, options]) => versions.transactions.commit(id, operations, options),
  mergeValues: ({ versions }, [key, older, operand, operator]) =>
    versions.transactions.merged(key, older as { value: unknown }, operand, operator),
  undo: ({ versions }, [options], session) => versions.undo.undo(session, options),
  redo: ({ versions }, [options], session) => versions.undo.redo(session, options),
  sweep: (engine) => engine.sweep(),
  evict: (engine, [options]) => engine.evict(options),
  prune: (engine, [options]) => engine.prune(options),
  compact: (engine) => engine.compact(),
  flush: (engine) => engine.flush(),
  stats: (engine) => engine.stats(),
  health: (engine) => engine.health(),
  memoryUsage: (engine) => engine.memoryUsage(),
};

export const CALL_NAMES = Object.keys(CALLS);

/**
 * Starts all calls in their order and answers when the last one has. Never rejects. With the
 * number of the `first`, those that were made already are answered as they were then.
 */
export function runCalls(
  engine: Engine,
  calls: readonly Call[],
  session = '',
  first?: number,
): Answer[] | Promise<Answer[]> {
  const answers: (Answer | Promise<Answer>)[] = calls.map((call, i) =>
    runCall(engine, call, session, first === undefined ? undefined : first + i),
  );
  return answers.some((answer) => answer instanceof Promise) ? Promise.all(answers) : (answers as Answer[]);
}

function runCall(
  engine: Engine,
  { method, args }: Call,
  session: string,
  number: number | undefined,
): Answer | Promise<Answer> {
  try {
    if (!Object.hasOwn(CALLS, method)) throw new TypeError(`there is no call ${method}`);
    const given = number === undefined ? undefined : engine.answered({ client: session, number });
    if (given) return given.then((value) => ({ value }), refuse);
    const value = engine.versions.by(session, number, () => CALLS[method]!(engine, args, session));
    return value instanceof Promise ? value.then(answer, refuse) : answer(value);
  } catch (error) {
    return refuse(error);
  }
}

function answer(value: unknown): Answer {
  return { value };
}

function refuse(error: unknown): Answer {
  return { error: packError(error) };
}
