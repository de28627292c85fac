/** What the cache of records counts. */
import { expect, test } from 'vitest';
import { MADE } from '../../src/engine/made.js';
import { Records } from '../../src/engine/records.js';
import type { EntryView, Log } from '../../src/storage/log/index.js';

test('a packed value counts as what it will be unpacked, one made of others as it stands', () => {
  const entries = [
    { bytes: 100, kind: 1, packed: undefined },
    { bytes: 100, kind: 1, packed: { size: 5000, high: 0, low: 0 } },
    { bytes: 100, kind: 1 | MADE, packed: { size: 1_000_000, high: 0, low: 0 } },
    { bytes: 100, kind: 1, packed: { size: 1_000_000, high: 0, low: 0 } },
  ] as unknown as EntryView[];
  const records = new Records({ read: (location: number) => entries[location]! } as unknown as Log, 100_000);
  const grown = entries.map((_, location) => {
    const before = records.cachedBytes;
    records.read(location);
    return records.cachedBytes - before;
  });
  const plain = grown[0]!;
  expect(plain).toBeGreaterThan(100);
  expect(grown).toEqual([plain, plain + 5000, plain, 0]);
});
