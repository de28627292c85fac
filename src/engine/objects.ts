/**
 * Values on their way into a batch: each stands in the log already, or is brought by the
 * group of calls that is being planned, whole or made of parts.
 */
import { andThen, type Eventually, inTurn } from '../base/bytes.js';
import { lane } from '../base/hash.js';
import { type Batch, entry, INLINE_MAX, Type } from '../storage/log/index.js';
import { CHUNK_ROW, type Change, type Content, type Made } from './change.js';
import type { Contents, StoredObject } from './contents.js';
import { CANONICAL, CHUNK, encodeMaking, Form, MADE } from './made.js';
import { type Packing, sizeOf, type Value } from './packing.js';

/** An object that this group of calls brings: its location is known once it is in the batch. */
export interface NewObject {
  readonly value: Value;
  /** What it will be made of; `undefined`: it is stored as it is. */
  readonly parts: Parts | undefined;
  location: number;
  birth: number;
  made: Made | undefined;
}

/** A content, and the object that has it. */
export interface Holding {
  readonly high: number;
  readonly low: number;
  readonly size: number;
  readonly object: StoredObject | NewObject;
}

/** As an entry will say it (`made.ts`). */
export interface Parts {
  readonly form: number;
  readonly depth: number;
  readonly parts: readonly Holding[];
  readonly delta: Uint8Array;
}

/** Objects that the calls of one group bring, found by their content before they are applied. */
export type GroupObjects = Map<number, NewObject[]>;

const NO_VALUE = new Uint8Array(0);

export function newObject(value: Value, parts?: Parts): NewObject {
  return { value, parts, location: -1, birth: 0, made: undefined };
}

/** Finds objects for values. */
export class Placer {
  constructor(
    private readonly contents: Contents,
    private readonly packing: Packing,
  ) {}

  /** A value that is brought in the form in which it comes. */
  asItComes(value: Value): Eventually<NewObject> {
    return andThen(this.contents.madeIn(value), (made) => ({ ...newObject(value), made }));
  }

  /** The object that has this content, or what `fresh` makes where there is none. */
  place(
    value: Value,
    group: GroupObjects,
    fresh: () => Eventually<NewObject | Holding>,
  ): Eventually<Holding> {
    const size = sizeOf(value);
    const high = this.packing.hash(value);
    const low = lane[0]!;
    const same = group.get(high);
    return andThen(this.#brought(same, value), (brought) => {
      if (brought) return { high, low, size, object: brought };
      return andThen(this.contents.find(high, low, value), (stored) => {
        if (stored) return { high, low, size, object: stored };
        return andThen(fresh(), (object) => {
          if ('object' in object) return object;
          const others = group.get(high);
          if (others) others.push(object);
          else group.set(high, [object]);
          return { high, low, size, object };
        });
      });
    });
  }

  /** The one of these objects that has this content. */
  #brought(
    objects: readonly NewObject[] | undefined,
    value: Value,
    i = 0,
  ): Eventually<NewObject | undefined> {
    const object = objects?.[i];
    if (!object) return undefined;
    return andThen(this.packing.same(object.value, value), (same) =>
      same ? object : this.#brought(objects, value, i + 1),
    );
  }
}

/** Parts for a value that is the chunks one behind the other. */
export function placeChunks(
  chunks: readonly Uint8Array[],
  placer: Placer,
  group: GroupObjects,
): Eventually<Parts> {
  const parts: Holding[] = [];
  const placed = inTurn(chunks.length, (i) => {
    const value = { kind: CHUNK, bytes: chunks[i]! };
    return andThen(
      placer.place(value, group, () => newObject(value)),
      (part) => {
        parts.push(part);
      },
    );
  });
  return andThen(placed, () => ({ form: Form.Chunks, depth: 0, parts, delta: NO_VALUE }));
}

/** What an entry of a key says of its value, and the content that the key will have. */
export interface Written {
  readonly kind: number;
  readonly value: Uint8Array;
  readonly packed: Value['packed'];
  readonly reference: { high: number; low: number; birth: number; size: number } | undefined;
  readonly brings: boolean;
}

/** What the entry of a key with this value has to say. Parts of it that are new are added to the batch. */
export function writtenOf(
  value: Value,
  { high, low, size, object }: Holding,
  batch: Batch,
  version: number,
  time: number,
  changes: Change[],
): Written {
  const brings = object.location === -1;
  const { kind, bytes } = value;
  if (!brings) {
    const refers = size > INLINE_MAX || value.canonical === true;
    const reference = refers ? { high, low, birth: object.birth, size } : undefined;
    return {
      kind: value.canonical ? CANONICAL : kind,
      value: refers ? NO_VALUE : bytes,
      packed: refers ? undefined : value.packed,
      reference,
      brings,
    };
  }
  const parts = 'parts' in object ? object.parts : undefined;
  if (!parts) return { kind, value: bytes, packed: value.packed, reference: undefined, brings };
  const references = parts.parts.map((part) => {
    if (part.object.location === -1) addPart(part, batch, version, time, changes);
    return { high: part.high, low: part.low, birth: part.object.birth, size: part.size };
  });
  const making = encodeMaking({ ...parts, parts: references });
  (object as NewObject).made = madeOf(parts, making.length);
  return { kind: kind | MADE, value: making, packed: { size, high, low }, reference: undefined, brings };
}

/** A part that is new: it comes as an OBJECT. */
export function addPart(
  holding: Holding,
  batch: Batch,
  version: number,
  time: number,
  changes: Change[],
): void {
  const { high, low, size, object } = holding;
  const { kind, value, packed } = writtenOf(
    (object as NewObject).value,
    holding,
    batch,
    version,
    time,
    changes,
  );
  const fields = { type: Type.Object, sequence: version, time, kind, value, packed, brings: true };
  const location = batch.add(entry(fields));
  Object.assign(object, { location, birth: version });
  const content: Content = { high, low, size, object: location, brings: true, made: object.made };
  changes.push({
    type: 'object',
    content: kind === CHUNK ? { ...content, chunk: true } : content,
    version,
    time,
  });
}

/** REQUIRES: every part has its place. */
function madeOf({ form, depth, parts }: Parts, bytes: number): Made {
  if (form === Form.Delta) {
    const { high, low, size, object } = parts[0]!;
    const base = { high, low, size, object: object.location, brings: false, made: object.made };
    return { bytes, depth, chunks: new Uint32Array(0), base };
  }
  const chunks = new Uint32Array(parts.length * CHUNK_ROW);
  parts.forEach(({ high, low, size, object }, i) => {
    chunks.set([high, low, object.location, size], i * CHUNK_ROW);
  });
  return { bytes, depth, chunks, base: undefined };
}
