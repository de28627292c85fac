/** All of an export, all of an import, and all that an application can tell of the entries. */
import { expect } from 'vitest';
import type { Engine } from '../../src/engine/index.js';
import { scanAll } from './bench-store.js';

export async function exportAll(
  { transfers }: Engine,
  between?: () => Promise<unknown>,
): Promise<Uint8Array> {
  const id = await transfers.beginExport();
  const pieces: Uint8Array[] = [];
  for (let isLast = false; !isLast; ) {
    await between?.();
    const [bytes, last] = await transfers.exportNext(id);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
    pieces.push(bytes);
    isLast = last;
  }
  return new Uint8Array(Buffer.concat(pieces));
}

export async function importAll(
  { transfers }: Engine,
  bytes: Uint8Array,
  options: object,
  pieceBytes = 1000,
) {
  const id = await transfers.beginImport(options);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    transfers.importWrite(id, bytes.slice(at, at + pieceBytes));
  }
  return transfers.importEnd(id);
}

/** All that an application can tell of the entries, but for the version. */
export async function content(engine: Engine): Promise<unknown[]> {
  const keys = await scanAll<string>(engine, 'keys');
  const entries = await Promise.all(keys.map((key) => engine.getEntry(key)));
  // Bytes are told by their `objectId`: comparing them one by one takes seconds.
  return entries.map((entry) => {
    const { value } = entry as { value: unknown };
    const isBytes = value instanceof Uint8Array || value instanceof ArrayBuffer;
    return { ...(entry as object), version: 0, value: isBytes ? 'bytes' : value };
  });
}
