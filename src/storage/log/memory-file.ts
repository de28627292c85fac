/** A file in RAM: the medium of stores that live in memory, and of tests. */
import type { SyncFile } from './file.js';

const FIRST_BYTES = 64 * 1024;

export class MemoryFile implements SyncFile {
  #bytes = new Uint8Array(FIRST_BYTES);
  #size = 0;

  constructor(content?: Uint8Array) {
    if (content) this.write(content, 0);
  }

  read(into: Uint8Array, at: number): number {
    const got = Math.max(0, Math.min(into.length, this.#size - at));
    into.set(this.#bytes.subarray(at, at + got));
    return got;
  }

  write(bytes: Uint8Array, at: number): number {
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, end);
    return bytes.length;
  }

  flush(): void {}

  truncate(size: number): void {
    this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }

  size(): number {
    return this.#size;
  }

  close(): void {}

  /** All that it holds. */
  content(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }
}
