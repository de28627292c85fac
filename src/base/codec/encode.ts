/**
 * A walk over a value that writes it as tagged bytes.
 *
 * It keeps its own stack, one frame for each object on the way from the root, so
 * that no depth of nesting overflows the stack of the engine, and the place of
 * what cannot be stored is read off the frames.
 */
import { SerializationError, StoreError } from '../errors.js';
import { type PendingBlob, writeBlob } from './blobs.js';
import { brandOf } from './brand.js';
import { writeBuffer, writeView } from './buffers.js';
import { SMALL, SMALL_COUNT, Tag } from './format.js';
import { writeBoxed, writeDate, writeError, writeRegExp } from './leaves.js';
import { Numbers } from './numbers.js';
import { Output } from './output.js';
import { type Frame, FramePool, pathTo } from './path.js';

type Keyed = Record<string, unknown>;

export class Encoder {
  readonly #out = new Output();
  readonly #objects = new Numbers<object>();
  readonly #frames = new FramePool();
  #blobs: PendingBlob[] = [];

  /** The bytes of `value`, and the blobs that are still to be filled in. */
  encode(value: unknown): { bytes: Uint8Array; blobs: readonly PendingBlob[] } {
    try {
      this.#value(value);
      for (let frame = this.#frames.top; frame !== undefined; frame = this.#frames.top) {
        if (frame.keys) this.#properties(frame, frame.keys);
        else this.#items(frame);
      }
      return { bytes: this.#out.copy(), blobs: this.#blobs };
    } catch (cause) {
      if (cause instanceof StoreError) throw cause;
      const path = pathTo(this.#frames);
      throw new SerializationError(`${path} could not be read: ${String(cause)}`, {
        cause,
        detail: { path },
      });
    } finally {
      this.#out.clear();
      this.#objects.clear();
      this.#frames.clear();
      this.#blobs = [];
    }
  }

  /** Writes properties until one opens a frame of its own, or all are written. */
  #properties(frame: Frame, keys: readonly string[]): void {
    const source = frame.source as Keyed;
    const depth = this.#frames.depth;
    while (frame.next < frame.end) {
      const key = keys[frame.next++]!;
      const value = source[key];
      // A getter may have deleted it since the keys were listed.
      if (value === undefined && !Object.hasOwn(source, key)) continue;
      if (frame.shape === 'array' && isIndex(key)) this.#out.number(Number(key));
      else this.#out.string(key);
      this.#value(value);
      if (this.#frames.depth !== depth) return;
    }
    this.#out.byte(Tag.End);
    this.#frames.pop();
  }

  /** Writes items until one opens a frame of its own, or all are written. */
  #items(frame: Frame): void {
    const items = frame.items;
    const depth = this.#frames.depth;
    while (frame.next < frame.end) {
      this.#value(items[frame.next++]);
      if (this.#frames.depth !== depth) return;
    }
    this.#frames.pop();
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#out.string(value);
        break;
      case 'number':
        this.#out.number(value);
        break;
      case 'boolean':
        this.#out.byte(value ? Tag.True : Tag.False);
        break;
      case 'undefined':
        this.#out.byte(Tag.Undefined);
        break;
      case 'bigint':
        this.#out.bigint(value);
        break;
      case 'object':
        if (value === null) this.#out.byte(Tag.Null);
        else this.#object(value);
        break;
      default:
        this.#refuse(`a ${typeof value}`);
    }
  }

  #object(object: object): void {
    const known = this.#objects.find(object);
    if (known >= 0) {
      this.#out.byte(Tag.SameObject);
      this.#out.varint(known);
    } else if (Array.isArray(object)) {
      this.#array(object);
    } else {
      const prototype = Object.getPrototypeOf(object);
      if (prototype === Object.prototype || prototype === null) this.#plain(object);
      else this.#branded(object);
    }
  }

  #plain(object: object): void {
    this.#out.byte(Tag.Object);
    const keys = Object.keys(object);
    this.#frames.push('object', object, keys, keys, keys.length);
  }

  #array(array: unknown[]): void {
    const length = array.length;
    const keys = Object.keys(array);
    // Indices come first and ascend: if the last of so many keys is the last index, all are there and nothing else.
    if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) {
      this.#out.byte(Tag.Sparse);
      this.#out.varint(length);
      this.#frames.push('array', array, keys, keys, keys.length);
      return;
    }
    if (length < SMALL_COUNT.array) {
      this.#out.byte(SMALL.array + length);
    } else {
      this.#out.byte(Tag.Array);
      this.#out.varint(length);
    }
    if (length > 0) this.#frames.push('array', array, undefined, array, length);
  }

  #branded(object: object): void {
    const brand = brandOf(object);
    const out = this.#out;
    switch (brand) {
      case 'Plain':
        this.#plain(object);
        break;
      case 'Date':
        writeDate(out, object as Date);
        break;
      case 'RegExp':
        writeRegExp(out, object as RegExp);
        break;
      case 'Boolean':
      case 'Number':
      case 'String':
      case 'BigInt':
        writeBoxed(out, object, brand);
        break;
      case 'Map':
        this.#map(object as Map<unknown, unknown>);
        break;
      case 'Set':
        this.#set(object as Set<unknown>);
        break;
      case 'ArrayBuffer':
        this.#refuse(writeBuffer(out, object as ArrayBuffer));
        break;
      case 'View':
        this.#refuse(writeView(out, object as ArrayBufferView, this.#objects));
        break;
      case 'Blob':
      case 'File': {
        const at = writeBlob(out, object as Blob, brand === 'File');
        this.#blobs.push({ blob: object as Blob, at, path: pathTo(this.#frames) });
        break;
      }
      case 'Error': {
        const cause = writeError(out, object as Error);
        if (cause) this.#frames.push('error', object, undefined, cause, 1);
        break;
      }
      default:
        this.#refuse(brand[0]);
    }
  }

  // Copied first: a getter inside may change the map or set that is walked.
  #map(map: Map<unknown, unknown>): void {
    const items: unknown[] = [];
    Map.prototype.forEach.call(map, (value, key) => items.push(key, value));
    this.#out.byte(Tag.Map);
    this.#out.varint(items.length / 2);
    this.#frames.push('map', map, undefined, items, items.length);
  }

  #set(set: Set<unknown>): void {
    const items: unknown[] = [];
    Set.prototype.forEach.call(set, (item) => items.push(item));
    this.#out.byte(Tag.Set);
    this.#out.varint(items.length);
    this.#frames.push('set', set, undefined, items, items.length);
  }

  #refuse(what: string | undefined): void {
    if (what === undefined) return;
    const path = pathTo(this.#frames);
    throw new SerializationError(`${path} is ${what}, which cannot be stored`, { detail: { path } });
  }
}

/** Whether `key` is the index of an array's element, and not a named property. */
function isIndex(key: string): boolean {
  const n = Number(key);
  return n < 2 ** 32 - 1 && n >= 0 && String(n >>> 0) === key;
}
