/** An encrypted log over files in memory, with keys that are always the same, and the frames in it. */
import { Keys } from '../../../src/storage/encryption/keys.js';
import { EncryptedLog } from '../../../src/storage/encryption/log.js';
import { putCheck } from '../../../src/storage/log/entry.js';
import {
  type EntryFields,
  EntryView,
  entry,
  FileLog,
  type Log,
  type MemoryFile,
  type Position,
  padded,
  Type,
} from '../../../src/storage/log/index.js';

export const STORE = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
export const GENERATION = 7;
export const TIME = 1_700_000_000_000;

/** Bytes 1, 2, 3 ..., going on from call to call. */
export function counting(from = 1): (bytes: number) => Uint8Array {
  let next = from;
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++ & 0xff);
}

export function userKey(byte = 1): Promise<CryptoKey> {
  const raw = new Uint8Array(32).fill(byte);
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

export async function makeKeys(from = 1): Promise<Keys> {
  return (await Keys.make(await userKey(), counting(from))).keys;
}

export function innerOn(file: MemoryFile, generation = GENERATION): FileLog {
  return new FileLog(file, { backend: 'test', generation, written: 'os', flushed: () => 'durable' });
}

export function logOn(file: MemoryFile, keys: Keys, store = STORE, generation = GENERATION): EncryptedLog {
  return new EncryptedLog(innerOn(file, generation), keys, store);
}

export function put(sequence: number, key: string, value: string | Uint8Array): EntryFields {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return entry({ type: Type.Put, sequence, time: TIME + sequence, key, value: bytes });
}

export interface Read {
  readonly location: number;
  readonly type: number;
  readonly sequence: number;
  readonly key: string;
  readonly value: string;
}

export function shown(one: EntryView, location: number): Read {
  const { type, sequence, key, value } = one;
  return { location, type, sequence, key, value: new TextDecoder().decode(value) };
}

/** All entries, by batch. */
export async function replayed(log: Log, from?: Position): Promise<Read[][]> {
  const batches: Read[][] = [];
  let batch: Read[] = [];
  await log.replay(
    (one, location) => {
      batch.push(shown(one, location));
    },
    () => {
      batches.push(batch);
      batch = [];
    },
    from,
  );
  return batches;
}

export async function append(log: Log, entries: readonly EntryFields[], seal = false): Promise<number[]> {
  const batch = log.begin(seal);
  const locations = entries.map((fields) => batch.add(fields));
  await log.append(batch, false);
  return locations;
}

/** An entry of the inner log: where it lies in the file, and its parts. */
export interface Inner {
  readonly at: number;
  readonly end: number;
  readonly type: number;
  /** Where its value lies. */
  readonly value: number;
}

const ENTRY_BYTES = 24;
const EXTENT_BYTES = 32;

/** Entries of a log of one extent. */
export function innerEntries(bytes: Uint8Array): Inner[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Inner[] = [];
  for (let at = EXTENT_BYTES; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    const { type } = new EntryView(bytes, view, at);
    found.push({ at, end: at + length, type, value: at + ENTRY_BYTES });
    at += padded(length);
  }
  return found;
}

/** Makes the inner log take an entry that was altered. */
export function recheck(bytes: Uint8Array, { at, end }: Inner, generation = GENERATION): void {
  putCheck(bytes, new DataView(bytes.buffer, bytes.byteOffset), at, end, generation);
}
