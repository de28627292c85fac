/** A store in files whose names may be lost: what its anchor gives back, and what is told to be lost. */
import { describe, expect, test } from 'vitest';
import { DataLossError, FencedError, FormatError, IoError } from '../../src/base/errors.js';
import { Anchor } from '../../src/storage/anchor.js';
import type { Backend } from '../../src/storage/backend.js';
import { openFiles } from '../../src/storage/files.js';
import { encodeHeader, entry, MemoryFile, Type } from '../../src/storage/log/index.js';
import { FakeVault } from '../faults/vault.js';

const FILES = ['header-a', 'header-b', 'slot-0', 'slot-1'];

/** Files whose names can be lost, a vault, and two clocks. */
class World {
  now = 1_700_000_000_000;
  elapsed = 0;
  files = new Map<string, MemoryFile>();
  vault = new FakeVault();
  gone: (() => void) | undefined;
  #drawn = 0;

  async open(anchored = true): Promise<Backend> {
    const made = FILES.filter((name) => !this.files.has(name));
    for (const name of made) this.files.set(name, new MemoryFile());
    const [a, b, c, d] = FILES.map((name) => this.files.get(name)!) as [
      MemoryFile,
      MemoryFile,
      MemoryFile,
      MemoryFile,
    ];
    const backend = await openFiles(
      {
        backend: 'test',
        headers: [a, b],
        logs: [c, d],
        made,
        settled: false,
        watch: (gone) => {
          this.gone = gone;
        },
        remove: () => this.files.clear(),
      },
      {
        surroundings: {
          now: () => this.now,
          elapsed: () => this.elapsed,
          random: (bytes) => Uint8Array.from({ length: bytes }, () => ++this.#drawn & 0xff),
        },
        absolute: false,
        settings: {},
      },
      anchored ? await Anchor.open(this.vault) : undefined,
    );
    await backend.writeHeader({ ...backend.header, epoch: backend.header.epoch + 1 });
    return backend;
  }

  pass(ms: number): void {
    this.now += ms;
    this.elapsed += ms;
  }

  /** The power goes, and with it the names of files. */
  lose(...names: string[]): void {
    for (const name of names) this.files.delete(name);
    this.vault = this.vault.copy();
  }
}

const append = ({ log }: Backend, key: string, strict = true, value = new Uint8Array(0)) => {
  const batch = log.begin();
  batch.add(entry({ type: Type.Put, sequence: 1, time: 1_700_000_000_000, key, value }));
  return log.append(batch, strict);
};

async function keysOf({ log }: Backend): Promise<string[]> {
  const keys: string[] = [];
  await log.replay(
    (found) => {
      keys.push(found.key);
    },
    () => {},
  );
  return keys;
}

async function opened(world: World, anchored = true): Promise<Backend> {
  const backend = await world.open(anchored);
  await keysOf(backend);
  return backend;
}

describe('a young store', () => {
  test('calls durable what is anchored, and nothing without an anchor', async () => {
    const world = new World();
    const backend = await opened(world);
    expect(await append(backend, 'a')).toBe('durable');
    expect(await append(backend, 'b', false)).toBe('os');
    expect(await backend.log.flush()).toBe('durable');
    expect(backend.log.settlesIn).toBe(60_000);
    const bare = await opened(new World(), false);
    expect(await append(bare, 'a')).toBe('os');
    expect(await bare.log.flush()).toBe('os');
    expect(bare.log.settlesIn, 'nothing to wait for').toBe(0);
  });

  test.each([FILES, ['slot-0'], ['header-a', 'header-b'], ['header-b'], ['header-a', 'slot-0'], ['slot-1']])(
    'that lost %s has all that was durable, and says what was missing',
    async (...lost) => {
      const world = new World();
      const backend = await opened(world);
      for (const key of ['a', 'b', 'c']) await append(backend, key);
      await append(backend, 'relaxed', false);
      world.lose(...lost);
      const found = await world.open();
      expect(found.created).toBe(false);
      expect(await keysOf(found)).toEqual(['a', 'b', 'c', ...(lost.includes('slot-0') ? [] : ['relaxed'])]);
      expect(found.losses[0]!.detail).toEqual({ files: FILES.filter((name) => lost.includes(name)) });
      expect(found.losses.length).toBe(lost.includes('slot-0') ? 2 : 1);
      // The files are young again.
      world.pass(59_999);
      expect(await append(found, 'd')).toBe('durable');
      world.lose(...FILES);
      expect(await keysOf(await world.open())).toEqual(
        lost.includes('slot-0') ? ['a', 'b', 'c', 'd'] : ['a', 'b', 'c', 'relaxed', 'd'],
      );
    },
  );

  test('whose log is shorter, longer or not as it was flushed is made whole', async () => {
    const world = new World();
    const backend = await opened(world);
    for (const key of ['a', 'b']) await append(backend, key);
    const whole = world.files.get('slot-0')!.content();
    for (let size = 0; size < whole.length; size++) {
      world.files.get('slot-0')!.truncate(size);
      expect(await keysOf(await world.open()), `${size} bytes`).toEqual(['a', 'b']);
      expect(world.files.get('slot-0')!.content()).toEqual(whole);
    }
    world.files.get('slot-0')!.write(new Uint8Array(100), 20);
    expect(await keysOf(await world.open())).toEqual(['a', 'b']);
  });

  test('goes on where nothing of it was durable, in a log that takes no old bytes for its own', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a', false);
    const { generation, secret } = backend.header;
    world.lose(...FILES);
    const found = await world.open();
    expect(await keysOf(found)).toEqual([]);
    expect(found.header.secret).toEqual(secret);
    expect(found.header.generation).not.toBe(generation);
    expect(found.losses).toHaveLength(1);
  });

  test('keeps what it anchored when it goes over to another log', async () => {
    for (const lost of [FILES, ['slot-1'], ['slot-0'], ['header-a'], ['header-b']]) {
      const world = new World();
      const backend = await opened(world);
      await append(backend, 'a');
      const successor = await backend.successor();
      await append({ ...backend, log: successor.log }, 'copied', false);
      expect(await successor.log.flush()).toBe('durable');
      const whileBoth = world.vault.bytes;
      const empty = await successor.adopt();
      expect(world.vault.bytes).toBeLessThan(whileBoth);
      await append(backend, 'b');
      await empty();
      world.lose(...lost);
      expect(await keysOf(await world.open()), String(lost)).toEqual(['copied', 'b']);
    }
  });

  test('does not go over to a log that it cannot anchor, as long as that could lose something', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a');
    const successor = await backend.successor();
    await append({ ...backend, log: successor.log }, 'copied', false);
    world.vault.fault = () => ({ throws: new Error('no') });
    await expect(successor.log.flush()).rejects.toThrow(IoError);
    await successor.discard();
    world.vault.fault = undefined;
    expect(await append(backend, 'b')).toBe('durable');
    world.lose(...FILES);
    expect(await keysOf(await world.open())).toEqual(['a', 'b']);
  });

  test('says os where the vault fails, and durable again when it does not', async () => {
    const world = new World();
    const backend = await opened(world);
    world.vault.fault = () => ({ throws: new Error('no') });
    expect(await append(backend, 'a')).toBe('os');
    expect(await backend.log.flush()).toBe('os');
    world.vault.fault = undefined;
    expect(await append(backend, 'b')).toBe('durable');
    world.lose(...FILES);
    expect(await keysOf(await world.open())).toEqual(['a', 'b']);
  });

  test('anchors 32 MiB, and no more', async () => {
    const world = new World();
    const backend = await opened(world);
    const most = 32 * 2 ** 20;
    const large = new Uint8Array(most - 4096);
    expect(await append(backend, 'a', true, large)).toBe('durable');
    expect(await append(backend, 'b', true, new Uint8Array(4096))).toBe('os');
    expect(await append(backend, 'c')).toBe('os');
    expect(backend.log.settlesIn).toBe(60_000);
    await backend.writeHeader({
      ...backend.header,
      epoch: backend.header.epoch + 1,
      flushedTo: backend.log.bytes,
    });
    world.lose(...FILES);
    expect(await keysOf(await world.open())).toEqual(['a']);
  });
});

describe('a store that has settled', () => {
  test('lets go of what was anchored, answers at once, and notes its length now and then', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a');
    expect(world.vault.bytes).toBeGreaterThan(0);
    world.pass(60_000);
    expect(append(backend, 'b'), 'not a promise').toBe('durable');
    await backend.writeHeader({ ...backend.header, epoch: backend.header.epoch + 1 });
    expect(world.vault.bytes).toBe(0);
    const { writes } = world.vault;
    append(backend, 'c', true, new Uint8Array(2 ** 20));
    for (let i = 0; i < 20; i++) append(backend, 'c', true, new Uint8Array(1000));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(world.vault.writes - writes).toBe(1);
    world.lose('slot-0');
    await expect(world.open()).rejects.toThrow(DataLossError);
  });

  test('is told by a clock that nobody sets, while it is open', async () => {
    const world = new World();
    const backend = await opened(world);
    world.now += 3_600_000;
    append(backend, 'a');
    expect(backend.log.settlesIn).toBe(60_000);
    world.now -= 7_200_000;
    const again = await opened(world);
    expect(again.log.settlesIn, 'never more than a minute').toBe(60_000);
    world.elapsed += 60_000;
    expect(append(again, 'b')).toBe('durable');
  });

  test('whose files have vanished, or one is shorter, is an error that changes nothing', async () => {
    for (const lost of [FILES, ['slot-0'], []]) {
      const world = new World();
      const backend = await opened(world);
      await append(backend, 'a');
      await append(backend, 'b');
      world.pass(60_000);
      const { epoch } = backend.header;
      await backend.writeHeader({ ...backend.header, epoch: epoch + 1, flushedTo: backend.log.bytes });
      world.lose(...lost);
      // A log that was cut between two batches is whole in itself.
      if (lost.length === 0) world.files.get('slot-0')!.truncate(backend.log.bytes / 2 + 16);
      for (let again = 0; again < 2; again++) {
        await expect(world.open(), String(lost)).rejects.toThrow(DataLossError);
        const header = (await Anchor.open(world.vault)).header!;
        expect(header.epoch).toBe(epoch + 1);
      }
    }
  });

  test('goes on with the header of its anchor where those in files are gone', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a');
    world.pass(60_000);
    await backend.writeHeader({
      ...backend.header,
      epoch: backend.header.epoch + 1,
      flushedTo: backend.log.bytes,
    });
    for (const name of ['header-a', 'header-b']) world.files.get(name)!.truncate(0);
    const found = await world.open();
    expect(await keysOf(found)).toEqual(['a']);
    expect(found.losses.map(({ reason }) => reason)).toEqual([expect.stringContaining('no header')]);
  });
});

describe('an anchor', () => {
  test('in which another leader has written refuses the flush, and the log takes nothing more', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a');
    const { header } = backend;
    world.vault.damage({ header: encodeHeader({ ...header, epoch: header.epoch + 1 }) });
    await expect(append(backend, 'b')).rejects.toThrow(FencedError);
    expect(() => append(backend, 'c', false)).toThrow(FencedError);
    expect(() => backend.log.flush()).toThrow(FencedError);
    await expect(backend.writeHeader({ ...header, epoch: header.epoch + 1 })).rejects.toThrow(FencedError);
  });

  test('with a header that is newer is refused, and one that is damaged is no header', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a');
    const bytes = encodeHeader({ ...backend.header, epoch: 99 });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      world.vault.damage({ header: damaged });
      const opening = Anchor.open(world.vault);
      if (bit >> 3 === 8 || bit >> 3 === 9) {
        if (damaged[8]! + damaged[9]! * 256 > 1)
          await expect(opening, `bit ${bit}`).rejects.toThrow(FormatError);
        continue;
      }
      const { header, damaged: isDamaged } = await opening;
      expect([header, isDamaged], `bit ${bit}`).toEqual([undefined, true]);
    }
    const found = await world.open();
    expect(await keysOf(found)).toEqual(['a']);
    expect(found.losses.map(({ reason }) => reason)).toEqual([expect.stringContaining('failed its check')]);
    world.vault.damage({ header: Uint8Array.of(1) });
    world.lose(...FILES);
    await expect(world.open()).rejects.toThrow(DataLossError);
  });

  test('of another store of that name is told, and goes', async () => {
    const world = new World();
    const first = await opened(world);
    await append(first, 'old');
    const vault = world.vault.copy();
    world.files.clear();
    world.vault = new FakeVault();
    const second = await opened(world);
    await append(second, 'new');
    world.vault = vault;
    const found = await world.open();
    expect(await keysOf(found)).toEqual(['new']);
    expect(found.losses.map(({ reason }) => reason)).toEqual([expect.stringContaining('another store')]);
    expect((await world.open()).losses).toEqual([]);
  });

  test('with a piece that is missing or damaged gives what lies before it, and never harms the file', async () => {
    const world = new World();
    const backend = await opened(world);
    for (const key of ['a', 'b', 'c']) await append(backend, key);
    const { generation } = backend.header;
    const pieces = await world.vault.pieces(generation);
    expect(pieces).toHaveLength(3);
    const damaged = pieces[1]!.sealed.slice();
    damaged[20]! ^= 1;
    world.vault.damage({ pieces: { generation, put: [{ at: pieces[1]!.at, sealed: damaged }] } });
    expect(await keysOf(await world.open()), 'the file is whole').toEqual(['a', 'b', 'c']);
    world.lose('slot-0');
    expect(await keysOf(await world.open())).toEqual(['a']);
  });

  test('goes with the store', async () => {
    const world = new World();
    const backend = await opened(world);
    await append(backend, 'a');
    await backend.destroy();
    expect(world.files.size).toBe(0);
    expect((await world.open()).created).toBe(true);
  });
});

test('a store whose files were removed while it was open takes no more writes', async () => {
  const world = new World();
  const backend = await opened(world);
  await append(backend, 'a');
  world.gone!();
  expect(() => append(backend, 'b', false)).toThrow(DataLossError);
  expect(() => backend.log.flush()).toThrow(DataLossError);
  await expect(backend.writeHeader(backend.header)).rejects.toThrow(DataLossError);
});
