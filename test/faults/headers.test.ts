/** Headers over a disk that fails: what was not written whole is refused, and the one before still counts. */
import { describe, expect, test } from 'vitest';
import { IoError, QuotaError, StoreError } from '../../src/base/errors.js';
import { type Header, readHeader, writeHeader } from '../../src/storage/log/index.js';
import { Clock } from './clock.js';
import { FakeDisk, type Fault } from './disk.js';
import { openStore } from './store.js';

const header: Header = {
  generation: 7,
  epoch: 3,
  createdAt: 1_700_000_000_000,
  flushedTo: 8,
  place: 1,
  secret: new Uint8Array(16).fill(9),
  settings: { dedup: 'exact' },
};
const old = () => new FakeDisk(() => 0);
const quota = Object.assign(new Error('no room'), { name: 'QuotaExceededError' });

describe('a header', () => {
  test('is read as it was written, also over a longer one', () => {
    const file = old().open('header');
    expect(readHeader(file)).toBe(undefined);
    writeHeader(file, { ...header, settings: { dedup: 'off', more: 'x'.repeat(600) } });
    writeHeader(file, header);
    expect(readHeader(file)).toEqual(header);
  });

  test('that is not written whole is refused, however the medium tells it', () => {
    for (const fault of ['short', 'lying', 'none', { throws: quota }] satisfies Fault[]) {
      const disk = old();
      disk.fault = ({ operation }) => (operation === 'write' ? fault : undefined);
      expect(() => writeHeader(disk.open('header'), header), String(fault)).toThrow(QuotaError);
      disk.fault = undefined;
      expect(readHeader(disk.open('header'))).toBe(undefined);
    }
    const disk = old();
    const file = disk.open('header');
    writeHeader(file, { ...header, epoch: 1, secret: new Uint8Array(16) });
    disk.fault = ({ operation }) => (operation === 'write' ? 'lying' : undefined);
    expect(() => writeHeader(file, header), 'in the place of another').toThrow(QuotaError);
  });

  test('is refused with a typed error whichever call fails', () => {
    for (const failing of ['write', 'flush', 'read'] as const) {
      const disk = old();
      disk.fault = ({ operation }) => (operation === failing ? { throws: new Error('no') } : undefined);
      expect(() => writeHeader(disk.open('header'), header), failing).toThrow(IoError);
    }
    for (const failing of ['size', 'read'] as const) {
      const disk = old();
      writeHeader(disk.open('header'), header);
      disk.fault = ({ operation }) => (operation === failing ? { throws: new Error('no') } : undefined);
      expect(() => readHeader(disk.open('header')), failing).toThrow(IoError);
      // Half a header must not be taken for none: a log without one is lost.
      disk.fault = ({ operation }) => (operation === 'read' ? 'none' : undefined);
      expect(() => readHeader(disk.open('header')), failing).toThrow(IoError);
    }
  });
});

describe('a store whose header cannot be written', () => {
  const open = async (fault: Fault) => {
    const time = new Clock();
    const disk = new FakeDisk(() => time.age);
    const { backend } = await openStore(disk, time);
    disk.fault = ({ operation, file }) =>
      operation === 'write' && file.startsWith('header') ? fault : undefined;
    return { backend, next: { ...backend.header, epoch: backend.header.epoch + 1 } };
  };

  test('says so, and does not go on as if it were', async () => {
    const { backend, next } = await open('short');
    await expect(backend.writeHeader(next)).rejects.toThrow(StoreError);
    expect(backend.header.epoch).toBe(next.epoch - 1);
  });

  test('says so with a typed error', async () => {
    const { backend, next } = await open({ throws: quota });
    await expect(backend.writeHeader(next)).rejects.toThrow(QuotaError);
  });
});
