/** Every place a store can live in Node, opened through the public `open`. */
import 'fake-indexeddb/auto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientOptions, open, type Store } from '../../src/index.js';

export interface Place {
  readonly name: string;
  /** Whether a store is still there when it is opened again. */
  readonly persistent: boolean;
  open(options?: ClientOptions): Promise<Store>;
}

const folder = mkdtempSync(join(tmpdir(), 'rootcellar-test-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Of all encrypted stores. */
const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);

let last = 0;

/** A place with a store name of its own. */
export function newPlace(kind: Kind): Place {
  last += 1;
  const name = `store ${process.pid} ${last}`;
  const [persistence, encrypted] = kind.split(' ').reverse() as ['memory' | 'disk' | 'hybrid', string?];
  const directory = persistence === 'hybrid' ? { directory: folder } : {};
  const encryption = encrypted ? { encryption: { key } } : {};
  return {
    name,
    persistent: persistence !== 'memory',
    open: (options = {}) => open(name, { persistence, ...directory, ...encryption, ...options }),
  };
}

export const KINDS = ['memory', 'disk', 'hybrid', 'encrypted disk', 'encrypted hybrid'] as const;
export type Kind = (typeof KINDS)[number];
