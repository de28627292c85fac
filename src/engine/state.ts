/**
 * All that the engine keeps in memory, and the one place that alters it.
 *
 *    buffer      keys written since the last seal -> where their record is
 *    index       hash of a key -> location, for the keys of sealed extents
 *    objects     hash of a content -> location of the entry that holds it
 *    references  object -> how many keys have it, where that is not one
 *    deadlines   hash of a key -> when it expires
 *    runs        fences of the keys of sealed extents, in order
 *    marks       label of a checkpoint -> where in the log it is
 *
 * Invariants
 *  1. A key in the buffer hides every record that the index names for it. A deleted
 *     one stays there as a mark while the index may name an older record.
 *  2. An entry of the buffer is *settled* when the index names no older record of its
 *     key. Writes are blind: they leave that open, and `settle.ts` closes it later.
 *  3. `keys`, `logicalBytes`, `objectCount` and `objectBytes` are exact when no entry
 *     is unsettled.
 *  4. An object is in `objects` exactly while a key has it, or another object is made of it.
 *
 * Everything here is synchronous. Live writes and recovery use the same functions.
 */
import { hashString, lane, type Secret } from '../base/hash.js';
import type { Ranked } from '../structures/eviction/index.js';
import { TimerWheel } from '../structures/expiry/index.js';
import { TrieMap } from '../structures/hamt/index.js';
import { IndexMaplet, type IndexMapletOptions } from '../structures/maplet/index.js';
import { type Run, withMerged } from '../structures/runs/index.js';
import { Answers } from './answers.js';
import { type BufferedKey, sortedKeys } from './buffered-keys.js';
import { bytesOf, type Change, type Content, type PlacedChange, type PutChange } from './change.js';
import { addObject, letGoOf, shareObject } from './holdings.js';
import { KeysByHash } from './keys-by-hash.js';
import { type Marks, withMark } from './mark.js';
import { deleted, type Slot, type View } from './slot.js';
import { applyUse } from './use.js';

export type { Slot, View };

/**
 * Keys in the buffer cost fifty times what they cost in the index, each scan walks them, and
 * sealing stops the worker while it sorts them: 2 ms a thousand.
 */
export const BUFFER_KEYS_MAX = 4096;

/** What a key takes in the sorted keys of a sealed extent, about. */
const RUN_KEY_BYTES = 16;
/** What the entry of a chunk takes beside its bytes, about. */
const CHUNK_ENTRY_BYTES = 28;

export class State {
  version = 0;
  /** The latest time that was logged; the store's clock never shows an earlier one. */
  time = 0;
  firstTime = 0;
  keys = 0;
  logicalBytes = 0;
  objectCount = 0;
  objectBytes = 0;
  /** Chunks that values are made of: they are in `objects` and no values themselves. */
  chunkCount = 0;
  index: IndexMaplet;
  objects: IndexMaplet;
  runs: readonly Run[] = [];
  /** Versions that are kept, in the order of the log. */
  marks: Marks = new Map();
  deadlines: TimerWheel;
  references = new Map<number, number>();
  /** Of the references those of streams that come in: nothing in the log says so. */
  readonly holds = new Map<number, number>();
  /** How often everything was removed. */
  clears = 0;
  /** To calls of other tabs. */
  answers = new Answers();
  /** Keys that may have an older record in the index. May name one twice. */
  unsettled: string[] = [];
  /** Who should go, where the store has a budget. Knows keys by hash, like the wheel. */
  policy: Ranked | undefined;
  /** Keys of the buffer that wheel or policy know, by the first lane of their hash. */
  #keysByHash = new KeysByHash();
  /** Only the number of candidates is asked for. */
  readonly #none = new Uint32Array(0);
  /** What the changes of this group took from keys. */
  #dropped: Content[] = [];
  #buffer: TrieMap<string, Slot>;
  #sorted: readonly BufferedKey[] | undefined;
  #viewed = false;
  /** Puts that were applied, and what their entries took beside the values that they brought. */
  #puts = 0;
  #overhead = 0;

  constructor(
    readonly secret: Secret,
    readonly dedup: boolean,
    now: number,
    private readonly indexOptions: IndexMapletOptions = {},
  ) {
    this.deadlines = new TimerWheel(now);
    this.index = new IndexMaplet(indexOptions);
    this.objects = new IndexMaplet(indexOptions);
    this.#buffer = this.#emptyBuffer();
  }

  get buffered(): number {
    return this.#buffer.size;
  }

  slot(key: string): Slot | undefined {
    return this.#buffer.get(key);
  }

  slots(): Iterable<[string, Slot]> {
    return this.#buffer.entries();
  }

  /** Costs O(1). With `sorts`, the second scan without a write between pays for sorting, for those that follow. */
  view(sorts = true): View {
    if (sorts && this.#viewed) this.#sorted ??= sortedKeys(this.#buffer.entries());
    this.#viewed ||= sorts;
    return {
      version: this.version,
      sorted: this.#sorted,
      buffer: this.#buffer.fork(),
      index: this.index.snapshot(),
      objects: this.objects.snapshot(),
      runs: this.runs,
    };
  }

  /** Keys of the buffer, now or since it was empty, with this first lane of their hash, which wheel or policy know. */
  bufferedKeys(high: number): readonly string[] {
    return this.#keysByHash.of(high);
  }

  /** About what the log would take if it held nothing but what is alive. */
  get liveBytes(): number {
    const overhead = this.#puts === 0 ? 0 : this.#overhead / this.#puts;
    // A key that is not settled is counted twice, with its older record.
    const share = Math.max(0, 1 - this.unsettled.length / Math.max(1, this.keys));
    // What is packed takes less than its size, so the overhead may be below nothing.
    const chunks = this.chunkCount * CHUNK_ENTRY_BYTES;
    return share * Math.max(0, this.objectBytes + chunks + this.keys * (overhead + RUN_KEY_BYTES));
  }

  /** What `liveBytes` goes by: an image keeps it. */
  get perPut(): readonly [puts: number, overhead: number] {
    return [this.#puts, this.#overhead];
  }

  set perPut([puts, overhead]) {
    this.#puts = puts;
    this.#overhead = overhead;
  }

  /** How many keys have this object. */
  keysOf(object: number): number {
    return this.references.get(object) ?? 1;
  }

  /**
   * Makes `change` count. `endGroup` must follow the last one of a group.
   */
  apply(change: Change | PlacedChange): void {
    this.#forgetOrder();
    this.version = change.version;
    this.time = Math.max(this.time, change.time);
    if (this.firstTime === 0) this.firstTime = this.time;
    this.policy?.mark(this.time);
    if (change.type === 'put') this.#put(change);
    else if (change.type === 'placed') this.#place(change);
    else if (change.type === 'object') this.#bring(change.content);
    else if (change.type === 'delete') this.#delete(change.key, change.version);
    else if (change.type === 'clear') this.#clear();
    else if (change.type === 'checkpoint') this.marks = withMark(this.marks, change.label, change.mark);
    else if (change.type === 'answer') this.answers.note(change.answer);
    else if (this.policy) applyUse(this.policy, change.rows);
  }

  /**
   * Values that the group took from their keys are let go. Not before its end: a
   * later change of the group may have been planned to share one of them.
   */
  endGroup(): void {
    for (const content of this.#dropped) this.#release(content);
    this.#dropped = [];
  }

  /**
   * Becomes what `other` is, which must not be used any more: the same keys and values,
   * at the locations of another log.
   */
  adopt(other: State): void {
    this.version = other.version;
    this.time = other.time;
    this.firstTime = other.firstTime;
    this.keys = other.keys;
    this.logicalBytes = other.logicalBytes;
    this.objectCount = other.objectCount;
    this.objectBytes = other.objectBytes;
    this.chunkCount = other.chunkCount;
    this.index = other.index;
    this.objects = other.objects;
    this.runs = other.runs;
    this.marks = other.marks;
    this.deadlines = other.deadlines;
    this.references = other.references;
    this.unsettled = other.unsettled;
    this.#keysByHash = other.#keysByHash;
    if (this.policy)
      for (const [key] of this.slots()) this.#keysByHash.add(key, hashString(this.secret, key));
    this.#dropped = other.#dropped;
    this.#buffer = other.#buffer;
    this.#puts = other.#puts;
    this.#overhead = other.#overhead;
    this.#forgetOrder();
  }

  /** The store was at this version and time, whatever is left of what made them. */
  reach(version: number, time: number): void {
    this.version = Math.max(this.version, version);
    this.time = Math.max(this.time, time);
  }

  /** A value that no key has yet, or a chunk that no value is made of. */
  #bring(content: Content): void {
    this.references.set(content.object, 0);
    addObject(this, content);
  }

  #put(change: PutChange): void {
    const { key, content, expiresAt } = change;
    this.#puts += 1;
    this.#overhead += change.bytes - (content.brings ? bytesOf(content) : 0);
    const high = hashString(this.secret, key);
    const low = lane[0]!;
    const old = this.#buffer.get(key);
    this.#retain(content);
    if (old?.content) this.#dropped.push(old.content);
    else this.keys += 1;
    this.#buffer.set(key, {
      location: change.location,
      content,
      expiresAt,
      createdAt: change.createdAt,
      version: change.version,
      settled: this.#settledAfter(key, high, low, old),
    });
    if (this.policy) this.#keysByHash.add(key, high);
    this.policy?.keep(high, low, this.#partOf(content));
    if (expiresAt !== Infinity) this.#schedule(key, high, low, expiresAt);
    else if (this.deadlines.size > 0) this.deadlines.cancel(high, low);
  }

  #place({ high, low, location, bytes, content, expiresAt }: PlacedChange): void {
    this.#puts += 1;
    this.#overhead += bytes - (content.brings ? bytesOf(content) : 0);
    this.#retain(content);
    this.keys += 1;
    this.index.insert(high, low, location);
    this.policy?.keep(high, low, this.#partOf(content));
    if (expiresAt !== Infinity) this.deadlines.schedule(high, low, expiresAt);
  }

  /** Whether the index may name a record of a key with this hash. */
  knows(high: number, low: number): boolean {
    return this.index.size > 0 && this.index.candidates(high, low, this.#none) > 0;
  }

  /** Brings a key that was placed back to the buffer: its extent is not sealed. */
  recall(key: string, slot: Omit<Slot, 'settled'>): void {
    const high = hashString(this.secret, key);
    const low = lane[0]!;
    this.index.remove(high, low, slot.location);
    this.#buffer.set(key, { ...slot, settled: true });
    if (this.policy) this.#keysByHash.add(key, high);
    if (slot.expiresAt !== Infinity) this.#schedule(key, high, low, slot.expiresAt);
  }

  #delete(key: string, version: number): void {
    const high = hashString(this.secret, key);
    const low = lane[0]!;
    const old = this.#buffer.get(key);
    if (old?.content) {
      this.#dropped.push(old.content);
      this.keys -= 1;
    }
    if (this.#settledAfter(key, high, low, old)) this.#buffer.delete(key);
    else this.#buffer.set(key, deleted(version));
    this.policy?.remove(high, low);
    if (this.deadlines.size > 0) this.deadlines.cancel(high, low);
  }

  #clear(): void {
    this.keys = 0;
    this.logicalBytes = 0;
    this.objectCount = 0;
    this.objectBytes = 0;
    this.chunkCount = 0;
    this.#dropped = [];
    this.index = new IndexMaplet(this.indexOptions);
    this.objects = new IndexMaplet(this.indexOptions);
    this.references.clear();
    this.holds.clear();
    this.clears += 1;
    this.deadlines.clear();
    this.policy?.clear();
    this.runs = [];
    this.#emptyAll();
  }

  /**
   * The record of `key` that the index named is not its current one any more.
   *
   * REQUIRES: the record at `location` is of this key, and the buffer hides it.
   */
  supersede(key: string, location: number, content: Content): void {
    const high = hashString(this.secret, key);
    this.index.remove(high, lane[0]!, location);
    this.#release(content);
    this.keys -= 1;
  }

  /** The index names no older record of `key`: a mark of deletion has done its work. */
  markSettled(key: string): void {
    const slot = this.#buffer.get(key);
    if (!slot) return;
    if (slot.content) this.#buffer.set(key, { ...slot, settled: true });
    else this.#buffer.delete(key);
  }

  /**
   * Moves the buffer into the index; `run` holds its keys.
   *
   * REQUIRES: every entry of the buffer is settled.
   */
  seal(run: Run): void {
    for (const [key, { location }] of this.#buffer.entries()) {
      const high = hashString(this.secret, key);
      this.index.insert(high, lane[0]!, location);
    }
    if (run.length > 0) this.runs = [...this.runs, run];
    this.#emptyAll();
  }

  /** `run` has all that counts of the runs that are named. */
  mergeRuns(names: readonly number[], run: Run): void {
    this.runs = withMerged(this.runs, names, run);
  }

  /** Whether nothing older of `key` is left in the index, for all that can be said without reading. */
  #settledAfter(key: string, high: number, low: number, old: Slot | undefined): boolean {
    if (old) return old.settled;
    if (!this.knows(high, low)) return true;
    this.unsettled.push(key);
    return false;
  }

  #schedule(key: string, high: number, low: number, deadline: number): void {
    this.deadlines.schedule(high, low, deadline);
    this.#keysByHash.add(key, high);
  }

  /** What a key takes of a value that it shares. */
  #partOf(content: Content): number {
    return bytesOf(content) / Math.max(1, this.keysOf(content.object));
  }

  #retain(content: Content): void {
    this.logicalBytes += content.size;
    if (content.brings) addObject(this, content);
    else shareObject(this, content.object);
  }

  #release(content: Content): void {
    this.logicalBytes -= content.size;
    letGoOf(this, content);
  }

  #forgetOrder(): void {
    this.#sorted = undefined;
    this.#viewed = false;
  }

  #emptyAll(): void {
    this.#forgetOrder();
    this.#buffer = this.#emptyBuffer();
    this.#keysByHash.clear();
    this.unsettled = [];
  }

  #emptyBuffer(): TrieMap<string, Slot> {
    return new TrieMap<string, Slot>(this.secret);
  }
}
