/**
 * A file as the log needs it: what `FileSystemSyncAccessHandle` gives in a
 * browser's worker and `node:fs` gives in Node. All calls block.
 */
import { IoError, QuotaError, StoreError } from '../../base/errors.js';

export interface SyncFile {
  /** Bytes read into `into`; fewer at the end of the file. */
  read(into: Uint8Array, at: number): number;
  /** Bytes that were written, if it can be believed. */
  write(bytes: Uint8Array, at: number): number;
  flush(): void;
  truncate(size: number): void;
  size(): number;
  close(): void;
}

/** What the engines and systems call a full disk. */
const FULL = new Set(['QuotaExceededError', 'NS_ERROR_FILE_NO_DEVICE_SPACE', 'ENOSPC', 'EDQUOT']);
/** Chromium says it in words only, where IndexedDB meets a full disk. */
const FULL_IN_WORDS = 'FILE_ERROR_NO_SPACE';

/** @throws IoError, QuotaError */
export function sizeOf(file: SyncFile): number {
  try {
    return file.size();
  } catch (error) {
    throw mediumError('asking for the size of the log', error);
  }
}

/**
 * Fills `into`, which the file is long enough for. Fewer bytes than that must not be
 * taken for the end of the log: it would be cut there.
 *
 * @throws IoError when the medium does not give them all.
 */
export function readWhole(file: SyncFile, into: Uint8Array, at: number): void {
  for (let got = 0; got < into.length; ) {
    let more: number;
    try {
      more = file.read(got === 0 ? into : into.subarray(got), at + got);
    } catch (error) {
      throw mediumError('reading the log', error);
    }
    if (!(more > 0)) {
      throw new IoError(`reading the log: expected ${into.length} bytes at ${at}, got ${got}`, {
        detail: { start: at, end: at + into.length },
      });
    }
    got += more;
  }
}

/**
 * Writes `bytes`, which is believed when the file has them: a full disk lies in some browsers.
 *
 * @throws QuotaError, IoError
 */
export function writeWhole(file: SyncFile, bytes: Uint8Array, at: number, doing: string): void {
  let cause: unknown;
  try {
    const written = file.write(bytes, at);
    if (written === bytes.length && file.size() >= at + written) return;
    cause = notWhole(written, bytes.length);
  } catch (error) {
    cause = error;
  }
  throw mediumError(doing, cause);
}

/** No browser says why it wrote less than it was given: there was no room. */
export function notWhole(written: number, length: number): Error {
  return Object.assign(new Error(`wrote ${written} of ${length} bytes`), { name: 'QuotaExceededError' });
}

/** @throws IoError */
export function flushFile(file: SyncFile, doing: string): void {
  try {
    file.flush();
  } catch (error) {
    throw mediumError(doing, error);
  }
}

/** The error that a medium threw, as one of ours. */
export function mediumError(doing: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const {
    name = '',
    code = '',
    message = String(cause),
  } = (cause ?? {}) as Partial<Error & { code: string }>;
  if (FULL.has(name) || FULL.has(String(code)) || message.includes(FULL_IN_WORDS)) {
    return new QuotaError(`${doing}: the browser or the disk gives no more space; nothing was changed`, {
      cause,
    });
  }
  return new IoError(`${doing}: ${name || 'error'}: ${message}`, { cause });
}
