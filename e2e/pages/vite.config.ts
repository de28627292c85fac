import { join } from 'node:path';
import { defineConfig } from 'vite';

const dist = (path: string) => join(import.meta.dirname, '../../dist', path);

/** Builds the page under test from the built package, as an application's bundler would. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  resolve: {
    alias: [
      { find: /^rootcellar\/worker$/, replacement: dist('host/worker.js') },
      { find: /^rootcellar$/, replacement: dist('index.js') },
    ],
  },
  worker: { format: 'es' },
  build: {
    outDir: '../../.e2e',
    emptyOutDir: true,
    modulePreload: false,
    rollupOptions: {
      input: {
        index: join(import.meta.dirname, 'index.html'),
        given: join(import.meta.dirname, 'worker.ts'),
      },
      output: { entryFileNames: '[name].js' },
    },
  },
});
