/**
 * The compatibility data of the demo: flattened, checked, and cut into pieces.
 *
 * A *record* is one feature in one browser. Its key is the path of the feature,
 * parts joined by dots, then `/` and the browser: `api.AbortController.abort/chrome`.
 * Its value is the support statement of that browser, as the data set has it: an
 * object, or an array of objects, newest first. Every part of the data set but
 * `browsers` and `__meta` holds features; a feature is a node with `__compat`.
 *
 * A *piece* is a JSON file of about a quarter of a megabyte that says each statement once:
 *
 *    { "statements": [statement, ...],            new ones, numbered on from the piece before
 *      "features": [[path, list, n, n, ...], ...] }   n: number of a statement, one for each
 *                                                 browser of index.lists[list], in its order
 *
 * So pieces are read in order, and 286,346 records are 3.5 MB to fetch, 0.4 MB
 * where the server compresses. `index.json` says what there is.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const PIECE_BYTES = 256 * 1024;

/** What the pinned version of the data set holds; the build fails when it does not. */
const EXPECTED = { version: '8.1.9', records: 286_346, jsonBytes: 9_690_926, distinct: 8219 };

/** The data set as published. */
export function readDataSet() {
  const file = createRequire(import.meta.url).resolve('@mdn/browser-compat-data');
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Every feature of the data set, in its order, as `[path, support]`. */
export function* features(dataSet) {
  for (const [part, node] of Object.entries(dataSet)) {
    if (part !== 'browsers' && part !== '__meta') yield* featuresBelow(node, part);
  }
}

function* featuresBelow(node, path) {
  if (node.__compat) yield [path, node.__compat.support];
  for (const [part, child] of Object.entries(node)) {
    if (part !== '__compat') yield* featuresBelow(child, `${path}.${part}`);
  }
}

/** Every record of the data set as `[key, value]`. */
export function* records(dataSet) {
  for (const [path, support] of features(dataSet)) {
    for (const [browser, statement] of Object.entries(support)) yield [`${path}/${browser}`, statement];
  }
}

/**
 * The files that the page fetches: `index` and the pieces, named by their content.
 *
 * @throws Error when the figures are not those of the pinned version.
 */
export function buildPieces(dataSet = readDataSet()) {
  const figures = { records: 0, features: 0, jsonBytes: 0, distinct: 0, distinctBytes: 0, keyLengths: 0 };
  const numbers = new Map();
  const lists = new Map();
  const pieces = [];
  let piece = { statements: [], features: [], size: 0, records: 0 };

  const finish = () => {
    const text = JSON.stringify({ statements: piece.statements, features: piece.features });
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
    pieces.push({ file: `data/${pieces.length}-${hash}.json`, records: piece.records, text });
    piece = { statements: [], features: [], size: 0, records: 0 };
  };

  for (const [path, support] of features(dataSet)) {
    const browsers = Object.keys(support);
    const row = [path, numberIn(lists, browsers.join())];
    for (const browser of browsers) {
      const json = JSON.stringify(support[browser]);
      const before = numbers.size;
      row.push(numberIn(numbers, json));
      if (numbers.size > before) {
        piece.statements.push(support[browser]);
        piece.size += json.length;
        figures.distinctBytes += json.length;
      }
      figures.jsonBytes += json.length;
      figures.keyLengths += path.length + 1 + browser.length;
    }
    piece.features.push(row);
    piece.records += browsers.length;
    piece.size += JSON.stringify(row).length;
    figures.features++;
    figures.records += browsers.length;
    if (piece.size >= PIECE_BYTES) finish();
  }
  if (piece.records > 0) finish();
  figures.distinct = numbers.size;

  const { version } = dataSet.__meta;
  check({ version, ...figures });
  const browsers = Object.entries(dataSet.browsers).map(([id, { name, type }]) => ({ id, name, type }));
  const index = {
    version,
    ...figures,
    browsers,
    lists: [...lists.keys()].map((list) => list.split(',')),
    pieces: pieces.map(({ file, records, text }) => ({ file, records, bytes: Buffer.byteLength(text) })),
  };
  return { index, pieces };
}

/** One line of figures for the terminal. */
export function describe(index) {
  const n = new Intl.NumberFormat('en');
  const fetched = index.pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    `browser-compat-data ${index.version}: ${n.format(index.records)} records of ${n.format(index.features)} features, ` +
    `keys of ${(index.keyLengths / index.records).toFixed(1)} characters, ${megabytes(index.jsonBytes)} of JSON; ` +
    `${n.format(index.distinct)} distinct values of ${megabytes(index.distinctBytes)}; ` +
    `${index.pieces.length} pieces of ${megabytes(fetched)} together`
  );
}

function check(found) {
  for (const [name, expected] of Object.entries(EXPECTED)) {
    if (found[name] !== expected) {
      throw new Error(`compatibility data: expected ${name} ${expected}, found ${found[name]}`);
    }
  }
}

function numberIn(map, name) {
  let number = map.get(name);
  if (number === undefined) map.set(name, (number = map.size));
  return number;
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
