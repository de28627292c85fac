/** A sweep that cannot read what is due. */
import { expect, test } from 'vitest';
import { Clock } from './clock.js';
import { FakeDisk } from './disk.js';
import { closeStore, openStore } from './store.js';

const KEYS = 20;

test('a sweep that fails to read a key leaves all that is due to the next one, whichever read it was', async () => {
  const time = new Clock();
  const disk = new FakeDisk(() => time.age);
  const options = { ttl: { sweepInterval: Infinity }, cache: { maxBytes: 0 } };
  const first = await openStore(disk, time, options);
  for (let i = 0; i < KEYS; i++) await first.engine.set(`mortal ${i}`, 'x'.repeat(300 + i), { ttl: 1000 });
  await first.engine.set('stays', 1);
  await closeStore(first);
  time.pass(2000);

  let struck = true;
  for (let reads = 0; struck; reads++) {
    const copy = disk.copy();
    const { engine } = await openStore(copy, time, options);
    let left = reads;
    struck = false;
    copy.fault = ({ operation }) => {
      if (operation !== 'read' || struck || left-- > 0) return undefined;
      struck = true;
      return { throws: new Error('it cannot be read now') };
    };
    const swept = await engine.sweep().catch((error) => error);
    copy.fault = undefined;
    if (!struck) {
      expect(swept).toMatchObject({ expired: KEYS });
      expect(reads).toBeGreaterThan(2 * KEYS);
      continue;
    }
    expect(swept).toMatchObject({ code: 'IO' });
    expect(await engine.count(), `read ${reads}`).toBe(1);
    const { expiredObjects } = await engine.health();
    expect(await engine.sweep()).toMatchObject({ expired: expiredObjects });
    expect((await engine.health()).expiredObjects).toBe(0);
  }
});
