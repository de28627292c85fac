import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

/** SQLite asks for its WASM beside its script, under this name, in a way that no bundler sees. */
const sqliteWasm: Plugin = {
  name: 'sqlite-wasm',
  generateBundle() {
    const path = createRequire(import.meta.url).resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');
    this.emitFile({ type: 'asset', fileName: 'assets/sqlite3.wasm', source: readFileSync(path) });
  },
};

/** Builds the page of the benchmark of strict writes from the built package. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: {
    alias: [{ find: /^rootcellar$/, replacement: join(import.meta.dirname, '../../dist/index.js') }],
  },
  plugins: [sqliteWasm],
  worker: { format: 'es' },
  build: { outDir: '../../.bench', emptyOutDir: true, target: 'es2022' },
});
