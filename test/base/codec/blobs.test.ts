import { describe, expect, test } from 'vitest';
import { decode, encode, Kind } from '../../../src/base/codec/index.js';
import { SerializationError } from '../../../src/base/errors.js';

const roundTrip = async (value: unknown) => {
  const { kind, bytes } = await encode(value);
  return decode(kind, bytes);
};

describe('a Blob', () => {
  test('makes encode give a promise, and nothing else does', () => {
    expect(encode(new Blob(['x']))).toBeInstanceOf(Promise);
    expect(encode({ list: [new File([], 'x')] })).toBeInstanceOf(Promise);
    expect(encode({ list: [1] })).not.toBeInstanceOf(Promise);
  });

  test('comes back as a Blob with type and content', async () => {
    const copy = (await roundTrip(new Blob(['héllo'], { type: 'text/plain' }))) as Blob;
    expect(copy.constructor).toBe(Blob);
    expect([copy.type, copy.size, await copy.text()]).toEqual(['text/plain', 6, 'héllo']);
  });

  test('that is a File keeps name and time too', async () => {
    const copy = (await roundTrip(
      new File(['ab'], 'a.txt', { type: 'text/csv', lastModified: 1234567890123 }),
    )) as File;
    expect(copy.constructor).toBe(File);
    expect([copy.name, copy.type, copy.lastModified, await copy.text()]).toEqual([
      'a.txt',
      'text/csv',
      1234567890123,
      'ab',
    ]);
  });

  test('may be among other values, twice, empty and large', async () => {
    const one = new Blob(['one']);
    const large = new Blob([new Uint8Array(100_000).fill(7)]);
    const value = { a: 'before', one, list: [one, new Blob([]), large], b: 'before' };
    const copy = (await roundTrip(value)) as typeof value;
    expect([copy.a, copy.b]).toEqual(['before', 'before']);
    expect(copy.list[0]).toBe(copy.one);
    expect(await copy.one.text()).toBe('one');
    expect((copy.list[1] as Blob).size).toBe(0);
    expect(new Uint8Array(await (copy.list[2] as Blob).arrayBuffer())).toEqual(
      new Uint8Array(100_000).fill(7),
    );
  });

  test('does not disturb what is encoded while it is read', async () => {
    const waiting = [1, 2, 3].map((n) => encode({ n, blob: new Blob([`blob ${n}`]) }));
    expect(decode(Kind.Tagged, (encode(['meanwhile']) as { bytes: Uint8Array }).bytes)).toEqual([
      'meanwhile',
    ]);
    for (const [i, encoded] of (await Promise.all(waiting)).entries()) {
      const { n, blob } = decode(encoded.kind, encoded.bytes) as { n: number; blob: Blob };
      expect([n, await blob.text()]).toEqual([i + 1, `blob ${i + 1}`]);
    }
  });

  test('encodes to the same bytes each time', async () => {
    const make = () => ({ blob: new Blob(['x'], { type: 'a/b' }), after: 1 });
    expect(await encode(make())).toEqual(await encode(make()));
  });

  test('that cannot be read any more is refused with its place', async () => {
    const gone = new Blob(['x']);
    const cause = new Error('the file is gone');
    Object.defineProperty(gone, 'arrayBuffer', { value: () => Promise.reject(cause) });
    const error = await Promise.resolve(encode({ list: [1, gone] })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SerializationError);
    expect(error).toMatchObject({ message: 'value.list[1] could not be read', cause });
  });

  test('whose content has another size than it said is refused', async () => {
    const changed = new Blob(['x']);
    Object.defineProperty(changed, 'arrayBuffer', { value: () => Promise.resolve(new ArrayBuffer(2)) });
    await expect(encode(changed)).rejects.toThrow('value changed while it was read');
  });

  test('with a function beside it is refused at once', () => {
    expect(() => encode([new Blob(['x']), () => 1])).toThrow('value[1] is a function');
  });
});
