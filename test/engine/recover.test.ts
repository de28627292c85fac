/** Reading a log: keys that nothing is known of are placed in the index, and called back where their extent is not sealed. */
import { describe, expect, test } from 'vitest';
import { secretFrom } from '../../src/base/hash.js';
import { Contents } from '../../src/engine/contents.js';
import { restoreImage } from '../../src/engine/image.js';
import { Lookup } from '../../src/engine/lookup.js';
import { Packing } from '../../src/engine/packing.js';
import { Records } from '../../src/engine/records.js';
import { recover } from '../../src/engine/recover.js';
import { settle } from '../../src/engine/settle.js';
import { State } from '../../src/engine/state.js';
import { FileImages } from '../../src/storage/images.js';
import { entry, FileLog, MemoryFile, Type } from '../../src/storage/log/index.js';
import { scanAll } from './bench-store.js';
import { Disk, figures, openOn, sealAll, variety } from './image-store.js';

const SECRET = secretFrom(Uint8Array.from({ length: 16 }, (_, i) => i));

function reading(file: MemoryFile) {
  const log = new FileLog(file, { backend: 'test', generation: 1, written: 'os', flushed: () => 'durable' });
  const state = new State(SECRET, true, 0, { segmentSlots: 16, leastSlots: 8 });
  const packing = new Packing({ codec: 'none', own: new Map(), secret: SECRET });
  const records = new Records(log, 2 ** 20);
  const contents = new Contents(state, records, packing);
  const lookup = new Lookup(state, records, contents);
  return { log, state, contents, settle: () => settle(state, lookup, contents) };
}

describe('a log that is read', () => {
  test('has all keys of an extent that is not sealed, however many, and sealed once they are all there', async () => {
    const bench = await openOn(new Disk(), { images: null });
    const entries = Array.from({ length: 5000 }, (_, i): [string, unknown] => [
      `${i % 2 ? 'key' : '漢'} number ${String(i).padStart(9, '0')}`,
      i % 7,
    ]);
    await bench.engine.setMany(entries);
    const again = await openOn(bench.disk.copy(), { images: null });
    expect(await figures(again)).toEqual(await figures(bench));
    await sealAll(again);
    await sealAll(bench);
    expect(await scanAll(again.engine, 'keys')).toEqual(await scanAll(bench.engine, 'keys'));
    expect(await again.engine.getMany(entries.map(([key]) => key))).toEqual(
      entries.map(([, value]) => value),
    );
  });

  test('gives the live bytes that compaction goes by, as the live store has them', async () => {
    const { engine, disk } = await variety();
    await engine.close();
    const whole = reading(disk.log);
    await recover(whole);
    const restored = reading(disk.log);
    const image = await restoreImage(new FileImages(disk.images), restored.state, restored.log);
    await recover(restored, image!.position);
    for (const one of [whole, restored]) await one.settle();
    expect(whole.state.perPut).toEqual(restored.state.perPut);
    expect(whole.state.liveBytes).toBe(restored.state.liveBytes);
  });

  test('is refused when versions go backwards, also with keys that nothing is known of', async () => {
    const file = new MemoryFile();
    const { log } = reading(file);
    for (const [sequence, key] of [
      [2, 'a'],
      [1, 'b'],
    ] as const) {
      const batch = log.begin();
      batch.add(entry({ type: Type.Put, sequence, time: 1, key, value: new Uint8Array(1), brings: true }));
      log.append(batch, false);
    }
    await expect(recover(reading(file))).rejects.toMatchObject({ code: 'CORRUPTION' });
  });
});
