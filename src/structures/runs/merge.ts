/**
 * The value of a MERGE in the log: which runs give way to which. Little-endian.
 *
 *    4        how many runs give way
 *    4 each   location of the first block of each, its name
 *    n        fences of the run that takes their place, `fences.ts`
 */
import { decodeFences, encodeFences, type Run } from './fences.js';

export function encodeMerge(names: readonly number[], run: Run): Uint8Array {
  const fences = encodeFences(run);
  const bytes = new Uint8Array(4 + names.length * 4 + fences.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, names.length, true);
  for (let i = 0; i < names.length; i++) view.setUint32(4 + i * 4, names[i]!, true);
  bytes.set(fences, 4 + names.length * 4);
  return bytes;
}

export function decodeMerge(value: Uint8Array): { names: number[]; run: Run } {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const count = view.getUint32(0, true);
  const names = Array.from({ length: count }, (_, i) => view.getUint32(4 + i * 4, true));
  return { names, run: decodeFences(value.subarray(4 + count * 4)) };
}
