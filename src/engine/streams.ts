/** Values that come in and go out in pieces: `setStream` and `getStream`. Loaded when one is first asked for. */
import { requireKey, requireOptions, requireWhole, show } from '../contract/arguments.js';
import type { Commit, StreamRange } from '../contract/store.js';
import { resolveSet } from './admit.js';
import type { Change } from './change.js';
import { endHold, holdObject } from './holdings.js';
import { CHUNK } from './made.js';
import type { PutMutation } from './mutation.js';
import { addPart, type GroupObjects, type Holding, newObject } from './objects.js';
import type { Parts } from './parts.js';
import type { Held } from './snapshots.js';
import { BUFFER_KEYS_MAX } from './state.js';
import { Outgoing, type StreamPiece } from './stream-read.js';
import { Incoming, refuseCleared } from './stream-write.js';
import { UnderWay } from './under-way.js';

interface Write {
  readonly key: string;
  readonly terms: Omit<PutMutation, 'type' | 'key' | 'encoded'>;
  readonly strict: boolean;
  readonly incoming: Incoming;
  /** How often the store had been cleared. */
  readonly clears: number;
  /** It has chunks in the log. */
  inGate: boolean;
  /** The end of what was asked last: pieces come in their order. */
  last: Promise<unknown>;
}

interface Read {
  readonly outgoing: Outgoing;
  readonly held: Held;
}

const GONE = 'the stream is not under way: it was given up, or the tab that led the store went away';

export class Streams {
  readonly #writes: UnderWay<Write>;
  readonly #reads: UnderWay<Read>;

  constructor(private readonly parts: Parts) {
    const { after } = parts.environment;
    const now = parts.now();
    this.#writes = new UnderWay(`w${now}`, after, (write) => this.#end(write), GONE);
    this.#reads = new UnderWay(`r${now}`, after, ({ held }) => held.records.release(), GONE);
  }

  /** @throws TypeError, RangeError for what is wrong with key and options. */
  beginWrite(key: unknown, options?: unknown): string {
    const { settings } = this.parts.environment;
    const { terms, strict } = resolveSet('setStream', options, settings);
    const { secret, clears, dedup } = this.parts.state;
    const incoming = new Incoming({
      secret,
      chunkBytes: dedup ? settings.dedup.chunkBytes : Infinity,
      keep: (chunks) => this.#keep(write, chunks),
    });
    const write: Write = {
      key: requireKey(key),
      terms,
      strict,
      incoming,
      clears,
      inGate: false,
      last: Promise.resolve(),
    };
    this.parts.counters.operations += 1;
    return this.#writes.add(write);
  }

  write(id: string, bytes: unknown): Promise<void> {
    return this.#inOrder(id, async ({ incoming }) => {
      if (bytes instanceof Uint8Array) return incoming.push(bytes);
      throw new TypeError(`setStream: expected pieces that are a Uint8Array, got ${show(bytes)}`);
    });
  }

  /** All bytes were given: now the key has them. */
  endWrite(id: string): Promise<Commit> {
    return this.#inOrder(id, async (write) => {
      const { key, terms, strict, incoming, clears } = write;
      const encoded = await incoming.finish();
      const { committer, state } = this.parts;
      const submitted = committer.submit(async () => {
        if (write.inGate) refuseCleared(clears, state.clears);
        return [{ type: 'put', key, encoded, ...terms }];
      }, strict);
      const { version, durability } = await submitted;
      this.#writes.release(id);
      return { version, durability };
    });
  }

  /** Given up; safe to call twice. */
  releaseWrite(id: string): void {
    this.#writes.release(id);
  }

  /** `undefined`: there is no such key. */
  async beginRead(key: unknown, options?: unknown): Promise<string | undefined> {
    const checked = requireKey(key);
    const { start = 0, end } = requireOptions<StreamRange>('getStream', options, ['start', 'end']);
    requireWhole('getStream: start', start, 0);
    const span = { start, end: end === undefined ? Infinity : requireWhole('getStream: end', end, start) };
    const { committer, versions, counters } = this.parts;
    counters.operations += 1;
    const held = await committer.read(undefined, () => versions.snapshots.takeNow(''));
    try {
      const found = await versions.snapshots.find(held, checked);
      if (found) {
        const outgoing = await Outgoing.of(await held.lookup.record(found), held.lookup, span);
        counters.hits += 1;
        return this.#reads.add({ outgoing, held });
      }
    } catch (error) {
      held.records.release();
      throw error;
    }
    counters.misses += 1;
    held.records.release();
    return undefined;
  }

  async nextRead(id: string): Promise<StreamPiece> {
    try {
      const piece = await this.#reads.find(id).outgoing.next();
      if (piece[1]) this.#reads.release(id);
      return piece;
    } catch (error) {
      this.#reads.release(id);
      throw error;
    }
  }

  releaseRead(id: string): void {
    this.#reads.release(id);
  }

  clear(): void {
    this.#writes.clear();
    this.#reads.clear();
  }

  /** What fails ends the stream. */
  async #inOrder<T>(id: string, run: (write: Write) => Promise<T>): Promise<T> {
    const write = this.#writes.find(id);
    const done = write.last.then(() => run(write));
    write.last = done.catch(() => {});
    try {
      return await done;
    } catch (error) {
      this.#writes.release(id);
      throw error;
    }
  }

  /** Chunks go to the log, or are found there, and are held. The log is not rewritten from then on. */
  async #keep(write: Write, chunks: readonly Uint8Array[]): Promise<readonly Holding[]> {
    const { committer, rewriter, gate, state } = this.parts;
    for (;;) {
      const holdings = await committer.exclusive(async () => {
        refuseCleared(write.clears, state.clears);
        if (rewriter.busy) return undefined;
        const kept = await this.#append(chunks);
        if (!write.inGate) gate.enter();
        write.inGate = true;
        for (const { object } of kept) holdObject(state, object.location);
        return kept;
      });
      if (holdings) return holdings;
      await rewriter.idle();
    }
  }

  async #append(chunks: readonly Uint8Array[]): Promise<readonly Holding[]> {
    const { placer, state } = this.parts;
    const { log } = this.parts.environment;
    if (log.full || state.buffered >= BUFFER_KEYS_MAX) await this.parts.seal();
    const group: GroupObjects = new Map();
    const holdings: Holding[] = [];
    for (const bytes of chunks) {
      const value = { kind: CHUNK, bytes };
      holdings.push(await placer.place(value, group, () => newObject(value)));
    }
    if (!holdings.some(({ object }) => object.location === -1)) return holdings;
    const time = Math.floor(this.parts.now());
    const changes: Change[] = [];
    const batch = log.begin();
    for (const holding of holdings) {
      if (holding.object.location === -1) addPart(holding, batch, state.version + 1, time, changes);
    }
    await log.append(batch, false);
    for (const change of changes) state.apply(change);
    state.endGroup();
    this.parts.maintenance.afterCommit();
    return holdings;
  }

  /** What was held is let go, when it is its turn: what is being planned may be going to share it. */
  #end({ incoming, inGate, clears }: Write): void {
    if (!inGate) return;
    const { committer, state, gate } = this.parts;
    committer
      .exclusive(() => {
        if (clears === state.clears) for (const content of incoming.contents) endHold(state, content);
      })
      .catch(() => {})
      .finally(() => gate.leave());
  }
}
