/**
 * The append-only log. `FileLog` over any `SyncFile`; the format is in `format.ts`.
 */

export {
  type EntryFields,
  EntryView,
  entry,
  entryLength,
  getReference,
  type Packed,
  putEntry,
  putReference,
  REFERENCE_BYTES,
  type Reference,
} from './entry.js';
export { flushFile, mediumError, readWhole, type SyncFile, sizeOf, writeWhole } from './file.js';
export { FileLog, type FileLogOptions } from './file-log.js';
export {
  CHECKPOINT_AT,
  CHECKPOINT_BYTES,
  Flag,
  fullExtentBytes,
  INLINE_MAX,
  padded,
  Type,
  UNIT,
  VERSION,
} from './format.js';
export { decodeHeader, encodeHeader, type Header, readHeader, writeHeader } from './header.js';
export type { Batch, Level, Log, Position, Replayed, Visit } from './log.js';
export { MemoryFile } from './memory-file.js';
