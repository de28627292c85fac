/**
 * Records by location, through a cache of those read last. A location never names
 * another record, so nothing in the cache is ever stale.
 */
import type { Eventually } from '../base/bytes.js';
import type { EntryView, Log } from '../storage/log/index.js';

/** What an entry costs in memory beside its bytes: the view, the map's slot. */
const OVERHEAD_BYTES = 200;
/** A record larger than this share of the cache would push out too many others. */
const LARGEST_SHARE = 1 / 8;

export class Records {
  /** In order of use: a `Map` keeps the order in which keys were added. */
  readonly #cached = new Map<number, EntryView>();
  #bytes = 0;

  constructor(
    private readonly log: Log,
    private readonly maxBytes: number,
  ) {}

  get cachedBytes(): number {
    return this.#bytes;
  }

  /** @throws CorruptionError when the record fails its check. */
  read(location: number): Eventually<EntryView> {
    const cached = this.#cached.get(location);
    if (cached) {
      this.#cached.delete(location);
      this.#cached.set(location, cached);
      return cached;
    }
    const read = this.log.read(location);
    return read instanceof Promise ? read.then((entry) => this.#keep(location, entry)) : this.#keep(location, read);
  }

  clear(): void {
    this.#cached.clear();
    this.#bytes = 0;
  }

  /** The entry over bytes of its own: those of the log may be gone at its next read. */
  #keep(location: number, entry: EntryView): EntryView {
    const kept = entry.copy();
    if (kept.bytes > this.maxBytes * LARGEST_SHARE) return kept;
    if (!this.#cached.has(location)) this.#bytes += kept.bytes + OVERHEAD_BYTES;
    this.#cached.set(location, kept);
    for (const [oldest, { bytes }] of this.#cached) {
      if (this.#bytes <= this.maxBytes) break;
      this.#cached.delete(oldest);
      this.#bytes -= bytes + OVERHEAD_BYTES;
    }
    return kept;
  }
}
