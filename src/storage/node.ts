/** A store in a folder of Node's file system. Loaded only in Node. */
import type { Eventually } from '../base/bytes.js';
import { LockedError, UnsupportedError } from '../base/errors.js';
import type { Backend, BackendOptions } from './backend.js';
import { fileName, HEADER_FILES, IMAGE_FILES, LOG_FILES, openFiles } from './files.js';
import { mediumError, type SyncFile } from './log/index.js';

// Not an import: a bundler for browsers would stumble over it.
interface FileSystem {
  mkdirSync(path: string, options: { recursive: boolean }): string | undefined;
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

export async function openNode(directory: string, name: string, options: BackendOptions): Promise<Backend> {
  const fs = fileSystem();
  const folder = `${directory}/${fileName(name)}`;
  if (open.has(folder)) throw new LockedError(`the store in ${folder} is open in this process already`);
  open.add(folder);
  const files: NodeFile[] = [];
  const made: string[] = [];
  try {
    const firstMade = fs.mkdirSync(folder, { recursive: true });
    for (const file of [...HEADER_FILES, ...LOG_FILES, ...IMAGE_FILES]) {
      if (!fs.existsSync(`${folder}/${file}`)) made.push(file);
      files.push(new NodeFile(fs, `${folder}/${file}`));
    }
    const backend = await openFiles(
      {
        backend: 'node-file',
        headers: [files[0]!, files[1]!],
        logs: [files[2]!, files[3]!],
        images: [files[4]!, files[5]!],
        made,
        settled: syncNames(fs, folder, firstMade),
        remove: () => fs.rmSync(folder, { recursive: true, force: true }),
      },
      options,
    );
    const { close, destroy } = backend;
    const letGo = async (end: () => Eventually<void>) => {
      open.delete(folder);
      await end();
    };
    return Object.assign(backend, { close: () => letGo(close), destroy: () => letGo(destroy) });
  } catch (error) {
    open.delete(folder);
    for (const file of files) file.close();
    throw mediumError('opening the store', error);
  }
}

/**
 * Makes the names of the files lasting, and those of the folders down to theirs from the
 * first that was made. False where folders cannot be synced (Windows): names settle by themselves.
 */
function syncNames(fs: FileSystem, folder: string, firstMade: string | undefined): boolean {
  try {
    const last = firstMade ? dirname(firstMade) : dirname(folder);
    for (let at = folder; ; at = dirname(at)) {
      const fd = fs.openSync(at, 'r');
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
      if (at.length <= last.length) return true;
    }
  } catch {
    return false;
  }
}

function dirname(path: string): string {
  return path.replace(/[\\/]+[^\\/]*[\\/]*$/, '') || (path.startsWith('/') ? '/' : '.');
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
