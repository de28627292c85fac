/** The judge of real histories, judged: beside one that tries all orders. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Operation, violation } from '../../e2e/histories/linearizable.js';

const write = (value: string, begin: number, end: number): Operation => ({
  kind: 'write',
  value,
  begin,
  end,
});
const read = (value: string | undefined, begin: number, end: number): Operation => {
  return { kind: 'read', value, begin, end };
};

/** Whether some order of the operations, none before one that had ended when it began, makes sense. */
function byTrying(history: readonly Operation[], last: string | undefined = undefined): boolean {
  const open = history.filter((op) => op.end !== Infinity || op.kind === 'write');
  if (open.every(({ end }) => end === Infinity)) return true;
  const firstEnd = Math.min(...open.map(({ end }) => end));
  return open.some((op) => {
    // Touching moments count as overlapping.
    if (op.begin > firstEnd) return false;
    if (op.kind === 'read' && op.value !== last) return false;
    const rest = open.filter((other) => other !== op);
    return byTrying(rest, op.kind === 'write' ? op.value : last);
  });
}

describe('a history is refused', () => {
  test.each<[string, Operation[]]>([
    ['that reads what was overwritten', [write('a', 0, 1), write('b', 2, 3), read('a', 4, 5)]],
    ['that goes back in time', [write('a', 0, 1), write('b', 2, 9), read('b', 3, 4), read('a', 5, 6)]],
    ['that reads what nobody wrote', [read('a', 0, 1)]],
    ['that reads before the write', [read('a', 0, 1), write('a', 2, 3)]],
    ['that finds nothing after a write', [write('a', 0, 1), read(undefined, 2, 3)]],
    ['that loses a write of unknown end', [write('a', 0, Infinity), read('a', 1, 2), read(undefined, 3, 4)]],
  ])('%s', (_, history) => {
    expect(violation(history)).toBeDefined();
    expect(byTrying(history)).toBe(false);
  });
});

describe('a history is taken', () => {
  test.each<[string, Operation[]]>([
    ['where writes overlap', [write('a', 0, 9), write('b', 0, 9), read('b', 1, 2), read('a', 3, 4)]],
    ['where nobody knows of a write', [write('a', 0, Infinity), read(undefined, 5, 6), read('a', 7, 8)]],
    ['where a write never happened', [write('a', 0, Infinity), write('b', 1, 2), read('b', 3, 4)]],
    ['where a read has no answer', [write('a', 0, 1), write('b', 2, 3), read('a', 4, Infinity)]],
  ])('%s', (_, history) => {
    expect(violation(history)).toBeUndefined();
    expect(byTrying(history)).toBe(true);
  });
});

test('it agrees with one that tries all orders', () => {
  const moment = fc.integer({ min: 0, max: 14 });
  const span = fc.tuple(moment, fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Infinity)));
  const operation = fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3 }), span);
  let refused = 0;
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 7 }), (drawn) => {
      const written = new Set<string>();
      const history: Operation[] = [];
      // Ends and begins that meet would leave it open which was first: all moments differ.
      drawn.forEach(([isWrite, value, [begin, length]], i) => {
        const name = isWrite ? `w${i}` : `w${value}`;
        if (isWrite) written.add(name);
        const [from, to] = [begin + i / 100, begin + length + i / 100 + 0.001];
        history.push(isWrite ? write(name, from, to) : read(name, from, to));
      });
      const known = history.map((op) => (written.has(op.value!) ? op : { ...op, value: undefined }));
      const sound = violation(known) === undefined;
      refused += Number(!sound);
      expect(sound).toBe(byTrying(known));
    }),
    { numRuns: 5000, seed: 1 },
  );
  expect(refused).toBeGreaterThan(500);
});
