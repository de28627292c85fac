/**
 * The shape of the source, stated once and checked: who may import whom, what the
 * pure parts may not name, how long a file may be.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../src');

/**
 * Room -> rooms it may import. `types:` in front allows `import type` alone. Every
 * room may import itself, but for `structures`, whose parts never import each other.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  contract: ['base'],
  structures: ['base'],
  'storage/log': ['base'],
  storage: ['base', 'types:contract', 'storage/log'],
  engine: ['base', 'contract', 'structures', 'storage/log', 'types:storage'],
  sync: ['base', 'types:contract', 'engine'],
  wire: ['base', 'types:contract'],
  host: ['base', 'contract', 'storage', 'storage/log', 'engine', 'wire', 'sync'],
  client: ['base', 'contract', 'wire'],
  adapters: ['base', 'types:contract'],
  index: ['base', 'types:contract', 'client'],
};

/** Imports at run time that are not static: the client's one way to a host in the same thread. */
const LAZY = new Set(['client/spawn.ts -> host/inline.ts']);

/** Where the pure rooms may name what is impure. */
const IMPURE_FILES: Readonly<Record<string, RegExp>> = {
  'base/secret.ts': /\bcrypto\b/,
  'base/sha256.ts': /\bcrypto\b/,
};

const LINES_MAX = 400;

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
  .sort();
const text = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));
const code = new Map([...text].map(([file, source]) => [file, withoutComments(source)]));
const imports = files.flatMap(importsOf);

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

function importsOf(file: string): Import[] {
  const found: Import[] = [];
  const statements = /^(?:import|export)\s+(type\s+)?([^'";]*?)\s*(?:from\s+)?'(\.[^']+)'/gm;
  for (const [, type, names, path] of code.get(file)!.matchAll(statements)) {
    const list = /^\{([\s\S]*)\}$/.exec(names!.trim())?.[1]?.split(',');
    const everyNameIsType =
      list?.every((name) => name.trim() === '' || name.trim().startsWith('type ')) ?? false;
    found.push({
      from: file,
      to: target(file, path!),
      typeOnly: type !== undefined || everyNameIsType,
      lazy: false,
    });
  }
  for (const [, path] of code.get(file)!.matchAll(/\bimport\('(\.[^']+)'\)/g)) {
    found.push({ from: file, to: target(file, path!), typeOnly: false, lazy: true });
  }
  return found;
}

function target(file: string, path: string): string {
  return relative(SRC, resolve(SRC, dirname(file), path)).replace(/\.js$/, '.ts');
}

function roomOf(file: string): string {
  if (file.startsWith('storage/log/')) return 'storage/log';
  return file.includes('/') ? file.slice(0, file.indexOf('/')) : 'index';
}

function partOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

function isAllowed({ from, to, typeOnly, lazy }: Import): boolean {
  if (lazy && (LAZY.has(`${from} -> ${to}`) || to === 'client/worker-source.ts')) return true;
  const [a, b] = [roomOf(from), roomOf(to)];
  if (a === 'structures' && b === 'structures') return partOf(from) === partOf(to);
  if (a === b) return true;
  const allowed = MAY_IMPORT[a] ?? [];
  return allowed.includes(b) || (typeOnly && allowed.includes(`types:${b}`));
}

describe('the source', () => {
  test('lies in the rooms of the table and nowhere else', () => {
    const rooms = new Set(files.map(roomOf));
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([]);
    expect(imports.length).toBeGreaterThan(100);
  });

  test('imports only as the table allows', () => {
    const wrong = imports.filter((one) => !isAllowed(one)).map(({ from, to }) => `${from} -> ${to}`);
    expect(wrong).toEqual([]);
  });

  test('imports no file that is not there', () => {
    const known = new Set([...files, 'client/worker-source.ts']);
    expect(imports.filter(({ to }) => !known.has(to)).map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test('has no cycle of imports, types counted', () => {
    const graph = new Map(
      files.map((file) => [file, imports.filter((i) => i.from === file && !i.lazy).map((i) => i.to)]),
    );
    expect(findCycle(graph)).toEqual([]);
  });

  test('keeps the engine out of the page: nothing that the entry reaches lies behind the wire', () => {
    const reached = new Set<string>();
    const visit = (file: string) => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const one of imports) if (one.from === file && !one.typeOnly && !one.lazy) visit(one.to);
    };
    visit('index.ts');
    const behind = [...reached].filter((file) => /^(engine|host|storage|structures|sync)\//.test(file));
    expect(behind).toEqual([]);
    expect(reached.size).toBeGreaterThan(5);
  });

  test('draws no time, randomness or timer, and names no part of a browser, where it is pure', () => {
    const impure =
      /\b(Date\.now|new Date\(\)|performance\.|Math\.random|setTimeout|setInterval|queueMicrotask|crypto|navigator|window|document|localStorage|indexedDB|fetch\()/;
    const wrong = files
      .filter((file) => ['base', 'structures', 'storage/log'].includes(roomOf(file)))
      .flatMap((file) => {
        const allowed = IMPURE_FILES[file];
        const lines = code.get(file)!.split('\n');
        return lines
          .filter((line) => impure.test(line) && !allowed?.test(line))
          .map((line) => `${file}: ${line.trim()}`);
      });
    expect(wrong).toEqual([]);
  });

  test('has no async in structures', () => {
    const wrong = files.filter(
      (file) =>
        roomOf(file) === 'structures' && /\b(async|await)\b|new Promise|Promise[.<]/.test(code.get(file)!),
    );
    expect(wrong).toEqual([]);
  });

  test('has no eval and no new Function', () => {
    expect(files.filter((file) => /\beval\(|\bnew Function\b/.test(code.get(file)!))).toEqual([]);
  });

  test(`has no file over ${LINES_MAX} lines`, () => {
    const long = files.filter((file) => text.get(file)!.split('\n').length - 1 > LINES_MAX);
    expect(long).toEqual([]);
  });

  test('has no drawer without a name of its own', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\.ts|\/)/.test(file))).toEqual([]);
  });

  test('opens each file with what it is', () => {
    expect(files.filter((file) => !text.get(file)!.startsWith('/**'))).toEqual([]);
  });
});

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle.length > 0) return cycle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
