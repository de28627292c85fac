/** What stands in the queue of the one writer (`commit.ts`). */
import type { Log } from '../storage/log/index.js';
import type { GivenAnswer, Origin } from './answers.js';
import type { Change } from './change.js';
import type { Evictor } from './evictor.js';
import type { Published } from './feed.js';
import type { Mutation, Outcome } from './mutation.js';
import type { Planner } from './plan.js';
import type { State } from './state.js';

export type Mutations = readonly Mutation[];

/** Mutations at hand, or still being encoded, or to be worked out when it is the call's turn. */
export type MutationSource = Mutations | Promise<Mutations> | (() => Promise<Mutations>);

/** Whose calls are noted, so that they can be taken back. */
export interface Author {
  /** Told of each change before it counts. */
  note(change: Change): void;
}

/** What a call made, before anybody knows how far it has got. */
export type Made = Pick<Outcome, 'version' | 'changed'>;

export interface Call {
  readonly session: string;
  readonly author: Author | undefined;
  readonly origin: Origin | undefined;
  /** What it will be answered; without it, its version. */
  readonly answer: ((made: Made) => unknown) | undefined;
  readonly mutations: MutationSource;
  readonly strict: boolean;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Work that must run while nothing is written: settling, sealing, flushing. */
export interface Job {
  readonly run: () => void | Promise<void>;
  readonly reject: (error: unknown) => void;
}

/** A read that was asked for between writes: it sees those before it and none after it. */
export interface Read {
  /** What it depends on; `undefined`: everything. */
  readonly keys: readonly string[] | undefined;
  readonly read: () => void | Promise<void>;
}

export type Item = Call | Job | Read;

export interface Answer {
  readonly call: Call;
  readonly version: number;
  readonly changed: number;
}

/** Keys that the group writes or removes. */
export type Touched = Map<string, 'put' | 'delete'>;

export interface CommitterParts {
  readonly log: Log;
  readonly state: State;
  readonly planner: Planner;
  /** Whether the maplet grows by itself; if not, every put has to look. */
  readonly growing: boolean;
  readonly now: () => number;
  readonly settle: () => Promise<void>;
  readonly seal: () => Promise<void>;
  /** Where the store has a budget. */
  readonly evictor: () => Evictor | undefined;
  /** Its policy is told of the reads so far. */
  readonly drain: () => void;
  /** Told when a group is refused because there is no room. */
  readonly onFull: () => void;
  /** What writers have to wait for, if anything. */
  readonly brake: () => Promise<void> | undefined;
  /** Told after each group. */
  readonly onCommit: (changes: readonly Change[], published: readonly Published[]) => void;
}

/** What a call is answered, for the log. */
export function answerOf({ answer }: Call, made: Made): GivenAnswer {
  return answer
    ? { value: answer(made), isCommit: false }
    : { value: { version: made.version }, isCommit: true };
}
