/** The encrypted log: what was added comes back, and only as it was written, where it was written. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptionError, IoError, QuotaError } from '../../../src/base/errors.js';
import type { Keys } from '../../../src/storage/encryption/keys.js';
import { entry, FileLog, MemoryFile, Type } from '../../../src/storage/log/index.js';
import { expectGolden, golden } from '../../structures/golden.js';
import {
  append,
  GENERATION,
  innerEntries,
  innerOn,
  logOn,
  makeKeys,
  put,
  type Read,
  recheck,
  replayed,
  STORE,
  shown,
  TIME,
} from './log-store.js';

const keys = await makeKeys();
const copy = (file: MemoryFile) => new MemoryFile(file.content());

async function sample(): Promise<{ file: MemoryFile; all: Read[][]; locations: number[] }> {
  const file = new MemoryFile();
  const log = logOn(file, await makeKeys());
  const locations = [
    ...(await append(log, [put(1, 'alpha', 'one')])),
    ...(await append(log, [put(2, 'beta', 'two'), put(2, 'gamma', 'three')])),
    ...(await append(log, [put(3, 'omega', 'two')])),
    ...(await append(
      log,
      Array.from({ length: 40 }, (_, i) => put(4, `key ${i}`, `value ${i}`)),
    )),
  ];
  return { file, locations, all: await replayed(logOn(copy(file), keys)) };
}

describe('an encrypted log', () => {
  test('gives back what was added, at once and in a later opening, batch by batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            seal: fc.boolean(),
            entries: fc.array(
              fc.record({
                key: fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('', '\ud800', '漢')),
                bytes: fc.oneof(fc.nat(40), fc.constantFrom(0, 5000, 16_300, 16_384, 70_000)),
              }),
              { minLength: 1, maxLength: 40 },
            ),
          }),
          { maxLength: 6 },
        ),
        async (script) => {
          const file = new MemoryFile();
          const log = logOn(file, keys);
          const wanted: Read[][] = [];
          let sequence = 0;
          for (const { seal, entries } of script) {
            sequence += 1;
            const fields = entries.map(({ key, bytes }, i) => put(sequence, key, 'v'.repeat(bytes) + i));
            const first = entry({ type: Type.Seal, sequence, time: TIME });
            const seals = seal && wanted.length > 0;
            const all = seals ? [first, ...fields] : fields;
            const locations = await append(log, all, seals);
            expect(new Set(locations).size).toBe(locations.length);
            wanted.push(
              all.map(({ type, key, value }, i) => {
                return {
                  location: locations[i]!,
                  type,
                  sequence,
                  key,
                  value: new TextDecoder().decode(value),
                };
              }),
            );
          }
          const again = logOn(copy(file), keys);
          expect(await replayed(again)).toEqual(wanted);
          expect([again.bytes, again.extents, again.batches]).toEqual([log.bytes, log.extents, log.batches]);
          for (const one of [log, again, logOn(copy(file), keys)]) {
            if (one.bytes === 0 && wanted.length > 0) await replayed(one);
            for (const read of wanted.flat()) {
              expect(shown(await one.read(read.location), read.location)).toEqual(read);
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test('goes on from a position, with counters that begin anywhere', async () => {
    const file = new MemoryFile();
    const log = logOn(file, await makeKeys());
    await append(log, [put(1, 'a', 'one')]);
    await append(log, [put(2, 'b', 'two')]);
    const { position } = log;
    await append(log, [put(3, 'c', 'three')]);
    await append(log, [put(4, 'd', 'four')]);
    const again = logOn(copy(file), keys);
    expect(await again.reaches(position)).toBe(true);
    expect((await replayed(again, position)).flat().map(({ key }) => key)).toEqual(['c', 'd']);
  });

  test('seals up to sixteen entries in a frame, and not more than 16 KiB but for one entry alone', async () => {
    const file = new MemoryFile();
    const log = logOn(file, keys);
    const small = await append(
      log,
      Array.from({ length: 33 }, (_, i) => put(1, `k${i}`, 'v')),
    );
    const frames = [...new Set(small.map((location) => Math.floor(location / 16)))];
    const inEach = frames.map(
      (frame) => small.filter((location) => Math.floor(location / 16) === frame).length,
    );
    expect(inEach).toEqual([16, 16, 1]);
    const large = await append(log, [
      put(2, 'a', 'x'.repeat(9000)),
      put(2, 'b', 'x'.repeat(9000)),
      put(2, 'c', 'x'.repeat(90_000)),
      put(2, 'd', 'x'),
    ]);
    expect(new Set(large.map((location) => Math.floor(location / 16))).size).toBe(4);
    expect(file.content().length - 100_000).toBeLessThan(10_000);
  });

  test('reads a frame once for what lies in it, and what was just written not at all', async () => {
    const file = new MemoryFile();
    const log = logOn(file, keys);
    const locations = await append(
      log,
      Array.from({ length: 10 }, (_, i) => put(1, `k${i}`, 'v')),
    );
    expect(log.read(locations[3]!)).not.toBeInstanceOf(Promise);
    const again = logOn(copy(file), keys);
    await replayed(again);
    const both = [again.read(locations[0]!), again.read(locations[9]!)];
    expect(both.every((read) => read instanceof Promise)).toBe(true);
    await Promise.all(both);
    expect(again.read(locations[5]!)).not.toBeInstanceOf(Promise);
  });

  test('refuses what is no entry of it', async () => {
    const { file, locations } = await sample();
    const log = logOn(copy(file), keys);
    await replayed(log);
    for (const location of [locations[0]! + 1, locations.at(-1)! + 1, 0, 2 ** 32 - 1]) {
      await expect((async () => log.read(location))(), String(location)).rejects.toBeInstanceOf(
        CorruptionError,
      );
    }
  });

  test('says when it is full: what an inner location beyond 28 bits would name', async () => {
    const inner = innerOn(new MemoryFile());
    const begun = inner.begin.bind(inner);
    inner.begin = (seal) => Object.defineProperty(begun(seal), 'next', { value: 2 ** 28 });
    const log = new (await import('../../../src/storage/encryption/log.js')).EncryptedLog(inner, keys, STORE);
    expect(() => log.begin().add(put(1, 'k', 'v'))).toThrow(IoError);
  });

  test('seals with another data key after an append that failed', async () => {
    const file = new MemoryFile();
    const salts = () =>
      new Set(
        innerEntries(file.content())
          .filter(({ type }) => type === Type.Cipher)
          .map(({ value }) => `${file.content().subarray(value, value + 12)}`),
      );
    const log = logOn(file, await makeKeys());
    await append(log, [put(1, 'a', 'one')]);
    await append(log, [put(2, 'b', 'two')]);
    expect(salts().size).toBe(1);
    const write = file.write.bind(file);
    file.write = () => {
      throw Object.assign(new Error('full'), { name: 'QuotaExceededError' });
    };
    await expect(append(log, [put(3, 'c', 'lost')])).rejects.toBeInstanceOf(QuotaError);
    file.write = write;
    await append(log, [put(3, 'c', 'three')]);
    expect(salts().size).toBe(2);
    expect((await replayed(logOn(copy(file), keys))).flat().map(({ value }) => value)).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('is written as the golden file has it, and read from there', async () => {
    const { file, all } = await sample();
    expectGolden('encrypted-v1/log.json', { log: file.content() });
    const { log } = golden('encrypted-v1/log.json');
    expect(await replayed(logOn(new MemoryFile(log), keys))).toEqual(all);
    expect(all.map(({ length }) => length)).toEqual([1, 2, 1, 40]);
  });
});

/** What is found in a log whose bytes were altered: the same, or less at the end, or an error. */
async function found(bytes: Uint8Array, by: Keys = keys): Promise<Read[] | Error> {
  try {
    return (await replayed(logOn(new MemoryFile(bytes), by))).flat();
  } catch (error) {
    return error as Error;
  }
}

describe('a log that somebody altered', () => {
  test('in any bit gives no entry that was not written: it ends before, or is damage', async () => {
    const { file, all } = await sample();
    const flat = all.flat();
    const bytes = file.content();
    for (let at = 0; at < bytes.length; at++) {
      const bit = at % 8;
      const outcome = await found(bytes.with(at, bytes[at]! ^ (1 << bit)));
      if (outcome instanceof Error)
        expect(outcome.name, `bit ${bit} of byte ${at}`).toMatch(/CorruptionError|FormatError/);
      else expect(flat.slice(0, outcome.length), `bit ${bit} of byte ${at}`).toEqual(outcome);
    }
  });

  test('in any bit of a frame, with the check of the inner log put right, is damage', async () => {
    const { file, locations } = await sample();
    const frames = innerEntries(file.content()).filter(({ type }) => type === Type.Cipher);
    expect(frames).toHaveLength(6);
    for (const frame of frames.slice(0, 3)) {
      for (let at = frame.value; at < frame.end; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const bytes = file.content();
          bytes[at]! ^= 1 << bit;
          recheck(bytes, frame);
          expect(await found(bytes), `bit ${bit} of byte ${at}`).toBeInstanceOf(CorruptionError);
        }
      }
      // The sequence of the frame: what it is sealed with.
      for (let at = frame.at + 12; at < frame.at + 18; at++) {
        const bytes = file.content();
        bytes[at]! ^= 4;
        recheck(bytes, frame);
        expect(await found(bytes)).toBeInstanceOf(CorruptionError);
      }
    }
    // A log that is opened by an image is not read through; whoever reads the record finds it.
    const bytes = file.content();
    bytes[frames[0]!.value + 20]! ^= 1;
    recheck(bytes, frames[0]!);
    const log = logOn(new MemoryFile(bytes), keys);
    await expect(replayed(log)).rejects.toThrow();
    await expect(log.read(locations[0]!)).rejects.toBeInstanceOf(CorruptionError);
  });

  test('by moving or repeating a frame is damage, also where it has the same length', async () => {
    const { file } = await sample();
    const [a, b, c] = innerEntries(file.content()).filter(({ type }) => type === Type.Cipher);
    const swapped = file.content();
    const first = swapped.slice(a!.value, a!.end);
    const third = swapped.slice(c!.value, c!.end);
    expect(first.length).toBe(third.length);
    swapped.set(third, a!.value);
    swapped.set(first, c!.value);
    for (const one of [a!, c!]) recheck(swapped, one);
    expect(await found(swapped)).toBeInstanceOf(CorruptionError);
    const repeated = file.content();
    repeated.set(repeated.slice(a!.at + 8, a!.end), c!.at + 8);
    recheck(repeated, c!);
    expect(await found(repeated)).toBeInstanceOf(CorruptionError);
    expect(b!.end - b!.at).toBeGreaterThan(a!.end - a!.at);
  });

  test('with frames of another store, another log or another key is damage', async () => {
    const { file, all } = await sample();
    const bytes = file.content();
    expect(await found(bytes)).toEqual(all.flat());
    expect(await found(bytes, await makeKeys(2))).toBeInstanceOf(CorruptionError);
    const other = logOn(new MemoryFile(bytes), keys, STORE.with(15, 0));
    await expect(replayed(other)).rejects.toBeInstanceOf(CorruptionError);
    // The same bytes, put into the log of another generation.
    const moved = file.content();
    for (const one of innerEntries(moved)) recheck(moved, one, GENERATION + 1);
    const extent = new MemoryFile();
    const next = new FileLog(extent, {
      backend: 'test',
      generation: GENERATION + 1,
      written: 'os',
      flushed: () => 'os',
    });
    await append(next, [entry({ type: Type.Delete, sequence: 1, time: TIME })]);
    moved.set(extent.content().subarray(0, 32));
    const log = logOn(new MemoryFile(moved), keys, STORE, GENERATION + 1);
    await expect(replayed(log)).rejects.toBeInstanceOf(CorruptionError);
  });

  test('by taking a frame out of the middle is damage, whatever the inner log says', async () => {
    const file = new MemoryFile();
    const inner = innerOn(file);
    const whole = logOn(new MemoryFile(), await makeKeys());
    await append(
      whole,
      Array.from({ length: 48 }, (_, i) => put(1, `k${i}`, 'v')),
    );
    // The batch again without its second frame: the third is where it was, behind one that fits.
    const written = new MemoryFile();
    const log = logOn(written, await makeKeys());
    await append(
      log,
      Array.from({ length: 48 }, (_, i) => put(1, `k${i}`, 'v')),
    );
    const bytes = written.content();
    const frames = innerEntries(bytes).filter(({ type }) => type === Type.Cipher);
    const batch = inner.begin();
    const sealedIn = ({ value, end }: (typeof frames)[number]) => bytes.slice(value, end);
    batch.add(entry({ type: Type.Cipher, sequence: 1, time: TIME + 1, value: sealedIn(frames[0]!) }));
    batch.add(entry({ type: Type.Cipher, sequence: 1, time: TIME + 1, value: sealedIn(frames[2]!) }));
    inner.append(batch, false);
    expect(await found(file.content())).toBeInstanceOf(CorruptionError);
  });

  test('with entries that are not encrypted, or a SEAL where none was, is damage', async () => {
    for (const stranger of [
      put(5, 'plain', 'text'),
      entry({ type: Type.Clear, sequence: 5, time: TIME }),
      entry({ type: Type.Seal, sequence: 5, time: TIME }),
    ]) {
      const file = new MemoryFile();
      const log = logOn(file, await makeKeys());
      await append(log, [put(1, 'a', 'one')]);
      const inner = innerOn(file);
      await replayed(inner);
      await append(inner, [stranger]);
      expect(await found(file.content()), String(stranger.type)).toBeInstanceOf(CorruptionError);
    }
  });

  test('by putting back what had been cut off shows in the counters of what follows', async () => {
    const file = new MemoryFile();
    const log = logOn(file, await makeKeys());
    await append(log, [put(1, 'a', 'one')]);
    const end = file.content().length;
    await append(log, [put(2, 'b', 'two')]);
    const old = file.content();
    // A power cut took the second batch; the next opening writes two others.
    const cut = new MemoryFile(old.slice(0, end));
    const next = logOn(cut, keys);
    await replayed(next);
    await append(next, [put(2, 'b', 'new')]);
    await append(next, [put(3, 'c', 'three')]);
    const bytes = cut.content();
    expect(await found(bytes)).toHaveLength(3);
    bytes.set(old.subarray(end), end);
    expect(await found(bytes)).toMatchObject({
      name: 'CorruptionError',
      message: expect.stringContaining('is number 1, not 0'),
    });
    // The same where an image brings what lies before.
    const before = logOn(new MemoryFile(old.slice(0, end)), keys);
    await replayed(before);
    const resumed = logOn(new MemoryFile(bytes), keys);
    await expect(replayed(resumed, before.position)).rejects.toThrow('is number 1, not 0');
  });
});
