/**
 * A store in six files that block: two headers, written in turn, two places for the
 * log, one of which holds it and the other is for its successor, and two for images of
 * the engine's memory. OPFS and Node differ only in how the files are opened.
 *
 * Files are made once, when the store is made, and never renamed: browsers lose the
 * name of a new file at a power cut for up to half a minute after its making, even if
 * its bytes were flushed. Until the youngest has *settled*, a minute after its making,
 * nothing is called durable but what lies in the anchor as well.
 *
 * The anchor also knows the header, as a third copy that is written first, and how long
 * the log was: files that have vanished are told from a store that never was.
 */
import { toHex } from '../base/bytes.js';
import { DataLossError, IoError } from '../base/errors.js';
import type { Anchor } from './anchor.js';
import {
  type Backend,
  type BackendOptions,
  headerFor,
  type Loss,
  newGeneration,
  newHeader,
  type Successor,
  type Surroundings,
} from './backend.js';
import { FileImages } from './images.js';
import {
  FileLog,
  type Header,
  type Level,
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
  /** Names of those that were not there and have been made. */
  readonly made: readonly string[];
  /** Their names last from their making on. */
  readonly settled: boolean;
  /** Calls `gone` when somebody has removed the files: what is written to them then goes nowhere. */
  watch?(gone: () => void): void;
  /** Removes the files, which are closed. */
  remove(): void | Promise<void>;
}

/**
 * Opens the store in `files`, or makes one where no header is known.
 *
 * @throws DataLossError where less is there than was durable, and the anchor does not have
 *   it; FormatError where a newer release wrote it.
 */
export async function openFiles(
  files: StoreFiles,
  options: BackendOptions,
  anchor?: Anchor,
): Promise<Backend> {
  const { headers, logs, images = [] } = files;
  const { surroundings } = options;
  const inFiles = newest(headers.map(readHeader));
  const found = isOther(inFiles, anchor?.header) ? inFiles : newest([inFiles, anchor?.header]);
  if (!found) refuseHeadless(sizeOf(logs[0]) + sizeOf(logs[1]), anchor);
  const losses = found ? lossesOf(files, inFiles, anchor) : [];
  let header = found ?? newHeader(options);
  const anchored = await anchor?.restore(logs[header.place], header.generation);
  if (anchored && anchored.restored > 0) {
    losses.push({ reason: 'bytes of the log were missing and came from the anchor', detail: anchored });
  }
  const flushedTo = Math.max(header.flushedTo, notedEnd(header, anchor), anchored?.end ?? 0);
  const logBytes = requireLength(logs[header.place], flushedTo);
  if (found && files.made.length > 0) {
    header = { ...header, createdAt: Math.floor(surroundings.now()) };
    // The bytes of a log that lost its beginning may not be taken for those of the next one.
    if (logBytes === 0) header = { ...header, generation: newGeneration(surroundings) };
  }
  const settlesIn = files.settled ? () => 0 : settling(header.createdAt, surroundings);
  let gone: DataLossError | undefined;

  /** How far the flush of a log has got it. */
  const reached = (file: SyncFile, generation: number, end: number): Level | Promise<Level> => {
    const isCurrent = generation === header.generation;
    if (settlesIn() === 0) {
      if (isCurrent) anchor?.note(header, end);
      return 'durable';
    }
    if (!anchor) return 'os';
    return anchor.keep(file, generation, end).then((kept) => {
      if (kept) return 'durable';
      if (isCurrent || anchor.end(header.generation) === 0) return 'os';
      throw new IoError('the store is too young and too large to go on in a new log; in a minute it is not');
    });
  };
  const logIn = ({ place, generation }: Header, least: number) =>
    new FileLog(logs[place], {
      backend: files.backend,
      generation,
      written: 'os',
      flushed: (end) => reached(logs[place], generation, end),
      settlesIn: () => (anchor ? settlesIn() : 0),
      flushedTo: least,
      absolute: options.absolute,
    });
  let log = logIn(header, flushedTo);
  // A rewriting that was cut off, or the log from before one: nobody will read it.
  const free = () => logs[1 - header.place]!;
  empty(free());
  const turnTo = async (next: Header) => {
    if (gone) throw gone;
    let to = next;
    if (anchor) {
      const young = settlesIn() > 0;
      // Whatever is behind that may go with the file, and the store without it.
      if (young) to = { ...next, flushedTo: Math.min(next.flushedTo, anchor.end(next.generation)) };
      const turned = await anchor.turn(to, young);
      if (!turned && young && to.generation !== header.generation && anchor.end(header.generation) > 0)
        throw new IoError('IndexedDB failed while the store went over to a new log; open it again');
    }
    // The one that is older is overwritten, so that one of them is always whole.
    writeHeader(headers[to.epoch % 2]!, to);
    header = to;
  };
  if (!found) await turnTo(header);
  const successor = (): Successor => {
    const place = free();
    empty(place);
    const next = headerFor(header, newGeneration(surroundings));
    const fresh = logIn(next, 0);
    return {
      log: fresh,
      async adopt() {
        await turnTo({ ...next, epoch: header.epoch + 1, flushedTo: fresh.bytes });
        log = fresh;
        return () => empty(free());
      },
      discard: () => empty(place),
    };
  };
  files.watch?.(() => {
    gone = new DataLossError(
      'the files of the store were removed while it was open; what is written is lost',
    );
    log.breakOff(gone);
  });
  const close = async () => {
    for (const file of [...headers, ...logs, ...images]) file.close();
    await anchor?.close();
  };
  return {
    created: !found,
    losses,
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
    async destroy() {
      await close();
      // Before the files: what is left of a store that nobody misses is only in the way.
      await anchor?.destroy();
      await files.remove();
    },
  };
}

/** Milliseconds until files made at `createdAt` have settled, each time as of then. */
function settling(createdAt: number, { now, elapsed }: Surroundings): () => number {
  const until = elapsed() + Math.min(SETTLED_MS, Math.max(0, createdAt + SETTLED_MS - now()));
  return () => Math.max(0, until - elapsed());
}

/** Whether both are headers and of two stores: the anchor outlived the one that it was made for. */
function isOther(inFiles: Header | undefined, kept: Header | undefined): boolean {
  return inFiles !== undefined && kept !== undefined && toHex(inFiles.secret) !== toHex(kept.secret);
}

function refuseHeadless(logBytes: number, anchor: Anchor | undefined): void {
  if (logBytes === 0 && !anchor?.damaged) return;
  throw new DataLossError('the headers of the store are gone while its log is known; nothing was changed', {
    detail: { logBytes },
  });
}

/** What is missing that it can be opened without. */
function lossesOf({ made }: StoreFiles, inFiles: Header | undefined, anchor: Anchor | undefined): Loss[] {
  const losses: Loss[] = [];
  const add = (reason: string, detail = {}) => losses.push({ reason, detail });
  if (made.length > 0) add('files of the store were gone and have been made again', { files: made });
  else if (!inFiles) add('no header of the store was whole; the anchor had one');
  if (anchor?.damaged) add('the header in the anchor failed its check');
  if (isOther(inFiles, anchor?.header)) add('another store of this name was there before, and is gone');
  return losses;
}

/** Up to where the anchor knows the log of `header` to have been flushed. */
function notedEnd({ generation }: Header, anchor: Anchor | undefined): number {
  return anchor?.header?.generation === generation ? anchor.header.flushedTo : 0;
}

/** The size of the log in `file`. */
function requireLength(file: SyncFile, least: number): number {
  const size = sizeOf(file);
  if (size >= least) return size;
  throw new DataLossError(
    `the file of the log has ${size} bytes; ${least} were flushed before. Nothing was changed`,
    { detail: { start: size, end: least } },
  );
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
