/**
 * Whether two values are one value in two copies: of the same classes, with the
 * same contents, and with the same objects shared inside. Gives the first
 * difference, so that a test can show it.
 */
export function difference(a: unknown, b: unknown): string | undefined {
  return compare(a, b, 'value', new Map(), new Map());
}

type Pairs = Map<object, object>;

const CONTENT: Readonly<Record<string, (object: never) => unknown>> = {
  Date: (date: Date) => date.getTime(),
  RegExp: (expression: RegExp) => String(expression) + expression.lastIndex,
  Boolean: (boxed: boolean) => boxed.valueOf(),
  Number: (boxed: number) => boxed.valueOf(),
  String: (boxed: string) => boxed.valueOf(),
  BigInt: (boxed: bigint) => boxed.valueOf(),
  ArrayBuffer: (buffer: ArrayBuffer) => String([...new Uint8Array(buffer)]),
};

function compare(a: unknown, b: unknown, path: string, there: Pairs, back: Pairs): string | undefined {
  if (!isObject(a) || !isObject(b)) {
    return Object.is(a, b) ? undefined : `${path}: ${String(a)} is not ${String(b)}`;
  }
  if (there.has(a) || back.has(b)) {
    return there.get(a) === b && back.get(b) === a ? undefined : `${path}: shared otherwise`;
  }
  there.set(a, b);
  back.set(b, a);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${path}: of another class`;
  const inside = (x: unknown, y: unknown, step: string) => compare(x, y, path + step, there, back);
  const brand = Object.prototype.toString.call(a).slice(8, -1);
  if (ArrayBuffer.isView(a))
    return (
      view(a, b as unknown as ArrayBufferView, path) ??
      inside(a.buffer, (b as never as DataView).buffer, '.buffer')
    );
  const content = CONTENT[brand];
  if (content && !Object.is(content(a as never), content(b as never))) return `${path}: another ${brand}`;
  if (a instanceof Map || a instanceof Set) {
    const wrong = inside([...a].flat(0), [...(b as unknown as Set<unknown>)].flat(0), '.items');
    if (wrong !== undefined) return wrong;
  }
  return properties(a, b, inside, path);
}

function properties(
  a: object,
  b: object,
  inside: (x: unknown, y: unknown, step: string) => string | undefined,
  path: string,
): string | undefined {
  const keys = Reflect.ownKeys(a);
  const others = Reflect.ownKeys(b);
  // The constructor of an error sets its properties in an order of its own.
  const order = (list: PropertyKey[]) =>
    JSON.stringify(a instanceof Error ? list.map(String).sort() : list.map(String));
  if (order(keys) !== order(others)) return `${path}: ${order(keys)} are not ${order(others)}`;
  for (const key of keys) {
    const { value: x, ...flags } = Object.getOwnPropertyDescriptor(a, key)!;
    const { value: y, ...others } = Object.getOwnPropertyDescriptor(b, key)!;
    if (JSON.stringify(flags) !== JSON.stringify(others))
      return `${path}.${String(key)}: another kind of property`;
    const wrong = inside(x, y, `.${String(key)}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function view(a: ArrayBufferView, b: ArrayBufferView, path: string): string | undefined {
  return a.byteOffset === b.byteOffset && a.byteLength === b.byteLength
    ? undefined
    : `${path}: another part of its buffer`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
