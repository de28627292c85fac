/** `ArrayBuffer`, typed arrays and `DataView`: both directions of each side by side. */
import { viewName } from './brand.js';
import { Tag, VIEW_NAMES } from './format.js';
import type { Input } from './input.js';
import type { Numbers } from './numbers.js';
import type { Output } from './output.js';

const byteLengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength')!.get!;

/** Why the memory of `buffer` cannot be stored, if it cannot. */
export function refusedMemory(buffer: ArrayBufferLike): string | undefined {
  try {
    byteLengthOf.call(buffer);
  } catch {
    return 'shared memory';
  }
  if ((buffer as { resizable?: boolean }).resizable) return 'resizable memory';
  if (buffer.byteLength === 0) {
    try {
      new Uint8Array(buffer);
    } catch {
      return 'a detached ArrayBuffer';
    }
  }
  return undefined;
}

export function writeBuffer(out: Output, buffer: ArrayBuffer): string | undefined {
  const refused = refusedMemory(buffer);
  if (refused !== undefined) return refused;
  const bytes = new Uint8Array(buffer);
  out.byte(Tag.Buffer);
  out.varint(bytes.length);
  out.raw(bytes);
  return undefined;
}

export function readBuffer(input: Input): ArrayBuffer {
  return input.raw().buffer;
}

/** Gives the reason when it cannot be stored. */
export function writeView(out: Output, view: ArrayBufferView, objects: Numbers<object>): string | undefined {
  const buffer = view.buffer as ArrayBuffer;
  const name = viewName(view);
  const index = (VIEW_NAMES as readonly string[]).indexOf(name);
  if (index < 0) return `a ${name}`;
  out.byte(Tag.View);
  out.byte(index);
  const known = objects.find(buffer);
  if (known < 0) {
    const refused = writeBuffer(out, buffer);
    if (refused !== undefined) return refused;
  } else {
    out.byte(Tag.SameObject);
    out.varint(known);
  }
  out.varint(view.byteOffset);
  out.varint(view.byteLength / elementBytes(view));
  return undefined;
}

type ViewClass = {
  new (buffer: ArrayBuffer, offset: number, length: number): object;
  BYTES_PER_ELEMENT?: number;
};

/** Reads the view behind its buffer. */
export function readView(input: Input, index: number, buffer: ArrayBuffer): object {
  const name = VIEW_NAMES[index];
  const type = name && ((globalThis as Record<string, unknown>)[name] as ViewClass | undefined);
  if (!type) throw input.corrupt(`views of kind ${name ?? index} are unknown here`);
  const size = type.BYTES_PER_ELEMENT ?? 1;
  const offset = input.varint();
  const length = input.varint();
  if (offset % size !== 0 || offset + length * size > buffer.byteLength) {
    throw input.corrupt(`a ${name} does not lie inside its buffer`);
  }
  return new type(buffer, offset, length);
}

function elementBytes(view: ArrayBufferView): number {
  return (view as Partial<Uint8Array>).BYTES_PER_ELEMENT ?? 1;
}
