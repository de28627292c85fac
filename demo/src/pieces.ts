/**
 * From the files that the build made (`data.mjs`) back to records, in chunks.
 *
 * Each piece names statements that it brings and statements of the pieces before
 * by number, so pieces are read in order; the next is fetched while the records
 * of the one before are being stored.
 */

export interface DataIndex {
  readonly version: string;
  readonly records: number;
  readonly features: number;
  /** Sum of the lengths of all values as JSON text. */
  readonly jsonBytes: number;
  readonly distinct: number;
  readonly distinctBytes: number;
  readonly keyLengths: number;
  readonly browsers: readonly Browser[];
  readonly lists: readonly (readonly string[])[];
  readonly pieces: readonly { readonly file: string; readonly records: number; readonly bytes: number }[];
}

export interface Browser {
  readonly id: string;
  readonly name: string;
  readonly type: 'desktop' | 'mobile' | 'server' | 'xr';
}

/** Written as it is stored: a key, and a support statement in the words of the data set. */
export type DataRecord = readonly [key: string, value: unknown];

interface Piece {
  readonly statements: readonly unknown[];
  readonly features: readonly (readonly [path: string, list: number, ...statements: number[]])[];
}

export async function fetchIndex(): Promise<DataIndex> {
  return (await fetchJson('data/index.json')) as DataIndex;
}

/** All records from number `from` on, in chunks of `size`. */
export async function* chunks(
  index: DataIndex,
  from: number,
  size: number,
  signal: AbortSignal,
): AsyncGenerator<DataRecord[]> {
  const statements: unknown[] = [];
  let number = 0;
  let chunk: DataRecord[] = [];
  let next = fetchPiece(index, 0, signal);
  for (let i = 0; i < index.pieces.length; i++) {
    const piece = await next;
    next = fetchPiece(index, i + 1, signal);
    next.catch(() => {}); // reported when it is awaited, if it ever is
    for (const statement of piece.statements) statements.push(statement);
    for (const [path, list, ...numbers] of piece.features) {
      const browsers = index.lists[list] ?? [];
      for (let j = 0; j < browsers.length; j++) {
        if (number++ < from) continue;
        chunk.push([`${path}/${browsers[j]}`, statements[numbers[j] ?? -1]]);
        if (chunk.length === size) {
          yield chunk;
          chunk = [];
        }
      }
    }
  }
  if (chunk.length > 0) yield chunk;
}

async function fetchPiece(index: DataIndex, i: number, signal: AbortSignal): Promise<Piece> {
  const piece = index.pieces[i];
  if (!piece) return { statements: [], features: [] };
  return (await fetchJson(piece.file, signal)) as Piece;
}

async function fetchJson(file: string, signal?: AbortSignal): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(file, signal ? { signal } : {});
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    throw new Error(`${file} could not be fetched. Is the server running, and are you online?`, { cause });
  }
  if (!response.ok) throw new Error(`${file} could not be fetched: the server answered ${response.status}.`);
  return response.json();
}
