/**
 * Whether a history of one register is linearizable: whether every operation can be given a
 * moment between its begin and its end, such that each read sees the write before it.
 *
 * Every write has a value of its own, so it is known which write a read saw. A write and its
 * reads are a *cluster*. Let `f` be the first end in a cluster and `s` the last begin. Where
 * f < s, the value was there from f to s for certain: a forward zone. Else all of the cluster
 * could have happened in one moment between s and f: a backward zone. The history is
 * linearizable exactly when no read ends before its write begins, no two forward zones
 * overlap, and no backward zone lies within a forward one.
 *
 * P. Gibbons, E. Korach: Testing Shared Memories. SIAM J. Comput. 26 (1997), section 4.
 */

export interface Operation {
  readonly kind: 'write' | 'read';
  /** `undefined` in a read: nothing was there yet. */
  readonly value: string | undefined;
  readonly begin: number;
  /** `Infinity`: nobody knows whether it happened. */
  readonly end: number;
}

interface Zone {
  readonly value: string;
  readonly from: number;
  readonly to: number;
}

/** What is wrong with the history; `undefined`: nothing. */
export function violation(history: readonly Operation[]): string | undefined {
  const clusters = new Map<string, { write: Operation; reads: Operation[] }>();
  // What was there at the beginning was written before all else.
  const before: Operation = { kind: 'write', value: undefined, begin: -Infinity, end: -Infinity };
  clusters.set(NOTHING, { write: before, reads: [] });
  for (const write of history) {
    if (write.kind === 'write') clusters.set(write.value!, { write, reads: [] });
  }
  for (const read of history) {
    if (read.kind === 'write' || read.end === Infinity) continue;
    const cluster = clusters.get(read.value ?? NOTHING);
    if (!cluster) return `${read.value} was read and never written`;
    if (read.end < cluster.write.begin) return `${read.value} was read before it was written`;
    cluster.reads.push(read);
  }
  const forward: Zone[] = [];
  const backward: Zone[] = [];
  for (const [value, { write, reads }] of clusters) {
    // A write of which nobody knows and that nobody saw may not have happened.
    if (write.end === Infinity && reads.length === 0) continue;
    const all = [write, ...reads];
    const firstEnd = Math.min(...all.map(({ end }) => end));
    const lastBegin = Math.max(...all.map(({ begin }) => begin));
    if (firstEnd < lastBegin) forward.push({ value, from: firstEnd, to: lastBegin });
    else backward.push({ value, from: lastBegin, to: firstEnd });
  }
  forward.sort((a, b) => a.from - b.from);
  for (let i = 1; i < forward.length; i++) {
    const [one, two] = [forward[i - 1]!, forward[i]!];
    if (two.from < one.to) return `${one.value} and ${two.value} were there at the same time`;
  }
  for (const inner of backward) {
    const outer = forward.find(({ from, to }) => from < inner.from && inner.to < to);
    if (outer) return `${inner.value} was there while ${outer.value} was`;
  }
  return undefined;
}

const NOTHING = '\0nothing';
