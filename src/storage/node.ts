/** A store in a folder of Node's file system. Loaded only in Node. */
import { LockedError, UnsupportedError } from '../base/errors.js';
import type { Backend, BackendOptions } from './backend.js';
import { fileName, HEADER_FILES, IMAGE_FILES, LOG_FILES, openFiles } from './files.js';
import type { SyncFile } from './log/index.js';

// Not an import: a bundler for browsers would stumble over it.
interface FileSystem {
  mkdirSync(path: string, options: { recursive: boolean }): void;
  rmSync(path: string, options: { recursive: boolean; force: boolean }): void;
  existsSync(path: string): boolean;
  openSync(path: string, flags: string): number;
  readSync(fd: number, into: Uint8Array, offset: number, length: number, at: number): number;
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, at: number): number;
  fsyncSync(fd: number): void;
  ftruncateSync(fd: number, size: number): void;
  fstatSync(fd: number): { size: number };
  closeSync(fd: number): void;
}

function fileSystem(): FileSystem {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const fs = process?.getBuiltinModule?.('node:fs') as FileSystem | undefined;
  if (!fs)
    throw new UnsupportedError('directory: only Node (20.16 and later) has a file system to put a store in');
  return fs;
}

/** Folders that are open in this process: a file of Node's has no exclusive handle of its own. */
const open = new Set<string>();

export function openNode(directory: string, name: string, options: BackendOptions): Backend {
  const fs = fileSystem();
  const folder = `${directory}/${fileName(name)}`;
  if (open.has(folder)) throw new LockedError(`the store in ${folder} is open in this process already`);
  fs.mkdirSync(folder, { recursive: true });
  const files = [...HEADER_FILES, ...LOG_FILES, ...IMAGE_FILES].map(
    (file) => new NodeFile(fs, `${folder}/${file}`),
  );
  const backend = openFiles(
    {
      backend: 'node-file',
      headers: [files[0]!, files[1]!],
      logs: [files[2]!, files[3]!],
      images: [files[4]!, files[5]!],
      remove: () => fs.rmSync(folder, { recursive: true, force: true }),
    },
    options,
  );
  open.add(folder);
  const release = backend.close;
  const destroy = backend.destroy;
  return Object.assign(backend, {
    close: () => {
      open.delete(folder);
      return release();
    },
    destroy: () => {
      open.delete(folder);
      return destroy();
    },
  });
}

class NodeFile implements SyncFile {
  readonly #fd: number;
  #open = true;

  constructor(
    private readonly fs: FileSystem,
    path: string,
  ) {
    this.#fd = fs.openSync(path, fs.existsSync(path) ? 'r+' : 'w+');
  }

  read(into: Uint8Array, at: number): number {
    return this.fs.readSync(this.#fd, into, 0, into.length, at);
  }

  write(bytes: Uint8Array, at: number): number {
    let written = 0;
    while (written < bytes.length) {
      written += this.fs.writeSync(this.#fd, bytes, written, bytes.length - written, at + written);
    }
    return written;
  }

  flush(): void {
    this.fs.fsyncSync(this.#fd);
  }

  truncate(size: number): void {
    this.fs.ftruncateSync(this.#fd, size);
  }

  size(): number {
    return this.fs.fstatSync(this.#fd).size;
  }

  close(): void {
    if (this.#open) this.fs.closeSync(this.#fd);
    this.#open = false;
  }
}
