/**
 * A life of a store, drawn by a seed: turns of writes, a clock that also steps back, a
 * disk that fails and loses power, openings anew. After each misfortune the store has to
 * be one of its versions, and none that was called durable may be missing.
 */
import { expect } from 'vitest';
import { IoError, QuotaError } from '../../src/base/errors.js';
import type { OpenOptions } from '../../src/contract/options.js';
import { Chance } from '../faults/chance.js';
import { Clock } from '../faults/clock.js';
import { FakeDisk, type Fault } from '../faults/disk.js';
import { History, type Value, type Write } from '../faults/history.js';
import {
  closeStore,
  compact,
  expectFound,
  expectVersion,
  flush,
  lasts,
  OPTIONS,
  openStore,
  runTogether,
  SETTLED_MS,
  type Store,
} from '../faults/store.js';
import { FakeVault } from '../faults/vault.js';

/** What the seeds had in them, so that a test can tell that all of it was tried. */
export interface Tally {
  writes: number;
  refused: number;
  faults: number;
  brokenFlushes: number;
  powerCuts: number;
  cutsInCalls: number;
  lostVersions: number;
  openings: number;
  compactions: number;
  seals: number;
  stepsBack: number;
  /** Openings that took bytes of the log from the anchor. */
  restored: number;
  /** Calls of the vault that failed. */
  vaultFaults: number;
  checkpoints: number;
  wentBack: number;
}

export function newTally(): Tally {
  return {
    writes: 0,
    refused: 0,
    faults: 0,
    brokenFlushes: 0,
    powerCuts: 0,
    cutsInCalls: 0,
    lostVersions: 0,
    openings: 0,
    compactions: 0,
    seals: 0,
    stepsBack: 0,
    restored: 0,
    vaultFaults: 0,
    checkpoints: 0,
    wentBack: 0,
  };
}

const KEYS = ['', 'a', 'b', 'c', 'p-1', 'p-2', 'p-3', '\ud800', '漢', '__proto__'];
const LABELS = ['', '漢'];
const SIZES = [0, 1, 15, 16, 17, 100, 300, 480, 900, 1500];
const TTLS = [1, 10, 50, 1000];
/** Typed already: that the log's own calls make them so is for `failing.test.ts`. */
const FAULTS: readonly Fault[] = [
  'short',
  'lying',
  'none',
  { throws: Object.assign(new Error('no room'), { name: 'QuotaExceededError' }) },
  { throws: new Error('something broke') },
  { throws: new Error('something broke late'), done: true },
];
const POWER_CUT = new IoError('there is no power');

/** @throws what a check found. The same seed always does the same. */
export async function simulate(
  seed: number,
  turns: number,
  tally: Tally,
  options: OpenOptions = {},
): Promise<void> {
  await new Simulation(seed, tally, options).run(turns);
}

class Simulation {
  readonly #chance: Chance;
  #time = new Clock();
  #disk = new FakeDisk(() => this.#time.age);
  /** In half of the lives, which begin with files whose names may be lost. */
  #vault: FakeVault | undefined;
  #history = new History();
  /** What may be found beyond the history: writes that were refused when a flush had failed. */
  #doubtful: History | undefined;
  #generation = 0;
  #extents = 0;
  #store!: Store;
  readonly #options: OpenOptions;

  constructor(
    seed: number,
    private readonly tally: Tally,
    options: OpenOptions,
  ) {
    this.#chance = new Chance(seed);
    this.#options = {
      ...OPTIONS,
      ...options,
      durability: this.#chance.of(['strict', 'relaxed', { syncInterval: 40 }] as const),
      cache: { maxBytes: this.#chance.of([0, 2000, 2 ** 20]) },
    };
  }

  async run(turns: number): Promise<void> {
    if (this.#chance.one(2)) this.#vault = new FakeVault();
    this.#store = await openStore(this.#disk, this.#time, this.#options, this.#vault);
    if (!this.#vault) this.#time.pass(SETTLED_MS);
    for (let turn = 0; turn < turns; turn++) await this.#turn();
    await this.#powerCut();
    await this.#compare();
  }

  async #turn(): Promise<void> {
    const { tally } = this;
    this.#noticeRewriting();
    const chosen = this.#chance.below(100);
    if (chosen < 58) await this.#write();
    else if (chosen < 68) this.#time.pass(this.#chance.of([1, 5, 30, 60, 20_000]));
    else if (chosen < 70) this.#step();
    else if (chosen < 73) await this.#compact();
    else if (chosen < 77) await this.#flush();
    else if (chosen < 84) await this.#writeWithFault();
    else if (chosen < 89) await this.#powerCut();
    else if (chosen < 94) await this.#powerCutInCall();
    else if (chosen < 97) await this.#reopen();
    else await this.#compare();
    const { extents } = this.#store.backend.log;
    tally.seals += Math.max(0, extents - this.#extents);
    this.#extents = extents;
  }

  /** A log that was rewritten, by itself or because it was asked for, is one that can be flushed. */
  #noticeRewriting(): void {
    const { generation } = this.#store.backend.log;
    if (generation !== this.#generation) this.#doubtful = undefined;
    this.#generation = generation;
  }

  /** The wall clock is set, by as much as an hour either way. */
  #step(): void {
    const ms = this.#chance.of([-3_600_000, -1000, -7, 500, 3_600_000]);
    // An opening would take the files for settled: a stated assumption.
    if (ms > 0 && this.#time.age < this.#store.lastsFrom) return;
    this.#time.step(ms);
    if (ms < 0) this.tally.stepsBack += 1;
  }

  async #write(): Promise<void> {
    const writes = this.#writes();
    const marks = this.#history.current.marks;
    const outcomes = await runTogether(this.#store, this.#history, writes);
    this.tally.writes += writes.length;
    for (const [i, write] of writes.entries()) {
      if (write.do === 'checkpoint' && !outcomes[i]!.refused) this.tally.checkpoints += 1;
      if (write.do === 'restoreCheckpoint' && marks.has(write.label)) this.tally.wentBack += 1;
    }
    for (const { refused } of outcomes) {
      if (!refused) continue;
      this.tally.refused += 1;
      // Only after a flush that failed.
      if (!this.#doubtful) throw refused;
    }
  }

  async #compact(): Promise<void> {
    const compacted = await compact(this.#store);
    if (compacted) this.tally.compactions += 1;
    else expect(this.#doubtful).toBeDefined();
    // What is in the new log was flushed before it was adopted.
    if (compacted && lasts(this.#store)) this.#history.durable = this.#history.version;
  }

  async #flush(): Promise<void> {
    try {
      await flush(this.#store, this.#history);
    } catch (error) {
      if (!this.#doubtful) throw error;
    }
  }

  /** One call of the log goes wrong, or all of its kind for this turn. */
  async #writeWithFault(): Promise<void> {
    const { tally } = this;
    const operation = this.#chance.of(['write', 'write', 'flush', 'truncate', 'size', 'read'] as const);
    const fault = this.#chance.of(operation === 'write' ? FAULTS : FAULTS.slice(3));
    const lasting = this.#chance.one(3);
    let left = this.#chance.below(2);
    let struck = false;
    this.#disk.fault = (call) => {
      if (call.operation !== operation) return undefined;
      if (left-- > 0 || (struck && !lasting)) return undefined;
      struck = true;
      tally.faults += 1;
      // What is to be anchored is read from the file.
      if (this.#vault) this.#vault.faulted = true;
      return fault;
    };
    this.#failVault();
    const writes = this.#writes();
    const before = this.#history.copy();
    const outcomes = await runTogether(this.#store, this.#history, writes);
    this.#disk.fault = undefined;
    if (this.#vault) this.#vault.fault = undefined;
    for (const { refused } of outcomes) {
      if (!refused) continue;
      tally.refused += 1;
      expect([QuotaError, IoError], refused.stack).toContain(refused.constructor);
      expect(struck || this.#doubtful !== undefined, refused.stack).toBe(true);
    }
    if (operation === 'flush' && struck && !this.#doubtful) {
      tally.brokenFlushes += 1;
      // What was refused with the flush may be on the disk all the same.
      for (const write of writes) before.apply(write, this.#store.now());
      this.#noticeRewriting();
      this.#doubtful = before;
    }
  }

  /** In some turns the vault fails as well; nothing is refused for that, but not all is durable. */
  #failVault(): void {
    const vault = this.#vault;
    if (!vault || this.#chance.one(2)) return;
    const fault = { throws: new Error('the vault does not want to'), done: this.#chance.one(2) };
    vault.fault = () => {
      this.tally.vaultFaults += 1;
      return fault;
    };
  }

  /** The power goes while nothing is under way. */
  async #powerCut(): Promise<void> {
    this.tally.powerCuts += 1;
    this.#noticeRewriting();
    await this.#find(this.#doubtful ?? this.#history);
  }

  /** The power goes in the middle of a call: what was asked for then is refused, and may be there. */
  async #powerCutInCall(): Promise<void> {
    if (this.#doubtful) return this.#powerCut();
    let left = this.#chance.below(6);
    const done = this.#chance.one(2);
    let gone = false;
    const cut = () => {
      if (!gone && left-- > 0) return undefined;
      // Nothing arrives after the call in which the power went.
      const late = done && !gone;
      gone = true;
      if (this.#vault) this.#vault.faulted = true;
      return { throws: POWER_CUT, done: late };
    };
    this.#disk.fault = cut;
    if (this.#vault) this.#vault.fault = cut;
    const writes = this.#writes();
    const all = this.#history.copy();
    await runTogether(this.#store, this.#history, writes);
    this.#disk.fault = undefined;
    if (this.#vault) this.#vault.fault = undefined;
    for (const write of writes) all.apply(write, this.#store.now());
    all.durable = this.#history.durable;
    if (gone) this.tally.cutsInCalls += 1;
    return this.#find(all);
  }

  async #find(history: History): Promise<void> {
    this.#disk = this.#disk.crash(this.#chance);
    this.#vault = this.#vault?.crash(this.#chance);
    this.#time = this.#time.alone();
    const least = this.#history.durable;
    // A write that never came may leave the logged time, and so the store's clock, behind.
    this.#store = await openStore(this.#disk, this.#time, this.#options, this.#vault);
    this.tally.restored += this.#store.backend.losses.filter(({ detail }) => 'restored' in detail).length;
    const found = await expectFound(this.#store, history, least);
    this.tally.lostVersions += Math.max(0, this.#history.version - found);
    history.backTo(found);
    this.#history = history;
    this.#doubtful = undefined;
    if (this.#chance.one(2)) return;
    // What was found is the store from now on: another cut loses nothing of it.
    await flush(this.#store, this.#history);
  }

  async #reopen(): Promise<void> {
    this.tally.openings += 1;
    if (this.#doubtful) {
      await expect(closeStore(this.#store)).rejects.toThrow(IoError);
      this.#doubtful = undefined;
      // Only the system's memory of the file was read since: what is there now is not durable.
      this.#history.durable = Math.min(this.#history.durable, this.#history.version);
    } else {
      await closeStore(this.#store);
      if (lasts(this.#store)) this.#history.durable = this.#history.version;
    }
    this.#store = await openStore(this.#disk, this.#time, this.#options, this.#vault);
    await this.#compare();
  }

  #compare(): Promise<void> {
    return expectVersion(this.#store, this.#history.version, this.#history.current);
  }

  #writes(): Write[] {
    // A sweep looks first and comes later: its place among calls that follow is open.
    if (this.#chance.one(20)) return [{ do: 'sweep' }];
    return Array.from({ length: 1 + this.#chance.below(4) }, () => this.#oneWrite());
  }

  #oneWrite(): Write {
    const chance = this.#chance;
    const key = chance.of(KEYS);
    const strict = chance.one(4) ? { strict: chance.one(2) } : {};
    const ttl = chance.of(TTLS);
    const chosen = chance.below(100);
    const label = chance.of(LABELS);
    if (chosen < 5) return { do: 'checkpoint', label, ...strict };
    if (chosen < 9) return { do: 'restoreCheckpoint', label, ...strict };
    if (chosen < 10) return { do: 'deleteCheckpoint', label, ...strict };
    if (chosen < 40) return { do: 'set', key, value: this.#value(), ...strict };
    if (chosen < 48) return { do: 'set', key, value: this.#value(), ttl, ...strict };
    if (chosen < 52) return { do: 'set', key, value: this.#value(), keepTtl: true, ...strict };
    if (chosen < 57) return { do: 'set', key, value: this.#value(), ifAbsent: true, ...strict };
    if (chosen < 67) {
      const pairs = Array.from(
        { length: 1 + chance.below(4) },
        () => [chance.of(KEYS), this.#value()] as const,
      );
      return { do: 'setMany', pairs, ...strict };
    }
    if (chosen < 77) return { do: 'delete', key, ...strict };
    if (chosen < 81) return { do: 'deleteMany', keys: [key, chance.of(KEYS)], ...strict };
    if (chosen < 87) return { do: 'expire', key, ttl, ...strict };
    if (chosen < 90) return { do: 'persist', key, ...strict };
    if (chosen < 93) return { do: 'clear', prefix: chance.of(['p-', '漢', 'x']), ...strict };
    if (chosen < 95) return { do: 'clear', ...strict };
    return { do: 'set', key, value: 'one of a kind', ...strict };
  }

  /** Few different ones, so that keys share values and batches have equal layouts. */
  #value(): Value {
    const size = this.#chance.of(SIZES);
    const letter = this.#chance.below(2);
    return this.#chance.one(2) ? 'xy'[letter]!.repeat(size) : new Uint8Array(size).fill(letter);
  }
}
