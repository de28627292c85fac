/**
 * Records of one log by location, through a cache of those read last. A location never
 * names another record of that log, so nothing in the cache is ever stale.
 *
 * Two generations: what is read goes into the young one; when that is half of the
 * cache it becomes the old one, and the old one is dropped whole. So a record that is
 * read again stays, at the cost of a map look-up, and nothing is ever unlinked: a
 * `Map` that is used as a list has to step over every entry that was deleted.
 */
import type { Eventually } from '../base/bytes.js';
import { SnapshotTooOldError } from '../base/errors.js';
import type { EntryView, Log } from '../storage/log/index.js';
import { MADE } from './made.js';

/** Where records are read from: one log for good, or the one that is current. */
export interface RecordSource {
  /** @throws CorruptionError when the record fails its check. */
  read(location: number): Eventually<EntryView>;
}

/** What an entry costs in memory beside its bytes: the view, its buffer, the map's slot. */
const OVERHEAD_BYTES = 300;
/** A record larger than this share of the cache would push out too many others. */
const LARGEST_SHARE = 1 / 8;

/** What was held is given up. */
export function tooOld(): SnapshotTooOldError {
  return new SnapshotTooOldError(
    'this version of the store is not there any more: compaction needed its space, or the tab that led the store went away; take another',
  );
}

export class Records implements RecordSource {
  #young = new Map<number, EntryView>();
  #old = new Map<number, EntryView>();
  #youngBytes = 0;
  #oldBytes = 0;
  #holders = 0;
  #retired: (() => void) | undefined;
  #revoked = false;

  constructor(
    private readonly log: Log,
    private readonly maxBytes: number,
  ) {}

  /** Somebody reads an older version for a while: the log must stay, even if another follows it. */
  retain(): void {
    this.#holders += 1;
  }

  /** The end of a `retain`. */
  release(): void {
    this.#holders -= 1;
    this.#retireIfFree();
  }

  /** Another log has followed: `remove` runs once nobody reads this one any more. */
  retire(remove: () => void): void {
    this.#retired = remove;
    this.#retireIfFree();
  }

  /** Nothing is read any more, whoever still holds these: their place is needed. */
  revoke(): void {
    this.#revoked = true;
    this.#retireIfFree();
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  #retireIfFree(): void {
    if ((this.#holders > 0 && !this.#revoked) || !this.#retired) return;
    const remove = this.#retired;
    this.#retired = undefined;
    remove();
  }

  get cachedBytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  read(location: number): Eventually<EntryView> {
    if (this.#revoked) throw tooOld();
    const young = this.#young.get(location);
    if (young) return young;
    const old = this.#old.get(location);
    if (old) return this.#keep(location, old);
    const read = this.#fromLog(location);
    return read instanceof Promise
      ? read.then((entry) => this.#keep(location, entry))
      : this.#keep(location, read);
  }

  /** As `read`, but what is not in the cache does not get there: for whoever reads everything once. */
  pass(location: number): Eventually<EntryView> {
    if (this.#revoked) throw tooOld();
    return this.#young.get(location) ?? this.#old.get(location) ?? this.#fromLog(location);
  }

  #fromLog(location: number): Eventually<EntryView> {
    const read = this.log.read(location);
    if (!(read instanceof Promise)) return read;
    return read.catch((error) => {
      throw this.#revoked ? tooOld() : error;
    });
  }

  #keep(location: number, entry: EntryView): EntryView {
    // A packed value stays unpacked once it was read.
    const unpacked = entry.packed && (entry.kind & MADE) === 0 ? entry.packed.size : 0;
    const bytes = entry.bytes + unpacked + OVERHEAD_BYTES;
    if (bytes > this.maxBytes * LARGEST_SHARE) return entry;
    if (this.#youngBytes + bytes > this.maxBytes / 2) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    if (!this.#young.has(location)) this.#youngBytes += bytes;
    this.#young.set(location, entry);
    return entry;
  }
}
