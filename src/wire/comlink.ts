/** Errors through Comlink, which by itself sends message, name and stack only. */
import { transferHandlers } from 'comlink';
import { packError, unpackError, type WireError } from './errors.js';

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
