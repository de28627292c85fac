/**
 * The host in the thread of the caller: for Node, and for pages where no worker can
 * be started. It is spoken to through a MessageChannel, as a worker is, so that
 * values are cloned and behave the same.
 */
import { expose } from 'comlink';
import { installHandlers } from '../wire/comlink.js';
import { createRoot } from './root.js';

/** A port on which a host answers. */
export function openInline(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  installHandlers();
  expose(createRoot(), port1);
  // In Node this end must not keep the process alive; the caller's end does while it waits.
  (port1 as { unref?(): void }).unref?.();
  return port2;
}
