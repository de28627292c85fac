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

/** The error that a medium threw, as one of ours. */
export function mediumError(doing: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const {
    name = '',
    code = '',
    message = String(cause),
  } = (cause ?? {}) as Partial<Error & { code: string }>;
  if (FULL.has(name) || FULL.has(String(code))) {
    return new QuotaError(`${doing}: the browser or the disk gives no more space; nothing was changed`, {
      cause,
    });
  }
  return new IoError(`${doing}: ${name || 'error'}: ${message}`, { cause });
}
