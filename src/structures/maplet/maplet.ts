/**
 * Maplet: an approximate map from strings to small values.
 *
 * `query` gives what was inserted under the key, merged by the operator. Now and
 * then, with a probability up to `falsePositiveRate`, it gives that merged with
 * the value of another key, or answers for a key never inserted; it never
 * misses one that was. Keys are not kept.
 *
 * A maplet is a list of tables (see quotient-table.ts), one until it outgrows
 * its capacity. Since no key can be asked for more bits of its hash, growing adds
 * a table for later keys, with longer fingerprints, instead of stretching the
 * old ones; so the rates add up to no more than was asked for.
 *
 * Invariants
 *  1. Tables stand in the order of their fingerprint bits, shortest first.
 *  2. A fingerprint in one table matches, cut to fewer bits, none in a table
 *     before it. So all instances of a key are counted in the first table that
 *     matches it, and deleting what was inserted never takes another key away.
 *  3. New fingerprints go to the last table only.
 *
 * Cost: an operation asks each table once, about 0.1 µs; there are
 * log2(size / capacity) of them.
 *
 * [1] Bender, Conway, Farach-Colton, Johnson, Pandey: Time To Replace Your
 *     Filter: How Maplets Simplify System Design. arXiv 2510.05518, 2025.
 */
import { CapacityError } from '../../base/errors.js';
import { hashString, lane, type Secret } from '../../base/hash.js';
import { processSecret } from '../../base/secret.js';
import { type Cells, cellsFor, defaultValueBits } from './cells.js';
import { capacityOf, geometryFor, isCrowded, rateOf, shareOf, stepFor } from './geometry.js';
import { decodeMaplet, encodeMaplet } from './maplet-format.js';
import { absorb, gathered } from './merge.js';
import { type Operator, type OperatorName, operatorOf } from './operators.js';
import { QuotientTable } from './quotient-table.js';
import { measuredRate } from './rate.js';

export interface MapletOptions<V> {
  /** Different keys to make room for. Default: 1000. */
  readonly capacity?: number;
  /** Bound on the probability that a key never inserted gets an answer, but for `size` / 2^48. Default: 0.01. */
  readonly falsePositiveRate?: number;
  /** How values of one key merge. Default: 'replace'. */
  readonly operator?: OperatorName | Operator<V>;
  /**
   * Width of a value in its slot: values are integers from 0 to 2^valueBits - 1,
   * or booleans when it is 1 and the operator is `or` or `and`. 1 to 48, or
   * Infinity: any value, kept beside the table. Default: by operator 32, for `or`
   * and `and` 1, for others Infinity.
   */
  readonly valueBits?: number;
  /** Grow beyond the capacity. Default: true. */
  readonly autoResize?: boolean;
  /** Seed of the key hash: an integer, or two words. Default: one secret of this process. */
  readonly seed?: number | Secret;
}

export interface MapletStats {
  /** Keys there is room for. */
  readonly capacity: number;
  readonly length: number;
  readonly slots: number;
  /** Slots taken, as a share of those that are somebody's home. */
  readonly load: number;
  /** All planes. Not what values by reference take themselves. */
  readonly bytes: number;
  readonly bitsPerKey: number;
  readonly tables: number;
  readonly targetFalsePositiveRate: number;
  /** By the formula, for this content. */
  readonly falsePositiveRate: number;
  /** As found by asking for random hashes. */
  readonly measuredFalsePositiveRate: number;
}

export interface MapletEntry<V> {
  readonly table: number;
  readonly slot: number;
  readonly home: number;
  readonly fingerprint: number;
  readonly value: V;
  readonly count: number;
}

export class Maplet<V = unknown> {
  readonly operator: Operator<V>;
  readonly falsePositiveRate: number;
  readonly valueBits: number;
  private readonly secret: Secret;
  private readonly autoResize: boolean;
  private cells: Cells<V>;
  private tables: QuotientTable[] = [];
  private limit: number;
  private high = 0;
  private low = 0;

  /** @throws RangeError or TypeError for an option that is wrong. */
  constructor(options: MapletOptions<V> = {}) {
    const { capacity = 1000, falsePositiveRate = 0.01, autoResize = true, seed } = options;
    expectInteger('capacity', capacity, 1, 2 ** 25);
    if (!(falsePositiveRate > 0 && falsePositiveRate < 1)) {
      throw new RangeError(
        `falsePositiveRate: expected a number above 0 and below 1, got ${falsePositiveRate}`,
      );
    }
    this.operator = operatorOf<V>(options.operator ?? 'replace');
    this.valueBits = options.valueBits ?? defaultValueBits(this.operator);
    this.cells = cellsFor(this.operator, this.valueBits);
    this.falsePositiveRate = falsePositiveRate;
    this.autoResize = autoResize;
    this.secret = seed === undefined ? processSecret() : secretOf(seed);
    this.limit = capacity;
    this.tables.push(this.tableFor(0, capacity));
  }

  /** Keys held; keys that share a fingerprint count once. */
  get size(): number {
    let size = 0;
    for (const table of this.tables) size += table.entries;
    return size;
  }

  /**
   * Merges `value` into what the key has, or stores it.
   *
   * @throws CapacityError when the maplet is full and may not grow, TypeError or
   *   RangeError for a value that it cannot hold; nothing has changed then.
   */
  insert(key: string, value: V): void {
    this.operator.check?.(value);
    this.cells.check(value);
    this.hash(key);
    for (let at = 0; at < this.tables.length; at++) {
      const table = this.tables[at]!;
      const fingerprint = this.fingerprintIn(table);
      const slot = table.find(fingerprint);
      if (slot < 0) continue;
      this.cells.merge(table, slot, value);
      table.increment(slot, Math.floor(fingerprint / table.step));
      this.makeRoomIn(at);
      return;
    }
    const table = this.tableWithRoom();
    table.insert(this.fingerprintIn(table), this.cells.pack(value));
    this.makeRoomIn(this.tables.length - 1);
  }

  /** The value of a key, undefined when it is certainly not in. */
  query(key: string): V | undefined {
    const { table, slot } = this.locate(key);
    return table === undefined ? undefined : this.cells.unpack(table.valueAt(slot));
  }

  /** False is certain. */
  has(key: string): boolean {
    return this.locate(key).table !== undefined;
  }

  /** How often the key was inserted and not deleted; never less. */
  count(key: string): number {
    const { table, slot } = this.locate(key);
    return table === undefined ? 0 : table.countAt(slot);
  }

  /**
   * Takes one instance of a key out; the last one takes the value with it.
   *
   * With `value`, the value of that instance goes too where the operator can tell
   * (counter, vector); false, and nothing changes, when `value` cannot be in it,
   * or is not what the last instance holds. Delete only what was inserted: of a
   * key that was not, this may take the instance of another.
   */
  delete(key: string, value?: V): boolean {
    const { table, slot } = this.locate(key);
    if (table === undefined) return false;
    const last = table.countAt(slot) === 1;
    if (value !== undefined && !this.cells.takeOut(table, slot, value, last)) return false;
    if (last) this.cells.free(table.valueAt(slot));
    table.decrement(slot, Math.floor(this.fingerprintIn(table) / table.step));
    return true;
  }

  /**
   * Merges all of `other` into this one, its values as the newer ones. It may be
   * of another capacity or rate; the rates of both add up.
   *
   * @throws TypeError for another seed, operator or width, or an operator that is
   *   not associative; nothing has changed then.
   */
  merge(other: Maplet<V>): void {
    if (!(other instanceof Maplet)) throw new TypeError(`merge: expected a Maplet, got ${String(other)}`);
    if (other === (this as Maplet<V>)) throw new TypeError('merge: expected another maplet, got this one');
    if (other.operator !== this.operator)
      throw new TypeError('merge: expected a maplet with the same operator');
    if (other.valueBits !== this.valueBits) {
      throw new TypeError(`merge: expected valueBits ${this.valueBits}, got ${other.valueBits}`);
    }
    if (other.secret[0] !== this.secret[0] || other.secret[1] !== this.secret[1]) {
      throw new TypeError('merge: expected a maplet with the same seed');
    }
    if (!this.operator.associative) throw new TypeError('merge: expected an associative operator');
    if (!this.autoResize && this.size + other.size > this.limit) {
      throw new CapacityError(`merge: ${other.size} keys do not fit beside ${this.size} in ${this.limit}`);
    }
    // On copies: an operator may throw half-way.
    const cells = this.cells.clone();
    this.tables = absorb(
      this.tables.map((table) => table.clone()),
      cells,
      other.tables,
      other.cells,
    );
    this.cells = cells;
    this.limit = Math.max(this.limit, this.size);
    for (let at = 0; at < this.tables.length; at++) this.makeRoomIn(at);
  }

  /**
   * Makes room for `capacity` keys. Making it larger moves nothing; making it
   * smaller puts all in one table where that keeps the rate.
   *
   * @throws RangeError below `size`; nothing has changed then.
   */
  resize(capacity: number): void {
    expectInteger('capacity', capacity, Math.max(1, this.size), 2 ** 25);
    if (capacity < this.limit) this.shrink(capacity);
    this.limit = capacity;
    const missing = capacity - this.size - this.room();
    if (missing > 0) this.addTable(capacity - this.size);
  }

  /** Puts everything in one table for `capacity` keys, if its shortest fingerprints allow that at the rate. */
  private shrink(capacity: number): void {
    const { bits } = this.tables[0]!;
    if (this.size === 0) this.tables = [this.tableFor(0, capacity)];
    else if (capacity / 2 ** bits <= shareOf(this.falsePositiveRate, 0)) {
      const cells = this.cells.clone();
      this.tables = [gathered(this.tables, cells, capacity)];
      this.cells = cells;
    }
  }

  /** One pass over the tables, and `samples` questions, about 0.1 µs each. */
  stats(samples = 65_536): MapletStats {
    const length = this.size;
    const sum = (of: (table: QuotientTable) => number) =>
      this.tables.reduce((total, each) => total + of(each), 0);
    const bytes = sum((table) => table.bytes) + this.cells.bytes;
    return {
      capacity: this.limit,
      length,
      slots: sum((table) => table.slots),
      load: sum((table) => table.used) / sum((table) => table.homes),
      bytes,
      bitsPerKey: length === 0 ? 0 : (bytes * 8) / length,
      tables: this.tables.length,
      targetFalsePositiveRate: this.falsePositiveRate,
      falsePositiveRate: rateOf(this.tables),
      measuredFalsePositiveRate: measuredRate(this.tables, samples),
    };
  }

  /** Where the key's entry is, counted over all tables; for debugging. */
  slotOf(key: string): number | undefined {
    const { table, slot } = this.locate(key);
    if (table === undefined) return undefined;
    let before = 0;
    for (const each of this.tables) {
      if (each === table) break;
      before += each.slots;
    }
    return before + slot;
  }

  /** Every entry, in the order of tables and slots; for debugging. */
  dump(): MapletEntry<V>[] {
    const entries: MapletEntry<V>[] = [];
    for (const [at, table] of this.tables.entries()) {
      table.forEach((fingerprint, raw, count, slot) => {
        const home = Math.floor(fingerprint / table.step);
        entries.push({ table: at, slot, home, fingerprint, value: this.cells.unpack(raw), count });
      });
    }
    return entries;
  }

  /**
   * The maplet as bytes; see maplet-format.ts.
   *
   * @throws SerializationError for a value by reference that structured clone does not take, or a Blob.
   */
  toBytes(): Uint8Array {
    const { operator, falsePositiveRate, valueBits, limit, autoResize, secret, tables, cells } = this;
    return encodeMaplet({ operator, falsePositiveRate, valueBits, limit, autoResize, secret, tables, cells });
  }

  /**
   * The maplet that `toBytes` wrote. An operator of your own must be given again.
   *
   * @throws FormatError for bytes that are no maplet or of a newer version,
   *   CorruptionError for damaged ones, TypeError for a missing operator.
   */
  static fromBytes<V = unknown>(
    bytes: Uint8Array,
    options: { readonly operator?: Operator<V> } = {},
  ): Maplet<V> {
    const { operator, falsePositiveRate, valueBits, limit, autoResize, secret, tables, cells } =
      decodeMaplet<V>(bytes, options.operator);
    const maplet = new Maplet<V>({
      capacity: 1,
      falsePositiveRate,
      operator,
      valueBits,
      autoResize,
      seed: secret,
    });
    maplet.limit = limit;
    maplet.tables = tables;
    maplet.cells = cells;
    return maplet;
  }

  private hash(key: string): void {
    if (typeof key !== 'string') throw new TypeError(`key: expected a string, got ${typeof key}`);
    this.high = hashString(this.secret, key) >>> 0;
    this.low = lane[0]! >>> 0;
  }

  /** The first bits of the hash computed last, as many as the table knows. */
  private fingerprintIn(table: QuotientTable): number {
    const { bits } = table;
    if (bits <= 32) return this.high >>> (32 - bits);
    return this.high * 2 ** (bits - 32) + (this.low >>> (64 - bits));
  }

  private locate(key: string): { table: QuotientTable | undefined; slot: number } {
    this.hash(key);
    for (const table of this.tables) {
      const slot = table.find(this.fingerprintIn(table));
      if (slot >= 0) return { table, slot };
    }
    return { table: undefined, slot: -1 };
  }

  /** New keys that fit before another table is needed. */
  private room(): number {
    const at = this.tables.length - 1;
    const last = this.tables[at]!;
    return Math.max(0, capacityOf(last, shareOf(this.falsePositiveRate, at)) - last.entries);
  }

  private tableWithRoom(): QuotientTable {
    const size = this.size;
    if (size >= this.limit) {
      if (!this.autoResize)
        throw new CapacityError(`the maplet is full: ${size} keys, and autoResize is off`);
      this.limit = 2 * size;
    }
    if (this.room() === 0) this.addTable(this.limit - size);
    return this.tables[this.tables.length - 1]!;
  }

  private addTable(capacity: number): void {
    const last = this.tables[this.tables.length - 1]!;
    if (last.entries === 0) this.tables.pop();
    this.tables.push(this.tableFor(this.tables.length, capacity, last.bits));
  }

  /** Table number `at`, empty, for so many keys. */
  private tableFor(at: number, capacity: number, leastBits = 0): QuotientTable {
    const share = shareOf(this.falsePositiveRate, at);
    return new QuotientTable(geometryFor(capacity, share, this.cells.bits, leastBits));
  }

  /** Counts take slots too: a table that they fill is laid out anew, with more slots for the same fingerprints. */
  private makeRoomIn(at: number): void {
    const table = this.tables[at]!;
    if (!isCrowded(table, table.used)) return;
    this.tables[at] = table.rebuilt({ ...table.geometry, step: stepFor(table.bits, table.used * 1.5) });
  }
}

function secretOf(seed: number | Secret): Secret {
  if (seed instanceof Int32Array && seed.length === 2) return seed.slice();
  if (typeof seed !== 'number')
    throw new TypeError(`seed: expected an integer or an Int32Array of two words, got ${typeof seed}`);
  expectInteger('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  return Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32));
}

function expectInteger(name: string, value: unknown, from: number, to: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name}: expected a number, got ${typeof value}`);
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new RangeError(`${name}: expected an integer from ${from} to ${to}, got ${value}`);
  }
}
