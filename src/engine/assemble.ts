/** Making values that are made of others, and finding what they are made of. */
import { andThen, type Eventually, inTurn } from '../base/bytes.js';
import type { Encoded } from '../base/codec/index.js';
import { CorruptionError } from '../base/errors.js';
import type { EntryView, Reference } from '../storage/log/index.js';
import { CHUNK_ROW, type Content, type Made } from './change.js';
import { decodeMaking, Form, MADE } from './made.js';
import { sizeOf, type Value } from './packing.js';

/** Finds what references name. */
export interface Resolver {
  /** The entry. @throws CorruptionError when it is not there. */
  resolve(reference: Reference): Eventually<{ readonly entry: EntryView; readonly location: number }>;
  /** Only where it is. */
  locate(reference: Reference): Eventually<number>;
  /** What it holds, by a key that has it or not. */
  contentOf(reference: Reference): Eventually<Content>;
  /** The value of an entry, encoded and not packed. */
  encodedOf(entry: EntryView): Eventually<Encoded>;
}

export function isMade({ kind }: { readonly kind: number }): boolean {
  return (kind & MADE) !== 0;
}

/** What a value is made of, as these bytes say. */
export function madeOf(making: Uint8Array, resolver: Resolver): Eventually<Made> {
  const bytes = making.length;
  const { form, depth, parts } = decodeMaking(making);
  if (form === Form.Delta) {
    const chunks = new Uint32Array(0);
    return andThen(resolver.contentOf(parts[0]!), (base) => ({ bytes, depth, chunks, base }));
  }
  const chunks = new Uint32Array(parts.length * CHUNK_ROW);
  const filled = inTurn(parts.length, (i) => {
    const { high, low, size } = parts[i]!;
    return andThen(resolver.locate(parts[i]!), (object) => {
      chunks.set([high, low, object, size], i * CHUNK_ROW);
    });
  });
  return andThen(filled, () => ({ bytes, depth, chunks, base: undefined }));
}

/** The value that `made` names the parts of, in memory of its own. */
export function assemble(made: Value, resolver: Resolver): Eventually<Encoded> {
  const kind = made.kind & ~MADE;
  const size = sizeOf(made);
  const { form, parts, delta } = decodeMaking(made.bytes);
  if (form === Form.Delta) {
    return andThen(resolver.resolve(parts[0]!), (base) =>
      andThen(resolver.encodedOf(base.entry), (encoded) =>
        andThen(deltas(), ({ applyDelta }) => {
          return { kind, bytes: exactly(size, applyDelta(encoded.bytes, delta, size)) };
        }),
      ),
    );
  }
  let sum = 0;
  for (const part of parts) sum += part.size;
  if (sum !== size) throw wrongSize(size, sum);
  const bytes = new Uint8Array(size);
  let at = 0;
  const filled = inTurn(parts.length, (i) =>
    andThen(resolver.resolve(parts[i]!), ({ entry: chunk }) => {
      bytes.set(chunk.value, at);
      at += chunk.size;
    }),
  );
  return andThen(filled, () => ({ kind, bytes }));
}

function exactly(size: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length !== size) throw wrongSize(size, bytes.length);
  return bytes;
}

function wrongSize(size: number, got: number): CorruptionError {
  return new CorruptionError(`the parts of a value of ${size} bytes give ${got}`);
}

let loaded: typeof import('../structures/dedup/index.js') | undefined;

/** Most stores hold no delta. */
function deltas(): Eventually<typeof import('../structures/dedup/index.js')> {
  return (
    loaded ??
    import('../structures/dedup/index.js').then((module) => {
      loaded = module;
      return module;
    })
  );
}
