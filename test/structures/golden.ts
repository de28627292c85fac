/** Golden files of the structures' formats: names and what was written for them, in hex. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { toHex } from '../../src/base/bytes.js';

/** The named file of test/fixtures as bytes by name. */
export function golden(file: string): Readonly<Record<string, Uint8Array>> {
  const text: Record<string, string> = JSON.parse(readFileSync(urlOf(file), 'utf8'));
  return Object.fromEntries(Object.entries(text).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
}

/** Fails unless `written` is what the golden file has; with WRITE_GOLDEN=1 it becomes that. */
export function expectGolden(file: string, written: Readonly<Record<string, Uint8Array>>): void {
  const text = Object.fromEntries(Object.entries(written).map(([name, bytes]) => [name, toHex(bytes)]));
  if (process.env['WRITE_GOLDEN'] === '1') {
    writeFileSync(urlOf(file), `${JSON.stringify(text, null, 2)}\n`);
  }
  expect(text).toEqual(JSON.parse(readFileSync(urlOf(file), 'utf8')));
}

/** The bytes that the comment of a source file shows behind `introduction`, as hex. */
export function exampleIn(source: string, introduction: RegExp): string {
  const text = readFileSync(new URL(`../../src/structures/${source}`, import.meta.url), 'utf8');
  const pattern = new RegExp(
    `${introduction.source}[^\\n]*\\n \\*\\n((?: \\*    (?:[0-9a-f]{2} +)*[0-9a-f]{2}\\n)+)`,
  );
  return pattern.exec(text)![1]!.replace(/[ *\n]/g, '');
}

function urlOf(file: string): URL {
  return new URL(`../fixtures/${file}`, import.meta.url);
}
