import { expect, test } from 'vitest';
import { Packing } from '../../src/engine/packing.js';
import { Records } from '../../src/engine/records.js';
import type { KeyScan } from '../../src/engine/scan.js';
import { Scans } from '../../src/engine/scans.js';
import { FileLog, MemoryFile } from '../../src/storage/log/index.js';

const secret = Int32Array.of(1, 2);
const packing = new Packing({ codec: 'none', own: new Map(), secret });

function scanOf(prefix: string): KeyScan {
  const log = new FileLog(new MemoryFile(), {
    backend: 'test',
    generation: 1,
    written: 'os',
    flushed: () => 'os',
  });
  const take = async () =>
    Array.from({ length: 1000 }, (_, i) => ({ key: `${prefix}${i}`, location: i, hasDeadline: false }));
  const records = new Records(log, 0);
  records.retain();
  return { take, records, view: {} } as unknown as KeyScan;
}

test('a scan of one leader is none of the next, which has scans of its own', async () => {
  const before = new Scans(secret, packing, 7);
  const { id, items } = await before.begin(scanOf('a'), 'keys');
  expect(items[0]).toBe('a0');
  const after = new Scans(secret, packing, 8);
  const other = await after.begin(scanOf('b'), 'keys');
  expect(other.id).not.toBe(id);
  await expect(after.next(id)).rejects.toThrow('has ended');
  expect((await after.next(other.id)).items[0]).toBe('b0');
});
