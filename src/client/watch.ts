/**
 * Watching a store: `watch` as an iterable, and events. Both pull: a call for the next
 * changes is open at the leader while nothing has changed, and the next one is made when
 * what it brought is used up. So nobody is told faster than he listens.
 */

import { HistoryError } from '../base/errors.js';
import type { Mode } from '../contract/options.js';
import type { Change, StoreEvent, StoreEventListener, WatchOptions } from '../contract/store.js';
import { type Remote, split } from './remote.js';

/** Where in the changes a watcher is. */
export interface Place {
  readonly version: number;
  readonly term: string;
  readonly mode: Mode;
  readonly losses: readonly string[];
  readonly refused: number;
}

interface Piece extends Place {
  readonly changes: readonly Change[];
}

/**
 * Changes behind the place that `begun` resolves to. Ends when `signal` is aborted, with its
 * reason, and when the store is closed.
 */
export async function* watchFrom<T>(
  remote: Remote,
  begun: Promise<Place>,
  options: WatchOptions | undefined,
): AsyncGenerator<Change<T>, void, undefined> {
  const { signal, others } = split(options);
  for await (const { changes } of pieces(remote, await begun, others, signal)) yield* changes as Change<T>[];
}

async function* pieces(
  remote: Remote,
  begin: Place,
  filter: object | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece, void, undefined> {
  for (let place = begin; ; ) {
    let piece: Piece;
    try {
      piece = await remote.call<Piece>('watchNext', [place, filter], signal);
    } catch (error) {
      if (remote.over && !signal?.aborted) return;
      throw error;
    }
    const { changes: _, ...next } = piece;
    place = next;
    yield piece;
  }
}

/** Tells listeners what happens to the store, as long as there are some. */
export class StoreEvents {
  readonly #listeners = new Map<StoreEvent['type'], Set<StoreEventListener>>();
  #stop: AbortController | undefined;

  constructor(private readonly remote: Remote) {}

  add(type: StoreEvent['type'], listener: StoreEventListener): void {
    const others = this.#listeners.get(type);
    if (others) others.add(listener);
    else this.#listeners.set(type, new Set([listener]));
    if (this.#stop) return;
    this.#stop = new AbortController();
    // A call that fails for another reason than its signal ends with the store: nothing happens to it any more.
    this.#run(this.#stop.signal).catch(() => {});
  }

  remove(type: StoreEvent['type'], listener: StoreEventListener): void {
    const listeners = this.#listeners.get(type);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(type);
    if (this.#listeners.size > 0) return;
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let before: Place | undefined;
    for (;;) {
      const begun = await this.remote.call<Place>('watchBegin', [undefined], signal);
      this.#compare(before, begun);
      before = begun;
      try {
        for await (const piece of pieces(this.remote, begun, undefined, signal)) {
          this.#compare(before, piece);
          before = piece;
          for (const change of piece.changes) {
            this.#tell({ type: 'change', change });
            if (change.kind === 'expire' || change.kind === 'evict')
              this.#tell({ type: change.kind, change });
          }
        }
        return;
      } catch (error) {
        // What was missed nobody can tell any more: listeners hear of what comes.
        if (!(error instanceof HistoryError)) throw error;
      }
    }
  }

  #compare(before: Place | undefined, { term, mode, losses, refused }: Place): void {
    if (before?.term === term) {
      if (refused > before.refused) this.#tell({ type: 'quota' });
      return;
    }
    if (before) this.#tell({ type: 'leader' });
    if (before && mode !== before.mode) this.#tell({ type: 'mode', mode });
    if (before?.mode === 'memory') {
      this.#tell({ type: 'dataloss', reasons: ['the tab that held the store in memory is gone'] });
    } else if (losses.length > 0) this.#tell({ type: 'dataloss', reasons: losses });
  }

  #tell(event: StoreEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) {
      try {
        listener(event);
      } catch (error) {
        // One that throws must not keep the others from being told.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
