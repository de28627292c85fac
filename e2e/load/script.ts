/**
 * What a store under load is asked to do: calls with numbers, each a function of its
 * number and of the seed of its *life*, the span between two deaths of the browser. So
 * whoever knows how far a store got knows all that it has to hold.
 *
 * Invariants
 *  1. A call is atomic, and it sets `last` to its number: what is found under `last`
 *     names the one version that all the rest has to be.
 *  2. Calls of another life differ, also under the same number: bytes that were left
 *     over from a life before never pass for those of this one.
 */
import type { BatchOperation } from 'rootcellar';

export const LAST = 'last';

export interface Shape {
  /** Different keys. */
  readonly keys: number;
  /** Keys that one call changes. */
  readonly perCall: number;
  /** Lengths of values, each as likely. */
  readonly sizes: readonly number[];
}

/** The calls `from` to `to` of one life. */
export interface Life {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

export function callAt(seed: number, n: number, { keys, perCall, sizes }: Shape): BatchOperation[] {
  const operations: BatchOperation[] = [];
  for (let i = 0; i < perCall; i++) {
    const drawn = mix(seed, n, i);
    const key = `key-${drawn % keys}`;
    const rest = mix(drawn, 1, 1);
    if (rest % 8 === 0) operations.push({ type: 'delete', key });
    else operations.push({ type: 'set', key, value: valueFrom(`${seed}.${n}.${i}`, rest >>> 3, sizes) });
  }
  operations.push({ type: 'set', key: LAST, value: n });
  return operations;
}

/** One in four is shared by many keys, one in eight is bytes. */
function valueFrom(name: string, drawn: number, sizes: readonly number[]): string | Uint8Array {
  const size = sizes[drawn % sizes.length]!;
  const kind = (drawn >>> 8) % 8;
  if (kind < 2) return `shared ${(drawn >>> 12) % 16} `.padEnd(size, 's');
  if (kind === 2) return new Uint8Array(size).fill((drawn >>> 12) % 256);
  return `${name} `.padEnd(size, 'x');
}

/** What the store holds after these lives. */
export function stateAfter(lives: readonly Life[], shape: Shape): Map<string, unknown> {
  const state = new Map<string, unknown>();
  for (const { seed, from, to } of lives) {
    for (let n = from; n <= to; n++) {
      for (const operation of callAt(seed, n, shape)) {
        if (operation.type === 'set') state.set(operation.key, operation.value);
        else state.delete(operation.key);
      }
    }
  }
  return state;
}

/** Values as words: equal ones, and no others, have the same. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${value.length} ${[...new Set(value)].join()}`;
  return `${typeof value} ${String(value)}`;
}

/** Three numbers to one, well mixed. */
function mix(a: number, b: number, c: number): number {
  let hash = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ b, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16) ^ c, 0x27d4eb2f);
  return (hash ^ (hash >>> 15)) >>> 0;
}
