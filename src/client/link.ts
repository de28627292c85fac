/**
 * The page's end of the wire to a worker: asks its root object, by the name of a method.
 *
 * The other end is Comlink, so that others can speak to the worker too. This is as much of
 * its protocol, version 4, as plain values need, at a fifth of its bytes:
 *
 *    to the worker   { id, type: 'APPLY', path: [method], argumentList: [{ type: 'RAW', value }] }
 *    to the page     { id, type: 'RAW', value }
 *                    { id, type: 'HANDLER', name: 'throw', value: a WireError }
 */
import { unpackError, type WireError } from '../wire/errors.js';
import type { HostApi } from '../wire/messages.js';

/** Where messages go and come from: a Worker or a MessagePort. */
export interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
  /** A MessagePort keeps its messages until this is called. */
  start?(): void;
}

/** Calls a method of the root object; buffers in `transfer` change hands. Rejects with what it threw. */
export type Ask = <Name extends keyof HostApi>(
  method: Name,
  args: Parameters<HostApi[Name]>,
  transfer?: Transferable[],
) => ReturnType<HostApi[Name]>;

interface Waiting {
  resolve(value: never): void;
  reject(error: Error): void;
}

interface Reply {
  readonly id?: string;
  readonly type: 'RAW' | 'HANDLER';
  readonly value: unknown;
}

export function linkTo(endpoint: Endpoint): Ask {
  const waiting = new Map<string | undefined, Waiting>();
  // A worker that was given may serve more links than this one, and each hears all answers.
  const own = Math.random();
  let last = 0;
  endpoint.addEventListener('message', ({ data }: { data: Reply | null }) => {
    const asked = waiting.get(data?.id);
    if (!asked) return;
    const { id, type, value } = data!;
    waiting.delete(id);
    if (type === 'RAW') asked.resolve(value as never);
    else asked.reject(unpackError(value as WireError));
  });
  endpoint.start?.();
  return (method, args, transfer = []) =>
    new Promise<never>((resolve, reject) => {
      const id = `${own} ${++last}`;
      const argumentList = args.map((value) => ({ type: 'RAW', value }));
      // What cannot be cloned is thrown here, and nothing waits then.
      endpoint.postMessage({ id, type: 'APPLY', path: [method], argumentList }, transfer);
      waiting.set(id, { resolve, reject });
    }) as never;
}
