/**
 * Finding the current record of a key: in the buffer, else by the index, whose
 * candidates count only when their record has that very key.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import type { Encoded } from '../base/codec/index.js';
import { hashString, lane } from '../base/hash.js';
import type { EntryView, Reference } from '../storage/log/index.js';
import type { Contents } from './contents.js';
import { CANONICAL } from './made.js';
import type { Value } from './packing.js';
import type { RecordSource } from './records.js';
import type { State } from './state.js';

/** A key that is there. Expired ones are found too: the caller compares `expiresAt`. */
export interface Found {
  readonly location: number;
  readonly version: number;
  readonly expiresAt: number;
  readonly createdAt: number;
  /** The record of a sealed key, which had to be read; one in the buffer is known without. */
  readonly entry: EntryView | undefined;
}

/** What the index was asked and could not rule out, for the measured rate of false positives. */
export interface Probes {
  absent: number;
  falsePositives: number;
}

export class Lookup {
  readonly probes: Probes = { absent: 0, falsePositives: 0 };

  constructor(
    private readonly state: Pick<State, 'secret' | 'index' | 'slot'>,
    private readonly records: RecordSource,
    private readonly contents: Contents,
  ) {}

  find(key: string): Eventually<Found | undefined> {
    const slot = this.state.slot(key);
    if (slot) return slot.content ? { ...slot, entry: undefined } : undefined;
    const { index } = this.state;
    if (index.size === 0) return undefined;
    const high = hashString(this.state.secret, key);
    const candidates: number[] = [];
    if (index.candidates(high, lane[0]!, candidates) === 0) {
      this.probes.absent += 1;
      return undefined;
    }
    return andThen(this.firstWithKey(key, candidates), (found) => {
      if (!found) {
        this.probes.absent += 1;
        this.probes.falsePositives += 1;
        return undefined;
      }
      const { entry, location } = found;
      return {
        location,
        version: entry.sequence,
        expiresAt: entry.expiresAt,
        createdAt: entry.createdAt,
        entry,
      };
    });
  }

  /** The one of `locations` whose record is of `key`. */
  firstWithKey(
    key: string,
    locations: readonly number[],
  ): Eventually<{ entry: EntryView; location: number } | undefined> {
    const next = (i: number): Eventually<{ entry: EntryView; location: number } | undefined> => {
      const location = locations[i];
      if (location === undefined) return undefined;
      return andThen(this.records.read(location), (entry) =>
        entry.hasKey(key) ? { entry, location } : next(i + 1),
      );
    };
    return next(0);
  }

  /** The record of `found`. */
  record(found: Found): Eventually<EntryView> {
    return found.entry ?? this.records.read(found.location);
  }

  /** The entry that holds the value of the record `entry`: itself, or the one it refers to. */
  holder(entry: EntryView): Eventually<EntryView> {
    if (!entry.reference) return entry;
    return andThen(this.contents.resolve(entry.reference), (located) => located.entry);
  }

  /** The value of the record `entry`, in memory that others may use too. */
  value(entry: EntryView): Eventually<Value> {
    const value = andThen(this.holder(entry), (holder) => this.contents.valueOf(holder));
    return isCanonical(entry) ? andThen(value, (own) => ({ ...own, canonical: true })) : value;
  }

  /** The same, not packed. */
  encoded(entry: EntryView): Eventually<Encoded> {
    return andThen(this.holder(entry), (holder) => this.contents.encodedOf(holder));
  }

  /** The bytes of a chunk. */
  chunk(reference: Reference): Eventually<Uint8Array> {
    return andThen(this.contents.resolve(reference), ({ entry }) => entry.value);
  }

  /** The value of the record `entry` in memory of its own. */
  copy(entry: EntryView): Eventually<Value> {
    return andThen(this.value(entry), (value) => ({ ...value, bytes: value.bytes.slice() }));
  }
}

/** Whether the record refers to a value that is not the one that was set. */
export function isCanonical({ reference, kind }: EntryView): boolean {
  return reference !== undefined && kind === CANONICAL;
}
