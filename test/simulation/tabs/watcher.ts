/**
 * A tab that watches the lists, on and on, whoever leads. Each change appends one mark to
 * one list, so one that was missed, or told twice, shows in the length of the next.
 */
import { expect } from 'vitest';
import type { Member } from '../../../src/host/member.js';
import type { Tab } from './browser.js';

interface Piece {
  readonly version: number;
  readonly changes: readonly { key: string; version: number; value: readonly string[]; kind: string }[];
}

export interface WatcherTally {
  told: number;
  historyLost: number;
}

export class Watcher {
  readonly #lengths = new Map<string, number>();
  #place: { readonly version: number } | undefined;
  #failure: unknown;
  #over = false;

  constructor(
    private readonly member: Member,
    private readonly tab: Tab,
    private readonly tally: WatcherTally,
  ) {
    this.#run().catch((error) => {
      this.#failure = error;
    });
  }

  /** @throws what it found wrong. Who still watches knows of every mark by now. */
  check(lengths: ReadonlyMap<string, number>): void {
    if (this.#failure) throw this.#failure;
    if (this.#over || this.tab.dead) return;
    for (const [list, length] of this.#lengths) {
      expect(length, `changes of ${list} that were told`).toBe(lengths.get(list));
    }
  }

  async #run(): Promise<void> {
    for (;;) {
      const call = this.#place
        ? { method: 'watchNext', args: [this.#place, undefined] }
        : { method: 'watchBegin', args: [undefined] };
      const [answer] = await this.member.run([call]);
      if (this.tab.dead) return;
      if ('error' in answer!) {
        const { name } = answer.error;
        this.#over = name === 'ClosedError';
        if (this.#over) return;
        expect(name).toMatch(/HistoryError|LeaderUnresponsiveError/);
        if (name === 'LeaderUnresponsiveError') continue;
        this.tally.historyLost += 1;
        this.#place = undefined;
        this.#lengths.clear();
      } else this.#take(answer!.value as Piece);
    }
  }

  #take({ changes = [], ...place }: Piece): void {
    for (const { key, value, version, kind } of changes) {
      expect(kind).toBe('set');
      expect(version, 'what was told before').toBeGreaterThan(this.#place!.version);
      const before = this.#lengths.get(key);
      if (before !== undefined) expect(value.length, `a change of ${key}`).toBe(before + 1);
      this.#lengths.set(key, value.length);
      this.tally.told += 1;
    }
    this.#place = place;
  }
}
