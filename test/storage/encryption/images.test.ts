/** Encrypted images: what was written comes back, and anything else is none. */
import { expect, test } from 'vitest';
import { EncryptedImages } from '../../../src/storage/encryption/images.js';
import type { ImageStore } from '../../../src/storage/images.js';
import { expectGolden } from '../../structures/golden.js';
import { GENERATION, makeKeys, STORE } from './log-store.js';

/** Payloads as they were written, without a check of their own. */
class Plain implements ImageStore {
  payload: Uint8Array | undefined;

  *images(): Generator<Uint8Array> {
    if (this.payload) yield this.payload;
  }

  begin() {
    const bytes: number[] = [];
    return {
      write: (piece: Uint8Array) => {
        bytes.push(...piece);
      },
      commit: () => {
        this.payload = Uint8Array.from(bytes);
      },
    };
  }
}

async function written(...pieces: string[]): Promise<{ plain: Plain; images: EncryptedImages }> {
  const plain = new Plain();
  const images = new EncryptedImages(plain, await makeKeys(), STORE);
  const writer = images.begin(GENERATION);
  for (const piece of pieces) await writer.write(new TextEncoder().encode(piece));
  await writer.commit();
  return { plain, images };
}

async function read(images: EncryptedImages, generation = GENERATION): Promise<string[]> {
  const found: string[] = [];
  for await (const payload of images.images(generation)) found.push(new TextDecoder().decode(payload));
  return found;
}

test('an image comes back whole, however many pieces it has', async () => {
  for (const pieces of [
    [],
    ['one'],
    ['one', ' and two'],
    Array.from({ length: 50 }, (_, i) => `piece ${i},`),
  ]) {
    const { plain, images } = await written(...pieces);
    expect(await read(images)).toEqual([pieces.join('')]);
    expect(new TextDecoder('latin1').decode(plain.payload)).not.toContain('one');
  }
  const { plain } = await written('one', ' and two');
  expectGolden('encrypted-v1/image.json', { payload: plain.payload! });
});

test('an image with any bit altered, cut anywhere, longer, or of another log is none', async () => {
  const { plain, images } = await written('one', ' and two');
  const bytes = plain.payload!;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    plain.payload = bytes.slice();
    plain.payload[bit >> 3]! ^= 1 << (bit & 7);
    expect(await read(images), `bit ${bit}`).toEqual([]);
  }
  for (let length = 0; length < bytes.length; length++) {
    plain.payload = bytes.slice(0, length);
    expect(await read(images), `${length} bytes`).toEqual([]);
  }
  plain.payload = Uint8Array.of(...bytes, 0);
  expect(await read(images)).toEqual([]);
  plain.payload = bytes;
  expect(await read(images, GENERATION + 1)).toEqual([]);
  expect(await read(new EncryptedImages(plain, await makeKeys(), STORE.with(0, 0)))).toEqual([]);
  expect(await read(new EncryptedImages(plain, await makeKeys(5), STORE))).toEqual([]);
});

test('pieces in another order, or of two images, are none', async () => {
  const { plain, images } = await written('aaa', 'bbb');
  const bytes = plain.payload!;
  const length = 4 + 3 + 34;
  const [a, b, end] = [bytes.slice(0, length), bytes.slice(length, 2 * length), bytes.slice(2 * length)];
  const joined = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  plain.payload = joined(a, b, end);
  expect(await read(images)).toEqual(['aaabbb']);
  for (const order of [[b, a, end], [a, end], [b, end], [a, a, end], [a, b], [a], [end]]) {
    plain.payload = joined(...order);
    expect(await read(images)).toEqual([]);
  }
  const writer = images.begin(GENERATION);
  for (const piece of ['ccc', 'ddd']) await writer.write(new TextEncoder().encode(piece));
  await writer.commit();
  const other = plain.payload;
  plain.payload = joined(a, other.slice(length, 2 * length), end);
  expect(await read(images)).toEqual([]);
  plain.payload = joined(a, other.slice(length));
  expect(await read(images)).toEqual([]);
});

test('an error of the medium that is none of ours is told', async () => {
  const inner = {
    images: () => {
      throw new Error('boom');
    },
    begin: () => {
      throw new Error('boom');
    },
  };
  const images = new EncryptedImages(inner as unknown as ImageStore, await makeKeys(), STORE);
  await expect(read(images)).rejects.toThrow('boom');
});
