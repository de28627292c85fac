/** Reading values: from a key's record, or from a scan of many, to what the caller gets. */
import { andThen, type Eventually } from '../base/bytes.js';
import { decode } from '../base/codec/index.js';
import type { Secret } from '../base/hash.js';
import { sha256Hex } from '../base/sha256.js';
import type { Entry } from '../contract/store.js';
import type { RunKey } from '../structures/runs/index.js';
import { Contents } from './contents.js';
import { type Found, isCanonical, Lookup } from './lookup.js';
import type { Packing } from './packing.js';
import type { RecordSource } from './records.js';
import type { View } from './state.js';

export type ItemKind = 'keys' | 'values' | 'entries';

export class Reader {
  constructor(
    private readonly lookup: Lookup,
    private readonly records: RecordSource,
    private readonly packing: Packing,
  ) {}

  value(found: Found): Eventually<unknown> {
    return andThen(this.lookup.record(found), (record) =>
      andThen(this.lookup.value(record), (value) => this.packing.decode(value)),
    );
  }

  async entry(key: string, found: Found): Promise<Entry> {
    const record = await this.lookup.record(found);
    const { kind, bytes } = await this.packing.unpack(await this.lookup.value(record));
    const { createdAt, updatedAt, expiresAt, sequence: version, size } = record;
    return {
      key,
      value: decode(kind, bytes),
      version,
      size,
      objectId: await sha256Hex(bytes),
      createdAt,
      updatedAt,
      accessedAt: updatedAt,
      expiresAt: expiresAt === Infinity ? null : expiresAt,
      exact: !isCanonical(record),
    };
  }

  /** What a scan gives for the record of `item`; with what is left of its time to live at `ttlAt`, if that is given. */
  item(kind: ItemKind, { key, location, hasDeadline }: RunKey, ttlAt?: number): Eventually<unknown> {
    const withTtl = ttlAt !== undefined;
    if (kind === 'keys' && !(withTtl && hasDeadline)) return withTtl ? [key, null] : key;
    return andThen(this.records.read(location), (record) => {
      const ttl = record.expiresAt === Infinity ? null : record.expiresAt - ttlAt!;
      if (kind === 'keys') return [key, ttl];
      return andThen(this.lookup.value(record), (content) =>
        andThen(this.packing.decode(content), (value) => {
          if (kind === 'values') return withTtl ? [value, ttl] : value;
          return withTtl ? [key, value, ttl] : [key, value];
        }),
      );
    });
  }
}

/** Finds and reads keys of one older version, from the records that were current when `view` was made. */
export function atView(
  secret: Secret,
  view: View,
  records: RecordSource,
  packing: Packing,
): { lookup: Lookup; reader: Reader; contents: Contents } {
  const { index, objects, buffer } = view;
  const state = { secret, index, objects, slot: (key: string) => buffer.get(key) };
  const contents = new Contents(state, records, packing);
  const lookup = new Lookup(state, records, contents);
  return { lookup, reader: new Reader(lookup, records, packing), contents };
}
