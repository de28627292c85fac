import { defineConfig } from 'vitest/config';

/** Settings of the unit tests. The demo and the end-to-end pages are built by their own configurations. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    testTimeout: 60_000,
  },
});
