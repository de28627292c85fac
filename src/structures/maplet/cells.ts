/**
 * Cells: what stands in the value field of a slot.
 *
 * Either the value itself, an unsigned integer of `valueBits` bits, or the number
 * of a place in a list of values of any kind. Places of deleted values are used
 * again.
 *
 * Every method that can refuse a value does so before it changes anything.
 */
import { cut } from './geometry.js';
import type { Operator, OperatorName } from './operators.js';
import type { QuotientTable } from './quotient-table.js';

const REFERENCE_BITS = 32;
const NUMBER_BITS = 32;

export abstract class Cells<V> {
  /** Width of the field. */
  abstract readonly bits: number;
  /** Memory besides the fields. */
  get bytes(): number {
    return 0;
  }

  constructor(readonly operator: Operator<V>) {}

  /** Throws unless `value` can be held. */
  abstract check(value: V): void;
  /** The field for a value that passed `check`. */
  abstract pack(value: V): number;
  abstract unpack(raw: number): V;
  /** Puts another value in the place of one. */
  abstract overwrite(table: QuotientTable, slot: number, value: V): void;
  /** What may be done with this no longer touches the original. */
  abstract clone(): Cells<V>;
  /** The field is given up. */
  free(_raw: number): void {}
  /** The values that fields refer to, by number; holes are free. */
  get references(): readonly (V | undefined)[] {
    return [];
  }
  /** The numbers of the free places. */
  get unused(): readonly number[] {
    return [];
  }

  /** Merges `value` into the group at `slot`. */
  merge(table: QuotientTable, slot: number, value: V): void {
    this.overwrite(table, slot, this.operator.merge(this.unpack(table.valueAt(slot)), value));
  }

  /** Takes `value` out of the group at `slot`, of which this is the `last` instance or not; false when it is not in. */
  takeOut(table: QuotientTable, slot: number, value: V, last: boolean): boolean {
    const whole = this.unpack(table.valueAt(slot));
    if (last) return equal(whole, value);
    const rest = this.operator.without === undefined ? whole : this.operator.without(whole, value);
    if (rest === undefined) return false;
    this.overwrite(table, slot, rest);
    return true;
  }

  /** Adds a group to a table of at most as many fingerprint bits, which `bits` are cut to. */
  add(table: QuotientTable, fingerprint: number, bits: number, value: V, count: number): void {
    const shorter = cut(fingerprint, bits, table.bits);
    const slot = table.find(shorter);
    if (slot < 0) {
      table.insertGroup(shorter, this.pack(value), count);
      return;
    }
    const both = count + table.countAt(slot);
    this.merge(table, slot, value);
    const raw = table.valueAt(slot);
    table.removeGroup(slot, Math.floor(shorter / table.step));
    table.insertGroup(shorter, raw, both);
  }
}

class PackedCells<V> extends Cells<V> {
  private readonly most: number;

  constructor(
    operator: Operator<V>,
    readonly bits: number,
    private readonly booleans: boolean,
  ) {
    super(operator);
    this.most = 2 ** bits - 1;
  }

  check(value: V): void {
    this.pack(value);
  }

  pack(value: V): number {
    if (this.booleans) {
      if (typeof value !== 'boolean') throw new TypeError(`value: expected a boolean, got ${String(value)}`);
      return value ? 1 : 0;
    }
    const saturates = this.operator.name === 'counter';
    if (!Number.isInteger(value) || (value as number) < 0 || (!saturates && (value as number) > this.most)) {
      throw new RangeError(`value: expected an integer from 0 to ${this.most}, got ${String(value)}`);
    }
    return Math.min(value as number, this.most);
  }

  unpack(raw: number): V {
    return (this.booleans ? raw === 1 : raw) as V;
  }

  overwrite(table: QuotientTable, slot: number, value: V): void {
    table.setValueAt(slot, this.pack(value));
  }

  override takeOut(table: QuotientTable, slot: number, value: V, last: boolean): boolean {
    const counts = this.operator.name === 'counter';
    // Nobody knows what a saturated sum is made of, nor can more come out than is in.
    if (counts && !last && table.valueAt(slot) === this.most) return true;
    if (counts && !((value as number) <= table.valueAt(slot))) return false;
    return super.takeOut(table, slot, value, last);
  }

  clone(): Cells<V> {
    return this;
  }
}

class ReferenceCells<V> extends Cells<V> {
  readonly bits = REFERENCE_BITS;
  private values: (V | undefined)[] = [];
  private holes: number[] = [];

  override get bytes(): number {
    return (this.values.length + this.holes.length) * 8;
  }

  check(): void {}

  pack(value: V): number {
    const at = this.holes.pop() ?? this.values.length;
    this.values[at] = value;
    return at;
  }

  unpack(raw: number): V {
    return this.values[raw] as V;
  }

  overwrite(table: QuotientTable, slot: number, value: V): void {
    this.values[table.valueAt(slot)] = value;
  }

  override free(raw: number): void {
    this.values[raw] = undefined;
    this.holes.push(raw);
  }

  clone(): Cells<V> {
    const copy = new ReferenceCells<V>(this.operator);
    copy.values = this.values.slice();
    copy.holes = this.holes.slice();
    return copy;
  }

  override get references(): readonly (V | undefined)[] {
    return this.values;
  }

  override get unused(): readonly number[] {
    return this.holes;
  }

  /** Takes over values read from bytes, and the numbers of the places that are free. */
  restore(values: (V | undefined)[], unused: number[]): void {
    this.values = values;
    this.holes = unused;
  }
}

/** Width of values when the caller does not say. */
export function defaultValueBits<V>(operator: Operator<V>): number {
  const packed: Partial<Record<OperatorName, number>> = {
    counter: NUMBER_BITS,
    max: NUMBER_BITS,
    min: NUMBER_BITS,
    or: 1,
    and: 1,
  };
  return operator.name === undefined
    ? Number.POSITIVE_INFINITY
    : (packed[operator.name] ?? Number.POSITIVE_INFINITY);
}

/**
 * Cells for an operator and a width of 1 to 48, or Infinity.
 *
 * @throws RangeError or TypeError for a width that the operator's values do not fit.
 */
export function cellsFor<V>(operator: Operator<V>, valueBits: number): Cells<V> {
  if (typeof valueBits !== 'number')
    throw new TypeError(`valueBits: expected a number, got ${typeof valueBits}`);
  if (valueBits === Number.POSITIVE_INFINITY) return new ReferenceCells(operator);
  if (!Number.isInteger(valueBits) || valueBits < 1 || valueBits > 48) {
    throw new RangeError(`valueBits: expected an integer from 1 to 48, or Infinity, got ${valueBits}`);
  }
  const { name } = operator;
  if (name === 'concat' || name === 'list' || name === 'set' || name === 'vector') {
    throw new TypeError(
      `valueBits: expected Infinity for '${name}', whose values are no integers, got ${valueBits}`,
    );
  }
  return new PackedCells(operator, valueBits, valueBits === 1 && (name === 'or' || name === 'and'));
}

/** Cells by reference with these values. */
export function cellsWith<V>(operator: Operator<V>, values: (V | undefined)[], unused: number[]): Cells<V> {
  const cells = new ReferenceCells(operator);
  cells.restore(values, unused);
  return cells;
}

/** Equality of two values by what is in them, one level deep. */
function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every((item) => b.has(item));
  if (!isArrayLike(a) || !isArrayLike(b) || a.constructor !== b.constructor) return false;
  return a.length === b.length && Array.prototype.every.call(a, (item, at) => Object.is(item, b[at]));
}

function isArrayLike(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}
