/**
 * The commit of a transaction: what it wrote on the page, in one call, if nobody else has
 * written any of those keys since its snapshot. Its reads are not looked at: snapshot
 * isolation, where the first who commits wins.
 */
import { ConflictError } from '../base/errors.js';
import { requireKey } from '../contract/arguments.js';
import type { Commit } from '../contract/store.js';
import { admitBatch } from './admit-batch.js';
import type { Lookup } from './lookup.js';
import { mergeInto, requireOperator } from './operators.js';
import type { Held, Snapshots, SnapshotsParts } from './snapshots.js';

export class Transactions {
  constructor(
    private readonly parts: SnapshotsParts,
    private readonly snapshots: Snapshots,
    /** Of the current version. */
    private readonly lookup: Lookup,
  ) {}

  /**
   * Operations as `batch` takes them.
   *
   * @throws ConflictError when a key of theirs was written, removed or has expired since the
   *   snapshot. One that was made and removed again counts as never touched.
   */
  async commit(id: unknown, operations: unknown, options?: unknown): Promise<Commit> {
    const { environment, committer, counters, planner, packing, now } = this.parts;
    const { settings, operators = new Map() } = environment;
    const held = this.snapshots.held(id);
    const { mutations, strict } = admitBatch(operations, options, settings, operators, packing);
    counters.operations += 1;
    // What cannot be encoded refuses the call when it is its turn.
    if (mutations instanceof Promise) mutations.catch(() => {});
    held.records.retain();
    try {
      const outcome = await committer.submit(async () => {
        const all = await mutations;
        for (const mutation of all) if ('key' in mutation) await this.#check(held, mutation.key);
        if (!settings.maplet.autoResize) await planner.reserve(all, now());
        return all;
      }, strict);
      return { version: outcome.version, durability: outcome.durability };
    } finally {
      held.records.release();
    }
  }

  /** What an operator makes of a value and an operand; the operand where there is no value. Stores nothing. */
  merged(
    key: unknown,
    older: { readonly value: unknown } | undefined,
    operand: unknown,
    name: unknown,
  ): unknown {
    const operator = requireOperator(name, this.parts.environment.operators ?? new Map());
    operator.check?.(operand);
    return older ? mergeInto(operator, requireKey(key), older.value, operand) : operand;
  }

  async #check(held: Held, key: string): Promise<void> {
    const then = await this.snapshots.find(held, key);
    const found = await this.lookup.find(key);
    const expected = then?.version ?? 0;
    const version = found && found.expiresAt > this.parts.now() ? found.version : 0;
    if (version === expected) return;
    throw new ConflictError('a key that the transaction writes has changed since it began', {
      detail: { key, expected, found: version },
    });
  }
}
