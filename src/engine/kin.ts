/**
 * Finding stored values that a new one resembles: by the hash of its normal form, or by
 * the bands of its sketch.
 *
 * What is found is only a candidate. The index names places of the log and forgets none,
 * so each is read, and has to be an object that is there. It is in memory alone: after
 * opening, and after the log was rewritten, the first write that needs it reads all values
 * once to make it again. About 9 bytes for a normal form, 70 for a sketch.
 *
 * Values that are kept as deltas are no candidates, so no delta lies over another.
 */
import type { Encoded } from '../base/codec/index.js';
import { decode, Kind } from '../base/codec/index.js';
import { StoreError } from '../base/errors.js';
import { hashString, lane, type Secret } from '../base/hash.js';
import type { EntryView } from '../storage/log/index.js';
import {
  bandsOf,
  gearTable,
  type NormalForm,
  normalize,
  similarity,
  sketchOf,
} from '../structures/dedup/index.js';
import { IndexMaplet } from '../structures/maplet/index.js';
import { isMade } from './assemble.js';
import type { Contents } from './contents.js';
import type { CurrentRecords } from './current.js';
import { CHUNK, decodeMaking, Form } from './made.js';
import type { Holding, NewObject } from './objects.js';
import { type Packing, sizeOf, type Value, valueIn } from './packing.js';
import type { Records } from './records.js';
import type { State } from './state.js';

/** Shorter values have too little in common to gain by it. */
const NEAR_MIN = 64;
/** Larger ones are not held in memory for it. */
const NEAR_MAX = 4 * 2 ** 20;
/** So many candidates are read. */
const CANDIDATES_MAX = 4;
/** Values that are read without a pause while the index is made. */
const SLICE = 64;

export interface KinOptions {
  readonly near: boolean;
  readonly normalization: NormalForm;
  readonly normalizationMaxBytes: number;
}

export interface KinParts {
  readonly state: State;
  readonly records: CurrentRecords;
  readonly contents: Contents;
  readonly packing: Packing;
  readonly pause: () => Promise<void>;
}

/** A stored value that another one resembles. */
export interface Relative {
  readonly holding: Holding;
  readonly encoded: Encoded;
  /** The first that has one normal form with the value; `undefined`: none has. */
  readonly first: Holding | undefined;
  /** Share of what they have in common, estimated. */
  readonly similarity: number;
}

export class Kin {
  readonly #secret: Secret;
  readonly #gear: Int32Array;
  #index = new IndexMaplet();
  /** Of these records is what the index names. */
  #era: Records | undefined;
  /** What was planned, and is in the index once it has a place. */
  #planned: { readonly hashes: Int32Array; readonly object: NewObject }[] = [];

  constructor(
    private readonly options: KinOptions,
    private readonly parts: KinParts,
  ) {
    this.#secret = parts.state.secret;
    this.#gear = gearTable(this.#secret[1]!);
  }

  /** An object with this value is planned: later values may resemble it. */
  expect(value: Value, object: NewObject): void {
    if (value.packed) return;
    const hashes = this.#hashesOf(value);
    if (hashes.length > 0) this.#planned.push({ hashes, object });
  }

  /** The stored value that resembles this one most, of those with its normal form where there are such. */
  async find(value: Encoded): Promise<Relative | undefined> {
    const hashes = this.#hashesOf(value);
    if (hashes.length === 0) return undefined;
    await this.#update();
    const text = this.#textOf(value);
    let first: Holding | undefined;
    let best: Relative | undefined;
    for (const location of this.#candidates(hashes)) {
      const found = await this.#read(location);
      if (!found) continue;
      const { holding, encoded } = found;
      const normal = text !== undefined && encoded.kind === value.kind && this.#textOf(encoded) === text;
      if (normal && location < (first?.object.location ?? Infinity)) first = holding;
      if (!normal && (first || !this.options.near)) continue;
      const near = this.#similarity(value, encoded);
      const better = !best || near > best.similarity || (normal && !best.first);
      if (better && (normal || near > 0)) best = { holding, encoded, first, similarity: near };
    }
    return best && { ...best, first };
  }

  #similarity(a: Encoded, b: Encoded): number {
    return similarity(sketchOf(a.bytes, this.#gear), sketchOf(b.bytes, this.#gear));
  }

  /** The normal form of a text; `undefined` for what has none. */
  #textOf({ kind, bytes }: Encoded): string | undefined {
    const { normalization, normalizationMaxBytes } = this.options;
    if (normalization === 'none' || kind !== Kind.String || bytes.length > normalizationMaxBytes) {
      return undefined;
    }
    return normalize(decode(kind, bytes) as string, normalization);
  }

  /** High and low in turn. */
  #hashesOf(value: Encoded): Int32Array {
    const hashes: number[] = [];
    const text = this.#textOf(value);
    if (text !== undefined) hashes.push(hashString(this.#secret, text), lane[0]!);
    const { length } = value.bytes;
    if (this.options.near && length >= NEAR_MIN && length <= NEAR_MAX) {
      hashes.push(...bandsOf(sketchOf(value.bytes, this.#gear)));
    }
    return Int32Array.from(hashes);
  }

  /** Places that share a hash: those that share most, of them the newest, and the first of all. */
  #candidates(hashes: Int32Array): number[] {
    const shared = new Map<number, number>();
    for (let i = 0; i < hashes.length; i += 2) {
      const locations: number[] = [];
      this.#index.candidates(hashes[i]!, hashes[i + 1]!, locations);
      for (const location of locations) shared.set(location, (shared.get(location) ?? 0) + 1);
    }
    const ranked = [...shared].sort(([a, x], [b, y]) => y - x || b - a).map(([location]) => location);
    const first = ranked.reduce((least, location) => Math.min(least, location), Infinity);
    const taken = ranked.slice(0, CANDIDATES_MAX);
    return taken.includes(first) || first === Infinity ? taken : [...taken, first];
  }

  async #read(location: number): Promise<{ holding: Holding; encoded: Encoded } | undefined> {
    const { records, contents } = this.parts;
    try {
      const entry = await records.read(location);
      const holding = await this.#holdingOf(entry, location);
      return holding && { holding, encoded: await contents.encodedOf(entry) };
    } catch (error) {
      // What cannot be read is no candidate.
      if (error instanceof StoreError) return undefined;
      throw error;
    }
  }

  /** The object at a place; `undefined` where there is none, or none that may be a base. */
  async #holdingOf(entry: EntryView, location: number): Promise<Holding | undefined> {
    if (!entry.brings || entry.reference || entry.kind === CHUNK) return undefined;
    if (isMade(entry) && decodeMaking(entry.value).form === Form.Delta) return undefined;
    const { state, packing, contents } = this.parts;
    const value = valueIn(entry);
    const high = packing.hash(value);
    const low = lane[0]!;
    if (!state.objects.names(high, low, location)) return undefined;
    const made = await contents.madeIn(value);
    return { high, low, size: sizeOf(value), object: { location, birth: entry.sequence, made } };
  }

  /** The index names all that is in the log. */
  async #update(): Promise<void> {
    const { records } = this.parts;
    if (this.#era !== records.era) await this.#make();
    const planned = this.#planned;
    this.#planned = [];
    for (const one of planned) {
      if (one.object.location === -1) continue;
      this.#add(one.hashes, one.object.location);
    }
  }

  async #make(): Promise<void> {
    const { state, records, pause } = this.parts;
    this.#index = new IndexMaplet();
    this.#planned = [];
    this.#era = records.era;
    let read = 0;
    for (const segment of state.objects.snapshot().segments()) {
      for (const location of segment.locations()) {
        const found = await this.#read(location);
        if (found) this.#add(this.#hashesOf(found.encoded), location);
        if (++read % SLICE === 0) await pause();
      }
    }
  }

  #add(hashes: Int32Array, location: number): void {
    for (let i = 0; i < hashes.length; i += 2) {
      const [high, low] = [hashes[i]!, hashes[i + 1]!];
      if (!this.#index.names(high, low, location)) this.#index.insert(high, low, location);
    }
  }
}
