/**
 * Errors across the wire: class, `code`, `detail` and `cause` survive.
 *
 * `postMessage` keeps the class of built-in errors only and drops what was added to
 * them, and Comlink sends message, name and stack. So errors travel as plain data.
 */
import { transferHandlers } from 'comlink';
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

/** Makes Comlink throw the errors of the other side as they were. Once on each side; safe to call again. */
export function installHandlers(): void {
  const handler = transferHandlers.get('throw')!;
  const { canHandle } = handler;
  transferHandlers.set('throw', {
    canHandle,
    serialize: (thrown) => [packError((thrown as { value: unknown }).value), []],
    deserialize: (packed) => {
      throw unpackError(packed as WireError);
    },
  });
}
