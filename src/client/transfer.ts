/** Export and import on the page: a piece crosses when the one before it was used. */
import type { ExportOptions, ImportOptions, ImportResult } from '../contract/store.js';
import type { Remote } from './remote.js';

/** Most bytes of an import in one message. */
const PIECE_BYTES = 2 ** 20;

/** Where the bytes of an export come from, which has begun as `begun` says: as they are asked for. */
export class ExportSource {
  #done = 0;
  #onAbort = () => {};

  constructor(
    private readonly remote: Remote,
    private readonly begun: Promise<string>,
    private readonly options: ExportOptions,
  ) {}

  async start(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { signal } = this.options;
    this.#onAbort = () => {
      controller.error(signal!.reason);
      this.cancel();
    };
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
    await this.begun;
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { signal, onProgress } = this.options;
    const id = await this.begun;
    const [bytes, isLast] = await this.remote.call<[Uint8Array, boolean]>('exportNext', [id], signal);
    this.#done += bytes.length;
    onProgress?.({ phase: 'read', done: this.#done, total: isLast ? this.#done : undefined });
    controller.enqueue(bytes);
    if (!isLast) return;
    signal?.removeEventListener('abort', this.#onAbort);
    controller.close();
  }

  cancel(): void {
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.begun.then((id) => this.remote.call('exportRelease', [id])).catch(() => {});
  }
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
