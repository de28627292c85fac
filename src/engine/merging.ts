/**
 * Merging of key runs: once there are many of one size, their keys are written again as one
 * run, without those that do not count any more, so that a scan looks into few of them.
 *
 * It goes in slices, each a batch of blocks, with a pause between; writes and reads go on.
 * Only the MERGE at the end makes the blocks count, so a crash before it leaves the runs as
 * they were. A scan that began before goes on with the runs of its view, which stay in the log.
 */
import { hashString, lane } from '../base/hash.js';
import { entry, type Log, Type } from '../storage/log/index.js';
import {
  type Block,
  BlockWriter,
  decodeBlock,
  encodeMerge,
  type Fence,
  nameOf,
  type Run,
  type RunKey,
  runsToMerge,
} from '../structures/runs/index.js';
import type { Committer } from './commit.js';
import type { CurrentRecords } from './current.js';
import type { Environment } from './environment.js';
import { ignoreStoreError } from './maintenance.js';
import { Pause } from './pause.js';
import type { Records } from './records.js';
import type { State } from './state.js';

/** What is merged without a pause: about two milliseconds of work. */
const SLICE_KEYS = 2048;

export interface RunMergerParts {
  readonly environment: Environment;
  readonly log: Log;
  readonly state: State;
  readonly records: CurrentRecords;
  readonly committer: Committer;
}

export class RunMerger {
  #running: Promise<void> | undefined;
  #stopped = false;
  readonly #pause: Pause;

  constructor(private readonly parts: RunMergerParts) {
    this.#pause = new Pause(parts.environment);
  }

  /** Merges in the background what is worth it. */
  start(): void {
    if (this.#stopped || this.#running || runsToMerge(this.parts.state.runs).length === 0) return;
    this.#running = this.#mergeAll()
      .catch(ignoreStoreError)
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Another log has taken the place of the one whose runs are merged, if any are. */
  followed(): void {
    this.#pause.end();
    this.start();
  }

  /** What runs ends soon. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pause.end();
    await this.#running;
  }

  async #mergeAll(): Promise<void> {
    for (;;) {
      const runs = runsToMerge(this.parts.state.runs);
      if (runs.length === 0 || this.#stopped) return;
      await this.#merge(runs);
    }
  }

  /** Gives up where the log or the runs are others by now. */
  async #merge(runs: readonly Run[]): Promise<void> {
    const { state, log, records, committer } = this.parts;
    const { era } = records;
    const merged: Fence[] = [];
    const names = runs.map(nameOf);
    // Another log has other runs too.
    const isOff = () => this.#stopped || runs.some((run) => !state.runs.includes(run));
    const append = async (blocks: readonly Block[], isLast: boolean): Promise<boolean> =>
      committer.exclusive(async () => {
        if (isOff()) return false;
        const { version: sequence, time } = state;
        const batch = log.begin();
        for (const { firstKey, bytes } of blocks) {
          const location = batch.add(entry({ type: Type.Keys, sequence, time, key: firstKey, value: bytes }));
          merged.push({ firstKey, location });
        }
        if (isLast) batch.add(entry({ type: Type.Merge, sequence, time, value: encodeMerge(names, merged) }));
        if (batch.entries > 0) await log.append(batch, false);
        if (isLast) state.mergeRuns(names, merged);
        return true;
      });
    era.retain();
    try {
      const keys = new MergedKeys(runs.map((run) => new RunKeys(run, era)));
      const writer = new BlockWriter();
      for (let isLast = false; !isLast; ) {
        await this.#pause.wait();
        const blocks: Block[] = [];
        for (const key of await keys.take(SLICE_KEYS)) {
          const block = this.#counts(key) ? writer.add(key) : undefined;
          if (block) blocks.push(block);
        }
        isLast = keys.done;
        const rest = isLast ? writer.finish() : undefined;
        if (rest) blocks.push(rest);
        if (!(await append(blocks, isLast))) return;
      }
    } finally {
      era.release();
    }
  }

  /** Whether its record is the key's: one that is not will never be again. */
  #counts({ key, location }: RunKey): boolean {
    const { index, secret } = this.parts.state;
    const high = hashString(secret, key);
    return index.names(high, lane[0]!, location);
  }
}

/** The keys of a run, a block at a time. */
class RunKeys {
  #keys: readonly RunKey[] = [];
  #at = 0;
  #block = 0;

  constructor(
    private readonly run: Run,
    private readonly records: Records,
  ) {}

  get current(): RunKey | undefined {
    return this.#keys[this.#at];
  }

  /** Goes on to the next key; a promise where a block has to be read for it. */
  next(): Promise<void> | undefined {
    this.#at += 1;
    return this.#at < this.#keys.length ? undefined : this.#fill();
  }

  async #fill(): Promise<void> {
    const fence = this.run[this.#block];
    if (!fence) return;
    this.#block += 1;
    const read = this.records.pass(fence.location);
    this.#keys = decodeBlock((read instanceof Promise ? await read : read).value);
    this.#at = 0;
  }
}

/** The keys of all runs in order. */
class MergedKeys {
  #begun = false;

  constructor(private readonly runs: readonly RunKeys[]) {}

  get done(): boolean {
    return this.runs.every((run) => !run.current);
  }

  async take(most: number): Promise<RunKey[]> {
    if (!this.#begun) for (const run of this.runs) await run.next();
    this.#begun = true;
    const taken: RunKey[] = [];
    while (taken.length < most) {
      let least: RunKeys | undefined;
      for (const run of this.runs) {
        if (run.current && (!least || run.current.key < least.current!.key)) least = run;
      }
      if (!least) break;
      taken.push(least.current!);
      const filling = least.next();
      if (filling) await filling;
    }
    return taken;
  }
}
