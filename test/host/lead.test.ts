/** What a leader does with numbered calls that come twice while the first is still under way. */
import { expect, test } from 'vitest';
import { Lead } from '../../src/host/lead.js';

test('a numbered call that is asked for again while it is under way is made once', async () => {
  const lead = await Lead.open({
    name: 'once',
    options: { persistence: 'memory', ttl: { sweepInterval: Infinity } },
    directory: undefined,
  });
  const calls = [{ method: 'merge', args: ['count', 1, 'counter'] }];
  const ask = (first: number, session = 'tab') => lead.run(calls, 'follower', session, { first, known: 1 });
  const both = await Promise.all([ask(1), ask(1), ask(1, 'another tab'), ask(2)]);
  expect(both).toEqual([[{ value: 1 }], [{ value: 1 }], [{ value: 2 }], [{ value: 3 }]]);
  expect(await ask(1)).toEqual([{ value: 1 }]);
  expect(await lead.engine.get('count')).toBe(3);
  lead.release('tab');
  expect(lead.clients).toEqual(['another tab']);
  await lead.close();
});
