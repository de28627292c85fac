/**
 * A walk over tagged bytes that makes the value.
 *
 * An object is made empty, put where it belongs, and filled before what comes
 * after it: so it can be inside itself, and the walk keeps its own stack and
 * overflows none.
 */
import { readBlob, readFile } from './blobs.js';
import { readBuffer, readView } from './buffers.js';
import { SMALL, Tag } from './format.js';
import type { Input } from './input.js';
import { readBoxed, readDate, readError, readRegExp, setHidden } from './leaves.js';

type Keyed = Record<string, unknown>;

/** An object that is being filled. */
interface Open {
  readonly tag: number;
  readonly object: object;
  /** Items still to come; of no meaning where END closes. */
  left: number;
  /** Of a map: the key whose value comes next. */
  key: unknown;
  hasKey: boolean;
}

export class Decoder {
  readonly #input: Input;
  /** Objects by their number. */
  readonly #objects: object[] = [];
  readonly #open: Open[] = [];

  constructor(input: Input) {
    this.#input = input;
  }

  decode(): unknown {
    const value = this.#value(this.#input.byte());
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) {
      if (this.#fill(open, this.#open.length)) this.#open.pop();
    }
    if (this.#input.left > 0) throw this.#input.corrupt('something follows it');
    return value;
  }

  /** Fills `open` until something inside it must be filled first; whether it is full. */
  #fill(open: Open, depth: number): boolean {
    switch (open.tag) {
      case Tag.Object:
        return this.#properties(open.object as Keyed, depth);
      case Tag.Sparse:
        return this.#sparse(open.object as unknown[], depth);
      case Tag.Map:
        return this.#map(open, depth);
      default:
        return this.#items(open, depth);
    }
  }

  #properties(object: Keyed, depth: number): boolean {
    const input = this.#input;
    for (let tag = input.byte(); tag !== Tag.End; tag = input.byte()) {
      const key = input.stringOf(tag);
      if (key === undefined) throw input.corrupt(`tag ${tag} where a key must be`);
      const value = this.#value(input.byte());
      if (key === '__proto__') define(object, key, value);
      else object[key] = value;
      if (this.#open.length !== depth) return false;
    }
    return true;
  }

  #sparse(array: unknown[], depth: number): boolean {
    const input = this.#input;
    for (let tag = input.byte(); tag !== Tag.End; tag = input.byte()) {
      const key = input.numberOf(tag) ?? input.stringOf(tag);
      const isIndex = typeof key === 'number';
      if (
        key === undefined ||
        key === 'length' ||
        (isIndex && !(Number.isInteger(key) && key >= 0 && key < array.length))
      ) {
        throw input.corrupt('no key of the array');
      }
      const value = this.#value(input.byte());
      if (isIndex) array[key] = value;
      else define(array, key, value);
      if (this.#open.length !== depth) return false;
    }
    return true;
  }

  #map(open: Open, depth: number): boolean {
    const map = open.object as Map<unknown, unknown>;
    while (open.left > 0) {
      const value = this.#value(this.#input.byte());
      if (open.hasKey) {
        map.set(open.key, value);
        open.left--;
      } else {
        open.key = value;
      }
      open.hasKey = !open.hasKey;
      if (this.#open.length !== depth) return false;
    }
    return true;
  }

  #items(open: Open, depth: number): boolean {
    while (open.left > 0) {
      open.left--;
      const value = this.#value(this.#input.byte());
      if (open.tag === Tag.Array) (open.object as unknown[]).push(value);
      else if (open.tag === Tag.Set) (open.object as Set<unknown>).add(value);
      else setHidden(open.object as Error, 'cause', value);
      if (this.#open.length !== depth) return false;
    }
    return true;
  }

  /** The value that starts with `tag`; what has items is empty, and open. */
  #value(tag: number): unknown {
    const input = this.#input;
    if (tag >= SMALL.string) {
      return tag >= SMALL.array ? this.#begin(Tag.Array, [], tag - SMALL.array) : input.stringOf(tag);
    }
    if (tag >= SMALL.integer) return input.numberOf(tag);
    switch (tag) {
      case Tag.Undefined:
        return undefined;
      case Tag.Null:
        return null;
      case Tag.False:
        return false;
      case Tag.True:
        return true;
      case Tag.BigInt:
      case Tag.NegativeBigInt:
        return input.bigint(tag);
      case Tag.NaN:
      case Tag.Double:
      case Tag.Integer:
      case Tag.Negative:
        return input.numberOf(tag);
      case Tag.String:
      case Tag.String16:
      case Tag.SameString:
        return input.stringOf(tag);
      case Tag.SameObject:
        return this.#known(input.varint());
      default:
        return this.#object(tag);
    }
  }

  #object(tag: number): object {
    const input = this.#input;
    switch (tag) {
      case Tag.Object:
        return this.#begin(tag, {}, 0);
      case Tag.Array:
        return this.#begin(tag, [], input.length());
      case Tag.Sparse:
        return this.#begin(tag, emptyArray(this.#arrayLength()), 0);
      case Tag.Map:
        return this.#begin(tag, new Map(), input.length(2));
      case Tag.Set:
        return this.#begin(tag, new Set(), input.length());
      case Tag.Error: {
        const { error, hasCause } = readError(input);
        return this.#begin(tag, error, hasCause ? 1 : 0);
      }
      case Tag.View:
        return this.#view();
      default:
        return this.#numbered(this.#leaf(tag));
    }
  }

  #leaf(tag: number): object {
    const input = this.#input;
    switch (tag) {
      case Tag.Date:
        return readDate(input);
      case Tag.RegExp:
        return readRegExp(input);
      case Tag.Boxed:
        return readBoxed(input);
      case Tag.Buffer:
        return readBuffer(input);
      case Tag.Blob:
        return readBlob(input);
      case Tag.File:
        return readFile(input);
      default:
        throw input.corrupt(`unknown tag ${tag}`);
    }
  }

  #view(): object {
    const index = this.#input.byte();
    const number = this.#objects.length;
    // Its number comes before that of its buffer; nobody can ask for it until then.
    this.#objects.push(this);
    const tag = this.#input.byte();
    let buffer: object;
    if (tag === Tag.Buffer) buffer = this.#numbered(readBuffer(this.#input));
    else if (tag === Tag.SameObject) buffer = this.#known(this.#input.varint());
    else throw this.#input.corrupt(`tag ${tag} where a buffer must be`);
    if (!(buffer instanceof ArrayBuffer)) throw this.#input.corrupt('a view of something else than a buffer');
    return (this.#objects[number] = readView(this.#input, index, buffer));
  }

  #begin(tag: number, object: object, left: number): object {
    this.#open.push({ tag, object, left, key: undefined, hasKey: false });
    return this.#numbered(object);
  }

  #numbered(object: object): object {
    this.#objects.push(object);
    return object;
  }

  #known(number: number): object {
    const object = this.#objects[number];
    if (object === undefined) throw this.#input.corrupt(`object ${number} is not there`);
    return object;
  }

  #arrayLength(): number {
    const length = this.#input.varint();
    if (length >= 2 ** 32) throw this.#input.corrupt(`an array of ${length}`);
    return length;
  }
}

/** Sets a property of its own, also where an inherited setter would take it. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** An array of holes. A length that the bytes cannot bear out must not cost memory. */
function emptyArray(length: number): unknown[] {
  const array: unknown[] = [];
  if (length > 0) {
    // An element far beyond the others makes engines keep the array as a table.
    array[length - 1] = undefined;
    delete array[length - 1];
  }
  return array;
}
