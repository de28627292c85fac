/**
 * `Blob` and `File`: both directions side by side.
 *
 * Their bytes come later than the value is walked: room is left for them, and
 * `fillBlobs` puts them there.
 */
import { SerializationError } from '../errors.js';
import { Tag } from './format.js';
import { Input } from './input.js';
import type { Output } from './output.js';

export interface PendingBlob {
  readonly blob: Blob;
  readonly at: number;
  /** Where in the value it is. */
  readonly path: string;
}

/** Writes the head and room for the bytes; gives where they go. */
export function writeBlob(out: Output, blob: Blob, isFile: boolean): number {
  if (isFile) {
    const file = blob as File;
    out.byte(Tag.File);
    out.string(file.name);
    out.string(file.type);
    out.double(file.lastModified);
  } else {
    out.byte(Tag.Blob);
    out.string(blob.type);
  }
  out.varint(blob.size);
  const at = out.at;
  out.skip(blob.size);
  return at;
}

export async function fillBlobs(bytes: Uint8Array, pending: readonly PendingBlob[]): Promise<void> {
  await Promise.all(
    pending.map(async ({ blob, at, path }) => {
      let content: ArrayBuffer;
      try {
        content = await blob.arrayBuffer();
      } catch (cause) {
        throw new SerializationError(`${path} could not be read`, { cause, detail: { path } });
      }
      if (content.byteLength !== blob.size) {
        throw new SerializationError(`${path} changed while it was read`, { detail: { path } });
      }
      bytes.set(new Uint8Array(content), at);
    }),
  );
}

/** Where the content of a `Blob` or `File` begins in its bytes, or the head of them; `undefined`: they are no such thing. */
export function blobStart(bytes: Uint8Array): number | undefined {
  const input = new Input(bytes);
  const tag = input.byte();
  if (tag !== Tag.Blob && tag !== Tag.File) return undefined;
  if (tag === Tag.File) input.string();
  input.string();
  if (tag === Tag.File) input.double();
  input.varint();
  return input.at;
}

export function readBlob(input: Input): Blob {
  const type = input.string();
  return new Blob([input.raw()], { type });
}

export function readFile(input: Input): File {
  const name = input.string();
  const type = input.string();
  const lastModified = input.double();
  return new File([input.raw()], name, { type, lastModified });
}
