/**
 * Which runs are to become one. A run of 8^n blocks and more, and less than 8^(n + 1), is of
 * level n. As soon as a level has eight runs they are merged, mostly into one of the next
 * level: so there are at most seven of each, every key is written once more a level, and a
 * scan of a million keys looks into a dozen runs.
 *
 * [1] O'Neil et al.: The log-structured merge-tree (LSM-tree). Acta Informatica 1996.
 */
import type { Run } from './fences.js';

const FAN = 8;

/** Some runs to merge, or none while that is not worth it. Those of the lowest level go first. */
export function runsToMerge(runs: readonly Run[]): readonly Run[] {
  const levels: Run[][] = [];
  for (const run of runs) {
    let level = 0;
    for (let blocks = run.length; blocks >= FAN; blocks /= FAN) level += 1;
    levels[level] ??= [];
    levels[level]!.push(run);
  }
  return levels.find((level) => level && level.length >= FAN) ?? [];
}

/** Names a run: no other begins there. */
export function nameOf(run: Run): number {
  return run[0]!.location;
}

/** The runs, with `merged` in the place of those that are named. */
export function withMerged(runs: readonly Run[], names: readonly number[], merged: Run): readonly Run[] {
  const gone = new Set(names);
  const kept = runs.filter((run) => !gone.has(nameOf(run)));
  return merged.length > 0 ? [...kept, merged] : kept;
}
