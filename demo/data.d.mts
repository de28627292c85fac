/** Types of `data.mjs`, for the build configuration and for the page that reads the files. */
import type { DataIndex } from './src/pieces.js';

export interface DataFile {
  readonly file: string;
  readonly records: number;
  readonly text: string;
}

export function readDataSet(): unknown;
export function records(dataSet: unknown): Generator<[key: string, value: unknown]>;
export function buildPieces(dataSet?: unknown): { index: DataIndex; pieces: DataFile[] };
export function describe(index: DataIndex): string;
