/**
 * What a store is to hold at each of its versions: a plain `Map` a version. Steps are
 * data, so that the same step goes to the engine and to the map.
 */
export type Value = string | Uint8Array;

export interface Kept {
  readonly value: Value;
  readonly expiresAt: number;
  /** The version that wrote it last. */
  readonly version: number;
}

export interface Version {
  readonly entries: ReadonlyMap<string, Kept>;
  /** The latest time that was logged: the store's clock shows none before it. */
  readonly time: number;
  /** Checkpoints, the oldest first. */
  readonly marks: ReadonlyMap<string, Marked>;
}

/** What a checkpoint keeps. */
export interface Marked {
  readonly version: number;
  readonly entries: ReadonlyMap<string, Kept>;
  readonly time: number;
}

interface Durable {
  readonly strict?: boolean;
}

export type Write = Durable &
  (
    | {
        readonly do: 'set';
        readonly key: string;
        readonly value: Value;
        readonly ttl?: number;
        readonly keepTtl?: boolean;
        readonly ifAbsent?: boolean;
      }
    | { readonly do: 'setMany'; readonly pairs: readonly (readonly [string, Value])[] }
    | { readonly do: 'delete'; readonly key: string }
    | { readonly do: 'deleteMany'; readonly keys: readonly string[] }
    | { readonly do: 'expire'; readonly key: string; readonly ttl: number }
    | { readonly do: 'persist'; readonly key: string }
    | { readonly do: 'clear'; readonly prefix?: string }
    | { readonly do: 'sweep' }
    | { readonly do: 'checkpoint' | 'restoreCheckpoint' | 'deleteCheckpoint'; readonly label: string }
  );

/** What a write is to answer: of a set, its version; else the code of its error. */
export type Answer = number | boolean | 'CONFLICT' | 'NOT_FOUND';

const EMPTY: Version = { entries: new Map(), time: 0, marks: new Map() };

export class History {
  #versions: Version[] = [EMPTY];
  /** The newest version that was acknowledged as durable. */
  durable = 0;

  get version(): number {
    return this.#versions.length - 1;
  }

  get current(): Version {
    return this.#versions[this.version]!;
  }

  at(version: number): Version | undefined {
    return this.#versions[version];
  }

  /** Forgets what is newer than `version`. */
  backTo(version: number): void {
    this.#versions.length = version + 1;
    this.durable = Math.min(this.durable, version);
  }

  copy(): History {
    const copy = new History();
    copy.#versions = [...this.#versions];
    copy.durable = this.durable;
    return copy;
  }

  /** Makes `write` count, if it changes anything; gives its answer. */
  apply(write: Write, now: number): Answer {
    const { time: logged, entries: before, marks: marksBefore } = this.current;
    const time = Math.max(Math.floor(now), logged);
    const entries = new Map(before);
    const marks = new Map(marksBefore);
    const version = this.version + 1;
    const answer =
      'label' in write
        ? changeMarks(write, entries, marks, version, time)
        : change(write, entries, version, time);
    if (answer.changed) this.#versions.push({ entries, time, marks });
    return answer.answer;
  }
}

interface Changed {
  readonly answer: Answer;
  readonly changed: boolean;
}

type MarkWrite = Write & { readonly label: string };

function changeMarks(
  write: MarkWrite,
  entries: Map<string, Kept>,
  marks: Map<string, Marked>,
  version: number,
  time: number,
): Changed {
  const { label } = write;
  if (write.do === 'checkpoint') {
    marks.delete(label);
    marks.set(label, { version, time, entries: liveAt(entries, time) });
    return { answer: version, changed: true };
  }
  const marked = marks.get(label);
  if (!marked) return { answer: 'NOT_FOUND', changed: false };
  if (write.do === 'deleteCheckpoint') return { answer: true, changed: marks.delete(label) };
  const changed = goBack(entries, marked.entries, version, time);
  return { answer: changed ? version : version - 1, changed };
}

function goBack(
  entries: Map<string, Kept>,
  wanted: ReadonlyMap<string, Kept>,
  version: number,
  time: number,
): boolean {
  const current = liveAt(entries, time);
  const then = liveAt(wanted, time);
  let changed = false;
  for (const key of current.keys()) {
    if (then.has(key)) continue;
    entries.delete(key);
    changed = true;
  }
  for (const [key, kept] of then) {
    const there = current.get(key);
    const same = there && nameOf(there.value) === nameOf(kept.value) && there.expiresAt === kept.expiresAt;
    if (same) continue;
    entries.set(key, { ...kept, version });
    changed = true;
  }
  return changed;
}

function liveAt(entries: ReadonlyMap<string, Kept>, time: number): Map<string, Kept> {
  return new Map([...entries].filter(([, { expiresAt }]) => expiresAt > time));
}

function change(
  write: Exclude<Write, MarkWrite>,
  entries: Map<string, Kept>,
  version: number,
  time: number,
): Changed {
  const live = (key: string): Kept | undefined => {
    const kept = entries.get(key);
    return kept && kept.expiresAt > time ? kept : undefined;
  };
  const removed = (keys: readonly string[]): Changed => {
    const there = new Set(keys.filter((key) => live(key)));
    for (const key of there) entries.delete(key);
    return { answer: there.size, changed: there.size > 0 };
  };
  const expiring = (key: string, expiresAt: number): Changed => {
    const old = live(key);
    const changes = old !== undefined && !(expiresAt === Infinity && old.expiresAt === Infinity);
    if (changes) entries.set(key, { ...old, expiresAt, version });
    return { answer: changes, changed: changes };
  };
  switch (write.do) {
    case 'set': {
      const { key, value, ttl = Infinity, keepTtl, ifAbsent } = write;
      if (ifAbsent && live(key)) return { answer: 'CONFLICT', changed: false };
      const expiresAt = keepTtl ? (live(key)?.expiresAt ?? Infinity) : time + ttl;
      entries.set(key, { value, expiresAt, version });
      return { answer: version, changed: true };
    }
    case 'setMany':
      for (const [key, value] of write.pairs) entries.set(key, { value, expiresAt: Infinity, version });
      return { answer: version, changed: true };
    case 'delete': {
      const { answer, changed } = removed([write.key]);
      return { answer: answer === 1, changed };
    }
    case 'deleteMany':
      return removed(write.keys);
    case 'expire':
      return expiring(write.key, time + write.ttl);
    case 'persist':
      return expiring(write.key, Infinity);
    case 'clear': {
      const { prefix } = write;
      const { answer } = removed([...entries.keys()].filter((key) => key.startsWith(prefix ?? '')));
      const changed = answer !== 0 || (prefix === undefined && entries.size > 0);
      if (prefix === undefined) entries.clear();
      return { answer, changed };
    }
    case 'sweep': {
      const expired = [...entries.keys()].filter((key) => !live(key));
      for (const key of expired) entries.delete(key);
      return { answer: expired.length, changed: expired.length > 0 };
    }
  }
}

/** Figures that `health()` has to give. */
export function figuresOf(version: Version, now: number) {
  const live = liveIn(version, now);
  const sizes = new Map([...live.values()].map(({ value }) => [nameOf(value), value.length]));
  const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);
  return {
    totalKeys: live.size,
    totalObjects: sizes.size,
    totalBytes: sum(sizes.values()),
    logicalBytes: sum([...live.values()].map(({ value }) => value.length)),
    expiredObjects: version.entries.size - live.size,
    orphanedObjects: 0,
  };
}

export function liveIn({ entries, time }: Version, now: number): Map<string, Kept> {
  return liveAt(entries, Math.max(now, time));
}

/** The list of checkpoints that a store of this version has to give. */
export function checkpointsOf({ marks }: Version) {
  return [...marks].map(([label, { version, time, entries }]) => {
    const bytes = [...entries.values()].reduce((sum, { value }) => sum + value.length, 0);
    return { label, version, createdAt: time, keys: entries.size, bytes };
  });
}

/** A text that two values share only if they are equal. Latin-1 strings and bytes. */
export function nameOf(value: unknown): string {
  if (typeof value === 'string') return `text ${value}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('latin1')}`;
  return `${typeof value} ${String(value)}`;
}
