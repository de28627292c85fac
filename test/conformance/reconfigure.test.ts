/** Options that belong to the store: kept with it, refused where they differ, changed where that is asked for. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClientOptions, Store } from '../../src/index.js';
import { newPlace, type Place } from './open-each.js';

const LONG = 'words that repeat '.repeat(200);

describe.each(['disk', 'hybrid'] as const)('a store in %s', (kind) => {
  let place: Place;
  let store: Store | undefined;

  beforeEach(() => {
    place = newPlace(kind);
  });
  afterEach(() => store?.destroy());

  const reopen = async (options: ClientOptions = {}) => {
    await store?.close();
    store = undefined;
    store = await place.open(options);
    return store;
  };

  test('keeps what it was made with for openings that say nothing', async () => {
    const made = await reopen({
      compression: 'gzip',
      ttl: { default: '1h' },
      maplet: { capacity: 5, autoResize: false },
    });
    await made.set('first', LONG);
    const bytes = (await made.stats()).storage.bytes;
    const next = await reopen({ undo: { depth: 3 } });
    await next.set('second', `${LONG}!`);
    expect((await next.stats()).storage.bytes).toBeLessThan(2 * bytes + 200);
    expect(await next.ttl('second')).toBeGreaterThan(3_500_000);
    await next.setMany(['a', 'b', 'c'].map((key) => [key, 1]));
    await expect(next.set('d', 1)).rejects.toMatchObject({ code: 'CAPACITY' });
  });

  test('takes the same again, however it is said, and refuses what differs, which changes nothing', async () => {
    await reopen({ ttl: { default: '60s' }, dedup: { mode: 'exact' }, compression: 'none' });
    await reopen({ ttl: { default: 60_000 }, dedup: { mode: 'exact' } });
    await store!.set('k', LONG);
    const wrong: [ClientOptions, RegExp][] = [
      [{ ttl: { default: '61s' } }, /^ttl.default: the store has 60000, got 61000; .*reconfigure: true/],
      [{ ttl: { default: Infinity } }, /ttl.default: the store has 60000, got Infinity/],
      [{ compression: 'gzip' }, /compression: the store has "none", got "gzip"/],
      [{ dedup: { mode: 'off' } }, /dedup.mode: the store has "exact", got "off"/],
      [{ maplet: { capacity: 3 } }, /maplet.capacity: the store has 10000, got 3/],
    ];
    await store!.close();
    for (const [options, message] of wrong) {
      await expect(place.open(options)).rejects.toThrow(message);
      await expect(place.open(options)).rejects.toBeInstanceOf(TypeError);
    }
    const again = await reopen();
    expect(await again.get('k')).toBe(LONG);
    expect(await again.ttl('k')).toBeLessThanOrEqual(60_000);
  });

  test('becomes what is asked for with reconfigure, for good, and mixes what was and what is', async () => {
    const made = await reopen();
    await made.set('raw', LONG);
    const zipped = await reopen({ compression: 'gzip', ttl: { default: '1h' }, reconfigure: true });
    await zipped.set('zipped', `${LONG}!`);
    await zipped.set('same', LONG);
    const kept = await reopen();
    expect(await kept.ttl('raw')).toBeNull();
    expect(await kept.getMany(['raw', 'zipped', 'same'])).toEqual([LONG, `${LONG}!`, LONG]);
    expect(await kept.countUnique()).toBe(2);
    await kept.compact();
    const back = await reopen({ compression: 'deflate-raw', ttl: { default: Infinity }, reconfigure: true });
    await back.set('third', `${LONG}?`);
    expect(await back.ttl('third')).toBeNull();
    const last = await reopen({ compression: 'deflate-raw' });
    expect(await last.getMany(['raw', 'zipped', 'same', 'third'])).toEqual([
      LONG,
      `${LONG}!`,
      LONG,
      `${LONG}?`,
    ]);
  });

  test('says what no store can become', async () => {
    await reopen({ dedup: { mode: 'off' } });
    await store!.set('k', 1);
    await store!.close();
    const turn = place.open({ dedup: { mode: 'exact' }, reconfigure: true });
    await expect(turn).rejects.toThrow(/dedup.mode: the store has "off" and cannot become "exact"; export/);
    expect(await (await reopen({ reconfigure: true })).get('k')).toBe(1);
  });
});

test('a new store is not made with options that are refused', async () => {
  const place = newPlace('hybrid');
  await expect(place.open({ compression: 'zip' })).rejects.toThrow(/compression/);
  await expect(place.open({ reconfigure: 1 as never })).rejects.toThrow(
    'reconfigure: expected true or false',
  );
  const store = await place.open({ dedup: { mode: 'off' } });
  await store.destroy();
});
