/** Export and import on the page: a piece crosses when the one before it was used. */
import type { ExportOptions, ImportOptions, ImportResult } from '../contract/store.js';
import type { Remote } from './remote.js';

/** Most bytes of an import in one message. */
const PIECE_BYTES = 2 ** 20;

/** The version to export is that of this moment; its bytes come as they are asked for. */
export function exportStream(remote: Remote, options: ExportOptions = {}): ReadableStream<Uint8Array> {
  const { signal, onProgress } = options;
  const begun = remote.call<string>('exportBegin', [], signal);
  let done = 0;
  let onAbort = () => {};
  const release = () => {
    signal?.removeEventListener('abort', onAbort);
    begun.then((id) => remote.call('exportRelease', [id])).catch(() => {});
  };
  return new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        onAbort = () => {
          controller.error(signal!.reason);
          release();
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        await begun;
      },
      async pull(controller) {
        const [bytes, isLast] = await remote.call<[Uint8Array, boolean]>('exportNext', [await begun], signal);
        done += bytes.length;
        onProgress?.({ phase: 'read', done, total: isLast ? done : undefined });
        controller.enqueue(bytes);
        if (!isLast) return;
        signal?.removeEventListener('abort', onAbort);
        controller.close();
      },
      cancel: release,
    },
    // Nothing is read before somebody wants it.
    { highWaterMark: 0 },
  );
}

export async function importFrom(
  remote: Remote,
  readable: ReadableStream<Uint8Array>,
  options: ImportOptions,
): Promise<ImportResult> {
  const { signal, onProgress, ...terms } = Object(options) as ImportOptions;
  signal?.throwIfAborted();
  if (typeof readable?.getReader !== 'function') {
    throw new TypeError(`import: expected a ReadableStream, got ${String(readable)}`);
  }
  const reader = readable.getReader();
  // Ends a read that is waited for.
  const onAbort = () => void reader.cancel(signal!.reason).catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  let id: string | undefined;
  let done = 0;
  let total = 0;
  try {
    id = await remote.call<string>('importBegin', [terms], signal);
    for (;;) {
      const piece = await reader.read();
      signal?.throwIfAborted();
      if (piece.done) break;
      const bytes = bytesOf(piece.value);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const part = bytes.subarray(at, at + PIECE_BYTES);
        total = await remote.call<number>('importWrite', [id, part], signal);
      }
      done += bytes.length;
      onProgress?.({ phase: 'read', done, total: undefined });
    }
    onProgress?.({ phase: 'write', done: 0, total });
    const result = await remote.call<ImportResult>('importEnd', [id], signal);
    onProgress?.({ phase: 'write', done: total, total });
    return result;
  } catch (error) {
    if (id !== undefined) remote.call('importRelease', [id]).catch(() => {});
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    reader.releaseLock();
  }
}

/** A plain view of the piece: what a subclass brings, such as the shared pool of a `Buffer`, is not cloned. */
function bytesOf(piece: unknown): Uint8Array {
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  throw new TypeError(`import: expected pieces that are a Uint8Array, got ${String(piece)}`);
}
