/**
 * Everything that must hold: format and lint, types, the package's build and sizes,
 * unit tests with the architecture, end-to-end tests in Chromium. Stops at the first
 * step that fails.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (path) => [process.execPath, join(root, 'node_modules', path)];
const script = (name, ...args) => [process.execPath, join(root, 'scripts', name), ...args];

const STEPS = [
  ['format and lint', bin('@biomejs/biome/bin/biome'), ['check', '.']],
  ['types', bin('typescript/bin/tsc'), ['-p', 'tsconfig.json']],
  ['build', script('build.mjs')],
  ['sizes', script('size.mjs')],
  ['unit tests', bin('vitest/vitest.mjs'), ['run']],
  ['end-to-end tests', script('e2e.mjs', '--built')],
];

for (const [name, [command, ...args], more = []] of STEPS) {
  console.log(`\n== ${name}`);
  const { status, error } = spawnSync(command, [...args, ...more], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    console.error(`\n${name}: failed`);
    console.log(`${STEPS.findIndex(([step]) => step === name)} passed, 1 failed`);
    process.exit(1);
  }
}
console.log(`\n${STEPS.length} passed, 0 failed`);
