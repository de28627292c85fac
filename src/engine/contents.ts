/**
 * Which stored object a content is. A candidate that the hash finds is only a
 * candidate: the bytes decide, or the version that brought it.
 */
import { andThen, type Eventually } from '../base/bytes.js';
import { CorruptionError } from '../base/errors.js';
import { lane } from '../base/hash.js';
import type { EntryView, Reference } from '../storage/log/index.js';
import type { Content } from './change.js';
import { type Packing, type Value, valueIn } from './packing.js';
import type { RecordSource } from './records.js';
import type { State } from './state.js';

export interface StoredObject {
  readonly location: number;
  /** Version that brought it. */
  readonly birth: number;
}

type Accepts = (entry: EntryView) => Eventually<boolean>;

const NONE: readonly Located[] = [];

export class Contents {
  constructor(
    private readonly state: Pick<State, 'objects'>,
    private readonly records: RecordSource,
    private readonly packing: Packing,
  ) {}

  /**
   * The object that holds exactly this content, if one is stored, as it was in version
   * `asOf`. There may be two: recovery settles at other moments than the live store
   * did, so one that was let go may be here beside the one that was brought later. A
   * record always has the latest of those that were there when it was written.
   */
  find(high: number, low: number, value: Value, asOf = Infinity): Eventually<StoredObject | undefined> {
    const accepts: Accepts = (entry) => !entry.reference && this.packing.same(valueIn(entry), value);
    return andThen(this.#candidates(high, low, accepts, true), (accepted) => {
      let latest: StoredObject | undefined;
      for (const { entry, location } of accepted) {
        const birth = entry.sequence;
        if (birth <= asOf && birth > (latest?.birth ?? 0)) latest = { location, birth };
      }
      return latest;
    });
  }

  /**
   * The entry that holds what `reference` names. Maplets know a part of a hash only: of two candidates that one
   * version brought with one size, the whole hash of the content decides.
   */
  resolve(reference: Reference): Eventually<Located> {
    const { high, low, birth, size } = reference;
    const accepts: Accepts = (entry) => entry.sequence === birth && entry.brings && entry.size === size;
    return andThen(this.#candidates(high, low, accepts, false), (accepted) => {
      const found =
        accepted.length > 1
          ? accepted.find(({ entry }) => this.packing.hash(valueIn(entry)) === high && lane[0] === low)
          : accepted[0];
      if (found) return found;
      throw new CorruptionError('a record refers to a value that is not in the log', {
        detail: { birth, size },
      });
    });
  }

  /** What the put `entry`, which lies at `location`, holds or refers to. */
  of(entry: EntryView, location: number): Eventually<Content> {
    const { reference, size } = entry;
    if (reference) {
      const { high, low } = reference;
      return andThen(this.resolve(reference), (found) => ({
        high,
        low,
        size,
        object: found.location,
        brings: false,
      }));
    }
    const high = this.packing.hash(valueIn(entry));
    const low = lane[0]!;
    const own: Content = { high, low, size, object: location, brings: true };
    if (entry.brings) return own;
    // A short value stands in every entry that has it; one of them is the object.
    return andThen(this.find(high, low, valueIn(entry.own()), entry.sequence), (found) =>
      found ? { ...own, object: found.location, brings: false } : own,
    );
  }

  /** The candidates of a hash that are accepted; mostly there is one. */
  #candidates(
    high: number,
    low: number,
    accepts: Accepts,
    tolerant: boolean,
  ): Eventually<readonly Located[]> {
    const { objects } = this.state;
    const locations: number[] = [];
    if (objects.size === 0 || objects.candidates(high, low, locations) === 0) return NONE;
    const accepted: Located[] = [];
    const next = (i: number): Eventually<readonly Located[]> => {
      const location = locations[i];
      if (location === undefined) return accepted;
      return andThen(this.#read(location, tolerant), (entry) => {
        return andThen(entry !== undefined && accepts(entry), (yes) => {
          if (yes) accepted.push({ entry: entry!, location });
          return next(i + 1);
        });
      });
    };
    return next(0);
  }

  /** When a copy is sought to save bytes, one that cannot be read is none: the value is written again. */
  #read(location: number, tolerant: boolean): Eventually<EntryView | undefined> {
    if (!tolerant) return this.records.read(location);
    const forgive = (error: unknown): undefined => {
      if (!(error instanceof CorruptionError)) throw error;
      return undefined;
    };
    try {
      const read = this.records.read(location);
      return read instanceof Promise ? read.catch(forgive) : read;
    } catch (error) {
      return forgive(error);
    }
  }
}

export interface Located {
  readonly entry: EntryView;
  readonly location: number;
}
