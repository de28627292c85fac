/** Reading and writing numbers and keys in bytes. Little-endian. */

/** Writes the low 48 bits of a whole number up to 2^48 - 1. */
export function putUint48(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint16(at + 4, value / 2 ** 32, true);
}

export function getUint48(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
}

/** Whether every code unit fits in a byte. */
export function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/** Writes the code units of `text`, one byte each, or two when `wide`; gives the offset behind them. */
export function putUnits(bytes: Uint8Array, at: number, text: string, wide: boolean): number {
  if (wide) {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      bytes[at++] = unit;
      bytes[at++] = unit >> 8;
    }
  } else {
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
  }
  return at;
}

/** A call takes its arguments from the stack, which is not endless. */
const UNITS_A_CALL = 8192;

/** The string whose code units lie in `start .. end`. */
export function getUnits(bytes: Uint8Array, start: number, end: number, wide: boolean): string {
  let units: Uint8Array | Uint16Array = bytes;
  if (wide) {
    units = new Uint16Array((end - start) >> 1);
    for (let i = 0; i < units.length; i++)
      units[i] = bytes[start + 2 * i]! | (bytes[start + 2 * i + 1]! << 8);
    end = units.length;
    start = 0;
  }
  let text = '';
  for (let i = start; i < end; i += UNITS_A_CALL) {
    const piece = units.subarray(i, Math.min(end, i + UNITS_A_CALL));
    text += String.fromCharCode.apply(null, piece as unknown as number[]);
  }
  return text;
}

/** Order of keys: by code units, as `<` has it. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether `a[aStart ..]` and `b[bStart ..]` agree in `length` bytes. */
export function equalBytes(
  a: Uint8Array,
  aStart: number,
  b: Uint8Array,
  bStart: number,
  length: number,
): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  return true;
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** A result that is at hand, or will be: so that what needs no waiting does not wait. */
export type Eventually<T> = T | Promise<T>;

/** `next` of `value`: at once where the value is at hand. */
export function andThen<T, U>(value: Eventually<T>, next: (value: T) => Eventually<U>): Eventually<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Runs `step` for 0 to `count` - 1, one behind the other: at once where none of them waits. */
export function inTurn(count: number, step: (i: number) => Eventually<void>): Eventually<void> {
  const from = (start: number): Eventually<void> => {
    for (let i = start; i < count; i++) {
      const done = step(i);
      if (done instanceof Promise) return done.then(() => from(i + 1));
    }
  };
  return from(0);
}
