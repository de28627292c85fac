/**
 * Builds the package into `dist`: plain `tsc`, one file per source file, and the
 * worker once more as a single script in a string, for where its URL leads nowhere.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const at = (...path) => join(root, ...path);

rmSync(at('dist'), { recursive: true, force: true });
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });

const [{ output }] = [
  await build({
    root,
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      minify: true,
      target: 'es2022',
      rollupOptions: { input: at('dist/host/worker.js'), output: { format: 'es', codeSplitting: false } },
      modulePreload: false,
    },
  }),
].flat();
const chunks = output.filter(({ type }) => type === 'chunk');
if (chunks.length !== 1) throw new Error(`the worker must be one script, got ${chunks.length}`);
writeFileSync(
  at('dist/client/worker-source.js'),
  `export const source = ${JSON.stringify(chunks[0].code)};\n`,
);
cpSync(at('src/client/worker-source.d.ts'), at('dist/client/worker-source.d.ts'));
