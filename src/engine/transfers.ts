/**
 * Exports and imports that are under way, by id. What reads and writes their bytes is loaded
 * for the first one.
 */
import type { Eventually } from '../base/bytes.js';
import { requireOptions, requirePositive, show } from '../contract/arguments.js';
import { resolveWriteDurability, type Settings } from '../contract/options.js';
import type { ImportOptions, ImportResult } from '../contract/store.js';
import type { Committer } from './commit.js';
import type { Export, ExportPiece } from './export.js';
import type { Import, ImportPlan, ImportTerms } from './import.js';
import type { Packing } from './packing.js';
import type { KeyScan } from './scan.js';
import { UnderWay } from './under-way.js';

/** What an import may need unless it is told. */
const IMPORT_BYTES_MAX = 256 * 2 ** 20;

const IMPORT_OPTIONS = ['mode', 'maxBytes', 'durability'] as const;

export interface TransferParts {
  readonly packing: Packing;
  readonly settings: Settings;
  /** The store's clock. */
  readonly now: () => number;
  readonly after: (ms: number, task: () => void) => () => void;
  /** All keys of the version that the calls before it have made. */
  readonly beginScan: () => Eventually<KeyScan>;
  /** The same within the call whose turn it is. */
  readonly scanNow: () => KeyScan;
  readonly submit: Committer['submit'];
}

const GONE =
  'the export or import is not under way: it was given up, or the tab that led the store went away';

export class Transfers {
  readonly #parts: TransferParts;
  readonly #exports: UnderWay<Export>;
  readonly #imports: UnderWay<Import>;

  constructor(parts: TransferParts) {
    this.#parts = parts;
    const { after, now } = parts;
    this.#exports = new UnderWay(`e${now()}`, after, (transfer) => transfer.release(), GONE);
    this.#imports = new UnderWay(`i${now()}`, after, () => {}, GONE);
  }

  async beginExport(): Promise<string> {
    const { packing, beginScan, now } = this.#parts;
    const scan = await beginScan();
    try {
      const loaded = await import('./export.js');
      return this.#exports.add(new loaded.Export(packing, scan, now()));
    } catch (error) {
      scan.records.release();
      throw error;
    }
  }

  async exportNext(id: string): Promise<ExportPiece> {
    const found = this.#exports.find(id);
    try {
      const piece = await found.next();
      if (piece[1]) this.release(id);
      return piece;
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  /** Rejects with TypeError, RangeError for options that are wrong. */
  async beginImport(options: unknown): Promise<string> {
    const terms = importTerms(options, this.#parts.settings);
    const loaded = await import('./import.js');
    return this.#imports.add(new loaded.Import(terms));
  }

  /** Checks the next bytes; gives the records that were read so far. */
  importWrite(id: string, bytes: unknown): number {
    const found = this.#imports.find(id);
    try {
      if (!(bytes instanceof Uint8Array)) {
        throw new TypeError(`import: expected pieces that are a Uint8Array, got ${show(bytes)}`);
      }
      return found.push(bytes);
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  /** All bytes were given: now they count, or none of them. */
  async importEnd(id: string): Promise<ImportResult> {
    const found = this.#imports.find(id);
    this.release(id);
    found.finish();
    const { packing, now, scanNow, submit } = this.#parts;
    const packed = found.pack(packing);
    // What cannot be packed refuses the call when it is its turn.
    packed.catch(() => {});
    let plan: ImportPlan | undefined;
    const imported = (): ImportResult => ({ keys: plan!.keys, bytes: plan!.bytes });
    await submit(
      async () => {
        await packed;
        plan = await found.plan(now(), scanNow);
        return plan.mutations;
      },
      found.terms.strict,
      imported,
    );
    return imported();
  }

  /** Safe to call twice. */
  release(id: string): void {
    this.#exports.release(id);
    this.#imports.release(id);
  }

  clear(): void {
    this.#exports.clear();
    this.#imports.clear();
  }
}

function importTerms(options: unknown, settings: Settings): ImportTerms {
  const given = requireOptions<ImportOptions>('import', options, IMPORT_OPTIONS);
  const { mode, maxBytes = IMPORT_BYTES_MAX, durability } = given;
  if (mode !== 'merge' && mode !== 'replace') {
    throw new TypeError(`import: mode: expected 'merge' or 'replace', got ${show(mode)}`);
  }
  requirePositive('import: maxBytes', maxBytes);
  const strict = resolveWriteDurability(durability, settings);
  return { mode, maxBytes, strict, dedup: settings.dedup.mode !== 'off' };
}
