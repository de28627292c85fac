/**
 * A disk that can lose power and fail. Each file is what every reader sees, and what
 * is *lasting*; what was written since the last flush is a list of changes between them.
 *
 * After a power cut each of those changes may be there, gone, or there in some of its
 * 512-byte pieces, whatever came of those before and behind it. Where a file grew and
 * the bytes did not arrive there are zeros, or what the disk held before. A file
 * that was made less than half a minute ago may be gone with its name, flushed or not.
 */
import type { SyncFile } from '../../src/storage/log/index.js';
import type { Chance } from './chance.js';

const SECTOR = 512;
/** Browsers sync the bytes of a file sooner than its name. */
const NAME_LASTS_AFTER_MS = 30_000;

export type Operation = 'read' | 'write' | 'flush' | 'truncate' | 'size';

export interface DiskCall {
  /** Counts all calls of the disk from 0. */
  readonly number: number;
  readonly file: string;
  readonly operation: Operation;
}

/** How a call goes wrong. `short`, `lying` and `none` are for writes, `short` and `none` for reads too. */
export type Fault = { readonly throws: Error; readonly done?: boolean } | 'short' | 'lying' | 'none';

type Change = { readonly at: number; readonly bytes: Uint8Array } | { readonly size: number };

/** How a power cut treats what was not flushed. */
const CUTS = ['lost', 'kept', 'in order', 'any order', 'any order, garbage'] as const;
type Cut = (typeof CUTS)[number];

class Content {
  bytes = new Uint8Array(4096);
  size = 0;

  write(bytes: Uint8Array, at: number): void {
    this.resize(Math.max(this.size, at + bytes.length));
    this.bytes.set(bytes, at);
  }

  resize(size: number): void {
    if (size > this.bytes.length) {
      const grown = new Uint8Array(Math.max(size, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, this.size));
      this.bytes = grown;
    }
    if (size < this.size) this.bytes.fill(0, size, this.size);
    this.size = size;
  }

  apply(change: Change): void {
    if ('size' in change) this.resize(change.size);
    else this.write(change.bytes, change.at);
  }

  copy(): Content {
    const copy = new Content();
    copy.bytes = this.bytes.slice(0, Math.max(this.size, 1));
    copy.size = this.size;
    return copy;
  }
}

export class FakeDisk {
  calls = 0;
  /** Asked before each call what is to go wrong with it. */
  fault: ((call: DiskCall) => Fault | undefined) | undefined;
  /** Told after each call that altered something. */
  after: ((call: DiskCall) => void) | undefined;
  readonly #files = new Map<string, FakeFile>();

  /** `age` is the disk's own clock: it never steps. */
  constructor(readonly age: () => number) {}

  open(name: string): SyncFile {
    let file = this.#files.get(name);
    if (!file) {
      file = new FakeFile(this, name, this.age());
      this.#files.set(name, file);
    }
    return file;
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** Bytes that a reader of `name` sees. */
  content(name: string): Uint8Array {
    const { live } = this.#files.get(name)!;
    return live.bytes.slice(0, live.size);
  }

  /** One of the disks that may be found when the power is back. */
  crash(chance: Chance): FakeDisk {
    const cut = chance.of(CUTS);
    const found = new FakeDisk(this.age);
    for (const file of this.#files.values()) {
      const young = this.age() - file.madeAt < NAME_LASTS_AFTER_MS;
      if (young && cut !== 'kept' && chance.one(3)) continue;
      found.#files.set(file.name, file.afterCut(found, cut, chance));
    }
    return found;
  }

  /** The disk that another program sees while the power stays on. */
  copy(): FakeDisk {
    const copy = new FakeDisk(this.age);
    for (const file of this.#files.values()) copy.#files.set(file.name, file.copy(copy));
    return copy;
  }
}

class FakeFile implements SyncFile {
  live = new Content();
  #lasting = new Content();
  #changes: Change[] = [];

  constructor(
    private readonly disk: FakeDisk,
    readonly name: string,
    readonly madeAt: number,
  ) {}

  read(into: Uint8Array, at: number): number {
    const fault = this.#begin('read');
    const got = Math.max(0, Math.min(into.length, this.live.size - at));
    const given = fault === 'none' ? 0 : fault === 'short' ? got >> 1 : got;
    into.set(this.live.bytes.subarray(at, at + given));
    return given;
  }

  write(bytes: Uint8Array, at: number): number {
    const fault = this.#begin('write', () => this.#change({ at, bytes: bytes.slice() }));
    const taken = fault === 'none' ? 0 : fault ? bytes.length >> 1 : bytes.length;
    if (taken > 0) this.#change({ at, bytes: bytes.slice(0, taken) });
    this.#end('write');
    return fault === 'lying' ? bytes.length : taken;
  }

  flush(): void {
    this.#begin('flush');
    for (const change of this.#changes) this.#lasting.apply(change);
    this.#changes = [];
    this.#end('flush');
  }

  truncate(size: number): void {
    this.#begin('truncate', () => this.#change({ size }));
    this.#change({ size });
    this.#end('truncate');
  }

  size(): number {
    this.#begin('size');
    return this.live.size;
  }

  close(): void {}

  copy(disk: FakeDisk): FakeFile {
    const copy = new FakeFile(disk, this.name, this.madeAt);
    copy.live = this.live.copy();
    copy.#lasting = this.#lasting.copy();
    copy.#changes = [...this.#changes];
    return copy;
  }

  afterCut(disk: FakeDisk, cut: Cut, chance: Chance): FakeFile {
    const file = new FakeFile(disk, this.name, this.madeAt);
    const content = this.#lasting.copy();
    if (cut !== 'lost') this.#keepSome(content, cut, chance);
    file.#lasting = content;
    file.live = content.copy();
    return file;
  }

  #keepSome(content: Content, cut: Cut, chance: Chance): void {
    const last = cut === 'in order' ? chance.below(this.#changes.length + 1) : this.#changes.length;
    for (const [i, change] of this.#changes.entries()) {
      const fate = cut === 'kept' || i < last ? 'whole' : i === last ? 'torn' : 'lost';
      const drawn = cut.startsWith('any order')
        ? chance.of(['whole', 'torn', 'lost', 'size'] as const)
        : fate;
      if (drawn === 'lost') continue;
      if (drawn === 'whole' || 'size' in change) content.apply(change);
      else {
        const { at, bytes } = change;
        const before = content.size;
        if (chance.one(2)) content.resize(Math.max(before, at + bytes.length));
        if (cut === 'any order, garbage') {
          for (let i = before; i < content.size; i++) content.bytes[i] = chance.below(256);
        }
        if (drawn === 'torn') keepSectors(content, at, bytes, chance);
      }
    }
  }

  #begin(operation: Operation, act?: () => void): Exclude<Fault, object> | undefined {
    const fault = this.disk.fault?.({ number: this.disk.calls++, file: this.name, operation });
    if (typeof fault !== 'object') return fault;
    if (fault.done) act?.();
    throw fault.throws;
  }

  #end(operation: Operation): void {
    this.disk.after?.({ number: this.disk.calls - 1, file: this.name, operation });
  }

  #change(change: Change): void {
    this.live.apply(change);
    this.#changes.push(change);
  }
}

function keepSectors(content: Content, at: number, bytes: Uint8Array, chance: Chance): void {
  for (let from = at; from < at + bytes.length; ) {
    const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR) + 1) * SECTOR);
    if (chance.one(2)) content.write(bytes.subarray(from - at, to - at), from);
    from = to;
  }
}
