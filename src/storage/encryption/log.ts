/**
 * An encrypted log over another log, which sees its *frames* alone: entries that hold
 * nothing but sealed bytes. What makes a log lasting, whole and found again is the inner
 * log's, in files as in IndexedDB.
 *
 * A frame is a CIPHER entry. Its value is sealed (`keys.ts`); inside are entries as
 * `log/format.ts` has them, one behind the other, padded to 8 bytes. Its sequence and time
 * are those of its last entry. The additional data it is sealed with:
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     1  what        1: a frame
 *         1    16  store       what its header has for a secret, which is public here
 *        17     4  generation  of the log
 *        21     4  place       location of the frame in the inner log
 *        25     6  sequence    of the CIPHER entry
 *
 * Rules
 *  1. A batch of the inner log is one of this log: its frames, behind a SEAL where this
 *     log's begins with one. No other entry stands in it.
 *  2. A frame holds up to `FRAME_ENTRIES` entries and `FRAME_BYTES`; a longer entry has one
 *     to itself. Location = location of the frame * `FRAME_ENTRIES` + number in the frame,
 *     so a log in files may have 2 GiB.
 *  3. The frames of one data key have counters without a gap, from 0. So none can be taken
 *     out of the middle.
 *  4. A frame that the inner log takes and that cannot be opened is damage, never a tail.
 */
import type { Eventually } from '../../base/bytes.js';
import { putUint48 } from '../../base/bytes.js';
import { CorruptionError, IoError } from '../../base/errors.js';
import { entryAt, openPage, type Page, PageCache } from '../indexeddb-pages.js';
import { BatchBuffer } from '../log/batch.js';
import {
  type Batch,
  type EntryFields,
  EntryView,
  entry,
  type Level,
  type Log,
  type Position,
  type Replayed,
  Type,
  type Visit,
} from '../log/index.js';
import { counterOf, type Keys, SEALING_BYTES, type Sealer, saltOf } from './keys.js';

const FRAME_ENTRIES = 16;
const FRAME_BYTES = 16 * 1024;
/** Locations are 32 bits. */
const FRAME_LOCATIONS = 2 ** 32 / FRAME_ENTRIES;
/** Replay opens the frames of so many bytes at once. */
const WINDOW_BYTES = 2 ** 20;

interface SealedFrame {
  readonly location: number;
  readonly sequence: number;
  readonly sealed: Uint8Array;
}

interface SealedBatch {
  readonly seals: boolean;
  readonly frames: readonly SealedFrame[];
}

type Reading<T> = (visit: Visit, endBatch: () => Eventually<void>) => Eventually<T>;

export class EncryptedLog implements Log {
  readonly #keys: Keys;
  readonly #store: Uint8Array;
  readonly #inner: Log;
  readonly #buffer = new BatchBuffer();
  readonly #cache = new PageCache();
  readonly #loading = new Map<number, Promise<Page>>();
  #sealer: Sealer;

  constructor(inner: Log, keys: Keys, store: Uint8Array) {
    this.#inner = inner;
    this.#keys = keys;
    this.#store = store;
    this.#sealer = keys.sealer();
  }

  get backend(): string {
    return this.#inner.backend;
  }

  get generation(): number {
    return this.#inner.generation;
  }

  get position(): Position {
    return this.#inner.position;
  }

  get bytes(): number {
    return this.#inner.bytes;
  }

  get extents(): number {
    return this.#inner.extents;
  }

  get batches(): number {
    return this.#inner.batches;
  }

  get flushes(): number {
    return this.#inner.flushes;
  }

  get full(): boolean {
    return this.#inner.full;
  }

  get settlesIn(): number {
    return this.#inner.settlesIn;
  }

  begin(seal = false): EncryptedBatch {
    this.#buffer.reset(0, this.generation);
    return new EncryptedBatch(this.#inner.begin(seal), this.#buffer, seal);
  }

  async append(batch: Batch, strict: boolean): Promise<Level> {
    const { inner, frames } = (batch as EncryptedBatch).close();
    const plain = frames.map(({ start, end }) => this.#buffer.written.slice(start, end));
    try {
      const sealing = frames.map(({ location, sequence }, i) =>
        this.#sealer.seal(plain[i]!, this.#dataOf(location, sequence)),
      );
      const sealed = await Promise.all(sealing);
      for (const [i, { location }] of frames.entries()) inner.fill(location, sealed[i]!);
      const level = await this.#inner.append(inner, strict);
      for (const [i, { location }] of frames.entries()) {
        this.#cache.keep(openPage(location * FRAME_ENTRIES, plain[i], this.generation));
      }
      return level;
    } catch (error) {
      // Its bytes may be somewhere; what comes next will stand in their place.
      this.#sealer = this.#keys.sealer();
      throw error;
    }
  }

  /** At once where its frame is at hand. */
  read(location: number): Eventually<EntryView> {
    const first = location - (location % FRAME_ENTRIES);
    const page = this.#cache.get(first);
    return page ? entryAt(page, location) : this.#load(first).then((loaded) => entryAt(loaded, location));
  }

  /** Whoever wants a frame that is being opened waits for the same. */
  #load(first: number): Promise<Page> {
    let loading = this.#loading.get(first);
    if (!loading) {
      loading = this.#readFrame(first).finally(() => this.#loading.delete(first));
      this.#loading.set(first, loading);
    }
    return loading;
  }

  async #readFrame(first: number): Promise<Page> {
    const location = first / FRAME_ENTRIES;
    const frame = await this.#inner.read(location);
    const page = await this.#open({ location, sequence: frame.sequence, sealed: frame.value });
    this.#cache.keep(page);
    return page;
  }

  async #open({ location, sequence, sealed }: SealedFrame): Promise<Page> {
    const bytes = await this.#keys.open(sealed, this.#dataOf(location, sequence));
    return openPage(location * FRAME_ENTRIES, bytes, this.generation);
  }

  async replay(visit: Visit, endBatch: () => Eventually<void>, from?: Position): Promise<Replayed> {
    const read: Reading<Replayed> = (take, endInner) => this.#inner.replay(take, endInner, from);
    const { entries, read: found } = await this.#openAll(visit, endBatch, from !== undefined, read);
    return { entries, tornBytes: found.tornBytes };
  }

  async walk(visit: Visit, endBatch: () => Eventually<void>, from?: number, to = Infinity): Promise<void> {
    const frameOf = (location: number) => Math.floor(location / FRAME_ENTRIES);
    const first = from === undefined ? undefined : frameOf(from);
    const read: Reading<void> = (take, endInner) => this.#inner.walk(take, endInner, first, frameOf(to));
    await this.#openAll(visit, endBatch, from !== undefined, read);
  }

  /** Opens what `reading` reads of the inner log. `midway`: frames come before what it reads. */
  async #openAll<T>(
    visit: Visit,
    endBatch: () => Eventually<void>,
    midway: boolean,
    reading: Reading<T>,
  ): Promise<{ entries: number; read: T }> {
    let entries = 0;
    let waiting: SealedBatch[] = [];
    let frames: SealedFrame[] = [];
    let seals = false;
    let bytes = 0;
    const order = new Order(midway);
    const drain = async () => {
      const batches = waiting;
      waiting = [];
      bytes = 0;
      const opening = batches.map((batch) => Promise.all(batch.frames.map((frame) => this.#open(frame))));
      for (const pages of opening) pages.catch(() => {});
      for (const [i, batch] of batches.entries()) {
        for (const frame of batch.frames) order.check(frame);
        const pages = await opening[i]!;
        const first = pages[0];
        const begins = first !== undefined && entryAt(first, first.first).type === Type.Seal;
        if (begins !== batch.seals) throw stranger(Type.Seal, batch.frames[0]?.location ?? 0);
        for (const page of pages) {
          for (let n = 0; n < page.offsets.length; n++) {
            const visiting = visit(new EntryView(page.bytes, page.view, page.offsets[n]!), page.first + n);
            if (visiting) await visiting;
          }
          entries += page.offsets.length;
        }
        const ending = endBatch();
        if (ending) await ending;
      }
    };
    const take = (frame: EntryView, location: number) => {
      if (frame.type === Type.Seal && frames.length === 0 && !seals) seals = true;
      else if (frame.type !== Type.Cipher) throw stranger(frame.type, location);
      else {
        const sealed = frame.value.slice();
        frames.push({ location, sequence: frame.sequence, sealed });
        bytes += sealed.length;
      }
    };
    const endInner = (): Eventually<void> => {
      waiting.push({ seals, frames });
      frames = [];
      seals = false;
      return bytes >= WINDOW_BYTES ? drain() : undefined;
    };
    const read = await reading(take, endInner);
    await drain();
    return { entries, read };
  }

  reaches(position: Position): Eventually<boolean> {
    return this.#inner.reaches(position);
  }

  flush(): Eventually<Level> {
    return this.#inner.flush();
  }

  close(): Eventually<void> {
    return this.#inner.close();
  }

  #dataOf(location: number, sequence: number): Uint8Array {
    const data = new Uint8Array(31);
    const view = new DataView(data.buffer);
    data[0] = 1;
    data.set(this.#store.subarray(0, 16), 1);
    view.setUint32(17, this.generation, true);
    view.setUint32(21, location, true);
    putUint48(view, 25, sequence);
    return data;
  }
}

interface Frame {
  readonly location: number;
  readonly sequence: number;
  /** In the buffer of what is not sealed yet. */
  readonly start: number;
  readonly end: number;
}

class EncryptedBatch implements Batch {
  entries = 0;
  readonly #frames: Frame[] = [];
  #start = 0;
  #inFrame = 0;
  #last = { sequence: 0, time: 0 };

  constructor(
    private readonly inner: Batch,
    private readonly buffer: BatchBuffer,
    private seals: boolean,
  ) {}

  get bytes(): number {
    return this.buffer.bytes;
  }

  get next(): number {
    return this.inner.next * FRAME_ENTRIES + this.#inFrame;
  }

  add(fields: EntryFields): number {
    const { buffer, inner } = this;
    const { sequence, time } = fields;
    if (this.seals) inner.add(entry({ type: Type.Seal, sequence, time }));
    this.seals = false;
    const longest = fields.key.length * 2 + fields.value.length;
    if (this.#inFrame === FRAME_ENTRIES || buffer.bytes - this.#start + longest > FRAME_BYTES) {
      this.#closeFrame();
    }
    if (inner.next >= FRAME_LOCATIONS) {
      throw new IoError(`an encrypted log has reached its largest size, ${FRAME_LOCATIONS} places`);
    }
    const location = this.next;
    buffer.add(fields);
    this.#inFrame += 1;
    this.entries += 1;
    this.#last = { sequence, time };
    return location;
  }

  fill(): never {
    throw new TypeError('what is encrypted has its value at once');
  }

  close(): { inner: Batch; frames: readonly Frame[] } {
    this.#closeFrame();
    return { inner: this.inner, frames: this.#frames };
  }

  /** The frame gets its place in the inner batch; its bytes come when they are sealed. */
  #closeFrame(): void {
    if (this.#inFrame === 0) return;
    const { sequence, time } = this.#last;
    const start = this.#start;
    const end = this.buffer.bytes;
    const value = new Uint8Array(end - start + SEALING_BYTES);
    const location = this.inner.add(entry({ type: Type.Cipher, sequence, time, value }));
    this.#frames.push({ location, sequence, start, end });
    this.#start = end;
    this.#inFrame = 0;
  }
}

/** Sees to rule 3. */
class Order {
  readonly #next = new Map<string, number>();

  /** `midway`: frames that are not looked at come before the first. */
  constructor(private midway: boolean) {}

  check({ sealed, location }: SealedFrame): void {
    if (sealed.length < SEALING_BYTES) return;
    const salt = saltOf(sealed);
    const counter = counterOf(sealed);
    const expected = this.#next.get(salt) ?? (this.midway ? counter : 0);
    this.midway = false;
    if (counter !== expected) {
      throw new CorruptionError(`the frame at ${location} of the log is number ${counter}, not ${expected}`, {
        detail: { location, expected, found: counter },
      });
    }
    this.#next.set(salt, counter + 1);
  }
}

function stranger(type: number, location: number): CorruptionError {
  return new CorruptionError(`an entry of type ${type} stands in an encrypted log where none may`, {
    detail: { type, location },
  });
}
