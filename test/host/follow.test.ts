/** A follower's side of the channel, message by message. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClosedError } from '../../src/base/errors.js';
import { Follow } from '../../src/host/follow.js';
import type { RelayMessage } from '../../src/host/relay.js';
import { packError } from '../../src/wire/errors.js';
import type { Answer, Opened } from '../../src/wire/messages.js';

const OPENED = { mode: 'hybrid', capabilities: {} } as unknown as Opened;
const get = { method: 'get', args: ['k'] };
const set = { method: 'set', args: ['k', 1] };

describe('a follower', () => {
  let posted: RelayMessage[];
  let follow: Follow;
  const ofType = <T extends RelayMessage['type']>(type: T) =>
    posted.filter((message): message is Extract<RelayMessage, { type: T }> => message.type === type);
  const welcome = (leader: string) => follow.receive({ type: 'welcome', to: 'me', leader, opened: OPENED });
  const answer = (first: number, answers: Answer[], leader = 'a') =>
    follow.receive({ type: 'answers', to: 'me', leader, first, answers });
  const after = (ms: number, task: () => void) => {
    const timer = setTimeout(task, ms);
    return () => clearTimeout(timer);
  };
  let silences: number;

  beforeEach(() => {
    vi.useFakeTimers();
    posted = [];
    silences = 0;
    follow = new Follow({
      tabs: { after },
      channel: { post: (message) => void posted.push(message) },
      id: 'me',
      wish: { storeWide: {}, reconfigure: false },
      persistence: 'auto',
      onSilence: () => void silences++,
    });
    follow.hello();
  });
  afterEach(() => {
    follow.close(new ClosedError('over'));
    vi.useRealTimers();
  });

  test('says hello until it is welcome, and keeps its calls for the leader', async () => {
    const answers = follow.run([get]);
    vi.advanceTimersByTime(1000);
    expect(ofType('hello').length).toBe(5);
    expect(ofType('calls')).toEqual([]);
    welcome('a');
    expect(await follow.opened).toBe(OPENED);
    vi.advanceTimersByTime(1000);
    expect(ofType('hello').length).toBe(5);
    expect(ofType('calls')).toMatchObject([{ leader: 'a', from: 'me', calls: [get] }]);
    answer(ofType('calls')[0]!.first, [{ value: 'v' }]);
    expect(await answers).toEqual([{ value: 'v' }]);
  });

  test('asks the next leader again what had no answer, under the same numbers and in order', async () => {
    welcome('a');
    const one = follow.run([get]);
    const two = follow.run([get, set]);
    const three = follow.run([set]);
    answer(1, [{ value: 'first' }]);
    expect(await one).toEqual([{ value: 'first' }]);
    follow.receive({ type: 'leading', leader: 'b' });
    const later = follow.run([set]);
    expect(ofType('calls').filter(({ leader }) => leader === 'b')).toEqual([]);
    welcome('b');
    const asked = ofType('calls').filter(({ leader }) => leader === 'b');
    expect(asked.map(({ first, known, calls }) => ({ first, known, calls }))).toEqual([
      { first: 2, known: 2, calls: [get, set] },
      { first: 4, known: 2, calls: [set] },
      { first: 5, known: 2, calls: [set] },
    ]);
    for (const { first, calls } of asked)
      answer(
        first,
        calls.map(() => ({ value: first })),
        'b',
      );
    expect(await Promise.all([two, three, later])).toEqual([
      [{ value: 2 }, { value: 2 }],
      [{ value: 4 }],
      [{ value: 5 }],
    ]);
  });

  test('asks no leader twice that says welcome twice, and takes nothing of the one before', async () => {
    welcome('a');
    const writing = follow.run([set]);
    welcome('a');
    expect(ofType('calls')).toHaveLength(1);
    follow.receive({ type: 'leading', leader: 'b' });
    welcome('b');
    answer(1, [{ value: 'stale' }], 'a');
    answer(1, [{ value: 'new' }], 'b');
    expect(await writing).toEqual([{ value: 'new' }]);
  });

  test('tells with each message up to where it has its answers', async () => {
    welcome('a');
    const one = follow.run([set, set]);
    const two = follow.run([set]);
    answer(3, [{ value: 1 }]);
    await two;
    void follow.run([get]);
    answer(1, [{ value: 1 }, { value: 2 }]);
    await one;
    void follow.run([get]);
    expect(ofType('calls').map(({ first, known }) => [first, known])).toEqual([
      [1, 1],
      [3, 1],
      [4, 1],
      [5, 4],
    ]);
  });

  test('asks a leader to yield that says nothing for five seconds, and gives up on it a second later', () => {
    welcome('a');
    vi.advanceTimersByTime(60_000);
    expect(ofType('yield')).toEqual([]);
    void follow.run([get]);
    vi.advanceTimersByTime(4000);
    follow.receive({ type: 'beat', leader: 'a' });
    vi.advanceTimersByTime(4999);
    follow.receive({ type: 'beat', leader: 'another' });
    expect(ofType('yield')).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ofType('yield')).toEqual([{ type: 'yield', leader: 'a' }]);
    vi.advanceTimersByTime(999);
    expect(silences).toBe(0);
    vi.advanceTimersByTime(1);
    expect(silences).toBe(1);
  });

  test('is patient again with a leader that answers when it is asked to yield', () => {
    welcome('a');
    void follow.run([get]);
    void follow.run([get]);
    vi.advanceTimersByTime(5500);
    follow.receive({ type: 'beat', leader: 'a' });
    vi.advanceTimersByTime(1000);
    answer(1, [{ value: 1 }]);
    vi.advanceTimersByTime(4999);
    expect(silences).toBe(0);
    answer(2, [{ value: 1 }]);
    vi.advanceTimersByTime(60_000);
    expect([silences, ofType('yield').length]).toEqual([0, 1]);
  });

  test('asks nobody while it rests', () => {
    welcome('a');
    follow.rest();
    void follow.run([get]);
    vi.advanceTimersByTime(60_000);
    expect([ofType('calls').length, ofType('hello').length, silences]).toEqual([0, 1, 0]);
  });

  test('is kept out with the error of the leader', async () => {
    follow.receive({ type: 'refused', to: 'me', error: packError(new TypeError('dedup.mode: differs')) });
    await expect(follow.opened).rejects.toThrow(TypeError);
  });

  test('gives what nobody answered to the tab itself when that leads', () => {
    welcome('a');
    void follow.run([get]);
    void follow.run([set]);
    expect(follow.end(OPENED).map(({ first, calls }) => [first, calls])).toEqual([
      [1, [get]],
      [2, [set]],
    ]);
    expect(follow.end(OPENED)).toEqual([]);
  });

  test('refuses all that waits when it is closed', async () => {
    const answers = follow.run([get]);
    follow.close(new ClosedError('the store is closed'));
    expect(await answers).toMatchObject([{ error: { name: 'ClosedError' } }]);
  });
});
