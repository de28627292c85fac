/**
 * A store in six files that block: two headers, written in turn, two places for the
 * log, one of which holds it and the other is for its successor, and two for images of
 * the engine's memory. OPFS and Node differ only in how the files are opened.
 *
 * Files are made once, when the store is made, and never renamed: browsers lose the
 * name of a new file at a power cut for up to half a minute after its making, even if
 * its bytes were flushed. Until a store has *settled*, nothing in it is called durable.
 */
import { DataLossError } from '../base/errors.js';
import {
  type Backend,
  type BackendOptions,
  headerFor,
  newGeneration,
  newHeader,
  type Successor,
} from './backend.js';
import { FileImages } from './images.js';
import {
  FileLog,
  type Header,
  mediumError,
  readHeader,
  type SyncFile,
  sizeOf,
  writeHeader,
} from './log/index.js';

export const HEADER_FILES = ['header-a', 'header-b'] as const;
export const LOG_FILES = ['slot-0', 'slot-1'] as const;
export const IMAGE_FILES = ['image-a', 'image-b'] as const;
const SETTLED_MS = 60_000;

export interface StoreFiles {
  readonly backend: string;
  readonly headers: readonly [SyncFile, SyncFile];
  readonly logs: readonly [SyncFile, SyncFile];
  /** Without them every opening reads the whole log. */
  readonly images?: readonly [SyncFile, SyncFile];
  /** Removes the files, which are closed. */
  remove(): void | Promise<void>;
}

/** Opens the store in `files`, or makes one where both headers are empty. */
export function openFiles(files: StoreFiles, options: BackendOptions): Backend {
  const { headers, logs, images = [] } = files;
  const { surroundings } = options;
  const found = newest(headers.map(readHeader));
  const logBytes = sizeOf(logs[0]) + sizeOf(logs[1]);
  if (!found && logBytes > 0) {
    throw new DataLossError('the headers of the store are gone while its log is there; nothing was changed', {
      detail: { logBytes },
    });
  }
  let header = found ?? newHeader(options);
  const logIn = ({ place, generation, flushedTo }: Header) =>
    new FileLog(logs[place], {
      backend: files.backend,
      generation,
      written: 'os',
      flushed: () => (surroundings.now() - header.createdAt >= SETTLED_MS ? 'durable' : 'os'),
      flushedTo,
      absolute: options.absolute,
    });
  let log = logIn(header);
  // A rewriting that was cut off, or the log from before one: nobody will read it.
  const free = () => logs[1 - header.place]!;
  empty(free());
  const turnTo = (next: Header) => {
    // The one that is older is overwritten, so that one of them is always whole.
    writeHeader(headers[next.epoch % 2]!, next);
    header = next;
  };
  if (!found) turnTo(header);
  const successor = (): Successor => {
    const place = free();
    empty(place);
    const next = headerFor(header, newGeneration(surroundings));
    const fresh = logIn(next);
    return {
      log: fresh,
      adopt() {
        turnTo({ ...next, epoch: header.epoch + 1, flushedTo: fresh.bytes });
        log = fresh;
        return () => empty(free());
      },
      discard: () => empty(place),
    };
  };
  const close = () => {
    for (const file of [...headers, ...logs, ...images]) file.close();
  };
  return {
    created: !found,
    get header() {
      return header;
    },
    get log() {
      return log;
    },
    ...(files.images && { images: new FileImages(files.images) }),
    successor,
    writeHeader: turnTo,
    close,
    destroy() {
      close();
      return files.remove();
    },
  };
}

/** Makes a file have no bytes. */
function empty(file: SyncFile): void {
  try {
    if (file.size() > 0) file.truncate(0);
  } catch (error) {
    throw mediumError('emptying a place for the log', error);
  }
}

function newest(headers: readonly (Header | undefined)[]): Header | undefined {
  let best: Header | undefined;
  for (const header of headers) if (header && header.epoch > (best?.epoch ?? 0)) best = header;
  return best;
}

/** Any string as a file name: letters, digits, `-` and `_` stay, another code unit is `~` and its four hex digits. */
export function fileName(name: string): string {
  return name.replace(/[^a-z0-9_-]/g, (unit) => `~${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The name that `fileName` was made from. */
export function storeName(file: string): string {
  return file.replace(/~([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}
