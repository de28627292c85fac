/** A store that is encrypted: who opens it, who does not, and what can be seen where it lies. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterAll, describe, expect, test } from 'vitest';
import { type ClientOptions, open, type Store } from '../../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'rootcellar-encrypted-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const importKey = (byte: number, name = 'AES-GCM', usages: KeyUsage[] = ['encrypt', 'decrypt']) =>
  crypto.subtle.importKey('raw', new Uint8Array(32).fill(byte), name, false, usages);
const key = await importKey(1);
const other = await importKey(2);

let last = 0;

/** Everything that lies on the medium of a store, by name. */
type Medium = Map<string, Uint8Array>;

const PLACES = {
  hybrid: {
    options: { persistence: 'hybrid', directory: folder } as ClientOptions,
    async medium(name: string): Promise<Medium> {
      const path = join(folder, name);
      return new Map(
        readdirSync(path)
          .sort()
          .map((file) => [file, new Uint8Array(readFileSync(join(path, file)))]),
      );
    },
  },
  disk: {
    options: { persistence: 'disk' } as ClientOptions,
    async medium(name: string): Promise<Medium> {
      const db = await openDB(`rootcellar:${name}`);
      const found: Medium = new Map();
      for (const store of [...db.objectStoreNames]) {
        for (const one of await db.getAllKeys(store)) {
          const value = await db.get(store, one);
          const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(JSON.stringify(value));
          found.set(`${store}/${String(one)}`, bytes.slice());
        }
      }
      db.close();
      return found;
    },
  },
};

/** Where `text` stands, in any of the ways in which it could be written. */
function placesOf(text: string, medium: Medium): string[] {
  const wide = Buffer.from(text, 'utf16le');
  const ways = [Buffer.from(text, 'utf8'), wide, Buffer.from(wide).swap16()];
  return [...medium]
    .filter(([, bytes]) => ways.some((way) => Buffer.from(bytes).includes(way)))
    .map(([at]) => at);
}

describe.each(Object.keys(PLACES) as (keyof typeof PLACES)[])('an encrypted store in %s', (kind) => {
  const { options, medium } = PLACES[kind];
  const named = () => {
    last += 1;
    return `secret-${last}`;
  };
  const opened = (name: string, more: ClientOptions = {}) =>
    open(name, { ...options, ttl: { sweepInterval: Infinity }, ...more });

  /** Writes of all kinds, with words that must not be found, then closed. */
  async function fill(store: Store): Promise<void> {
    for (let i = 0; i < 12; i++) {
      const large = new TextEncoder().encode(`MARKED-BYTES ${i} ${'MARKED-FILL '.repeat(9000)}`);
      await store.setMany([
        [`MARKED-KEY-${i}`, { field: `MARKED-VALUE ${i}`, list: ['MARKED-ITEM'] }],
        [`MARKED-large-${i}`, large],
        [`MARKED-漢字表-${i}`, 'MARKED-漢字表'],
      ]);
    }
    await store.set('MARKED-ttl', 'MARKED-soon', { ttl: '1h' });
    await store.merge('MARKED-list', ['MARKED-merged'], 'list');
    await store.delete('MARKED-KEY-3');
    await store.compact();
    await store.set('MARKED-after', 'MARKED-late');
    await store.close();
  }

  const MARKS = ['MARKED', 'KED-KEY-1', 'KED-FILL', '漢字表', 'KED-merged'];

  test('shows no key and no value where it lies, before and after compaction, in log and images', async () => {
    const [plain, secret] = [named(), named()];
    await fill(await opened(plain));
    const found = await medium(plain);
    // Keys and values of a store that is not encrypted are found by the same search.
    for (const mark of MARKS) expect(placesOf(mark, found).length, mark).toBeGreaterThan(0);
    expect([...found].some(([at, bytes]) => at.includes('image') && bytes.length > 100)).toBe(true);
    for (const compression of ['none', 'gzip']) {
      const name = compression === 'none' ? secret : named();
      await fill(await opened(name, { encryption: { key }, compression }));
      const hidden = await medium(name);
      for (const mark of MARKS) expect(placesOf(mark, hidden), mark).toEqual([]);
      expect([...hidden].some(([at, bytes]) => at.includes('image') && bytes.length > 100)).toBe(
        compression === 'none',
      );
    }
    await using again = await opened(secret, { encryption: { key } });
    expect(await again.get('MARKED-KEY-1')).toEqual({ field: 'MARKED-VALUE 1', list: ['MARKED-ITEM'] });
    expect(await again.count()).toBe(38);
    expect((await again.stats()).storage.recovered).toBeLessThan(20);
  });

  test('shows neither the key nor the secret that keys its hashes', async () => {
    const name = named();
    const store = await opened(name, { encryption: { key } });
    await store.set('k', 'v');
    await store.close();
    const raw = Buffer.alloc(32, 1);
    for (const [at, bytes] of await medium(name)) expect(Buffer.from(bytes).includes(raw), at).toBe(false);
  });

  test('opens with its key alone; another, or none, is a KeyError, and nothing is changed', async () => {
    const name = named();
    const store = await opened(name, { encryption: { key } });
    await store.set('k', 'v');
    await store.close();
    const before = await medium(name);
    const kw = await importKey(1, 'AES-KW', ['wrapKey', 'unwrapKey']);
    for (const encryption of [{ key: other }, { key: kw }, undefined]) {
      const opening = opened(name, encryption ? { encryption } : {});
      await expect(opening).rejects.toMatchObject({ name: 'KeyError', code: 'KEY' });
      await expect(opened(name, { ...(encryption && { encryption }), reconfigure: true })).rejects.toThrow();
    }
    expect(await medium(name)).toEqual(before);
    await using again = await opened(name, { encryption: { key } });
    expect(await again.get('k')).toBe('v');
  });

  test('cannot be made of one that is not, and that says what to do', async () => {
    const name = named();
    const plain = await opened(name);
    await plain.set('k', 'v');
    const backup = await new Response(plain.export()).blob();
    await plain.close();
    const before = await medium(name);
    const opening = opened(name, { encryption: { key }, reconfigure: true });
    await expect(opening).rejects.toThrow(/made without a key; export\(\) it and import\(\)/);
    await expect(opening).rejects.toBeInstanceOf(TypeError);
    expect(await medium(name)).toEqual(before);
    const secret = named();
    await using moved = await opened(secret, { encryption: { key } });
    await moved.import(backup.stream(), { mode: 'replace' });
    expect(await moved.get('k')).toBe('v');
  });

  test('hashes by a secret that nobody sees, and gives every object the id of its value', async () => {
    const name = named();
    await using store = await opened(name, { encryption: { key } });
    await store.set('k', 'value');
    await using plain = await opened(named());
    await plain.set('k', 'value');
    const [a, b] = [await store.getEntry('k'), await plain.getEntry('k')];
    expect(a!.objectId).toBe(b!.objectId);
  });

  test('keeps equal values once, and writes them anew under another key when it is rewritten', async () => {
    const name = named();
    const store = await opened(name, { encryption: { key } });
    const value = crypto.getRandomValues(new Uint8Array(3000));
    await store.setMany(Array.from({ length: 40 }, (_, i) => [`k${i}`, value]));
    expect(await store.countUnique()).toBe(1);
    const bytes = (await store.stats()).storage.bytes;
    expect(bytes).toBeLessThan(10_000);
    await store.flush();
    const before = await medium(name);
    await store.compact();
    const after = await medium(name);
    const pieces = (of: Medium) => [...of.values()].flatMap((all) => windows(all));
    const seen = new Set(pieces(before));
    expect(seen.size).toBeGreaterThan(20);
    expect(pieces(after).filter((piece) => seen.has(piece))).toEqual([]);
    await store.close();
  });
});

/** Every 64 bytes that are not all alike. */
function windows(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 512; at + 64 <= bytes.length; at += 8) {
    const piece = bytes.subarray(at, at + 64);
    if (new Set(piece).size > 40) found.push(piece.join());
  }
  return found;
}

test('is made of the keys that can wrap, and no other', async () => {
  const kw = await importKey(3, 'AES-KW', ['wrapKey', 'unwrapKey']);
  const wraps = await importKey(3, 'AES-GCM', ['wrapKey', 'unwrapKey']);
  for (const one of [kw, wraps]) {
    await using store = await open('mine', { persistence: 'memory', encryption: { key: one } });
    await store.set('k', 'v');
    expect(await store.get('k')).toBe('v');
  }
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveKey']);
  const wrong: [unknown, RegExp][] = [
    [{}, /encryption.key: expected a CryptoKey.*got undefined/],
    [{ key: 'secret' }, /got "secret"/],
    [{ key: new Uint8Array(32) }, /encryption.key: expected a CryptoKey/],
    [{ key, more: 1 }, /unknown option encryption.more/],
    [key, /encryption: expected an object|encryption.key/],
    [{ key: await importKey(1, 'AES-GCM', ['encrypt']) }, /got AES-GCM for encrypt$/],
    [{ key: await importKey(1, 'AES-CBC', ['encrypt', 'decrypt']) }, /got AES-CBC for encrypt, decrypt/],
    [{ key: pair.privateKey }, /got ECDH/],
  ];
  for (const [encryption, message] of wrong) {
    const opening = open('mine', { persistence: 'memory', encryption: encryption as never });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(TypeError);
  }
});
