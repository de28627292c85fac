/**
 * A version that a checkpoint keeps, made again in memory: what the log before it says, as
 * opening would read it. Costs what opening costs without an image, and the index once more.
 */
import type { Log, Visit } from '../storage/log/index.js';
import { Contents } from './contents.js';
import type { Environment } from './environment.js';
import { Lookup } from './lookup.js';
import type { Packing } from './packing.js';
import { Reader } from './reader.js';
import type { Records } from './records.js';
import { recover } from './recover.js';
import { settle } from './settle.js';
import { State } from './state.js';

/** Entries that are read without a pause: some milliseconds of work. */
const SLICE_ENTRIES = 2048;

export class Past {
  readonly state: State;
  readonly contents: Contents;
  readonly lookup: Lookup;
  readonly reader: Reader;
  /** Of the checkpoint that it is at; the start of the log before the first. */
  #at: number | undefined;

  constructor(
    private readonly log: Pick<Log, 'walk'>,
    /** Of the same log, held. */
    readonly records: Records,
    { secret, dedup }: State,
    { now, index }: Environment,
    packing: Packing,
    private readonly pause: () => Promise<void>,
  ) {
    this.state = new State(secret, dedup, now(), index);
    this.contents = new Contents(this.state, records, packing);
    this.lookup = new Lookup(this.state, records, this.contents);
    this.reader = new Reader(this.lookup, records, packing);
  }

  /** Goes on to the checkpoint at `location`, which must not lie before the one it is at. */
  async reach(location: number): Promise<void> {
    const { log, state, contents, lookup } = this;
    const from = this.#at;
    const settleAll = () => settle(state, lookup, contents);
    const upTo: Pick<Log, 'replay'> = {
      replay: async (visit, endBatch) => {
        let entries = 0;
        let paused = 0;
        const count: Visit = (entry, at) => {
          entries += 1;
          // It begins with the batch of the checkpoint that it is at.
          return at === from ? undefined : visit(entry, at);
        };
        const endSlice = async () => {
          await endBatch();
          if (entries - paused < SLICE_ENTRIES) return;
          paused = entries;
          await this.pause();
        };
        await log.walk(count, endSlice, from, location);
        return { entries, tornBytes: 0 };
      },
    };
    await recover({ log: upTo, state, contents, settle: settleAll });
    await settleAll();
    this.#at = location;
  }
}
