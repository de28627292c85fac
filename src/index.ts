/** rootcellar: what an application imports. */
export * from './base/errors.js';
export { version } from './base/version.js';
export { type ClientOptions, destroy, list, open, probe } from './client/open.js';
export type { Duration } from './contract/arguments.js';
export type {
  DedupMode,
  Durability,
  Mode,
  Normalization,
  OpenOptions,
  Persistence,
  Recovery,
} from './contract/options.js';
export type { Health, MapletStats, Stats } from './contract/stats.js';
export type {
  BatchOperation,
  CallOptions,
  Capabilities,
  Change,
  Checkpoint,
  Commit,
  CompactResult,
  Difference,
  Entry,
  ExportOptions,
  ImportOptions,
  ImportResult,
  MergeOptions,
  OperatorName,
  Progress,
  Range,
  RangeOptions,
  ReadOptions,
  Scan,
  SetManyOptions,
  SetOptions,
  Snapshot,
  Store,
  StoreEvent,
  StoreEventListener,
  StrictOptions,
  SweepResult,
  Transaction,
  TransactionOptions,
  UpdateOptions,
  WatchOptions,
  WriteOptions,
} from './contract/store.js';
