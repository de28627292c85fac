/**
 * What an object is, whatever it says of itself.
 *
 * Structured clone goes by what an object was made as. Its prototype and
 * `Symbol.toStringTag` may say otherwise, and objects of another realm are of no
 * class known here; but a built-in method throws unless its own kind of object
 * calls it.
 */
export type Brand =
  | 'Map'
  | 'Set'
  | 'Date'
  | 'RegExp'
  | 'ArrayBuffer'
  | 'View'
  | 'Boolean'
  | 'Number'
  | 'String'
  | 'BigInt'
  | 'Error'
  | 'Blob'
  | 'File'
  | 'Plain';

type Probe = (this: unknown) => unknown;

function getter(prototype: object, name: string | symbol): Probe {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}

const PROBES: readonly (readonly [Brand, abstract new (...args: never[]) => object, Probe])[] = [
  ['Date', Date, Date.prototype.getTime],
  ['Map', Map, getter(Map.prototype, 'size')],
  ['Set', Set, getter(Set.prototype, 'size')],
  ['ArrayBuffer', ArrayBuffer, getter(ArrayBuffer.prototype, 'byteLength')],
  ['RegExp', RegExp, getter(RegExp.prototype, 'source')],
  ['Boolean', Boolean, Boolean.prototype.valueOf],
  ['Number', Number, Number.prototype.valueOf],
  ['String', String, String.prototype.valueOf],
  ['BigInt', BigInt as unknown as new () => object, BigInt.prototype.valueOf],
];

const describe = Object.prototype.toString;
/** Name of the class of a typed array, `undefined` for all else: the one such getter that cannot be fooled. */
const nameOfTypedArray = getter(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

/** The brand of `object`; a sentence's end such as `a WeakMap` in `[ ]` when it is nothing that can be cloned. */
export function brandOf(object: object): Brand | [refused: string] {
  if (ArrayBuffer.isView(object)) return 'View';
  const name = describe.call(object).slice(8, -1);
  for (const [brand, type, probe] of PROBES) {
    if ((name === brand || object instanceof type) && passes(object, probe)) return brand;
  }
  if (typeof Blob !== 'undefined' && object instanceof Blob) {
    return typeof File !== 'undefined' && object instanceof File ? 'File' : 'Blob';
  }
  const platform = platformName(object);
  // With a probed name it only has the prototype of one.
  if (platform !== undefined && !PROBES.some(([brand]) => brand === platform)) {
    return [`${/^[AEIO]/i.test(platform) ? 'an' : 'a'} ${platform}`];
  }
  return name === 'Error' || object instanceof Error ? 'Error' : 'Plain';
}

/** The class of a view, as it is on disk: subclasses count as what they extend. */
export function viewName(view: ArrayBufferView): string {
  return (nameOfTypedArray.call(view) as string | undefined) ?? 'DataView';
}

function passes(object: object, probe: Probe): boolean {
  try {
    probe.call(object);
    return true;
  } catch {
    return false;
  }
}

/**
 * What the platform calls `object`, if it is one of its own: built-in classes tag
 * their prototypes with a property that is neither writable nor enumerable, which
 * a class or a literal in a program does not.
 */
function platformName(object: object): string | undefined {
  if (!(Symbol.toStringTag in object)) return undefined;
  for (let owner: object | null = object; owner !== null; owner = Object.getPrototypeOf(owner)) {
    const tag = Object.getOwnPropertyDescriptor(owner, Symbol.toStringTag);
    if (tag) return typeof tag.value === 'string' && !tag.writable && !tag.enumerable ? tag.value : undefined;
  }
  return undefined;
}
