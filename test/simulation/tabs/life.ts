/**
 * A life of several tabs with one store, drawn by a seed: they write and read, are opened,
 * closed, killed, frozen and thawed, go into the back/forward cache and come back, while
 * messages are late or lost and the clock steps.
 *
 * Every write appends a mark of its own to one of two lists, by `merge`. So at the end the
 * lists tell everything: a mark twice was done twice, one that is missing was lost, and
 * what a reader saw must be a beginning of the list that holds all that was answered
 * before it asked.
 */
import { expect } from 'vitest';
import { Lead, type LeadOptions } from '../../../src/host/lead.js';
import { Member } from '../../../src/host/member.js';
import { HEADER_FILES, IMAGE_FILES, LOG_FILES, openFiles } from '../../../src/storage/files.js';
import type { SyncFile } from '../../../src/storage/log/index.js';
import type { Answer, Opened } from '../../../src/wire/messages.js';
import { Chance } from '../../faults/chance.js';
import { Clock } from '../../faults/clock.js';
import { FakeDisk } from '../../faults/disk.js';
import { Browser, type Tab } from './browser.js';
import { Watcher } from './watcher.js';

/** What the seeds had in them, so that a test can tell that all of it was tried. */
export interface TabsTally {
  writes: number;
  answered: number;
  unknown: number;
  reads: number;
  kills: number;
  freezes: number;
  rests: number;
  leaders: number;
  stolen: number;
  lostMessages: number;
  askedAgain: number;
  /** Changes that watchers were told, and how often one was told that some are not kept any more. */
  told: number;
  historyLost: number;
}

export function newTabsTally(): TabsTally {
  return {
    writes: 0,
    answered: 0,
    unknown: 0,
    reads: 0,
    kills: 0,
    freezes: 0,
    rests: 0,
    leaders: 0,
    stolen: 0,
    lostMessages: 0,
    askedAgain: 0,
    told: 0,
    historyLost: 0,
  };
}

const LISTS = ['list-a', 'list-b'] as const;
const TABS_MAX = 5;
const OPTIONS = { ttl: { sweepInterval: Infinity }, undo: { depth: 0 } } as const;
/** Longer than anybody waits for anybody. */
const LONG_MS = 120_000;

interface Written {
  readonly mark: string;
  readonly list: string;
  readonly session: number;
  readonly order: number;
  /** `undefined`: not answered yet. */
  outcome: 'done' | 'unknown' | undefined;
}

/** A tab with the store open in it. */
interface Session {
  readonly tab: Tab;
  readonly number: number;
  member: Member | undefined;
  resting: boolean;
  writes: number;
}

/** @throws what a check found. The same seed always does the same. */
export async function liveTabs(seed: number, turns: number, tally: TabsTally): Promise<void> {
  await new Life(seed, tally).run(turns);
}

class Life {
  readonly #chance: Chance;
  readonly #clock = new Clock();
  readonly #disk = new FakeDisk(() => this.#clock.age);
  readonly #browser: Browser;
  readonly #written: Written[] = [];
  readonly #seen: { list: string; marks: readonly string[]; before: readonly string[] }[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  #sessions: Session[] = [];
  #opened = 0;
  #epoch = 0;
  #lead: Lead | undefined;
  readonly #watchers: Watcher[] = [];
  /** Of the lists, at the end. */
  readonly #lengths = new Map<string, number>();

  constructor(
    seed: number,
    private readonly tally: TabsTally,
  ) {
    this.#chance = new Chance(seed);
    this.#browser = new Browser(this.#clock, this.#disk, this.#chance);
  }

  async run(turns: number): Promise<void> {
    this.#openTab();
    for (let turn = 0; turn < turns; turn++) {
      this.#act();
      if (this.#chance.one(25)) await this.#pass(this.#chance.of([3000, 8000, 30_000]), 50);
      else await this.#pass(this.#chance.of([0, 1, 5, 20, 300]));
      this.#oneLeader();
    }
    await this.#end();
  }

  #act(): void {
    const chosen = this.#chance.below(100);
    const session = this.#sessions.length > 0 ? this.#chance.of(this.#sessions) : undefined;
    if (chosen < 50) this.#write(session);
    else if (chosen < 70) this.#read(session);
    else if (chosen < 78 || !session) this.#openTab();
    else if (chosen < 83) this.#kill(session);
    else if (chosen < 86) this.#close(session);
    else if (chosen < 91) this.#freezeOrThaw(session);
    else if (chosen < 98) this.#restOrWake(session);
    else this.#clock.step(this.#chance.of([-10_000, 10_000]));
  }

  #openTab(): void {
    if (this.#sessions.length >= TABS_MAX) return;
    const tab = this.#browser.newTab();
    const session: Session = { tab, number: this.#opened++, member: undefined, resting: false, writes: 0 };
    this.#sessions.push(session);
    const options = { name: 'store', options: OPTIONS, directory: undefined };
    const openLead = (asked: LeadOptions) => this.#openLead(tab, asked);
    this.#track(
      Member.open(options, { tabs: tab.platformTabs, openLead }).then(
        (member) => {
          session.member = member;
          if (this.#chance.one(2)) this.#watchers.push(new Watcher(member, tab, this.tally));
        },
        (error) => {
          // A tab that freezes holds the files; who opens the store meanwhile is told so.
          expect(error).toMatchObject({ code: expect.stringMatching(/LOCKED|CLOSED/) });
          this.#sessions = this.#sessions.filter((other) => other !== session);
        },
      ),
    );
  }

  async #openLead(tab: Tab, { options }: LeadOptions): Promise<Lead> {
    const names = [...HEADER_FILES, ...LOG_FILES, ...IMAGE_FILES];
    const made = names.filter((name) => !this.#disk.has(name));
    const two = ([a, b]: readonly [string, string]): [SyncFile, SyncFile] => [tab.open(a), tab.open(b)];
    const surroundings = {
      now: () => this.#clock.now,
      elapsed: () => this.#clock.age,
      random: (n: number) => this.#chance.bytes(n),
    };
    const [headers, logs, images] = [two(HEADER_FILES), two(LOG_FILES), two(IMAGE_FILES)];
    const backend = await openFiles(
      { backend: 'fake', headers, logs, images, made, settled: false, remove() {} },
      { surroundings, absolute: false, settings: { dedup: 'exact' } },
    );
    const opened = { mode: 'hybrid', capabilities: {} } as unknown as Opened;
    const lead = await Lead.over(backend, opened, options, { now: surroundings.now, after: tab.after });
    expect(lead.epoch, 'epochs grow').toBeGreaterThan(this.#epoch);
    this.#epoch = lead.epoch;
    this.#lead = lead;
    this.tally.leaders += 1;
    this.tally.askedAgain += lead.clients.length;
    return lead;
  }

  #write(session: Session | undefined): void {
    if (!session?.member) return;
    const { number } = session;
    const order = session.writes++;
    const written: Written = {
      mark: `${number}.${order}`,
      list: this.#chance.of(LISTS),
      session: number,
      order,
      outcome: undefined,
    };
    this.#written.push(written);
    this.tally.writes += 1;
    const args = [written.list, [written.mark], 'list'];
    this.#track(
      session.member.run([{ method: 'merge', args }]).then(([answer]) => {
        if (session.tab.dead) return;
        written.outcome = this.#outcome(answer!);
      }),
    );
  }

  #read(session: Session | undefined): void {
    if (!session?.member) return;
    const list = this.#chance.of(LISTS);
    const before = this.#done(list);
    this.#track(
      session.member.run([{ method: 'get', args: [list] }]).then(([answer]) => {
        if (session.tab.dead || this.#outcome(answer!) === 'unknown') return;
        const marks = ((answer as { value: unknown }).value ?? []) as string[];
        this.#seen.push({ list, marks, before });
        this.tally.reads += 1;
      }),
    );
  }

  /** Only these two errors are excused: nobody could be asked, or the tab is closed. */
  #outcome(answer: Answer): 'done' | 'unknown' {
    if ('value' in answer) return 'done';
    expect(answer.error.name).toMatch(/LeaderUnresponsiveError|ClosedError/);
    return 'unknown';
  }

  #done(list: string): string[] {
    return this.#written.filter((w) => w.list === list && w.outcome === 'done').map(({ mark }) => mark);
  }

  #kill(session: Session): void {
    this.#sessions = this.#sessions.filter((other) => other !== session);
    this.tally.kills += 1;
    session.tab.kill();
  }

  #close(session: Session): void {
    if (!session.member || session.tab.frozen) return;
    this.#sessions = this.#sessions.filter((other) => other !== session);
    this.#track(session.member.close());
  }

  #freezeOrThaw({ tab }: Session): void {
    if (tab.frozen) tab.thaw();
    else {
      tab.freeze();
      this.tally.freezes += 1;
    }
  }

  #restOrWake(session: Session): void {
    const { member, tab } = session;
    if (!member || tab.frozen) return;
    session.resting = !session.resting;
    this.tally.rests += Number(session.resting);
    this.#track(session.resting ? member.suspend() : member.resume());
  }

  #track(work: Promise<unknown>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work)).catch(() => {});
  }

  /** Nobody who holds the lock, and no two who hold the files: handles are exclusive, so one lock is what is left to see. */
  #oneLeader(): void {
    expect(this.#browser.locks.holders('rootcellar:store')).toBeLessThanOrEqual(1);
    const leaders = this.#sessions.filter(({ member, tab }) => member?.leads && !tab.frozen);
    // One whose lock was taken away may not have heard of it.
    expect(leaders.length).toBeLessThanOrEqual(2);
  }

  async #pass(ms: number, step = 10): Promise<void> {
    for (let left = ms; ; left -= step) {
      this.#clock.pass(Math.max(0, Math.min(step, left)));
      await settled();
      if (left <= step) return;
    }
  }

  /** Everybody is awake; all that was asked must be answered, and the lists tell the rest. */
  async #end(): Promise<void> {
    for (const session of this.#sessions) {
      session.tab.thaw();
      if (session.resting && session.member) this.#track(session.member.resume());
    }
    await this.#pass(LONG_MS, 125);
    for (const { member, number } of this.#sessions) {
      expect(member, `tab ${number} has the store`).toBeDefined();
      const waiting = this.#written.filter((w) => w.session === number && w.outcome === undefined);
      expect(waiting, `calls of tab ${number} without an answer`).toEqual([]);
    }
    const reader = this.#browser.newTab();
    const options = { name: 'store', options: OPTIONS, directory: undefined };
    const opening = Member.open(options, {
      tabs: reader.platformTabs,
      openLead: (asked) => this.#openLead(reader, asked),
    });
    await this.#pass(3000, 50);
    const last = await opening;
    for (const list of LISTS) {
      const reading = last.run([{ method: 'get', args: [list] }]);
      await this.#pass(3000, 50);
      const [answer] = await reading;
      this.#check(list, ((answer as { value: unknown }).value ?? []) as string[]);
    }
    this.tally.lostMessages += this.#browser.lostMessages;
    this.tally.stolen += this.#browser.locks.stolen;
    for (const watcher of this.#watchers) watcher.check(this.#lengths);
    for (const session of this.#sessions) if (session.member) void session.member.close();
    await this.#pass(3000, 50);
    expect(last.leads, 'who is left leads').toBe(true);
    expect(this.#lead!.clients, 'nothing is kept for tabs that are gone').toEqual([]);
    void last.close();
    await this.#pass(3000, 50);
  }

  #check(list: string, marks: readonly string[]): void {
    const all = this.#written.filter((w) => w.list === list);
    const where = new Map(marks.map((mark, i) => [mark, i]));
    expect(where.size, 'no mark twice').toBe(marks.length);
    for (const { mark, outcome } of all) {
      if (outcome === 'done') expect(where.has(mark), `${mark} was answered`).toBe(true);
    }
    for (const session of new Set(all.map((w) => w.session))) {
      const own = all.filter((w) => w.session === session && where.has(w.mark));
      const places = own.sort((a, b) => a.order - b.order).map(({ mark }) => where.get(mark)!);
      expect(places, `the order of tab ${session}`).toEqual([...places].sort((a, b) => a - b));
    }
    for (const seen of this.#seen) {
      if (seen.list !== list) continue;
      expect(marks.slice(0, seen.marks.length), 'what was read is a beginning').toEqual(seen.marks);
      const read = new Set(seen.marks);
      for (const mark of seen.before) expect(read.has(mark), `${mark} was there before`).toBe(true);
    }
    this.#lengths.set(list, marks.length);
    this.tally.answered += all.filter(({ outcome }) => outcome === 'done').length;
    this.tally.unknown += all.filter(({ outcome }) => outcome !== 'done').length;
  }
}

/** All that needs no time has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
