/**
 * Checkpoints: versions that are kept under a label until that is given up, also when the
 * store is opened again and when its log is rewritten.
 *
 * One is an entry of the log (`mark.ts`). What it keeps alive a rewriting copies too, so it
 * costs on the medium what was changed since. In memory it costs nothing: to go back to
 * one, the log is read up to it (`past.ts`), with the queue held.
 */
import type { Eventually } from '../base/bytes.js';
import { NotFoundError } from '../base/errors.js';
import { requireKey, requireOptions } from '../contract/arguments.js';
import { resolveWriteDurability } from '../contract/options.js';
import type { Checkpoint, Commit, WriteOptions } from '../contract/store.js';
import type { Expired } from './expirer.js';
import type { Mark } from './mark.js';
import type { Mutation, Outcome } from './mutation.js';
import { Past } from './past.js';
import type { Held, Snapshots, SnapshotsParts } from './snapshots.js';

export interface CheckpointsParts extends SnapshotsParts {
  readonly settle: () => Promise<void>;
  /** What has expired and was not removed yet. REQUIRES: the state is settled. */
  readonly expired: () => Promise<Expired>;
}

export class Checkpoints {
  constructor(
    private readonly parts: CheckpointsParts,
    private readonly snapshots: Snapshots,
  ) {}

  /** Keeps the version that the calls before have made; a label that is taken is given to it. */
  async take(label: unknown, options?: unknown): Promise<Checkpoint> {
    const name = requireKey(label);
    const { state, environment, settle, expired } = this.parts;
    let kept: Mark | undefined;
    const onMark = (mark: Mark) => {
      kept = mark;
    };
    const mark = async (): Promise<Mutation[]> => {
      // Whoever reads the log up to here settles here: nothing may be shared later that goes then.
      await settle();
      const { keys, logicalBytes } = await expired();
      const figures = {
        keys: state.keys - keys,
        bytes: state.logicalBytes - logicalBytes,
        alive: Math.round(state.liveBytes),
        before: environment.log.bytes,
      };
      return [{ type: 'checkpoint', label: name, figures, onMark }];
    };
    await this.#submit('checkpoint', options, mark, () => shown(kept!));
    return shown(kept!);
  }

  /** All there are, the oldest first. */
  list(): Eventually<Checkpoint[]> {
    const { committer, counters, state } = this.parts;
    counters.operations += 1;
    return committer.read(undefined, () => [...state.marks.values()].map(shown));
  }

  /** One call with all that differs from now, which is in memory until it is written. */
  async restore(label: unknown, options?: unknown): Promise<Commit> {
    const name = requireKey(label);
    const { environment, planner, now } = this.parts;
    const { version, durability } = await this.#submit('restoreCheckpoint', options, async () => {
      const mutations = await this.#restoring(this.#require(name));
      if (!environment.settings.maplet.autoResize) await planner.reserve(mutations, now());
      return mutations;
    });
    return { version, durability };
  }

  /** Gives the label up. What it alone kept goes with the next rewriting of the log. */
  async remove(label: unknown, options?: unknown): Promise<boolean> {
    const name = requireKey(label);
    const forget = async (): Promise<Mutation[]> => {
      this.#require(name);
      return [{ type: 'checkpoint', label: name, figures: undefined }];
    };
    await this.#submit('deleteCheckpoint', options, forget, () => true);
    return true;
  }

  #submit(
    call: string,
    options: unknown,
    mutations: () => Promise<Mutation[]>,
    answer?: () => unknown,
  ): Promise<Outcome> {
    const { environment, committer, counters } = this.parts;
    const { durability } = requireOptions<WriteOptions>(call, options, ['durability']);
    const strict = resolveWriteDurability(durability, environment.settings);
    counters.operations += 1;
    return committer.submit(mutations, strict, answer);
  }

  #require(label: string): Mark {
    const mark = this.parts.state.marks.get(label);
    if (mark) return mark;
    throw new NotFoundError('there is no such checkpoint', { detail: { label } });
  }

  async #restoring({ location, createdAt }: Mark): Promise<Mutation[]> {
    const { environment, state, packing } = this.parts;
    const current = this.snapshots.takeNow('');
    const { records } = current;
    try {
      const pause = () => new Promise<void>((resolve) => environment.after(0, resolve));
      const past = new Past(environment.log, records, state, environment, packing, pause);
      await past.reach(location);
      const { lookup, reader } = past;
      const view = past.state.view(false);
      const kept: Held = { session: '', view, records, now: createdAt, lookup, reader };
      return await this.snapshots.restoring(current, kept, true);
    } finally {
      records.release();
    }
  }
}

function shown({ label, version, createdAt, keys, bytes }: Mark): Checkpoint {
  return { label, version, createdAt, keys, bytes };
}
