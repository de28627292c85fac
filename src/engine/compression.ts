/**
 * Compressing values, by the platform's streams or by a codec of the application.
 *
 * Format of a packed value, version 1
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     1  codec   1 gzip, 2 deflate-raw, 255 one of the application's
 *         1     1  length  with 255: n, of the name
 *         2     n  name    with 255: Latin-1
 *               r  rest    what the codec gave
 *
 * Its entry says what it is when it is unpacked (`storage/log/format.ts`). A value comes
 * out with just that size or not at all, and no more than that is ever unpacked of it: a
 * few bytes that would fill the memory are damage like other damage.
 */
import { getUnits, putUnits } from '../base/bytes.js';
import { CorruptionError, StoreError, UnsupportedError } from '../base/errors.js';
import { show } from '../contract/arguments.js';
import { BUILT_IN, type Codec, NAMED, type OwnCodecs } from './codecs.js';

/** A stream holds a quarter of a megabyte while it works. */
const STREAMS_MAX = 8;

export async function compress(name: string, bytes: Uint8Array, own: OwnCodecs): Promise<Uint8Array> {
  const number = BUILT_IN[name];
  const codec = own.get(name);
  const rest = codec
    ? await codec.compress(bytes)
    : await through(() => new CompressionStream(name as CompressionFormat), bytes, Infinity);
  if (!(rest instanceof Uint8Array)) {
    throw new TypeError(`codec '${name}': expected compress to give a Uint8Array, got ${show(rest)}`);
  }
  const head = codec ? 2 + name.length : 1;
  const packed = new Uint8Array(head + rest.length);
  packed[0] = number ?? NAMED;
  if (codec) {
    packed[1] = name.length;
    putUnits(packed, 2, name, false);
  }
  packed.set(rest, head);
  return packed;
}

/** @throws CorruptionError when it is not `size` bytes; UnsupportedError when the codec is not known. */
export async function decompress(packed: Uint8Array, size: number, own: OwnCodecs): Promise<Uint8Array> {
  const { format, codec, rest } = open(packed, own);
  let bytes: Uint8Array;
  try {
    bytes = codec
      ? await codec.decompress(rest, size)
      : await through(() => new DecompressionStream(format as CompressionFormat), rest, size);
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new CorruptionError(`a compressed value cannot be unpacked: ${String(cause)}`, { cause });
  }
  if (bytes instanceof Uint8Array && bytes.length === size) return bytes;
  const got = bytes instanceof Uint8Array ? `${bytes.length} bytes` : show(bytes);
  throw new CorruptionError(`unpacking a value with '${format}': expected ${size} bytes, got ${got}`);
}

function open(packed: Uint8Array, own: OwnCodecs) {
  const number = packed[0];
  if (number !== NAMED) {
    const format = Object.keys(BUILT_IN).find((name) => BUILT_IN[name] === number);
    if (format !== undefined) return { format, codec: undefined, rest: packed.subarray(1) };
    throw new UnsupportedError(
      `a value was compressed with codec ${number}, which this release does not know`,
    );
  }
  const end = 2 + packed[1]!;
  const format = getUnits(packed, 2, end, false);
  const codec: Codec | undefined = own.get(format);
  if (codec) return { format, codec, rest: packed.subarray(end) };
  throw new UnsupportedError(
    `a value was compressed with codec '${format}': expected it to be registered in the worker of every tab`,
    { detail: { codec: format } },
  );
}

type Transform = { readonly readable: ReadableStream; readonly writable: WritableStream };

/** `bytes` through a stream, which may give `most` bytes. */
async function through(make: () => Transform, bytes: Uint8Array, most: number): Promise<Uint8Array> {
  await enter();
  try {
    const { readable, writable } = make();
    const writer = writable.getWriter();
    // The reading end says what went wrong.
    writer.write(bytes).catch(() => {});
    writer.close().catch(() => {});
    const reader: ReadableStreamDefaultReader<Uint8Array> = readable.getReader();
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > most) {
        reader.cancel().catch(() => {});
        throw new CorruptionError(`a compressed value is larger than the ${most} bytes that it says`);
      }
      pieces.push(value);
    }
    return joined(pieces, length);
  } finally {
    leave();
  }
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

let running = 0;
const waiting: (() => void)[] = [];

/** Waits until fewer than `STREAMS_MAX` streams are at work. */
async function enter(): Promise<void> {
  if (running < STREAMS_MAX) running += 1;
  else await new Promise<void>((next) => waiting.push(next));
}

function leave(): void {
  const next = waiting.shift();
  if (next) next();
  else running -= 1;
}
