/**
 * Values as the log takes them: encoded, and *packed*, that is compressed, where the store
 * is asked to and it makes them shorter. What a packed value is, its size and the hash of
 * its content, stands beside it: nobody unpacks one but to read it, or to compare it with
 * one that the same codec packed otherwise, or that is not packed.
 *
 * Compressing takes about 0.3 ms beside what it takes for the bytes (Node 20), so short
 * values stay as they are, and so do those that it would hardly shorten. It happens before
 * a write stands in the queue, but for what `merge` makes in its turn.
 */
import { andThen, type Eventually, equalBytes } from '../base/bytes.js';
import { decode, type Encoded } from '../base/codec/index.js';
import { hashBytes, lane, type Secret } from '../base/hash.js';
import type { EntryView, Packed } from '../storage/log/index.js';
import type { OwnCodecs } from './codecs.js';

export interface Value extends Encoded {
  /** `bytes` are packed. */
  readonly packed?: Packed | undefined;
  /** Where it stands; keeps it unpacked. */
  readonly holder?: EntryView;
  /** It is not what was set, but a stored value with its normal form. */
  readonly canonical?: boolean | undefined;
}

/** A shorter value is not packed. */
export const PACKED_MIN = 512;
/** Of its bytes a value must lose so many to be packed: reading it will cost more. */
const LEAST_SAVING = 1 / 16;

/** Bytes of the encoded value, packed or not. */
export function sizeOf({ packed, bytes }: Value): number {
  return packed?.size ?? bytes.length;
}

/** The value of an entry, over the entry's bytes. REQUIRES: it stands there. */
export function valueIn(holder: EntryView): Value {
  const { kind, value, packed } = holder;
  return packed ? { kind, bytes: value, packed, holder } : { kind, bytes: value };
}

export interface PackingOptions {
  /** `'none'`, or the name of a codec that is known. */
  readonly codec: string;
  readonly own: OwnCodecs;
  readonly secret: Secret;
}

export class Packing {
  constructor(private readonly options: PackingOptions) {}

  /** First lane of the hash of the value's content; the second stands in `lane`. */
  hash({ kind, bytes, packed }: Value): number {
    if (!packed) return hashBytes(this.options.secret, bytes, 0, bytes.length, kind);
    lane[0] = packed.low;
    return packed.high;
  }

  pack(encoded: Encoded): Eventually<Value> {
    const { codec, own } = this.options;
    const { kind, bytes } = encoded;
    const size = bytes.length;
    if (codec === 'none' || size < PACKED_MIN) return encoded;
    return compression()
      .then(({ compress }) => compress(codec, bytes, own))
      .then((shorter) => {
        if (shorter.length > size * (1 - LEAST_SAVING)) return encoded;
        const high = this.hash(encoded);
        return { kind, bytes: shorter, packed: { size, high, low: lane[0]! } };
      });
  }

  /** @throws CorruptionError, UnsupportedError where its codec is not known. */
  unpack(value: Value): Eventually<Encoded> {
    const { packed, kind, holder } = value;
    if (!packed) return value;
    if (holder?.unpacked) return { kind, bytes: holder.unpacked };
    return compression()
      .then(({ decompress }) => decompress(value.bytes, packed.size, this.options.own))
      .then((bytes) => {
        if (holder) holder.unpacked = bytes;
        return { kind, bytes };
      });
  }

  decode(value: Value): Eventually<unknown> {
    return andThen(this.unpack(value), ({ kind, bytes }) => decode(kind, bytes));
  }

  /** Whether two values have the same content. The bytes decide, never a hash. */
  same(a: Value, b: Value): Eventually<boolean> {
    if (a.kind !== b.kind || sizeOf(a) !== sizeOf(b)) return false;
    if (!a.packed === !b.packed && areEqual(a.bytes, b.bytes)) return true;
    if (!a.packed && !b.packed) return false;
    if (this.hash(a) !== this.hash(b)) return false;
    return andThen(this.unpack(a), (one) =>
      andThen(this.unpack(b), (other) => areEqual(one.bytes, other.bytes)),
    );
  }
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && equalBytes(a, 0, b, 0, a.length);
}

let loading: Promise<typeof import('./compression.js')> | undefined;

/** Most stores compress nothing, so what does is loaded when it is needed. */
function compression(): Promise<typeof import('./compression.js')> {
  loading ??= import('./compression.js');
  return loading;
}
