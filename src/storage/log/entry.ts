/**
 * Entries to bytes and back, as `format.ts` lays them out.
 */
import { getUint48, getUnits, isLatin1, putUint48, putUnits } from '../../base/bytes.js';
import { crc32c } from '../../base/crc32c.js';
import { hashKeyBytes, type Secret } from '../../base/hash.js';
import { ENTRY_AT, FLAG_MASK, FLAG_SHIFT, Flag, KEY_MASK, KIND_SHIFT, TYPE_SHIFT, Type } from './format.js';

/** Names a stored value: the hash of its content, the version that brought it, its bytes. */
export interface Reference {
  readonly high: number;
  readonly low: number;
  readonly birth: number;
  readonly size: number;
}

/** Of a value that is stored packed: what it is when it is unpacked, so that nobody has to for that. */
export interface Packed {
  readonly size: number;
  /** Hash of its content. */
  readonly high: number;
  readonly low: number;
}

/** What an entry says. */
export interface EntryFields {
  readonly type: number;
  readonly sequence: number;
  readonly time: number;
  readonly key: string;
  /** How the value is encoded; `base/codec`. */
  readonly kind: number;
  readonly value: Uint8Array;
  /** `value` is packed. */
  readonly packed: Packed | undefined;
  /** The value stands elsewhere. */
  readonly reference: Reference | undefined;
  /** This entry is the first with its value. */
  readonly brings: boolean;
  /** `Infinity`: none. */
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const NOTHING = new Uint8Array(0);

/** An entry with what is given and nothing else. */
export function entry(
  fields: Partial<EntryFields> & Pick<EntryFields, 'type' | 'sequence' | 'time'>,
): EntryFields {
  return {
    key: '',
    kind: 0,
    value: NOTHING,
    packed: undefined,
    reference: undefined,
    brings: false,
    expiresAt: Infinity,
    createdAt: fields.time,
    updatedAt: fields.time,
    ...fields,
  };
}

export const REFERENCE_BYTES = 18;
const PACKED_BYTES = 12;

export function putReference(view: DataView, at: number, { high, low, birth, size }: Reference): void {
  view.setInt32(at, high, true);
  view.setInt32(at + 4, low, true);
  putUint48(view, at + 8, birth);
  view.setUint32(at + 14, size, true);
}

export function getReference(view: DataView, at: number): Reference {
  return {
    high: view.getInt32(at, true),
    low: view.getInt32(at + 4, true),
    birth: getUint48(view, at + 8),
    size: view.getUint32(at + 14, true),
  };
}

/** Most bytes that an entry can take, without its padding. */
export function entryBytesMax(fields: EntryFields): number {
  const optional = 8 + 6 + 6 + REFERENCE_BYTES + PACKED_BYTES;
  return ENTRY_AT.optional + optional + fields.key.length * 2 + fields.value.length;
}

/** Writes an entry at `at`, check and all; gives the offset behind it. There must be room. */
export function putEntry(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  fields: EntryFields,
  generation: number,
): number {
  const { key, time, reference, packed } = fields;
  const wide = !isLatin1(key);
  let flags = wide ? Flag.WideKey : 0;
  let end = at + ENTRY_AT.optional;
  if (fields.expiresAt !== Infinity) {
    flags |= Flag.Expires;
    view.setFloat64(end, fields.expiresAt, true);
    end += 8;
  }
  if (fields.createdAt !== time) {
    flags |= Flag.Created;
    putUint48(view, end, fields.createdAt);
    end += 6;
  }
  if (fields.updatedAt !== time) {
    flags |= Flag.Updated;
    putUint48(view, end, fields.updatedAt);
    end += 6;
  }
  if (reference) {
    flags |= Flag.Reference;
    putReference(view, end, reference);
    end += REFERENCE_BYTES;
  }
  if (packed) {
    flags |= Flag.Packed;
    view.setUint32(end, packed.size, true);
    view.setInt32(end + 4, packed.high, true);
    view.setInt32(end + 8, packed.low, true);
    end += PACKED_BYTES;
  }
  if (fields.brings) flags |= Flag.Brings;
  const keyStart = end;
  end = putUnits(bytes, end, key, wide);
  const head =
    (end - keyStart) | (flags << FLAG_SHIFT) | (fields.kind << KIND_SHIFT) | (fields.type << TYPE_SHIFT);
  bytes.set(fields.value, end);
  end += fields.value.length;
  view.setUint32(at + ENTRY_AT.length, end - at, true);
  view.setInt32(at + ENTRY_AT.head, head, true);
  putUint48(view, at + ENTRY_AT.sequence, fields.sequence);
  putUint48(view, at + ENTRY_AT.time, time);
  putCheck(bytes, view, at, end, generation);
  return end;
}

/** Writes the check of the entry at `at .. end`. */
export function putCheck(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  generation: number,
): void {
  view.setUint32(at + ENTRY_AT.check, crc32c(bytes, at + ENTRY_AT.head, end, generation), true);
}

/** An entry where it lies in bytes that were read. Its key and value are made when asked for. */
export class EntryView implements EntryFields {
  readonly type: number;
  readonly kind: number;
  readonly sequence: number;
  readonly time: number;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly reference: Reference | undefined;
  readonly packed: Packed | undefined;
  readonly brings: boolean;
  /** Its packed value, once somebody has unpacked it. */
  unpacked: Uint8Array | undefined;
  #bytes: Uint8Array;
  #start: number;
  #keyStart: number;
  #keyEnd: number;
  #end: number;
  /** Whether a code unit of the key takes two bytes. */
  readonly isWide: boolean;

  /** REQUIRES: `entryLength` gave a length for this place. */
  constructor(bytes: Uint8Array, view: DataView, at: number) {
    const head = view.getInt32(at + ENTRY_AT.head, true);
    const flags = (head >>> FLAG_SHIFT) & FLAG_MASK;
    let next = at + ENTRY_AT.optional;
    this.#bytes = bytes;
    this.#start = at;
    this.type = head >>> TYPE_SHIFT;
    this.kind = (head >>> KIND_SHIFT) & 15;
    this.sequence = getUint48(view, at + ENTRY_AT.sequence);
    this.time = getUint48(view, at + ENTRY_AT.time);
    this.expiresAt = Infinity;
    this.createdAt = this.time;
    this.updatedAt = this.time;
    if (flags & Flag.Expires) {
      this.expiresAt = view.getFloat64(next, true);
      next += 8;
    }
    if (flags & Flag.Created) {
      this.createdAt = getUint48(view, next);
      next += 6;
    }
    if (flags & Flag.Updated) {
      this.updatedAt = getUint48(view, next);
      next += 6;
    }
    if (flags & Flag.Reference) {
      this.reference = getReference(view, next);
      next += REFERENCE_BYTES;
    }
    if (flags & Flag.Packed) {
      this.packed = {
        size: view.getUint32(next, true),
        high: view.getInt32(next + 4, true),
        low: view.getInt32(next + 8, true),
      };
      next += PACKED_BYTES;
    }
    this.brings = (flags & Flag.Brings) !== 0;
    this.isWide = (flags & Flag.WideKey) !== 0;
    this.#keyStart = next;
    this.#keyEnd = next + (head & KEY_MASK);
    this.#end = at + view.getUint32(at + ENTRY_AT.length, true);
  }

  get key(): string {
    return getUnits(this.#bytes, this.#keyStart, this.#keyEnd, this.isWide);
  }

  /** `hashString` of the key, which is not made for it. */
  hashKey(secret: Secret): number {
    return hashKeyBytes(secret, this.#bytes, this.#keyStart, this.#keyEnd, this.isWide);
  }

  get keyBytes(): number {
    return this.#keyEnd - this.#keyStart;
  }

  copyKey(into: Uint8Array, at: number): void {
    const bytes = this.#bytes;
    for (let from = this.#keyStart; from < this.#keyEnd; from++) into[at++] = bytes[from]!;
  }

  /** A view of the bytes that were read; a copy where it must outlive them. */
  get value(): Uint8Array {
    return this.#bytes.subarray(this.#keyEnd, this.#end);
  }

  /** Bytes of the encoded value, wherever it stands, packed or not. */
  get size(): number {
    return this.reference?.size ?? this.packed?.size ?? this.#end - this.#keyEnd;
  }

  /** Bytes that the entry takes. */
  get bytes(): number {
    return this.#end - this.#start;
  }

  /** Takes its bytes out of those that were read, which may then be used again. */
  own(): this {
    const start = this.#start;
    this.#bytes = this.#bytes.slice(start, this.#end);
    this.#start = 0;
    this.#keyStart -= start;
    this.#keyEnd -= start;
    this.#end -= start;
    return this;
  }

  hasKey(key: string): boolean {
    const width = this.isWide ? 2 : 1;
    if (this.keyBytes !== key.length * width) return false;
    const bytes = this.#bytes;
    for (let i = 0, at = this.#keyStart; i < key.length; i++, at += width) {
      const unit = this.isWide ? bytes[at]! | (bytes[at + 1]! << 8) : bytes[at]!;
      if (key.charCodeAt(i) !== unit) return false;
    }
    return true;
  }
}

const KNOWN: ReadonlySet<number> = new Set(Object.values(Type));

/** Bytes that the fields before the value take at least, by the head. */
function leastBytes(head: number): number {
  const flags = (head >>> FLAG_SHIFT) & FLAG_MASK;
  let bytes: number = ENTRY_AT.optional + (head & KEY_MASK);
  if (flags & Flag.Expires) bytes += 8;
  if (flags & Flag.Created) bytes += 6;
  if (flags & Flag.Updated) bytes += 6;
  if (flags & Flag.Reference) bytes += REFERENCE_BYTES;
  if (flags & Flag.Packed) bytes += PACKED_BYTES;
  return bytes;
}

/**
 * Length of the entry at `at` when it lies before `end` whole, agrees with its
 * check and is of a known type; else 0.
 */
export function entryLength(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
  generation: number,
): number {
  if (at + ENTRY_AT.optional > end) return 0;
  const length = view.getUint32(at + ENTRY_AT.length, true);
  if (length > end - at) return 0;
  const head = view.getInt32(at + ENTRY_AT.head, true);
  const type = head >>> TYPE_SHIFT;
  if (!KNOWN.has(type) || length < leastBytes(head)) return 0;
  const check = crc32c(bytes, at + ENTRY_AT.head, at + length, generation);
  return check === view.getUint32(at + ENTRY_AT.check, true) ? length : 0;
}
