/** Errors are what they are called, also where a second copy of the module made them. */
import { expect, test, vi } from 'vitest';
import { IoError, QuotaError, StoreError } from '../../src/base/errors.js';

test('an error of a second copy is of the class it is called by, and of no other', async () => {
  vi.resetModules();
  const second = await import('../../src/base/errors.js');
  expect(second.QuotaError).not.toBe(QuotaError);
  const error = new second.QuotaError('no room', { detail: 1 });
  expect(error instanceof QuotaError).toBe(true);
  expect(error instanceof StoreError).toBe(true);
  expect(error instanceof IoError).toBe(false);
  expect(new QuotaError('no room') instanceof second.QuotaError).toBe(true);
  expect(new second.StoreError('x') instanceof StoreError).toBe(true);
  expect(new second.StoreError('x') instanceof QuotaError).toBe(false);
  for (const other of [
    new Error('QuotaError'),
    { name: 'QuotaError', code: 'QUOTA' },
    null,
    undefined,
    'QuotaError',
  ]) {
    expect(other instanceof QuotaError).toBe(false);
    expect(other instanceof StoreError).toBe(false);
  }
});

test('a class that an application derives keeps to its own', () => {
  class Mine extends QuotaError {}
  expect(new Mine('x') instanceof Mine).toBe(true);
  expect(new Mine('x') instanceof QuotaError).toBe(true);
  expect(new QuotaError('x') instanceof Mine).toBe(false);
  expect(Object.keys(new QuotaError('x'))).toEqual(['code', 'detail', 'name']);
});
