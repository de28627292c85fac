/** Export and import on the page: a piece crosses when the one before it was used. */
import type { ExportOptions, ImportOptions, ImportResult } from '../contract/store.js';
import { pour } from './pieces.js';
import type { Remote } from './remote.js';

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
  let done = 0;
  let total = 0;
  return pour(readable, signal, {
    name: 'import',
    begin: () => remote.call<string>('importBegin', [terms], signal),
    async write(id, part) {
      total = await remote.call<number>('importWrite', [id, part], signal);
    },
    onPiece(bytes) {
      done += bytes;
      onProgress?.({ phase: 'read', done, total: undefined });
    },
    async end(id) {
      onProgress?.({ phase: 'write', done: 0, total });
      const result = await remote.call<ImportResult>('importEnd', [id], signal);
      onProgress?.({ phase: 'write', done: total, total });
      return result;
    },
    release: (id) => remote.call('importRelease', [id]),
  });
}
