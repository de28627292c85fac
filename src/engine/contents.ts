/**
 * Which stored object a content is. A candidate that the hash finds is only a
 * candidate: the bytes decide, or the version that brought it.
 */
import { andThen, type Eventually, equalBytes, inTurn } from '../base/bytes.js';
import type { Encoded } from '../base/codec/index.js';
import { CorruptionError } from '../base/errors.js';
import { lane } from '../base/hash.js';
import type { EntryView, Reference } from '../storage/log/index.js';
import { assemble, isMade, madeOf, type Resolver } from './assemble.js';
import type { Content, Made } from './change.js';
import { CHUNK, MADE } from './made.js';
import { type Packing, sizeOf, type Value, valueIn } from './packing.js';
import type { RecordSource } from './records.js';
import type { State } from './state.js';

export interface StoredObject {
  readonly location: number;
  /** Version that brought it. */
  readonly birth: number;
  readonly made: Made | undefined;
}

type Accepts = (entry: EntryView) => Eventually<boolean>;

const NONE: readonly Located[] = [];

export class Contents implements Resolver {
  /** For the one candidate that mostly is. */
  readonly #one = new Uint32Array(1);
  /** What was last asked for: keys that share a large value share what is known of it. */
  #lastMade: { readonly entry: EntryView; readonly made: Made } | undefined;

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
    const accepts: Accepts = (entry) => !entry.reference && this.#holds(entry, value);
    return andThen(this.#candidates(high, low, accepts), (accepted) => {
      let latest: Located | undefined;
      for (const located of accepted) {
        const birth = located.entry.sequence;
        if (birth <= asOf && birth > (latest?.entry.sequence ?? 0)) latest = located;
      }
      if (!latest) return undefined;
      const { entry, location } = latest;
      const birth = entry.sequence;
      return andThen(this.#made(entry), (made) => ({ location, birth, made }));
    });
  }

  /**
   * The entry that holds what `reference` names. Maplets know a part of a hash only: of two candidates that one
   * version brought with one size, the whole hash of the content decides.
   */
  resolve(reference: Reference): Eventually<Located> {
    const { high, low, birth, size } = reference;
    const accepts: Accepts = (entry) => entry.sequence === birth && entry.brings && entry.size === size;
    let damage: CorruptionError | undefined;
    const onDamage = (error: CorruptionError) => {
      damage = error;
    };
    return andThen(this.#candidates(high, low, accepts, onDamage), (accepted) => {
      const found =
        accepted.length > 1
          ? accepted.find(({ entry }) => this.packing.hash(valueIn(entry)) === high && lane[0] === low)
          : accepted[0];
      if (found) return found;
      const notThere = 'a record refers to a value that is not in the log';
      throw damage ?? new CorruptionError(notThere, { detail: { birth, size } });
    });
  }

  /**
   * Where that entry lies. It is there while somebody refers to it, so a candidate that is the only
   * one is the one, and need not be read.
   */
  locate(reference: Reference): Eventually<number> {
    const { high, low } = reference;
    if (this.state.objects.candidates(high, low, this.#one) === 1) return this.#one[0]!;
    return andThen(this.resolve(reference), ({ location }) => location);
  }

  /** What `reference` names, as something that a key or another value has. */
  contentOf(reference: Reference): Eventually<Content> {
    const { high, low, size } = reference;
    return andThen(this.resolve(reference), ({ entry, location: object }) =>
      andThen(this.#made(entry), (made) => ({ high, low, size, object, brings: false, made })),
    );
  }

  /** The value that `entry` holds, packed or not. */
  valueOf(entry: EntryView): Eventually<Value> {
    return this.#whole(valueIn(entry));
  }

  encodedOf(entry: EntryView): Eventually<Encoded> {
    return andThen(this.valueOf(entry), (value) => this.packing.unpack(value));
  }

  /** What a value is made of that comes so; `undefined` where it comes as it is. */
  madeIn(value: Value): Eventually<Made | undefined> {
    return isMade(value) ? madeOf(value.bytes, this) : undefined;
  }

  /** What the put `entry`, which lies at `location`, holds or refers to. */
  of(entry: EntryView, location: number): Eventually<Content> {
    const { reference, size } = entry;
    if (reference) return this.contentOf(reference);
    const high = this.packing.hash(valueIn(entry));
    const low = lane[0]!;
    const own: Content = { high, low, size, object: location, brings: true };
    if (entry.kind === CHUNK) return { ...own, chunk: true };
    if (isMade(entry)) return andThen(this.#made(entry), (made) => ({ ...own, made }));
    if (entry.brings) return own;
    // A short value stands in every entry that has it; one of them is the object.
    return andThen(this.find(high, low, valueIn(entry.own()), entry.sequence), (found) =>
      found ? { ...own, object: found.location, brings: false } : own,
    );
  }

  /** Whether the value of `entry` is this one. The bytes decide; those of a made one where all else agrees. */
  #holds(entry: EntryView, value: Value): Eventually<boolean> {
    const own = valueIn(entry);
    if (!isMade(own) && !isMade(value)) return this.packing.same(own, value);
    const high = this.packing.hash(own);
    const low = lane[0]!;
    const differ =
      (own.kind & ~MADE) !== (value.kind & ~MADE) ||
      sizeOf(own) !== sizeOf(value) ||
      high !== this.packing.hash(value) ||
      low !== lane[0];
    if (differ) return false;
    const { length } = own.bytes;
    const sameParts = own.kind === value.kind && length === value.bytes.length;
    if (sameParts && equalBytes(own.bytes, 0, value.bytes, 0, length)) return true;
    return andThen(this.#whole(own), (one) =>
      andThen(this.#whole(value), (other) => this.packing.same(one, other)),
    );
  }

  #whole(value: Value): Eventually<Value> {
    return isMade(value) ? assemble(value, this) : value;
  }

  #made(entry: EntryView): Eventually<Made | undefined> {
    if (!isMade(entry)) return undefined;
    if (this.#lastMade?.entry === entry) return this.#lastMade.made;
    return andThen(madeOf(entry.value, this), (made) => {
      this.#lastMade = { entry, made };
      return made;
    });
  }

  /**
   * The candidates of a hash that are accepted; mostly there is one. One that cannot be read is none: for
   * whoever wants to save bytes the value is written again. `onDamage` is told why.
   */
  #candidates(
    high: number,
    low: number,
    accepts: Accepts,
    onDamage: (error: CorruptionError) => void = () => {},
  ): Eventually<readonly Located[]> {
    const { objects } = this.state;
    const locations: number[] = [];
    if (objects.size === 0 || objects.candidates(high, low, locations) === 0) return NONE;
    const accepted: Located[] = [];
    const examined = inTurn(locations.length, (i) =>
      unlessDamaged(onDamage, () => {
        const location = locations[i]!;
        return andThen(this.records.read(location), (entry) =>
          andThen(accepts(entry), (yes) => {
            if (yes) accepted.push({ entry, location });
          }),
        );
      }),
    );
    return andThen(examined, () => accepted);
  }
}

function unlessDamaged(
  onDamage: (error: CorruptionError) => void,
  run: () => Eventually<void>,
): Eventually<void> {
  const forgive = (error: unknown): void => {
    if (!(error instanceof CorruptionError)) throw error;
    onDamage(error);
  };
  try {
    const done = run();
    return done instanceof Promise ? done.catch(forgive) : done;
  } catch (error) {
    return forgive(error);
  }
}

export interface Located {
  readonly entry: EntryView;
  readonly location: number;
}
