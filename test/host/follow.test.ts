/** A follower's side of the channel, message by message. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ClosedError } from '../../src/base/errors.js';
import { Follow } from '../../src/host/follow.js';
import type { Channel, RelayMessage } from '../../src/host/relay.js';
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
  const answer = (id: number, answers: Answer[]) =>
    follow.receive({ type: 'answers', to: 'me', id, answers });

  beforeEach(() => {
    vi.useFakeTimers();
    posted = [];
    const channel = { post: (message: RelayMessage) => posted.push(message), close() {} };
    follow = new Follow(channel as unknown as Channel, 'me', { storeWide: {}, reconfigure: false }, 'auto');
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
    answer(ofType('calls')[0]!.id, [{ value: 'v' }]);
    expect(await answers).toEqual([{ value: 'v' }]);
  });

  test('asks the next leader again what only reads, and refuses what may have been written', async () => {
    welcome('a');
    const reading = follow.run([get]);
    const writing = follow.run([get, set]);
    follow.receive({ type: 'leading', leader: 'b' });
    const refused = await writing;
    expect(refused).toHaveLength(2);
    expect(refused[1]).toMatchObject({
      error: { name: 'LeaderUnresponsiveError', detail: { outcome: 'unknown' } },
    });
    const later = follow.run([set]);
    welcome('b');
    const asked = ofType('calls').filter(({ leader }) => leader === 'b');
    expect(asked.map(({ calls }) => calls)).toEqual([[get], [set]]);
    for (const { id } of asked) answer(id, [{ value: 1 }]);
    expect(await Promise.all([reading, later])).toEqual([[{ value: 1 }], [{ value: 1 }]]);
  });

  test('takes no answer twice, and none that is for another', async () => {
    welcome('a');
    const answers = follow.run([get]);
    const { id } = ofType('calls')[0]!;
    follow.receive({ type: 'answers', to: 'other', id, answers: [{ value: 'wrong' }] });
    answer(id, [{ value: 'right' }]);
    answer(id, [{ value: 'late' }]);
    expect(await answers).toEqual([{ value: 'right' }]);
  });

  test('is kept out with the error of the leader', async () => {
    follow.receive({ type: 'refused', to: 'me', error: packError(new TypeError('dedup.mode: differs')) });
    await expect(follow.opened).rejects.toThrow(TypeError);
  });

  test('gives what nobody answered to the tab itself when that leads', async () => {
    welcome('a');
    void follow.run([get]);
    const writing = follow.run([set]);
    const rest = follow.end(OPENED);
    expect(rest.map(({ calls }) => calls)).toEqual([[get]]);
    expect((await writing)[0]).toMatchObject({ error: { name: 'LeaderUnresponsiveError' } });
  });

  test('refuses all that waits when it is closed', async () => {
    const answers = follow.run([get]);
    follow.close(new ClosedError('the store is closed'));
    expect(await answers).toMatchObject([{ error: { name: 'ClosedError' } }]);
  });
});
