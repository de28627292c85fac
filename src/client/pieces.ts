/** Bytes that go to the store or come from it in pieces: one crosses when the one before it was used. */

/** Most bytes in one message. */
const PIECE_BYTES = 2 ** 20;

/** What is done with a readable stream. */
export interface Sink<T> {
  /** The name of the call, for what it refuses. */
  readonly name: string;
  begin(): Promise<string>;
  write(id: string, part: Uint8Array): Promise<void>;
  /** A piece of so many bytes was written. */
  onPiece?(bytes: number): void;
  end(id: string): Promise<T>;
  /** Something went wrong, or was called off. */
  release(id: string): Promise<unknown>;
}

export async function pour<T>(
  readable: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
  sink: Sink<T>,
): Promise<T> {
  signal?.throwIfAborted();
  if (typeof readable?.getReader !== 'function') {
    throw new TypeError(`${sink.name}: expected a ReadableStream, got ${String(readable)}`);
  }
  const reader = readable.getReader();
  // Ends a read that is waited for.
  const onAbort = () => void reader.cancel(signal!.reason).catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  let id: string | undefined;
  try {
    id = await sink.begin();
    for (;;) {
      const piece = await reader.read();
      signal?.throwIfAborted();
      if (piece.done) break;
      const bytes = bytesOf(sink.name, piece.value);
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        await sink.write(id, bytes.subarray(at, at + PIECE_BYTES));
      }
      sink.onPiece?.(bytes.length);
    }
    return await sink.end(id);
  } catch (error) {
    if (id !== undefined) sink.release(id).catch(() => {});
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    reader.releaseLock();
  }
}

/** A plain view of the piece: what a subclass brings, such as the shared pool of a `Buffer`, is not cloned. */
function bytesOf(call: string, piece: unknown): Uint8Array {
  if (ArrayBuffer.isView(piece)) return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  throw new TypeError(`${call}: expected pieces that are a Uint8Array, got ${String(piece)}`);
}

export interface Source {
  /** Settles when the first piece may be asked for. */
  readonly begun: Promise<unknown>;
  next(): Promise<readonly [bytes: Uint8Array, isLast: boolean]>;
  /** Nobody wants the rest. */
  release(): void;
}

export function streamOf(signal: AbortSignal | undefined, source: Source): ReadableStream<Uint8Array> {
  let onAbort = () => {};
  const release = () => {
    signal?.removeEventListener('abort', onAbort);
    source.release();
  };
  return new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        onAbort = () => {
          controller.error(signal!.reason);
          release();
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        await source.begun;
      },
      async pull(controller) {
        const [bytes, isLast] = await source.next();
        if (bytes.length > 0) controller.enqueue(bytes);
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
