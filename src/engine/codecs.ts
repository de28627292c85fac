/**
 * Codecs that values may be compressed with, by name: two that platforms bring, and those
 * of an application. A function does not cross to the worker, so options give a name.
 */
import { UnsupportedError } from '../base/errors.js';
import { show } from '../contract/arguments.js';

/**
 * Compresses bytes, at once or with a promise; neither function may change what it is given.
 * `decompress` gets the size of what it has to give, and must give just that.
 */
export interface Codec {
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  decompress(bytes: Uint8Array, size: number): Uint8Array | Promise<Uint8Array>;
}

/** Codecs of the application, by name. */
export type OwnCodecs = ReadonlyMap<string, Codec>;

/** Numbers are on disk: never renumber, never reuse. */
export const BUILT_IN: Readonly<Record<string, number>> = { gzip: 1, 'deflate-raw': 2 };
/** A codec of the application; its name follows. */
export const NAMED = 255;

/** A name stands in each value that was compressed with it. */
const NAME = /^[a-z0-9][a-z0-9.-]{0,31}$/;

/**
 * Checks that values can be compressed as the option says.
 *
 * @throws TypeError that lists the known names, UnsupportedError where the platform has no compression.
 */
export function requireCodec(name: string, own: OwnCodecs): void {
  if (name === 'none' || own.has(name)) return;
  if (!Object.hasOwn(BUILT_IN, name)) {
    const known = ['none', ...Object.keys(BUILT_IN), ...own.keys()].map((one) => `'${one}'`).join(' | ');
    throw new TypeError(`compression: expected ${known}, got ${show(name)}`);
  }
  if (typeof CompressionStream === 'undefined') {
    throw new UnsupportedError(
      `compression: '${name}' needs CompressionStream, which is missing here; register a codec of your own`,
    );
  }
}

/**
 * `own` and the codecs `given` by name.
 *
 * @throws TypeError for a name that is taken or cannot be one, or a codec that lacks a part.
 */
export function withCodecs(own: OwnCodecs, given: object): OwnCodecs {
  const all = new Map(own);
  for (const [name, codec] of Object.entries(given)) {
    if (!NAME.test(name)) {
      throw new TypeError(
        `codecs: expected a name of 1 to 32 of a-z, 0-9, '.' and '-', beginning with none of the last two, got ${show(name)}`,
      );
    }
    if (name === 'none' || Object.hasOwn(BUILT_IN, name) || all.has(name)) {
      throw new TypeError(`codecs: the name ${show(name)} is taken: expected another`);
    }
    const { compress, decompress } = Object(codec) as Partial<Codec>;
    if (typeof compress !== 'function' || typeof decompress !== 'function') {
      throw new TypeError(`codecs.${name}: expected { compress, decompress }, got ${show(codec)}`);
    }
    all.set(name, codec as Codec);
  }
  return all;
}
