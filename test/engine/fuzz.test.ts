/**
 * Bytes that were altered at random, in ways that come from a seed: the log, an image, an
 * export. Whatever they say, nothing is thrown but typed errors, and nothing is made up.
 */
import { describe, expect, test } from 'vitest';
import { StoreError } from '../../src/base/errors.js';
import { secretFrom } from '../../src/base/hash.js';
import { restoreImage } from '../../src/engine/image.js';
import { State } from '../../src/engine/state.js';
import { FileImages } from '../../src/storage/images.js';
import { FileLog, MemoryFile } from '../../src/storage/log/index.js';
import { Chance } from '../faults/chance.js';
import { FakeTime, scanAll } from './bench-store.js';
import { Disk, LONG, openOn, variety } from './image-store.js';
import { exportAll, importAll } from './transfers-of.js';

const ROUNDS = 300;

/** The bytes with one to four places altered: flipped, zeroed, cut out, doubled, put in from elsewhere. */
function altered(bytes: Uint8Array, chance: Chance): Uint8Array {
  let result = bytes;
  for (let times = 1 + chance.below(4); times > 0; times--) {
    const at = chance.below(result.length);
    const length = 1 + chance.below(Math.min(64, result.length - at));
    const from = chance.below(result.length);
    const before = result.subarray(0, at);
    const behind = result.subarray(at + length);
    const parts = chance.of([
      [before, Uint8Array.of(result[at]! ^ (1 << chance.below(8))), result.subarray(at + 1)],
      [before, new Uint8Array(length), behind],
      [before, behind],
      [result.subarray(0, at + length), result.subarray(at)],
      [before, result.subarray(from, from + length), behind],
      [before],
    ]);
    result = new Uint8Array(Buffer.concat(parts));
    if (result.length === 0) return result;
  }
  return result;
}

const textOf = (value: unknown) => (value instanceof Uint8Array ? `${value.length} bytes` : `${value}`);

describe('altered at random', () => {
  test('a log opens with what was written and nothing else, or is refused with a typed error', async () => {
    const { engine, disk } = await openOn(new Disk(), { images: null });
    const written = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const pairs = Array.from({ length: 8 }, (_, i): [string, unknown] => [
        `key ${i}`,
        i % 2 ? `${LONG} ${i % 3}` : round,
      ]);
      for (const [key, value] of pairs) written.add(`${key} = ${textOf(value)}`);
      await engine.setMany(pairs, round === 3 ? { ttl: 1000 } : {});
      await engine.delete(`key ${round}`);
      if (round % 2 === 1) await engine.flush();
    }
    const whole = disk.log.content();
    let opened = 0;
    let refused = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const log = new MemoryFile(altered(whole, new Chance(seed)));
      try {
        const again = await openOn(new Disk(log), { images: null, time: new FakeTime() });
        for (const [key, value] of await scanAll<[string, unknown]>(again.engine, 'entries')) {
          expect(written, `seed ${seed}`).toContain(`${key} = ${textOf(value)}`);
        }
        opened += 1;
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(StoreError);
        refused += 1;
      }
    }
    // Both have to come up, or nothing was tried.
    expect(opened).toBeGreaterThan(ROUNDS / 10);
    expect(refused).toBeGreaterThan(ROUNDS / 10);
  });

  test('an image is taken or left, and in a file it is left', async () => {
    const { engine, disk } = await variety();
    await engine.close();
    const secret = secretFrom(Uint8Array.from({ length: 16 }, (_, i) => i));
    const newState = () => new State(secret, true, 0, { segmentSlots: 16, leastSlots: 8 });
    const log = new FileLog(disk.log, { backend: 'test', generation: 1, written: 'os', flushed: () => 'os' });
    const payloads: Uint8Array[] = [];
    for await (const payload of new FileImages(disk.images).images(1)) payloads.push(payload.slice());
    expect(payloads.length).toBeGreaterThan(0);
    const shape = { index: { segmentSlots: 16, leastSlots: 8 } };
    const count = await (await openOn(disk.copy(), { ...shape, images: null })).engine.count();
    expect(count).toBeGreaterThan(30);
    let taken = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const chance = new Chance(seed);
      const payload = altered(payloads[0]!, chance);
      const images = {
        async *images() {
          yield payload;
        },
        begin: () => {
          throw new Error('nothing is written here');
        },
      };
      // As if its check had held: only what is in it can tell.
      if (await restoreImage(images, newState(), log)) taken += 1;
      const files: [MemoryFile, MemoryFile] = [
        new MemoryFile(altered(disk.images[0].content(), chance)),
        new MemoryFile(altered(disk.images[1].content(), chance)),
      ];
      const again = await openOn(new Disk(new MemoryFile(disk.log.content()), files), {
        ...shape,
        time: new FakeTime(),
      });
      expect(await again.engine.count(), `seed ${seed}`).toBe(count);
    }
    expect(taken).toBeLessThan(ROUNDS);
  });

  test('an export is refused with a typed error, and nothing of it is taken in', async () => {
    const { engine } = await variety();
    const whole = await exportAll(engine);
    const target = await openOn(new Disk(), { images: null });
    await target.engine.set('there', 'before');
    let same = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const bytes = altered(whole, new Chance(seed));
      if (Buffer.compare(bytes, whole) === 0) {
        same += 1;
        continue;
      }
      const outcome = await importAll(target.engine, bytes, { mode: 'merge' }, 50_000).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(outcome, `seed ${seed}`).toBeInstanceOf(StoreError);
      expect(await target.engine.count(), `seed ${seed}`).toBe(1);
    }
    expect(same).toBeLessThan(ROUNDS / 10);
  });
});
