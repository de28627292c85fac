/**
 * A store in the origin's private file system, through synchronous access handles.
 * These exist in dedicated workers only, and are exclusive: who holds them is the
 * only one who can write.
 */
import { FormatError, LockedError } from '../base/errors.js';
import { Anchor } from './anchor.js';
import type { Backend, BackendOptions } from './backend.js';
import { fileName, HEADER_FILES, IMAGE_FILES, LOG_FILES, openFiles, storeName } from './files.js';
import { hasIndexedDb } from './indexeddb-names.js';
import { destroyVault, IndexedDbVault, listVaults } from './indexeddb-vault.js';
import { mediumError, type SyncFile } from './log/index.js';

/** The part of a `FileSystemSyncAccessHandle` that is used; the DOM's types have it in workers only. */
interface AccessHandle {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
  truncate(size: number): void;
  getSize(): number;
  close(): void;
}

const ROOT = 'rootcellar';
/** A handle of a worker that was terminated stays shut for up to two seconds (Firefox). */
const RETRIES = 40;
const RETRY_MS = 75;
/** A database that somebody deletes opens only when everybody has let go of it. */
const ANCHOR_WAIT_MS = 5000;

/** Whether synchronous access works here; found by trying. */
export async function hasSyncAccess(): Promise<boolean> {
  if (typeof navigator === 'undefined' || !navigator.storage?.getDirectory) return false;
  const handles = (globalThis as { FileSystemFileHandle?: { prototype: object } }).FileSystemFileHandle;
  if (!handles || !('createSyncAccessHandle' in handles.prototype)) return false;
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}

export async function openOpfs(name: string, options: BackendOptions): Promise<Backend> {
  const root = (await rootFolder(true))!;
  const vault = hasIndexedDb() ? new IndexedDbVault(name) : undefined;
  const files: AccessFile[] = [];
  const made: string[] = [];
  try {
    const folder = await root.getDirectoryHandle(fileName(name), { create: true });
    for (const file of [...HEADER_FILES, ...LOG_FILES, ...IMAGE_FILES]) {
      if (!(await isThere(folder, file))) made.push(file);
      files.push(new AccessFile(await openHandle(await folder.getFileHandle(file, { create: true }))));
    }
    const watch = (gone: () => void) => {
      if (!vault) return;
      vault.onLost = async () => {
        if (!(await isThere(folder, HEADER_FILES[0]))) gone();
      };
    };
    return await openFiles(
      {
        backend: 'opfs',
        headers: [files[0]!, files[1]!],
        logs: [files[2]!, files[3]!],
        images: [files[4]!, files[5]!],
        made,
        settled: false,
        watch,
        remove: () => root.removeEntry(fileName(name), { recursive: true }),
      },
      options,
      vault && (await anchorIn(vault)),
    );
  } catch (error) {
    for (const file of files) file.close();
    vault?.close();
    throw mediumError('opening the store', error);
  }
}

/** Without it a young store calls nothing durable, and nobody notices that files have vanished. */
async function anchorIn(vault: IndexedDbVault): Promise<Anchor | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANCHOR_WAIT_MS);
  });
  try {
    return await Promise.race([Anchor.open(vault), late]);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    // Denied here, or broken.
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function isThere(folder: FileSystemDirectoryHandle, file: string): Promise<boolean> {
  try {
    await folder.getFileHandle(file);
    return true;
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return false;
    throw error;
  }
}

/** Whether a store of this name lives here, or should. */
export async function existsInOpfs(name: string): Promise<boolean> {
  try {
    await (await rootFolder(false))!.getDirectoryHandle(fileName(name));
    return true;
  } catch {
    return (await listVaults()).includes(name);
  }
}

export async function listOpfs(): Promise<string[]> {
  const names = await listVaults();
  try {
    for await (const name of (await rootFolder(false))?.keys() ?? []) names.push(storeName(name));
  } catch {
    // No file system here, so no stores.
  }
  return names;
}

export async function destroyInOpfs(name: string): Promise<void> {
  if ((await listVaults()).includes(name)) await destroyVault(name);
  const root = await rootFolder(false);
  try {
    await root?.removeEntry(fileName(name), { recursive: true });
  } catch (error) {
    if ((error as DOMException).name !== 'NotFoundError') throw error;
  }
}

async function rootFolder(create: boolean): Promise<FileSystemDirectoryHandle | undefined> {
  const origin = await navigator.storage.getDirectory();
  try {
    return await origin.getDirectoryHandle(ROOT, { create });
  } catch (error) {
    if (create) throw error;
    return undefined;
  }
}

async function openHandle(file: FileSystemFileHandle): Promise<AccessHandle> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (
        file as unknown as { createSyncAccessHandle(): Promise<AccessHandle> }
      ).createSyncAccessHandle();
    } catch (error) {
      const { name } = error as DOMException;
      if (name !== 'NoModificationAllowedError' && name !== 'InvalidStateError') throw error;
      if (attempt === RETRIES) {
        throw new LockedError('the files of the store are held by another tab or worker', { cause: error });
      }
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

class AccessFile implements SyncFile {
  constructor(private readonly handle: AccessHandle) {}

  read(into: Uint8Array, at: number): number {
    return this.handle.read(into, { at });
  }

  write(bytes: Uint8Array, at: number): number {
    return this.handle.write(bytes, { at });
  }

  flush(): void {
    this.handle.flush();
  }

  truncate(size: number): void {
    this.handle.truncate(size);
  }

  size(): number {
    return this.handle.getSize();
  }

  close(): void {
    this.handle.close();
  }
}
