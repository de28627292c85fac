/**
 * Errors across the wire: class, `code`, `detail` and `cause` survive.
 *
 * `postMessage` keeps the class of built-in errors only and drops what was added to
 * them. So errors travel as plain data.
 */
import { STORE_ERRORS, StoreError } from '../base/errors.js';

export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly detail?: unknown;
  readonly cause?: WireError | undefined;
}

const BUILT_IN: Readonly<Record<string, ErrorConstructor>> = { TypeError, RangeError, SyntaxError, Error };

export function packError(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const { name, message, stack, cause } = error;
  return {
    name,
    message,
    stack,
    ...(error instanceof StoreError && { detail: error.detail }),
    ...(cause !== undefined && { cause: packError(cause) }),
  };
}

export function unpackError({ name, message, stack, detail, cause }: WireError): Error {
  const options = cause && { cause: unpackError(cause) };
  const Class = STORE_ERRORS[name];
  const error = Class
    ? new Class(message, { detail, ...options })
    : new (BUILT_IN[name] ?? Error)(message, options);
  if (error.name !== name) error.name = name;
  if (stack) error.stack = stack;
  return error;
}
