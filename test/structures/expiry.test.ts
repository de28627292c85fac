import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TimerWheel } from '../../src/structures/expiry/index.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const NOW = 1_795_000_000_000;

type Hash = [high: number, low: number];
const idOf = (high: number, low: number) => `${high} ${low}`;
const hashOf = (id: string) => id.split(' ').map(Number) as Hash;

/** The same promises kept by looking at everything. */
class Model {
  readonly deadlines = new Map<string, number>();
  now: number;

  constructor(now: number) {
    this.now = now;
  }

  due(now: number): string[] {
    this.now = Math.max(this.now, now);
    return [...this.deadlines].filter(([, deadline]) => deadline <= this.now).map(([id]) => id);
  }
}

/** Calls `advance` until it has no more; every call must keep to its limit. */
function advanceAll(wheel: TimerWheel, now: number, limit: number): string[] {
  const ids: string[] = [];
  for (let calls = 0; ; calls++) {
    if (calls > 1_000_000) throw new Error('no end');
    const due = wheel.advance(now, limit);
    expect(due.length).toBeLessThanOrEqual(limit);
    expect([...due]).toHaveLength(due.length);
    for (const [high, low] of due) ids.push(idOf(high, low));
    if (!due.more) return ids;
  }
}

describe('a timer wheel does what a Map of deadlines does', () => {
  // Few hashes, some alike in one half, so that they meet again and again.
  const half = fc.constantFrom(0, 1, -1, 7, 2 ** 31 - 1, -(2 ** 31), 123456789);
  const hash = fc.tuple(half, half);
  const span = fc.oneof(
    fc.integer({ min: -1000, max: 1000 }),
    fc.integer({ min: 0, max: 64 ** 2 }),
    fc.integer({ min: 0, max: HOUR }),
    fc.integer({ min: 0, max: 30 * DAY }),
    fc.integer({ min: 0, max: 300 * YEAR }),
    fc.constantFrom(63, 64, 65, 4095, 4096, 4097, 2 ** 30 - 1, 2 ** 30, 2 ** 30 + 1, 2 ** 36, 2 ** 48),
  );
  type Step = { run(wheel: TimerWheel, model: Model): void };
  const schedule = fc.tuple(hash, span).map(
    ([[high, low], after]): Step => ({
      run(wheel, model) {
        wheel.schedule(high, low, model.now + after);
        model.deadlines.set(idOf(high, low), model.now + after);
      },
    }),
  );
  const cancel = hash.map(
    ([high, low]): Step => ({
      run(wheel, model) {
        expect(wheel.cancel(high, low)).toBe(model.deadlines.delete(idOf(high, low)));
      },
    }),
  );
  const advance = fc.tuple(span, fc.constantFrom(1, 2, 3, 100, Infinity)).map(
    ([after, limit]): Step => ({
      run(wheel, model) {
        const expected = model.due(model.now + after);
        expect(advanceAll(wheel, model.now + Math.min(0, after), limit).sort()).toEqual(expected.sort());
        for (const id of expected) model.deadlines.delete(id);
      },
    }),
  );
  const advanceOnce = fc.tuple(span, fc.integer({ min: 1, max: 3 })).map(
    ([after, limit]): Step => ({
      run(wheel, model) {
        const expected = new Set(model.due(model.now + after));
        const due = wheel.advance(model.now, limit);
        expect(due.length).toBeLessThanOrEqual(limit);
        for (const [high, low] of due) {
          expect(expected.delete(idOf(high, low))).toBe(true);
          model.deadlines.delete(idOf(high, low));
        }
        if (!due.more) expect(expected.size).toBe(0);
      },
    }),
  );
  const look = span.map(
    (after): Step => ({
      run(wheel, model) {
        const time = Math.max(model.now, model.now + after);
        expect(wheel.dueCount(model.now + after)).toBe(
          [...model.deadlines.values()].filter((deadline) => deadline <= time).length,
        );
      },
    }),
  );

  function check(wheel: TimerWheel, model: Model): void {
    expect(wheel.size).toBe(model.deadlines.size);
    for (const [id, deadline] of model.deadlines) expect(wheel.deadlineOf(...hashOf(id))).toBe(deadline);
    const first = Math.min(...model.deadlines.values());
    // Never too late; and when it is early, then not by more than what is left to go.
    expect(wheel.next()).toBeLessThanOrEqual(Math.max(first, model.now));
    if (first === Infinity) expect(wheel.next()).toBe(Infinity);
    else if (first > model.now && wheel.next() > model.now) expect(wheel.next()).toBeLessThanOrEqual(first);
  }

  test('in any order of calls', () => {
    const steps = fc.array(fc.oneof({ weight: 4, arbitrary: schedule }, cancel, advance, advanceOnce, look), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 4095, NOW), steps, (now, list) => {
        const wheel = new TimerWheel(now);
        const model = new Model(now);
        for (const step of list) {
          step.run(wheel, model);
          check(wheel, model);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('with a hundred thousand hashes, while time passes in steps of any size', () => {
    const wheel = new TimerWheel(NOW);
    const deadlines = new Map<number, number>();
    let random = 1;
    const next = (below: number) => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return Math.floor((random / 2 ** 32) * below);
    };
    const spans = [100, MINUTE, HOUR, 7 * DAY, 3 * YEAR];
    for (let i = 0; i < 100_000; i++) {
      const deadline = NOW + next(spans[i % 5]!);
      wheel.schedule(i, ~i, deadline);
      deadlines.set(i, deadline);
    }
    for (let i = 0; i < 100_000; i += 10) {
      expect(wheel.cancel(i, ~i)).toBe(true);
      deadlines.delete(i);
    }
    let now = NOW;
    for (const step of [0, 1, 1, 50, 999, MINUTE, HOUR / 2, HOUR, DAY, 8 * DAY, YEAR, 2 * YEAR]) {
      now += step;
      const expected = [...deadlines].filter(([, deadline]) => deadline <= now).map(([i]) => i);
      expect(wheel.dueCount(now)).toBe(expected.length);
      const due = advanceAll(wheel, now, 1000).map((id) => hashOf(id)[0]);
      expect(due.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
      for (const i of due) deadlines.delete(i);
      expect(wheel.size).toBe(deadlines.size);
    }
    expect(wheel.size).toBe(0);
  });
});

describe('a timer wheel', () => {
  const idsOf = (due: Iterable<Hash>) => [...due].map(([high]) => high).sort((a, b) => a - b);

  test('gives a hash at its millisecond and not before, however far it is', () => {
    for (const after of [1, 63, 64, 4096, HOUR, DAY, YEAR, 300 * YEAR, 2 ** 52]) {
      const wheel = new TimerWheel(NOW);
      wheel.schedule(1, 2, NOW + after);
      // The way there in several steps: as a timer that waits for `next` would go.
      for (let wakes = 0; wheel.next() < NOW + after; wakes++) {
        expect(wakes).toBeLessThan(9);
        expect([...wheel.advance(wheel.next(), 1)]).toEqual([]);
      }
      expect(wheel.advance(NOW + after - 1, 1).length).toBe(0);
      expect(wheel.next()).toBe(NOW + after);
      expect([...wheel.advance(NOW + after, 1)]).toEqual([[1, 2]]);
      expect(wheel.next()).toBe(Infinity);
    }
  });

  test('knows the very millisecond of what comes soon after the time it was brought to', () => {
    const wheel = new TimerWheel(0);
    wheel.advance(6400, 1);
    wheel.schedule(1, 1, 6405);
    expect(wheel.next()).toBe(6405);
  });

  test('keeps what a limit left over, and says that there is more', () => {
    const wheel = new TimerWheel(NOW);
    for (let i = 0; i < 2500; i++) wheel.schedule(i, 0, NOW + HOUR);
    const sizes: number[] = [];
    const seen: number[] = [];
    for (let more = true; more; ) {
      const due = wheel.advance(NOW + HOUR, 1000);
      sizes.push(due.length);
      seen.push(...idsOf(due));
      expect(wheel.size + seen.length).toBe(2500);
      expect(wheel.dueCount(NOW)).toBe(2500 - seen.length);
      more = due.more;
    }
    expect(sizes).toEqual([1000, 1000, 500]);
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 2500 }, (_, i) => i));
  });

  test('moves only so many entries in one call as its limit allows', () => {
    const wheel = new TimerWheel(0);
    // All in one bucket of level 2, which starts at 4096; none due for a while.
    for (let i = 0; i < 10_000; i++) wheel.schedule(i, 0, 4096 + 64 + (i % 1000));
    const calls: number[] = [];
    for (let more = true; more; ) {
      const due = wheel.advance(4096, 100);
      more = due.more;
      calls.push(due.length);
    }
    expect(calls).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(wheel.size).toBe(10_000);
    expect(wheel.next()).toBe(4096 + 64);
  });

  test('takes changes of what a limit left over', () => {
    const wheel = new TimerWheel(NOW);
    for (let i = 0; i < 10; i++) wheel.schedule(i, 0, NOW + 5);
    const first = idsOf(wheel.advance(NOW + 10, 3));
    const left = Array.from({ length: 10 }, (_, i) => i).filter((i) => !first.includes(i));
    wheel.cancel(left[0]!, 0);
    wheel.schedule(left[1]!, 0, NOW + 20);
    wheel.schedule(100, 0, NOW + 1);
    expect(idsOf(wheel.advance(NOW + 10, Infinity))).toEqual([...left.slice(2), 100]);
    expect(idsOf(wheel.advance(NOW + 20, Infinity))).toEqual([left[1]]);
  });

  test('ignores a step back of the clock', () => {
    const wheel = new TimerWheel(NOW);
    wheel.schedule(1, 1, NOW + HOUR);
    expect(wheel.advance(NOW + HOUR - 1, 10).length).toBe(0);
    expect(wheel.advance(NOW - YEAR, 10).length).toBe(0);
    wheel.schedule(2, 2, NOW + 5);
    expect(wheel.dueCount(NOW)).toBe(1);
    expect([...wheel.advance(NOW, 10)]).toEqual([[2, 2]]);
    expect([...wheel.advance(NOW + HOUR, 10)]).toEqual([[1, 1]]);
  });

  test('replaces the deadline of a hash, earlier or later', () => {
    const wheel = new TimerWheel(NOW);
    wheel.schedule(1, 1, NOW + DAY);
    wheel.schedule(1, 1, NOW + 10);
    wheel.schedule(2, 2, NOW + 10);
    wheel.schedule(2, 2, NOW + DAY);
    expect([wheel.size, wheel.deadlineOf(1, 1), wheel.deadlineOf(2, 2)]).toEqual([2, NOW + 10, NOW + DAY]);
    expect([...wheel.advance(NOW + 10, 10)]).toEqual([[1, 1]]);
    expect(wheel.deadlineOf(1, 1)).toBeUndefined();
  });

  test('tells hashes apart that share a half', () => {
    const wheel = new TimerWheel(0);
    wheel.schedule(1, 2, 10);
    wheel.schedule(2, 1, 20);
    wheel.schedule(1, 1, 30);
    expect([wheel.deadlineOf(1, 2), wheel.deadlineOf(2, 1), wheel.deadlineOf(1, 1)]).toEqual([10, 20, 30]);
    expect(wheel.deadlineOf(2, 2)).toBeUndefined();
  });

  test('takes both halves as 32-bit numbers, signed or not', () => {
    const wheel = new TimerWheel(0);
    wheel.schedule(0xffffffff, 0x80000000, 4);
    wheel.schedule(0xffffffff, 0x80000000, 5);
    expect(wheel.size).toBe(1);
    expect(wheel.deadlineOf(-1, -(2 ** 31))).toBe(5);
    expect(wheel.cancel(-1, 0x80000000)).toBe(true);
  });

  test('counts a fraction of a millisecond as the next one in a deadline, and as none in the time', () => {
    const wheel = new TimerWheel(0.9);
    wheel.schedule(1, 1, 10.1);
    expect(wheel.deadlineOf(1, 1)).toBe(11);
    expect(wheel.advance(10.99, 1).length).toBe(0);
    expect(wheel.advance(11, 1).length).toBe(1);
  });

  test('takes times before 1970 and beyond what numbers count', () => {
    const wheel = new TimerWheel(-5);
    wheel.schedule(1, 1, -3);
    wheel.schedule(2, 2, Number.MAX_VALUE);
    expect([...wheel.advance(-5, 10)]).toEqual([[1, 1]]);
    expect(wheel.deadlineOf(2, 2)).toBe(Number.MAX_SAFE_INTEGER);
    expect([...wheel.advance(Number.MAX_SAFE_INTEGER, 10)]).toEqual([[2, 2]]);
  });

  test('that was cleared is empty, and small again', () => {
    const wheel = new TimerWheel(NOW);
    const before = wheel.bytes();
    for (let i = 0; i < 1000; i++) wheel.schedule(i, i, NOW + i);
    wheel.advance(NOW + 10, 3);
    expect(wheel.bytes()).toBeGreaterThan(before + 29_000);
    wheel.clear();
    expect([wheel.size, wheel.next(), wheel.bytes()]).toEqual([0, Infinity, before]);
    expect(wheel.advance(NOW + YEAR, 10).length).toBe(0);
    wheel.schedule(5, 5, NOW + 2 * YEAR);
    expect([...wheel.advance(NOW + 2 * YEAR, 10)]).toEqual([[5, 5]]);
  });

  test('uses the place of what is gone again', () => {
    const wheel = new TimerWheel(NOW);
    for (let i = 0; i < 48; i++) wheel.schedule(i, 0, NOW + 1 + i);
    const full = wheel.bytes();
    for (let i = 0; i < 10_000; i++) {
      if (i % 2 === 0) expect(wheel.cancel(i, 0)).toBe(true);
      else expect(idsOf(wheel.advance(NOW + 1 + i, 1))).toEqual([i]);
      wheel.schedule(i + 48, 0, NOW + 49 + i);
    }
    expect([wheel.size, wheel.bytes()]).toEqual([48, full]);
  });

  test('takes at most 30 bytes a hash when full, and 59 after growing', () => {
    const wheel = new TimerWheel(NOW);
    const empty = wheel.bytes();
    let grown = 0;
    for (let i = 0; i < 98_304; i++) {
      const before = wheel.bytes();
      wheel.schedule(i, i, NOW + i);
      if (i > 10_000 && wheel.bytes() > before) grown = Math.max(grown, (wheel.bytes() - empty) / i);
    }
    expect((wheel.bytes() - empty) / wheel.size).toBeLessThan(30);
    expect(grown).toBeLessThan(59);
    expect(grown).toBeGreaterThan(50);
  });

  test('refuses what is no time, and a limit that allows nothing', () => {
    expect(() => new TimerWheel(Number.NaN)).toThrow(
      new RangeError('now: expected a finite number, got NaN'),
    );
    const wheel = new TimerWheel(0);
    expect(() => wheel.schedule(1, 1, Infinity)).toThrow('deadline: expected a finite number, got Infinity');
    expect(() => wheel.advance(Infinity, 1)).toThrow('now: expected a finite number, got Infinity');
    for (const limit of [0, -1, Number.NaN]) {
      expect(() => wheel.advance(1, limit)).toThrow(`limit: expected a number above 0, got ${limit}`);
    }
    expect(wheel.size).toBe(0);
  });
});
