import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Settings of the unit tests. The demo and the end-to-end pages are built by their own configurations. */
export default defineConfig({
  // Recipes import the package by its name.
  resolve: { alias: [{ find: /^rootcellar$/, replacement: join(import.meta.dirname, 'src/index.ts') }] },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
  },
});
