/** Time that a test turns: the wall clock, which may be set, and timers, which go by the time that passed. */
import { START } from '../engine/bench-store.js';

export class Clock {
  /** Milliseconds that have passed. */
  age = 0;
  #wall = START;
  #timers: { readonly at: number; readonly task: () => void }[] = [];

  /** What the wall clock shows. */
  get now(): number {
    return this.#wall + this.age;
  }

  readonly after = (ms: number, task: () => void): (() => void) => {
    const timer = { at: this.age + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Time passes, and what is due runs. */
  pass(ms: number): void {
    this.age += ms;
    const due = this.#timers.filter(({ at }) => at <= this.age);
    this.#timers = this.#timers.filter(({ at }) => at > this.age);
    for (const { task } of due) task();
  }

  /** Somebody sets the wall clock. */
  step(ms: number): void {
    this.#wall += ms;
  }

  /** The same time with no timers: what was under way is gone with the power. */
  alone(): Clock {
    const clock = new Clock();
    clock.age = this.age;
    clock.#wall = this.#wall;
    return clock;
  }
}
