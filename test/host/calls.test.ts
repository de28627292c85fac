import { describe, expect, test } from 'vitest';
import { runCalls } from '../../src/host/calls.js';
import { openBench } from '../engine/bench-store.js';

describe('the calls of a message', () => {
  test('are answered each by itself: a wrong one takes none along', async () => {
    const { engine } = await openBench();
    const answers = await runCalls(engine, [
      { method: 'set', args: ['a', 1] },
      { method: 'set', args: [7, 1] },
      { method: 'noSuchCall', args: [] },
      { method: 'constructor', args: [] },
      { method: 'get', args: ['a'] },
    ]);
    expect(answers).toMatchObject([
      { value: { version: 1 } },
      { error: { name: 'TypeError', message: 'key: expected a string, got 7' } },
      { error: { name: 'TypeError', message: 'there is no call noSuchCall' } },
      { error: { name: 'TypeError', message: 'there is no call constructor' } },
      { value: 1 },
    ]);
  });
});
