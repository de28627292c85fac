/** The objects on the way from the root of a value to the place being written, and the name of that place. */
export type Shape = 'object' | 'array' | 'map' | 'set' | 'error';

export interface Frame {
  shape: Shape;
  source: object;
  /** With keys `source` is read by them, without it is `items` that are written. */
  keys: readonly string[] | undefined;
  items: readonly unknown[];
  /** The next of `end` keys or items. */
  next: number;
  end: number;
}

const NOTHING: readonly never[] = [];
/** Frames that are kept for the next value. */
const KEPT = 64;

/** A stack of frames that are used again, so that nesting allocates nothing. */
export class FramePool {
  readonly #frames: Frame[] = [];
  depth = 0;

  get top(): Frame | undefined {
    return this.depth > 0 ? this.#frames[this.depth - 1] : undefined;
  }

  at(depth: number): Frame {
    return this.#frames[depth]!;
  }

  push(
    shape: Shape,
    source: object,
    keys: readonly string[] | undefined,
    items: readonly unknown[],
    end: number,
  ) {
    const frame = this.#frames[this.depth];
    if (frame === undefined) {
      this.#frames.push({ shape, source, keys, items, next: 0, end });
    } else {
      frame.shape = shape;
      frame.source = source;
      frame.keys = keys;
      frame.items = items;
      frame.next = 0;
      frame.end = end;
    }
    this.depth++;
  }

  pop(): void {
    const frame = this.#frames[--this.depth]!;
    // The value must not be kept alive from here.
    frame.source = NOTHING;
    frame.keys = undefined;
    frame.items = NOTHING;
  }

  clear(): void {
    while (this.depth > 0) this.pop();
    if (this.#frames.length > KEPT) this.#frames.length = KEPT;
  }
}

/** The place being written, as a program would name it: `value.user.tags[3]`. */
export function pathTo(frames: FramePool): string {
  let path = 'value';
  // The middle of a very long way tells nothing.
  const skipFrom = 20;
  const skipTo = Math.max(skipFrom, frames.depth - 20);
  for (let depth = 0; depth < frames.depth; depth++) {
    if (depth >= skipFrom && depth < skipTo) {
      path += '…';
      depth = skipTo - 1;
    } else path += step(frames.at(depth));
  }
  return path;
}

function step({ shape, keys, items, next }: Frame): string {
  const at = next - 1;
  if (keys) return property(keys[at]!);
  switch (shape) {
    case 'map':
      return at % 2 === 0 ? `.keys()[${at >> 1}]` : entry(items[at - 1], at >> 1);
    case 'set':
      return `.values()[${at}]`;
    case 'error':
      return '.cause';
    default:
      return `[${at}]`;
  }
}

function property(key: string): string {
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key)) return `.${key}`;
  return /^\d+$/.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`;
}

function entry(key: unknown, at: number): string {
  if (typeof key === 'string') return `.get(${JSON.stringify(key)})`;
  return typeof key === 'number' || typeof key === 'boolean' ? `.get(${key})` : `.values()[${at}]`;
}
