/**
 * Errors a caller may want to handle.
 *
 * A wrong argument is a `TypeError` or a `RangeError`: a bug to fix. All else is
 * a `StoreError` of one of the classes below, each with a `code` that never
 * changes. Codes are part of the API and follow semver; messages are for people
 * and may change in any release. Class, `code`, `detail` and `cause` survive the
 * way from the worker to the page (`wire/errors.ts`).
 */

export interface StoreErrorOptions {
  /** Facts for programs: a key, a range of bytes, what was found. Structured clone must take it. */
  readonly detail?: unknown;
  readonly cause?: unknown;
}

/** Marks our errors, also those of a second copy of this module: see `host/worker.ts`. */
const KIND = Symbol.for('rootcellar.error');

export class StoreError extends Error {
  /** By what an error is called, not by whose copy of the class made it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (Function.prototype[Symbol.hasInstance].call(this, value)) return true;
    const kind = (Object(value) as { [KIND]?: string })[KIND];
    return kind !== undefined && (this === StoreError || STORE_ERRORS[kind] === this);
  }

  /** The class name without `Error`, in capitals with underscores: `DATA_LOSS`. */
  readonly code: string;
  readonly detail: unknown;

  constructor(message: string, options: StoreErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    // By table and not by `new.target.name`: a minifier renames classes, codes must not change.
    const name = nameOf(new.target);
    this.name = name;
    this.code = codeOf(name);
    Object.defineProperty(this, KIND, { value: name });
    this.detail = options.detail;
  }
}

/** Used after `close()` or `destroy()`. */
export class ClosedError extends StoreError {}
/** `strict` was asked for and there is no such key, or no such checkpoint. */
export class NotFoundError extends StoreError {}
/** The budget or the maplet is full and may not evict or grow. Nothing has changed. */
export class CapacityError extends StoreError {}
/** The browser or the disk refused more space. Nothing has changed. */
export class QuotaError extends StoreError {}
/** `ifAbsent` or `ifVersion` was not met, or a transaction lost its retries. Nothing has changed. */
export class ConflictError extends StoreError {}
/** Bytes on disk fail their check; `detail` says where. */
export class CorruptionError extends StoreError {}
/** Something that was stored has vanished from the disk. */
export class DataLossError extends StoreError {}
/** Somebody else holds the store and does not share it. */
export class LockedError extends StoreError {}
/** The tab that leads the store does not answer. */
export class LeaderUnresponsiveError extends StoreError {}
/** This worker was superseded as leader; it wrote nothing. */
export class FencedError extends StoreError {}
/** This browser or context lacks what was asked for, or this release does. */
export class UnsupportedError extends StoreError {}
/** No answer within the `timeout` of `open`. */
export class TimeoutError extends StoreError {}
/** The value is nothing that can be stored; the message names the place in it. */
export class SerializationError extends StoreError {}
/** Written by a newer version of rootcellar, or not by rootcellar. Nothing was touched. */
export class FormatError extends StoreError {}
/** The encryption key is not the one that the store was written with. */
export class KeyError extends StoreError {}
/** The snapshot pinned more space than is allowed and was given up. */
export class SnapshotTooOldError extends StoreError {}
/** The change feed no longer reaches back so far. */
export class HistoryError extends StoreError {}
/** The worker could not start, or died. */
export class WorkerError extends StoreError {}
/** The backend failed in another way; `cause` is what it threw. */
export class IoError extends StoreError {}

/** Every class by its name: how the page finds the class of an error that came from the worker. */
export const STORE_ERRORS: Readonly<Record<string, typeof StoreError>> = {
  ClosedError,
  NotFoundError,
  CapacityError,
  QuotaError,
  ConflictError,
  CorruptionError,
  DataLossError,
  LockedError,
  LeaderUnresponsiveError,
  FencedError,
  UnsupportedError,
  TimeoutError,
  SerializationError,
  FormatError,
  KeyError,
  SnapshotTooOldError,
  HistoryError,
  WorkerError,
  IoError,
};

function nameOf(type: unknown): string {
  for (const name in STORE_ERRORS) if (STORE_ERRORS[name] === type) return name;
  return 'StoreError';
}

function codeOf(name: string): string {
  return name
    .replace(/Error$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toUpperCase();
}
