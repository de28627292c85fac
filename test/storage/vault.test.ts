/** The vault of a store in files: the format of its pieces, and what IndexedDB makes of it. */
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.js';
import { crc32c } from '../../src/base/crc32c.js';
import { FormatError } from '../../src/base/errors.js';
import { destroyVault, IndexedDbVault, listVaults } from '../../src/storage/indexeddb-vault.js';
import { openPiece, sealPiece } from '../../src/storage/vault.js';

const bytes = Uint8Array.from({ length: 40 }, (_, i) => (i * 37) & 0xff);

describe('a piece', () => {
  test('of the example is the bytes of the comment in vault.ts', () => {
    const comment = readFileSync(new URL('../../src/storage/vault.ts', import.meta.url), 'utf8');
    const [line] = /^ \* {4}[0-9a-f]{2}( +[0-9a-f]{2}){9}$/m.exec(comment)!;
    const sealed = sealPiece(Uint8Array.of(0x68, 0x69), 7);
    expect(toHex(sealed)).toBe(line!.replace(/[^0-9a-f]/g, ''));
  });

  test('is the golden one, and read as it was written', () => {
    const golden = new Uint8Array(readFileSync(new URL('../fixtures/vault-v1/piece.bin', import.meta.url)));
    expect(toHex(sealPiece(bytes, 7))).toBe(toHex(golden));
    expect(openPiece(golden, 7)).toEqual(bytes);
  });

  test('of another log, cut at any byte, or with any bit flipped, is none', () => {
    const sealed = sealPiece(bytes, 7);
    expect(openPiece(sealed, 8)).toBe(undefined);
    for (let cut = 0; cut < sealed.length; cut++)
      expect(openPiece(sealed.subarray(0, cut), 7), `cut ${cut}`).toBe(undefined);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const damaged = sealed.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(openPiece(damaged, 7), `bit ${bit}`).toBe(undefined);
    }
  });

  test('of a newer format is refused, and one of none is no piece', () => {
    const versioned = (version: number, reserved = 0) => {
      const sealed = sealPiece(bytes, 7);
      const view = new DataView(sealed.buffer);
      view.setUint16(4, version, true);
      view.setUint16(6, reserved, true);
      view.setUint32(0, crc32c(sealed, 4, sealed.length, 7), true);
      return sealed;
    };
    expect(openPiece(versioned(1), 7)).toEqual(bytes);
    expect(() => openPiece(versioned(2), 7)).toThrow(FormatError);
    expect(openPiece(versioned(0), 7)).toBe(undefined);
    expect(openPiece(versioned(1, 1), 7)).toBe(undefined);
  });
});

describe('a vault in IndexedDB', () => {
  const piece = (at: number) => ({ at, sealed: Uint8Array.of(at & 0xff, 1) });
  const ok = () => {};
  const ats = async (vault: IndexedDbVault, generation: number) =>
    (await vault.pieces(generation)).map(({ at }) => at);

  test('has what was written, by log and in order', async () => {
    const vault = new IndexedDbVault('one');
    expect(await vault.header()).toBe(undefined);
    expect(await vault.pieces(7)).toEqual([]);
    await vault.write(ok, {
      header: Uint8Array.of(1, 2),
      pieces: { generation: 7, put: [0, 300, 9].map(piece) },
    });
    await vault.write(ok, { pieces: { generation: 8, put: [piece(5)] } });
    await vault.write(ok, { pieces: { generation: 7, put: [{ at: 9, sealed: Uint8Array.of(3) }] } });
    vault.close();
    const again = new IndexedDbVault('one');
    expect(await again.header()).toEqual(Uint8Array.of(1, 2));
    expect(await ats(again, 7)).toEqual([0, 9, 300]);
    expect((await again.pieces(7))[1]!.sealed).toEqual(Uint8Array.of(3));
    await again.write(ok, { keepOnly: 8 });
    expect(await ats(again, 7)).toEqual([]);
    expect(await ats(again, 8)).toEqual([5]);
    await again.write(ok, { keepOnly: 0 });
    expect(await ats(again, 8)).toEqual([]);
    expect(await again.header()).toEqual(Uint8Array.of(1, 2));
    await again.destroy();
  });

  test('makes all of a change or nothing, and tells who checks what is there', async () => {
    const vault = new IndexedDbVault('two');
    await vault.write(ok, { header: Uint8Array.of(1) });
    const seen: unknown[] = [];
    const refuse = (header: Uint8Array | undefined) => {
      seen.push(header);
      throw new RangeError('not like this');
    };
    const change = { header: Uint8Array.of(2), keepOnly: 0, pieces: { generation: 7, put: [piece(0)] } };
    await expect(vault.write(refuse, change)).rejects.toThrow(RangeError);
    expect(seen).toEqual([Uint8Array.of(1)]);
    expect(await vault.header()).toEqual(Uint8Array.of(1));
    expect(await vault.pieces(7)).toEqual([]);
    const bad = { header: Uint8Array.of(2), pieces: { generation: Number.NaN, put: [piece(0)] } };
    await expect(vault.write(ok, bad)).rejects.toThrow();
    expect(await vault.header()).toEqual(Uint8Array.of(1));
    await vault.destroy();
  });

  test('writes strictly', async () => {
    const asked: unknown[] = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...given) {
      if (given[1] === 'readwrite') asked.push(given[2]);
      return transaction.apply(this, given);
    };
    try {
      const vault = new IndexedDbVault('three');
      await vault.write(ok, { header: Uint8Array.of(1) });
      expect(asked).toEqual([{ durability: 'strict' }]);
      await vault.destroy();
    } finally {
      IDBDatabase.prototype.transaction = transaction;
    }
  });

  test('lets go when somebody deletes it, says so, and is there again empty', async () => {
    const vault = new IndexedDbVault('four');
    let lost = 0;
    vault.onLost = () => {
      lost += 1;
    };
    await vault.write(ok, { header: Uint8Array.of(1) });
    expect(await listVaults()).toContain('four');
    await destroyVault('four');
    expect(lost).toBe(1);
    expect(await listVaults()).not.toContain('four');
    expect(await vault.header()).toBe(undefined);
    await vault.destroy();
    expect(lost, 'who destroys it himself is not told').toBe(1);
  });
});
