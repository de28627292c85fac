import { join } from 'node:path';
import { defineConfig } from 'vite';

/** Builds the page of the engine benchmark from the built package. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: {
    alias: [{ find: /^rootcellar$/, replacement: join(import.meta.dirname, '../../dist/index.js') }],
  },
  worker: { format: 'es' },
  build: { outDir: '../../.bench', emptyOutDir: true },
});
