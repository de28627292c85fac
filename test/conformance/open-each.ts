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

let last = 0;

/** A place with a store name of its own. */
export function newPlace(kind: 'memory' | 'disk' | 'hybrid'): Place {
  last += 1;
  const name = `store ${process.pid} ${last}`;
  const directory = kind === 'hybrid' ? { directory: folder } : {};
  return {
    name,
    persistent: kind !== 'memory',
    open: (options = {}) => open(name, { persistence: kind, ...directory, ...options }),
  };
}

export const KINDS = ['memory', 'disk', 'hybrid'] as const;
